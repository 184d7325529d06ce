//! The body of an incoming request.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Incoming};

use crate::shared::Shared;
use crate::wire::Reply;

/// The longest accepted body.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The body of an incoming request, whose progress is recorded.
pub(super) struct Upload<'a> {
    shared: &'a Shared,
    n: u64,
    /// True if its announced length is above the limit.
    is_long: bool,
    body: Incoming,
    taken: Vec<u8>,
}

impl<'a> Upload<'a> {
    /// Creates the reader of the body of request `n`.
    pub(super) fn new(shared: &'a Shared, n: u64, body: Incoming) -> Self {
        Self { shared, n, is_long: body.size_hint().lower() > MAX_BODY as u64, body, taken: Vec::new() }
    }

    /// Returns the bytes that were read.
    pub(super) fn into_bytes(self) -> Bytes {
        self.taken.into()
    }

    /// Reads until `count` bytes have arrived in all, or the body has ended.
    pub(super) async fn take(&mut self, count: usize) -> Result<(), Reply> {
        let mut has_ended = self.body.is_end_stream();
        while self.taken.len() < count && !has_ended {
            if self.is_long || self.taken.len() > MAX_BODY {
                return Err(Reply::error(413, "The body is longer than 32 MiB."));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.came(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(_)) => return Err(Reply::error(400, "The body is incomplete.")),
                None => has_ended = true,
            }
            has_ended |= self.body.is_end_stream();
        }
        if has_ended {
            self.shared.state().end_body(self.n);
        }
        Ok(())
    }

    fn came(&mut self, data: &[u8]) {
        self.taken.extend_from_slice(data);
        self.shared.state().add_body(self.n, data.len());
    }
}
