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

/// Verifies deliveries of webhooks. Set it up on one thread; then any number of threads may verify
/// with it at once.
///
/// The body of a delivery is NOT signed, beyond the two fields `webhook_url` and `type`: everyone
/// who has one genuine delivery can send any other data with it. Before you act on the data, fetch
/// the object again through the API: justcall_client_request() of "GET" with the path that
/// justcall_webhook_event_object_path() returns.
pub struct justcall_webhook {
    verifier: WebhookVerifier,
    /// The client that the secrets come from, if they are not given.
    client: Option<Client>,
}

/// Checks whether a verified delivery was seen before, and remembers it. Returns JUSTCALL_OK if it
/// is new, JUSTCALL_ERROR_WEBHOOK_REPLAYED if not, another JUSTCALL_ERROR_ number if it cannot
/// tell; justcall_webhook_verify() then returns the same. `context` is what
/// justcall_webhook_set_replay_check() was given. `event` lives until the function returns.
///
/// Called on the thread that verifies; several threads may call it at once. It must not unwind or
/// longjmp.
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

/// Creates a verifier of deliveries for `expected_url`, written exactly as it is registered in
/// JustCall, or for every URL if it is JUSTCALL_ANY_URL. A delivery whose time is more than
/// `tolerance_s` seconds from yours, in the past or in the future, is refused: 600 is usual; 0
/// accepts those of the same second alone. The verifier needs a secret before it can verify:
/// justcall_webhook_use_client() or justcall_webhook_add_secret().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `expected_url` is not a whole URL or an argument
/// is NULL. On success `*out` is yours, to be freed with justcall_webhook_free(); on failure it is
/// NULL.
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
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not a whole URL, if every URL is accepted
/// already, or if an argument is NULL; the verifier is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_add_url(
    webhook: *mut justcall_webhook,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, url: text| webhook.verifier.add_url(url))
}

/// Accepts deliveries that are signed with `secret`, the API secret of the account; webhooks have
/// no other. It is copied; your copy stays yours to wipe. Add the current one first, then those
/// that it replaced a short while ago.
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if it cannot be a secret, and says why. Fails
/// with JUSTCALL_ERROR_INVALID_ARGUMENT after justcall_webhook_use_client(), or if an argument is
/// NULL or the length is impossible. The verifier is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_add_secret(
    webhook: *mut justcall_webhook,
    secret: *const c_char,
    secret_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |webhook: handle_mut, secret: bytes(secret_length)| webhook.verifier.add_secret(secret))
}

/// Takes the secrets from a client at each delivery: that of its pair, then for a while that of the
/// pair before. `client` stays yours and may be freed at once. Replaces an earlier client.
///
/// Does not block itself. A delivery that comes before any call has read the client's pair waits in
/// justcall_webhook_verify() until it is read, at most for the client's timeout: call
/// justcall_client_verify() or justcall_client_reload() when the receiver starts. If the source
/// cannot be read, the delivery fails with the status of that failure. For a second after that,
/// deliveries do not run a program or callback again: they fail with the same status.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT after justcall_webhook_add_secret(), or if an
/// argument is NULL; the verifier is then unchanged.
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

/// Sets the function that is asked about every delivery that passed all other checks; the library
/// itself remembers nothing, as two genuine events of one type in one second have the same
/// signature. `context` is passed to it, and to `free_context`, which may be NULL, once the
/// verifier is freed or gets another check. Replaces an earlier check.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `check` is NULL; the verifier is then
/// unchanged, and `context` is not freed.
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

/// Verifies one delivery. `signature`, `version` and `timestamp` are the values of the headers
/// x-justcall-signature, x-justcall-signature-version and x-justcall-request-timestamp, as they
/// came, or NULL if there is none. An empty value counts as none. If a header occurs twice, pass
/// its values joined with ", ": the delivery is then refused. `body` is the `body_length` bytes
/// that came, and `now_unix` the time in seconds since 1970-01-01 UTC, such as from time(). Counts
/// the result, for justcall_webhook_usage() and the client's justcall_client_usage().
///
/// Fails with the first of these that holds:
///
/// - JUSTCALL_ERROR_INVALID_ARGUMENT: `webhook` or `out` is NULL, a length is impossible, or the
///   verifier has no secret.
/// - JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the signature is missing or empty, as in the probe that
///   JustCall sends when a URL is saved. Log it: behind a proxy that removes the headers, every
///   genuine delivery looks like the probe.
/// - JUSTCALL_ERROR_WEBHOOK_VERSION: the version is missing or unknown.
/// - JUSTCALL_ERROR_WEBHOOK_MALFORMED: the signature is not 64 hexadecimal digits, the timestamp is
///   missing or not a time, or the body is over 1 MiB, not UTF-8 or not the JSON of a delivery.
///   A signature or timestamp that is not UTF-8 is malformed too.
/// - The failure of the client's source, if the secrets come from a client.
/// - JUSTCALL_ERROR_WEBHOOK_MISMATCH, _STALE, _WRONG_URL, _REPLAYED, or what the replay check
///   returns.
///
/// The HTTP status to answer with:
///
/// - 200 for JUSTCALL_OK, after the event was handled.
/// - 200 and nothing else for JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the probe expects it.
/// - 200 for JUSTCALL_ERROR_WEBHOOK_REPLAYED. Do not act on the delivery again.
/// - 401 for every other JUSTCALL_ERROR_WEBHOOK status.
/// - 500 for every other status, such as that of a source. JustCall sends the delivery again after
///   every answer other than 200.
///
/// On success `*out` is yours, to be freed with justcall_webhook_event_free(); on failure it is
/// NULL.
///
/// Blocks only if the secrets are those of a client whose pair has to be read. Any number of
/// threads may call this on one verifier.
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

/// Verifies one delivery as justcall_webhook_verify() does. If the secrets come from a client whose
/// pair has to be read first, that is done within the limits of `options`, which may be NULL for
/// none, in place of the client's timeout. Secrets that were given need no limit.
///
/// Fails as justcall_webhook_verify() does, and with JUSTCALL_ERROR_TIMEOUT or
/// JUSTCALL_ERROR_CANCELLED.
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

/// Copies the results of the verifications that this verifier made in this process into `buffer`,
/// NUL-terminated: OpenMetrics 1.0 text, as that of justcall_client_usage(). It has the counter
/// `justcall_auth_webhooks_total`, whose label `result` is `ok` or the name of the status that
/// justcall_webhook_verify() returned. Calls with an argument that is NULL or a length that is
/// impossible are not counted. The text holds no secret, URL or content of a delivery.
///
/// justcall_client_usage() of a client has the results of all verifiers that use its secrets. Serve
/// one of the two texts to a monitor: a sum over both counts each delivery twice.
///
/// Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
/// JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; a capacity of
/// JUSTCALL_USAGE_SIZE is always enough. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` is
/// NULL, or `buffer` is NULL and `capacity` is not 0. Does not block. Any number of threads may
/// call this on one verifier. A child of fork() starts at zero.
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

/// Frees a verifier. Events that came from it live on. Does nothing if `webhook` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_free(webhook: *mut justcall_webhook) {
    free!(webhook);
}
