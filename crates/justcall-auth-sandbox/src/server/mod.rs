//! Sockets, TLS and connections.

mod certificates;
mod connection;
mod listen;

pub(crate) use certificates::{AUTHORITY, Certificates};
pub(crate) use connection::Server;
pub(crate) use listen::Listeners;
