//! One delivery of one event: its request, its outcome, and the report of both.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::signature::{self, Encoding, TimestampForm};

/// One delivery of one event.
#[derive(Clone)]
pub(super) struct Delivery {
    /// The number of the event in the order, from 0.
    pub(super) event: usize,
    /// The number of the copy, from 0.
    pub(super) copy: usize,
    pub(super) request_id: String,
    pub(super) name: String,
    pub(super) webhook_url: String,
    pub(super) timestamp: String,
    pub(super) signature: String,
    pub(super) secret: String,
    pub(super) encoding: Encoding,
    pub(super) timestamp_form: TimestampForm,
    /// A timestamp that is sent unchanged.
    pub(super) verbatim: Option<String>,
    /// False for the probe.
    pub(super) is_signed: bool,
    /// Headers that replace or extend the usual ones. Those without a value are left out.
    pub(super) headers: Vec<(HeaderName, Option<HeaderValue>)>,
    pub(super) body: Bytes,
    pub(super) chunked: bool,
}

impl Delivery {
    /// Signs the delivery for a time in milliseconds since 1970.
    pub(super) fn sign(&mut self, at: i128) {
        self.timestamp = self.verbatim.clone().unwrap_or_else(|| self.timestamp_form.write(at));
        self.signature =
            signature::sign(&self.secret, &self.webhook_url, self.encoding, &self.name, &self.timestamp);
    }

    /// Returns the report of an attempt.
    pub(super) fn report(&self, attempt: usize, outcome: &DeliveryOutcome) -> Value {
        json!({
            "event": self.event,
            "copy": self.copy,
            "attempt": attempt,
            "request_id": self.request_id,
            "type": self.name,
            "webhook_url": self.webhook_url,
            "timestamp": self.is_signed.then_some(&self.timestamp),
            "signature": self.is_signed.then_some(&self.signature),
            "status": outcome.status,
            "headers": outcome.headers,
            "body": outcome.body,
            "error": outcome.error,
        })
    }
}

/// The outcome of an attempt: an answer, or the reason why there is none.
#[derive(Default)]
pub(super) struct DeliveryOutcome {
    pub(super) status: Option<u16>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    pub(super) error: Option<String>,
}

impl DeliveryOutcome {
    /// Returns true if the service would count the event as delivered, which only 200 does.
    pub(super) fn is_acknowledgement(&self) -> bool {
        self.status == Some(200)
    }
}
