//! The settings of connections.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::RootCertStore;

use super::proxy::Proxy;

/// The settings of connections. Clients with equal settings share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The trusted authorities, instead of the system's.
    pub roots: Option<Arc<RootCertStore>>,
    /// The proxy of all connections.
    pub proxy: Option<Proxy>,
    /// The address of this machine that connections come from, in place of the one that the system chooses.
    pub local_address: Option<IpAddr>,
    /// The largest body of a response that is read, in bytes: a connection with a longer one is given up.
    pub max_response_length: usize,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let anchors = |settings: &Self| settings.roots.as_ref().map(|roots| roots.roots.clone());
        self.proxy == other.proxy
            && self.local_address == other.local_address
            && self.max_response_length == other.max_response_length
            && anchors(self) == anchors(other)
    }
}
