//! Sockets, TLS and connections.

mod certificates;
mod connection;
mod listen;

pub(crate) use certificates::Certificates;
pub(crate) use connection::Server;
pub(crate) use listen::Listeners;
