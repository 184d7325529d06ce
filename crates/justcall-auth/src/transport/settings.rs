//! What connections depend on.

use std::sync::Arc;

use rustls::RootCertStore;

use super::proxy::Proxy;

/// What connections depend on. Clients with equal settings share theirs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The authorities that are trusted, in place of the system's.
    pub roots: Option<Arc<RootCertStore>>,
    /// The proxy that all connections go through.
    pub proxy: Option<Proxy>,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let anchors = |settings: &Self| settings.roots.as_ref().map(|roots| roots.roots.clone());
        self.proxy == other.proxy && anchors(self) == anchors(other)
    }
}
