//! The settings of connections.

use std::sync::Arc;

use rustls::RootCertStore;

use super::proxy::Proxy;

/// The settings of connections. Clients with equal settings share their connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The trusted authorities, instead of the system's.
    pub roots: Option<Arc<RootCertStore>>,
    /// The proxy of all connections.
    pub proxy: Option<Proxy>,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let anchors = |settings: &Self| settings.roots.as_ref().map(|roots| roots.roots.clone());
        self.proxy == other.proxy && anchors(self) == anchors(other)
    }
}
