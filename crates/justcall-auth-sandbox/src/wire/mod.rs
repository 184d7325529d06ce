//! Requests and answers as bytes, including what HTTP libraries hide or refuse. Nothing here uses accounts, faults or calls.

mod handle;
mod head;
mod payload;
mod reply;
mod stream;
mod tap;

pub(crate) use handle::{ConnectionHandle, ConnectionOrder};
pub(crate) use head::Head;
pub(crate) use payload::Payload;
pub(crate) use reply::{Failure, List, Reply, Success};
pub(crate) use stream::{Ending, Stream, Takeover};
pub(crate) use tap::{Interjection, Tap};
