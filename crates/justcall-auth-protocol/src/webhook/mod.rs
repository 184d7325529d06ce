//! Verification of webhooks: a delivery must be signed by JustCall, be fresh, and be for this receiver.
//!
//! **The body is not signed.** The signature covers the URL, the event's type and a timestamp, and nothing else: anyone
//! who has one genuine delivery can change `data`, `request_id` and `url_id`. A verified delivery therefore only proves
//! that *something* of this type happened. Before you act on `data`, fetch the object through the API (`confirm` here):
//!
//! ```
//! use justcall_auth_protocol::{Error, WebhookHeaders, WebhookVerifier};
//!
//! # let confirm = |_id: u64| Ok::<(), Error>(());
//! # fn id_in(_body: &[u8]) -> u64 { 1 }
//! let mut verifier = WebhookVerifier::for_url("https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4")?;
//! verifier.add_secret(b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb")?; // the API secret; webhooks have no separate one
//!
//! let headers = WebhookHeaders::find([
//!     ("X-JustCall-Signature", "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"),
//!     ("X-JustCall-Signature-Version", "v1"),
//!     ("X-JustCall-Request-Timestamp", "2024-03-21 17:08:22"),
//! ]);
//! let body = br#"{"webhook_url": "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4",
//!                 "type": "call.completed", "data": {"id": 1}}"#;
//! let now = 1_711_040_910; // seconds since the epoch, from your clock
//!
//! let event = verifier.verify(&headers, body, now)?;
//! if event.event_type() == "call.completed" {
//!     confirm(id_in(body))?; // GET /v2.1/calls/{id}: trust the API, not the body
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! Two genuine events of the same type in the same second have the same signature, so the verifier stores no
//! signatures: it would drop real events. [`WebhookVerifier::set_replay_check`] calls the program's own check instead.

mod body;
mod event;
mod headers;
#[cfg(test)]
mod measure_tests;
mod object;
mod secrets;
mod signature;
mod timestamp;
#[cfg(test)]
mod timing_tests;
mod url;
mod verifier;

pub use event::WebhookEvent;
pub use headers::WebhookHeaders;
pub use object::object_path;
pub use secrets::SigningSecrets;
pub use verifier::{ANY_URL, DEFAULT_TOLERANCE, ReplayCheck, WebhookVerifier};

pub use body::MAX_BODY;
