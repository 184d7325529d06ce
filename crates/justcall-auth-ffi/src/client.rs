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

/// The size of a buffer that can hold every text of justcall_client_usage() and
/// justcall_webhook_usage().
pub const JUSTCALL_USAGE_SIZE: usize = 32 * 1024;

const _: () = assert!(JUSTCALL_USAGE_SIZE > justcall_auth::MAX_USAGE, "the text and a NUL");

/// A client of the JustCall API. Create one client and keep it: the client holds the pair and the
/// open connections. Clients share a pair if they have the same source, base URL, expected account
/// and memory protection. Several threads may use one client at the same time.
pub struct justcall_client {
    client: Client,
}

impl justcall_client {
    pub(crate) fn get(&self) -> &Client {
        &self.client
    }
}

/// Creates a client from `config`. If `config` is NULL, every setting has its default. Reads the CA
/// file, if one is set. Does not contact the service and does not read the pair: the first call
/// does both.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL, or if the CA file cannot be read or
/// contains no certificate. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the environment
/// names an unusable proxy.
///
/// On success, free `*out` with justcall_client_free(). On failure, `*out` is NULL. The caller
/// keeps ownership of `config` and may free it as soon as this function returns. This function is
/// thread-safe, as long as no other thread changes the environment.
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

/// Asks the service whether the pair is valid and which account it belongs to. The library requests
/// `/v2/account`. If the service has no such page, it requests `/v2.1/users?per_page=1`, which
/// proves the pair but does not return the account's details.
///
/// If the service names the account, every pair that the source has later must belong to the same
/// account. The library checks the account of a new pair before it sends anything else with that
/// pair. If a new pair belongs to another account, the call fails with
/// JUSTCALL_ERROR_WRONG_ACCOUNT. The account is unknown if no call verified the pair or the service
/// does not name the account. If the account is unknown, the library uses a new pair of any account
/// without notice. To allow only one account, call justcall_config_set_expected_account().
///
/// Fails with JUSTCALL_ERROR_INVALID_CREDENTIALS if the service rejects the pair. After a
/// rejection, the library does not send the same pair again for 30 seconds. During these 30
/// seconds, calls fail at once with the same status, unless the source has another pair. When a
/// call fails at once, justcall_error_request_sent() and justcall_error_attempts() return 0,
/// because the library sent nothing. Fails with any other status, except those for buffers and
/// webhooks, if the service is unreachable or its response is unexpected.
///
/// On success, free `*out` with justcall_account_free(). On failure, `*out` is NULL. Blocks for at
/// most the client's timeout. This function is thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_verify(
    client: *const justcall_client,
    out: *mut *mut justcall_account,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle| justcall_account::new(&client.client.verify()?))
}

/// Verifies the pair like justcall_client_verify(), within the limits of `options`. If `options` is
/// NULL, this function works like justcall_client_verify().
///
/// Fails like justcall_client_verify(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
/// handle of `options` is fired.
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

/// Sends a request and returns the response in `*out`.
///
/// A response with an HTTP status of 300 or more is a failure, and the returned status gives the
/// reason. justcall_error_response() returns the headers and the body of such a response. Fails
/// with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`, `request` or `out` is NULL. Fails with
/// JUSTCALL_ERROR_INVALID_RESPONSE if the library cannot read the response, for one of these
/// reasons:
///
/// - The body is not gzip data although `Content-Encoding` declares gzip.
/// - The body has an encoding other than gzip.
/// - The response is too long.
/// - A header is folded over several lines.
///
/// On success, free `*out` with justcall_response_free(). On failure, `*out` is NULL. The caller
/// keeps ownership of `request` and may send it again. Blocks for at most the timeout of the
/// request, or the client's timeout if the request has none. This function is thread-safe.
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

/// Sends a request without extra headers. This function combines justcall_request_new(),
/// justcall_request_set_body() and justcall_client_send(). `body` is `body_length` bytes. To send
/// no body, pass NULL and a length of 0.
///
/// `path` may also be a URL under the client's base URL, such as the `next_page_link` of a
/// response. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is any other URL, and sends
/// nothing in that case. Apart from that, this function fails, blocks and returns like the three
/// functions that it combines.
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

/// Verifies another pair like justcall_client_verify(). If the pair is valid, all clients of the
/// process that share this client's pair use the new pair from then on. This function does not
/// write the new pair to the source. Write the new pair to the source yourself, or the next read of
/// the source brings the old pair back.
///
/// Fails like justcall_client_verify(), if the service does not accept `credentials`. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `client` or `credentials` is NULL. On failure, the pair in
/// use is unchanged.
///
/// The caller keeps ownership of `credentials` and may free it as soon as this function returns.
/// Blocks for at most the client's timeout. This function is thread-safe.
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

/// Replaces the pair like justcall_client_replace(), within the limits of `options`. If `options`
/// is NULL, this function works like justcall_client_replace().
///
/// Fails like justcall_client_replace(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
/// handle of `options` is fired.
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

/// Reads the source now, without contacting the service. Sets `*changed` to 1 if the source has a
/// new pair, and to 0 otherwise. `changed` may be NULL. The next call proves a new pair and then
/// uses it.
///
/// You need this function only to make the client read the source sooner. Calls read the source
/// without this function. Calls read a file or folder at most once a second, and any other source
/// when the service rejects the pair.
///
/// Fails like justcall_credentials_load(). Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if
/// `client` is NULL. On failure, the pair in use is unchanged. Blocks for at most the client's
/// timeout. This function is thread-safe.
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

/// Reads the source like justcall_client_reload(), within the limits of `options`. If `options` is
/// NULL, this function works like justcall_client_reload().
///
/// Fails like justcall_client_reload(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
/// handle of `options` is fired.
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

/// Ends every call of this client with JUSTCALL_ERROR_CANCELLED, like justcall_cancel_fire(). Calls
/// that start later end too. Exchanges of this client end at their next step. Use this function to
/// make threads return from their calls before you free the client. Other clients that share the
/// client's pair are not affected. Does nothing if `client` is NULL.
///
/// Does not block and takes no lock. This function is thread-safe. Signal handlers may call this
/// function: it is async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_shutdown(client: *mut justcall_client) {
    // Without the guard, which a signal handler could not use: storing a flag does not panic.
    let client = client.cast_const();
    infallible!((), |client| client.client.shutdown());
}

/// Writes the value of the `Authorization` header into `buffer`, like
/// justcall_credentials_authorization(). The value is for the pair that the client's calls use now.
/// Use the value for a request that you send yourself. This function reads the source if no call
/// has read it yet.
///
/// Fails like justcall_credentials_authorization(). If it reads the source, it also fails like
/// justcall_credentials_load(). Blocks only while it reads the source. This function is
/// thread-safe.
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

/// Writes the value of the `Authorization` header like justcall_client_authorization(). If this
/// function has to read the source, it does so within the limits of `options`. If `options` is
/// NULL, this function works like justcall_client_authorization().
///
/// Fails like justcall_client_authorization(). Also fails with JUSTCALL_ERROR_CANCELLED if the
/// cancel handle of `options` is fired.
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

/// Reports how the pair is protected in memory between calls. The report has one finding, whose
/// code is `"locked"`, `"secretmem"` or `"heap"`. If the protection is weaker than requested, the
/// severity of the finding is JUSTCALL_SEVERITY_WARNING, and its remedy gives the reason. If the
/// protection is as requested, the severity is JUSTCALL_SEVERITY_NOTE. This function reads the
/// source if no call has read it yet.
///
/// Fails with JUSTCALL_ERROR_MEMORY_PROTECTION if the system refuses the requested protection. If
/// it reads the source, it also fails like justcall_credentials_load().
///
/// On success, free `*out` with justcall_report_free(). On failure, `*out` is NULL. Blocks only
/// while it reads the source. This function is thread-safe.
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

/// Reports the memory protection like justcall_client_protection(). If this function has to read
/// the source, it does so within the limits of `options`. If `options` is NULL, this function works
/// like justcall_client_protection().
///
/// Fails like justcall_client_protection(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
/// handle of `options` is fired.
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
/// generation 1. Each pair that replaces the pair in use has the next number. Returns 0 if no call
/// has read a pair yet, or if `client` is NULL. Reads no source. Does not block. This function is
/// thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_generation(client: *const justcall_client) -> u64 {
    infallible!(0, |client| guarded(0, || client.client.generation()))
}

/// Returns a number of the account's rate limit. The number comes from the last response to any
/// client that shares this client's pair. `which` is one of the JUSTCALL_RATE_LIMIT numbers.
/// Returns -1 if no response contained the number, if `which` is invalid, or if `client` is NULL.
/// Sends nothing. Does not block. This function is thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_rate_limit(client: *const justcall_client, which: i32) -> i64 {
    infallible!(-1, |client| guarded(None, || figure(&client.client.rate_limit(), which))?)
}

/// Copies the shortened API key of the pair in use into `buffer`, with a NUL at the end. The text
/// identifies the pair in logs and has the same form as in justcall_credentials_key_hint(). The
/// text is empty if no call has read a pair yet. The text is UTF-8, and a capacity of 16 bytes is
/// always enough. Sets `*length` to the length of the text without the NUL. `length` may be NULL.
///
/// Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or if `buffer` is NULL and
/// `capacity` is not 0. Reads no source. Does not block. This function is thread-safe.
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

/// Copies usage metrics into `buffer`, with a NUL at the end. The metrics count what all clients
/// that share this client's pair have done so far, and describe the state of the pair. The metrics
/// include the results of webhooks that were verified with the secrets of these clients. The text
/// is OpenMetrics 1.0, which Prometheus and most monitoring systems read. The media type of the
/// text is `application/openmetrics-text; version=1.0.0; charset=utf-8`. The text contains no
/// secret and nothing that identifies the pair. Sets `*length` to the length of the text without
/// the NUL. `length` may be NULL.
///
/// Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
/// The text grows from call to call, but a capacity of JUSTCALL_USAGE_SIZE is always enough. Fails
/// with JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or if `buffer` is NULL and `capacity`
/// is not 0. Sends nothing and reads no source. Does not block. This function is thread-safe.
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

/// Frees a client. Do not free a client while another thread is inside a call on it. Accounts and
/// errors that came from the client remain valid. Does nothing if `client` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_free(client: *mut justcall_client) {
    free!(client);
}
