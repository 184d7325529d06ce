//! A verifier of webhooks.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use justcall_auth::webhook::{ANY_URL, ReplayCheck};
use justcall_auth::{Client, Error, ErrorKind, WebhookEvent, WebhookHeaders, WebhookVerifier};

use crate::call_options::justcall_call_options;
use crate::callback::{Callback, justcall_free_fn};
use crate::client::justcall_client;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{argument, free};
use crate::status::{self, JUSTCALL_OK, justcall_status};
use crate::webhook_event::justcall_webhook_event;

/// A verifier of webhook deliveries. Set up a verifier on one thread. After the setup, several
/// threads may verify deliveries with one verifier at the same time.
///
/// The signature of a delivery does NOT cover its body, except for the two fields `webhook_url` and
/// `type`. Anyone who has one genuine delivery can send other data with the same signature. Before
/// you act on the data of a delivery, fetch the object through the API. To fetch the object, call
/// justcall_client_request() with the method "GET" and the path from
/// justcall_webhook_event_object_path().
pub struct justcall_webhook {
    verifier: WebhookVerifier,
    /// The client that the secrets come from, if they are not given.
    client: Option<Client>,
}

/// A callback that checks whether a verified delivery was seen before, and that remembers the
/// delivery. Set it with justcall_webhook_set_replay_check(), which also sets its `context`.
/// `event` is valid until the callback returns.
///
/// The callback returns JUSTCALL_OK if the delivery is new. The callback returns
/// JUSTCALL_ERROR_WEBHOOK_REPLAYED if the delivery was seen before. The callback returns another
/// JUSTCALL_ERROR_ number if the check itself failed. justcall_webhook_verify() returns the same
/// status as the callback.
///
/// The library runs the callback on the thread that verifies the delivery. Several threads may run
/// the callback at the same time. The callback must not throw or longjmp.
pub type justcall_replay_fn = Option<
    unsafe extern "C" fn(context: *mut c_void, event: *const justcall_webhook_event) -> justcall_status,
>;

impl ReplayCheck
    for Callback<unsafe extern "C" fn(*mut c_void, *const justcall_webhook_event) -> justcall_status>
{
    fn was_seen(&self, event: &WebhookEvent) -> Result<bool, Error> {
        let event = justcall_webhook_event::new(event)?;
        // SAFETY: the header says that it is called with its context and an event that is borrowed for the call.
        let status = unsafe { (self.function)(self.context, &raw const event) };
        match ErrorKind::from_number(status) {
            _ if status == JUSTCALL_OK => Ok(false),
            Some(ErrorKind::WebhookReplayed) => Ok(true),
            kind => {
                let name = status::name(status).to_string_lossy();
                let message = format!("The replay check failed with {status} ({name}).");
                Err(Error::with_message(kind.unwrap_or(ErrorKind::InvalidArgument), message))
            }
        }
    }
}

/// Creates a verifier of webhook deliveries for the URL `expected_url`. Write the URL exactly as it
/// is registered in JustCall. JUSTCALL_ANY_URL accepts deliveries for every URL. The verifier
/// refuses a delivery if its time is more than `tolerance_s` seconds before or after your time. A
/// usual tolerance is 600 seconds. A tolerance of 0 accepts only deliveries of the same second. The
/// verifier needs a secret before it can verify: call justcall_webhook_use_client() or
/// justcall_webhook_add_secret().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `expected_url` is not a complete URL, or if
/// `expected_url` or `out` is NULL. On success, free `*out` with justcall_webhook_free(). On
/// failure, `*out` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_new(
    expected_url: *const c_char,
    tolerance_s: u64,
    out: *mut *mut justcall_webhook,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |expected_url: text| {
        let mut verifier = match expected_url {
            ANY_URL => WebhookVerifier::for_any_url(),
            url => WebhookVerifier::for_url(url)?,
        };
        verifier.set_tolerance(tolerance_s);
        Ok(justcall_webhook { verifier, client: None })
    })
}

/// Accepts deliveries for `url` as well.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not a complete URL, or if the verifier
/// already accepts every URL. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `url`
/// is NULL. On failure, the verifier is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_add_url(
    webhook: *mut justcall_webhook,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, url: text| webhook.verifier.add_url(url))
}

/// Adds a secret to a verifier, which then accepts deliveries that are signed with this secret.
/// JustCall signs webhooks with the API secret of the account. A webhook has no separate secret.
/// Add the current secret first, then the secrets that it replaced a short time ago. The function
/// copies `secret`. You keep your own copy: wipe it with justcall_wipe().
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if `secret` cannot be an API secret. The error
/// message explains why. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the verifier uses a client
/// (justcall_webhook_use_client()). Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or
/// `secret` is NULL, or if `secret_length` is over SIZE_MAX / 2. On failure, the verifier is
/// unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_add_secret(
    webhook: *mut justcall_webhook,
    secret: *const c_char,
    secret_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, secret: bytes(secret_length)| webhook.verifier.add_secret(secret))
}

/// Makes a verifier use the API secrets of a client. The verifier takes the secrets from the client
/// at each delivery. The verifier accepts the secret of the client's pair and, for a limited time,
/// the secret of the previous pair. Replaces the client that was set before.
///
/// A delivery may arrive before any call has read the client's pair. justcall_webhook_verify() then
/// reads the pair, and blocks for at most the client's timeout. To avoid this wait, call
/// justcall_client_verify() or justcall_client_reload() when your program starts. If the source
/// cannot be read, the verification fails with the status of that failure. For one second after
/// that, verifications fail with the same status and do not run a program or callback again.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the verifier has a secret from
/// justcall_webhook_add_secret(), or if `webhook` or `client` is NULL. On failure, the verifier is
/// unchanged. The caller keeps ownership of `client` and may free it as soon as this function
/// returns. Does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_use_client(
    webhook: *mut justcall_webhook,
    client: *const justcall_client,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, client: handle| {
        webhook.verifier.use_secrets_of(Arc::new(client.get().clone()))?;
        webhook.client = Some(client.get().clone());
        Ok(())
    })
}

/// Sets a callback that detects repeated deliveries. The library runs the check for every delivery
/// that passed all other checks. justcall_replay_fn describes the callback. The library itself does
/// not detect repeated deliveries, because two genuine events can have the same signature. Two
/// events have the same signature if they have the same type and the same second. Replaces the
/// replay check that was set before.
///
/// The library passes `context` to `check`. The library calls `free_context` with `context` when
/// the verifier is freed or gets another replay check. `free_context` may be NULL.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `check` is NULL. On failure, the
/// verifier is unchanged, and `context` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_set_replay_check(
    webhook: *mut justcall_webhook,
    check: justcall_replay_fn,
    context: *mut c_void,
    free_context: justcall_free_fn,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, check: callback(context, free_context)| {
        webhook.verifier.set_replay_check(check);
        Ok(())
    })
}

/// Verifies one webhook delivery. `signature` is the value of the header x-justcall-signature.
/// `version` is the value of x-justcall-signature-version, and `timestamp` is the value of
/// x-justcall-request-timestamp. Pass each value as it was received, or NULL if the header is
/// missing. An empty value counts as missing. If a header occurs twice, pass its values joined with
/// ", ": this function then refuses the delivery. `body` is the `body_length` bytes that were
/// received. `now_unix` is the current time in seconds since 1970-01-01 UTC, such as from time().
/// The result is counted in justcall_webhook_usage() and in justcall_client_usage() of the client.
///
/// If several failures apply, this function fails with the first status in this list:
///
/// - JUSTCALL_ERROR_INVALID_ARGUMENT: `webhook` or `out` is NULL, a length is over SIZE_MAX / 2, or
///   the verifier has no secret.
/// - JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the signature is missing or empty. JustCall sends such a test
///   delivery when a webhook URL is saved. Log this status. If a proxy removes the headers, every
///   genuine delivery gets this status too.
/// - JUSTCALL_ERROR_WEBHOOK_VERSION: the signature version is missing or unknown.
/// - JUSTCALL_ERROR_WEBHOOK_MALFORMED: the signature is not 64 hexadecimal digits, or the timestamp
///   is missing or not a time. This status also means that the body is over 1 MiB, not UTF-8, or
///   not the JSON of a delivery. A signature or timestamp that is not UTF-8 is malformed too.
/// - The status of the client's source, if the verifier uses a client and the source cannot be
///   read.
/// - JUSTCALL_ERROR_WEBHOOK_MISMATCH, then JUSTCALL_ERROR_WEBHOOK_STALE,
///   JUSTCALL_ERROR_WEBHOOK_WRONG_URL, JUSTCALL_ERROR_WEBHOOK_REPLAYED, or another status of the
///   replay check.
///
/// Answer the delivery with one of these HTTP statuses:
///
/// - 200 for JUSTCALL_OK, after you have handled the event.
/// - 200 for JUSTCALL_ERROR_WEBHOOK_UNSIGNED, because JustCall expects 200 for a test delivery. Do
///   not act on an unsigned delivery.
/// - 200 for JUSTCALL_ERROR_WEBHOOK_REPLAYED. Do not act on the delivery again.
/// - 401 for every other JUSTCALL_ERROR_WEBHOOK status.
/// - 500 for every other status, such as a failure of the source. JustCall sends a delivery again
///   if the answer is not 200.
///
/// On success, free `*out` with justcall_webhook_event_free(). On failure, `*out` is NULL. Blocks
/// only if the verifier uses a client whose pair has to be read first. This function is
/// thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_verify(
    webhook: *const justcall_webhook,
    signature: *const c_char,
    version: *const c_char,
    timestamp: *const c_char,
    body: *const c_void,
    body_length: usize,
    now_unix: i64,
    out: *mut *mut justcall_webhook_event,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |webhook: handle, body: optional_bytes(body_length)| {
        let headers = WebhookHeaders::new(
            argument!(signature).string(),
            argument!(version).string(),
            argument!(timestamp).string(),
        );
        justcall_webhook_event::new(&webhook.verifier.verify(&headers, body.unwrap_or_default(), now_unix)?)
    })
}

/// Verifies one webhook delivery like justcall_webhook_verify(). If the pair of the verifier's
/// client has to be read first, the limits of `options` apply instead of the client's timeout. The
/// limits have no effect on a verifier that does not use a client. If `options` is NULL, this
/// function works like justcall_webhook_verify().
///
/// Fails like justcall_webhook_verify(). Also fails with JUSTCALL_ERROR_TIMEOUT or
/// JUSTCALL_ERROR_CANCELLED if reading the pair exceeds the limits.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_verify_with(
    webhook: *const justcall_webhook,
    signature: *const c_char,
    version: *const c_char,
    timestamp: *const c_char,
    body: *const c_void,
    body_length: usize,
    now_unix: i64,
    options: *const justcall_call_options,
    out: *mut *mut justcall_webhook_event,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |webhook: handle, body: optional_bytes(body_length)| {
        let headers = WebhookHeaders::new(
            argument!(signature).string(),
            argument!(version).string(),
            argument!(timestamp).string(),
        );
        let body = body.unwrap_or_default();
        let event = match &webhook.client {
            Some(client) => {
                let call = client.call().with_options(&argument!(options).call_options());
                webhook.verifier.verify_with_secrets(&headers, body, now_unix, &call)
            }
            None => webhook.verifier.verify(&headers, body, now_unix),
        };
        justcall_webhook_event::new(&event?)
    })
}

/// Copies the metrics of a verifier into `buffer`, with a NUL at the end. The metrics count the
/// verifications that this verifier made in this process. The text is OpenMetrics 1.0, like that of
/// justcall_client_usage(). The text contains the counter `justcall_auth_webhooks_total` with the
/// label `result`. The label is `ok`, or the name of the status that justcall_webhook_verify()
/// returned. The counter ignores calls in which an argument is NULL or a length exceeds SIZE_MAX / 2.
/// The text contains no secret, no URL and no data of a delivery. Sets `*length` to the length of
/// the text without the NUL. `length` may be NULL.
///
/// justcall_client_usage() contains the results of all verifiers that use the client's secrets. Let
/// your monitoring system read only one of the two texts, because a sum of both counts each
/// delivery twice.
///
/// Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
/// A capacity of JUSTCALL_USAGE_SIZE is always enough. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
/// if `webhook` is NULL, or if `buffer` is NULL and `capacity` is not 0. Does not block. This
/// function is thread-safe. After fork(), the counters start at zero in the child.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_usage(
    webhook: *const justcall_webhook,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle, buffer: buffer(capacity, length)| {
        buffer.fill(webhook.verifier.usage().as_bytes())
    })
}

/// Frees a verifier. Webhook events that came from the verifier remain valid. Does nothing if
/// `webhook` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_free(webhook: *mut justcall_webhook) {
    free!(webhook);
}
