//! A client of the service.

use std::ffi::{c_char, c_void};

use justcall_auth::{Call, Client, Config, copy};

use crate::account::justcall_account;
use crate::call_options::justcall_call_options;
use crate::config::justcall_config;
use crate::credentials::justcall_credentials;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{argument, free, guarded, infallible};
use crate::report::justcall_report;
use crate::request::justcall_request;
use crate::response::{figure, justcall_response};
use crate::status::justcall_status;

/// The size of a buffer that holds any text of justcall_client_usage() and of
/// justcall_webhook_usage().
pub const JUSTCALL_USAGE_SIZE: usize = 32 * 1024;

const _: () = assert!(JUSTCALL_USAGE_SIZE > justcall_auth::MAX_USAGE, "the text and a NUL");

/// A client of the JustCall API. Create one and keep it: it holds the pair and the open
/// connections. Clients share a pair if they have the same source, base URL, expected account and
/// memory protection. Any number of threads may use one at once.
pub struct justcall_client {
    client: Client,
}

impl justcall_client {
    pub(crate) fn get(&self) -> &Client {
        &self.client
    }
}

/// Creates a client from `config`, or with every default if `config` is NULL. `config` stays yours
/// and may be freed at once. Reads the CA file, if one is set. Asks nothing of the service and does
/// not read the pair: the first call does.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL, if the CA file cannot be read or
/// holds no certificate, or if the environment names a proxy that cannot be used. On success `*out`
/// is yours, to be freed with justcall_client_free(); on failure it is NULL. Any thread may call
/// this while no other changes the environment.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_new(
    config: *const justcall_config,
    out: *mut *mut justcall_client,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, || {
        let client = match argument!(config).optional_handle() {
            Some(config) => Client::new(config.get())?,
            None => Client::new(&Config::new())?,
        };
        Ok(justcall_client { client })
    })
}

/// Asks the service whether the pair is good, and which account it belongs to: `/v2/account` and,
/// if the service has no such page, `/v2.1/users?per_page=1`, which proves the pair without the
/// account's details. Blocks at most for the client's timeout.
///
/// If the service names the account, a pair that the source gives later must belong to it: the pair
/// proves that before anything else is sent with it, else the call fails with
/// JUSTCALL_ERROR_WRONG_ACCOUNT. If the account is not known, because nothing was verified or the
/// service does not name it, a pair of another account is used without notice. Set the expected
/// account to rule that out.
///
/// Fails with JUSTCALL_ERROR_INVALID_CREDENTIALS if the service rejects the pair. For 30 seconds
/// after that, the same pair is not sent again: another call fails with the same status at once,
/// with justcall_error_request_sent() and justcall_error_attempts() 0, unless the source has
/// another pair. Fails with any other status, except those for buffers and webhooks, if the service
/// cannot be reached or gives an unexpected answer. On success `*out` is yours, to be freed with
/// justcall_account_free(); on failure it is NULL. Any number of threads may call this on one
/// client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_verify(
    client: *const justcall_client,
    out: *mut *mut justcall_account,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle| justcall_account::new(&client.client.verify()?))
}

/// Verifies the pair as justcall_client_verify() does, within the limits of `options`, which may be
/// NULL for none.
///
/// Fails as justcall_client_verify() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_verify_with(
    client: *const justcall_client,
    options: *const justcall_call_options,
    out: *mut *mut justcall_account,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle| {
        justcall_account::new(
            &client.client.call().with_options(&argument!(options).call_options()).verify()?,
        )
    })
}

/// Sends a request and returns the response. `request` stays yours and may be sent again. Blocks at
/// most for the timeout of the request, or else of the client.
///
/// A response of 300 or more is a failure, with the status that says why; justcall_error_response()
/// returns its headers and body. Fails with JUSTCALL_ERROR_INVALID_RESPONSE if the response cannot
/// be read: its body is not the gzip data that `Content-Encoding` promises or has another encoding,
/// it is too long, or its headers are folded over several lines. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if an argument other than `error` is NULL. On success `*out` is
/// yours, to be freed with justcall_response_free(); on failure it is NULL. Any number of threads
/// may call this on one client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_send(
    client: *const justcall_client,
    request: *const justcall_request,
    out: *mut *mut justcall_response,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle, request: handle| {
        let call = request.cancels().iter().cloned().fold(client.client.call(), Call::with_cancel);
        justcall_response::new(call.request(request.get().clone())?)
    })
}

/// Sends a request without more headers: the short form of justcall_request_new(),
/// justcall_request_set_body() and justcall_client_send(). `body` is `body_length` bytes, or NULL
/// with a length of 0 for none.
///
/// `path` may also be a URL under the client's base URL, such as the `next_page_link` of a
/// response. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if it is any other URL, and sends nothing
/// then. Otherwise fails, blocks and returns as those functions do.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_request(
    client: *const justcall_client,
    method: *const c_char,
    path: *const c_char,
    body: *const c_void,
    body_length: usize,
    out: *mut *mut justcall_response,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle, method: text, path: text| {
        let mut request = client.client.new_request(method, path)?;
        if let Some(body) = argument!(body).optional_bytes(body_length)? {
            request.set_body(copy::bytes(body)?);
        }
        justcall_response::new(client.client.request(request)?)
    })
}

/// Proves another pair as justcall_client_verify() does and, if it is good, uses it from then on,
/// for all clients of the process that share this one's pair. `credentials` stays yours. The source
/// is not written: write the same pair there, or the next read of the source brings the old one
/// back.
///
/// Fails as justcall_client_verify() does, about `credentials`, and with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `client` or `credentials` is NULL; the pair in use is then
/// unchanged. Blocks at most for the client's timeout. Any number of threads may call this on one
/// client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_replace(
    client: *mut justcall_client,
    credentials: *const justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, credentials: handle| {
        client.client.replace(credentials.get()).map(drop)
    })
}

/// Replaces the pair as justcall_client_replace() does, within the limits of `options`, which may
/// be NULL for none.
///
/// Fails as justcall_client_replace() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_replace_with(
    client: *mut justcall_client,
    credentials: *const justcall_credentials,
    options: *const justcall_call_options,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, credentials: handle| {
        client
            .client
            .call()
            .with_options(&argument!(options).call_options())
            .replace(credentials.get())
            .map(drop)
    })
}

/// Reads the source now, and asks nothing of the service. Sets `*changed`, unless `changed` is
/// NULL, to 1 if the source has another pair than before, which the next call then proves and
/// uses, else to 0. Calls read the source by themselves: a file or folder at most once a second,
/// any other source when the service rejects the pair. Call this to have it read sooner.
///
/// Fails as justcall_credentials_load() does, and with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`
/// is NULL; the pair in use is then unchanged. Blocks at most for the client's timeout. Any number
/// of threads may call this on one client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_reload(
    client: *mut justcall_client,
    changed: *mut i32,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle| {
        let is_changed = client.client.reload()?;
        argument!(changed).optional_output().set(i32::from(is_changed));
        Ok(())
    })
}

/// Reads the source as justcall_client_reload() does, within the limits of `options`, which may be
/// NULL for none.
///
/// Fails as justcall_client_reload() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_reload_with(
    client: *mut justcall_client,
    options: *const justcall_call_options,
    changed: *mut i32,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle| {
        let is_changed = client.client.call().with_options(&argument!(options).call_options()).reload()?;
        argument!(changed).optional_output().set(i32::from(is_changed));
        Ok(())
    })
}

/// Ends every call of this client, under way or started later, with JUSTCALL_ERROR_CANCELLED, as
/// justcall_cancel_fire() does; exchanges too, at their next step. Use it to get threads back
/// before the client is freed. Other clients that share its pair are not affected. Does nothing if
/// `client` is NULL.
///
/// Does not block and takes no lock. Any thread may call this at any time, and so may a signal
/// handler: the function is async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_shutdown(client: *mut justcall_client) {
    // Without the guard, which a signal handler could not use: storing a flag does not panic.
    let client = client.cast_const();
    infallible!((), |client| client.client.shutdown());
}

/// Writes the value of the `Authorization` header as justcall_credentials_authorization() does, of
/// the pair that the client's calls use now: for a request that you send yourself. Reads the source
/// if no call has read it yet; then it blocks, and fails as justcall_credentials_load() does too.
/// Any number of threads may call this on one client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_authorization(
    client: *const justcall_client,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, buffer: buffer(capacity, length)| {
        client.client.credentials()?.expose_authorization(|value| buffer.fill(value))
    })
}

/// Writes the value of the `Authorization` header as justcall_client_authorization() does. A source
/// that has to be read first is read within the limits of `options`, which may be NULL for none.
///
/// Fails as justcall_client_authorization() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_authorization_with(
    client: *const justcall_client,
    options: *const justcall_call_options,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, buffer: buffer(capacity, length)| {
        let credentials =
            client.client.call().with_options(&argument!(options).call_options()).credentials()?;
        credentials.expose_authorization(|value| buffer.fill(value))
    })
}

/// Reports how the pair is protected in memory between calls: a report of one finding, whose code
/// is `"locked"`, `"secretmem"` or `"heap"`. If that is less than was asked for, its severity is
/// JUSTCALL_SEVERITY_WARNING and its remedy says why; else its severity is JUSTCALL_SEVERITY_NOTE.
///
/// Fails with JUSTCALL_ERROR_MEMORY_PROTECTION if the system refuses what was asked for. Reads the
/// source if no call has read it yet; then it blocks, and fails as justcall_credentials_load() does
/// too. On success `*out` is yours, to be freed with justcall_report_free(); on failure it is NULL.
/// Any number of threads may call this on one client.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_protection(
    client: *const justcall_client,
    out: *mut *mut justcall_report,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle| {
        Ok(justcall_report::of_protection(&client.client.protection()?))
    })
}

/// Reports the protection as justcall_client_protection() does. A source that has to be read first
/// is read within the limits of `options`, which may be NULL for none.
///
/// Fails as justcall_client_protection() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_protection_with(
    client: *const justcall_client,
    options: *const justcall_call_options,
    out: *mut *mut justcall_report,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle| {
        let protection =
            client.client.call().with_options(&argument!(options).call_options()).protection()?;
        Ok(justcall_report::of_protection(&protection))
    })
}

/// Returns the generation of the pair in use. The first pair of the clients that share it has
/// generation 1. Each pair that replaces the one in use has the next number. Returns 0 if no call
/// has read a pair yet or `client` is NULL. Reads no source and does not block. Any number of
/// threads may call this at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_generation(client: *const justcall_client) -> u64 {
    infallible!(0, |client| guarded(0, || client.client.generation()))
}

/// Returns a figure of the account's rate limit as the last response to a client that shares this
/// one's pair reports it: `which` is one of the JUSTCALL_RATE_LIMIT numbers. Returns -1 if no
/// response has reported it, if `which` is none of them, or if `client` is NULL. Asks nothing and
/// does not block. Any number of threads may call this at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_rate_limit(client: *const justcall_client, which: i32) -> i64 {
    infallible!(-1, |client| guarded(None, || figure(&client.client.rate_limit(), which))?)
}

/// Copies the ends of the key of the pair in use into `buffer`, NUL-terminated, as
/// justcall_credentials_key_hint() returns them: to identify the pair in logs. The text is empty if
/// no call has read a pair yet. It is UTF-8; 16 bytes are enough for any.
///
/// Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
/// JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that, and with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or `buffer` is NULL and `capacity` is not
/// 0. Reads no source and does not block. Any number of threads may call this at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_key_hint(
    client: *const justcall_client,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, buffer: buffer(capacity, length)| {
        buffer.fill(client.client.key_hint().unwrap_or_default().as_bytes())
    })
}

/// Copies what the clients that share this one's pair did so far, and the state of the pair, into
/// `buffer`, NUL-terminated: OpenMetrics 1.0 text, which Prometheus and most monitors read, with
/// the type `application/openmetrics-text; version=1.0.0; charset=utf-8`. It includes the results
/// of webhooks that are verified with the secrets of these clients. The text holds no secret and
/// nothing that identifies the pair.
///
/// Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
/// JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; the text grows from call
/// to call, but a capacity of JUSTCALL_USAGE_SIZE is always enough. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or `buffer` is NULL and `capacity` is not
/// 0. Asks nothing, reads no source and does not block. Any number of threads may call this on one
/// client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_usage(
    client: *const justcall_client,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |client: handle, buffer: buffer(capacity, length)| {
        buffer.fill(client.client.usage().as_bytes())
    })
}

/// Frees a client, which no call may use any more. Accounts and errors that came from it live on.
/// Does nothing if `client` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_free(client: *mut justcall_client) {
    free!(client);
}
