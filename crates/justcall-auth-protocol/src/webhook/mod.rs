//! Webhooks: whether a delivery is JustCall's, is fresh, and is for this receiver.
//!
//! **The body is not signed.** The signature is over the URL, the event's type and a timestamp, and over nothing else:
//! `data`, `request_id` and `url_id` can be changed by whoever holds one genuine delivery. So take a verified delivery
//! for the news that *something* of this type happened now, and before you act on what `data` says, fetch the object
//! again through the API (`confirm` here):
//!
//! ```
//! use justcall_auth_protocol::{Error, WebhookHeaders, WebhookVerifier};
//!
//! # let confirm = |_id: u64| Ok::<(), Error>(());
//! # fn id_in(_body: &[u8]) -> u64 { 1 }
//! let mut verifier = WebhookVerifier::for_url("https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4")?;
//! verifier.add_secret(b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb")?; // the API secret: there is no other
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
//!     confirm(id_in(body))?; // GET /v2.1/calls/{id}: what the API says is true, what the body says may not be
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! Two genuine events of one type in one second have the same signature, so nothing is remembered here: a cache of
//! signatures would drop real events. [`WebhookVerifier::set_replay_check`] asks the program's own memory instead.

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
