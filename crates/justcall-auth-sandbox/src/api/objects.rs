//! `GET /v2.1/calls/ID` and its like: what a webhook is about can be fetched again.

use super::calls;
use crate::webhook;
use crate::wire::{Reply, Success};

/// The object of a path, if there is one.
pub(super) fn answer(path: &str) -> Reply {
    let found = path.strip_prefix("/v2.1/calls/").and_then(calls::one).or_else(|| webhook::object(path));
    match found {
        Some(data) => Reply::json(200, &Success { status: "success", data }),
        None => Reply::error(404, "Not found."),
    }
}
