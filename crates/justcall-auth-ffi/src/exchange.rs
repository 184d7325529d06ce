//! One call over the program's own HTTP.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, TryLockError};

use justcall_auth::exchange::{Action, Cause};
use justcall_auth::{Call, Error, ErrorKind, Exchange};

use crate::argument::Argument;
use crate::client::justcall_client;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{argument, free, infallible};
use crate::output;
use crate::request::justcall_request;
use crate::response::{from_own_http, justcall_response};
use crate::status::justcall_status;

/// An exchange is one call that you make with your own HTTP client, such as libcurl or an event
/// loop. An exchange follows the same rules as justcall_client_send() for headers, retries, a reset
/// of the pair and the meaning of a response. Use an exchange on one thread at a time, and only in
/// the process that created it. You may free the client of an exchange before the exchange.
///
/// Call justcall_exchange_next() in a loop: it returns the next action. Only
/// justcall_exchange_load() blocks. Your HTTP client must follow these rules:
///
/// - The HTTP client must not follow redirects, because a redirect would send the pair to another
///   host.
/// - Set up the HTTP client again for each JUSTCALL_ACTION_SEND. The method, URL, headers, body and
///   pair may differ from the previous request.
/// - The HTTP client uses its own CA certificates and proxy. The CA and proxy settings of the
///   justcall_client do not apply to your HTTP client.
/// - The HTTP client may send `Accept-Encoding` with every encoding that it decodes, such as `br`
///   or `zstd`. Report the decoded body. You may keep the header `Content-Encoding`.
/// - Report only the final response. Ignore interim responses (HTTP status 100 to 199) and their
///   headers.
/// - The HTTP client makes copies of the pair. The library cannot wipe these copies: wipe them
///   yourself, if you can.
///
/// While an exchange has to load or send, other calls that share its pair may wait for it. The
/// waiting calls continue when you report the result or free the exchange. The waiting calls also
/// continue at the deadline of the exchange, or after 60 seconds if the exchange has no deadline.
/// Free an exchange that you do not finish, so that other calls do not wait for it.
pub struct justcall_exchange {
    /// Never waited for: a call that finds it taken fails. A bug while it is taken leaves it poisoned.
    inner: Mutex<Inner>,
}

struct Inner {
    exchange: Exchange,
    outgoing: Outgoing,
}

/// The request to send, as C programs borrow it.
struct Outgoing {
    method: CString,
    url: CString,
    headers: Vec<(CString, CString)>,
}

impl Outgoing {
    fn of(exchange: &Exchange) -> Self {
        let header = |(name, value)| (output::text(name), output::text(value));
        Self {
            method: output::text(exchange.method()),
            url: output::text(&exchange.url()),
            headers: exchange.headers().into_iter().map(header).collect(),
        }
    }
}

impl justcall_exchange {
    fn new(exchange: Exchange) -> Self {
        let outgoing = Outgoing::of(&exchange);
        Self { inner: Mutex::new(Inner { exchange, outgoing }) }
    }

    fn take(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        self.inner.try_lock().map_err(|why| match why {
            TryLockError::Poisoned(_) => Error::with_message(
                ErrorKind::Internal,
                "The exchange failed earlier with an internal error. Free the exchange and create a new exchange.",
            ),
            TryLockError::WouldBlock => Error::invalid_argument(
                "The exchange is already in use by another thread, or by the call that reports the current event.",
            ),
        })
    }
}

impl Argument<*mut justcall_exchange> {
    /// An exchange that nothing else uses until the call returns.
    fn exclusive<'a>(self) -> Result<MutexGuard<'a, Inner>, Error> {
        self.handle()?.take()
    }
}

impl Argument<*const justcall_exchange> {
    /// An exchange that nothing else uses until the call returns.
    fn exclusive<'a>(self) -> Result<MutexGuard<'a, Inner>, Error> {
        self.handle()?.take()
    }
}

/// Send the request. justcall_exchange_method() and the functions after it describe the request.
/// justcall_exchange_authorization() writes its `Authorization` header. Set up your HTTP client
/// again for each request. Use `wait_ms` as its timeout in milliseconds. Then report the result
/// with justcall_exchange_answered() or justcall_exchange_failed().
pub const JUSTCALL_ACTION_SEND: i32 = 1;
/// Call justcall_exchange_next() again after `wait_ms` milliseconds. Several short waits in a row
/// are normal. For example, each wait is 20 milliseconds while another call reads the source.
pub const JUSTCALL_ACTION_WAIT: i32 = 2;
/// Call justcall_exchange_load(). justcall_exchange_load() may block, so run it on a worker thread
/// if your program has an event loop.
pub const JUSTCALL_ACTION_LOAD: i32 = 3;
/// The call has succeeded. justcall_exchange_response() returns the response.
pub const JUSTCALL_ACTION_DONE: i32 = 4;

/// Your HTTP client could not resolve the name of the host.
pub const JUSTCALL_CAUSE_RESOLVE: i32 = 1;
/// Your HTTP client could not connect.
pub const JUSTCALL_CAUSE_CONNECT: i32 = 2;
/// The TLS handshake failed, for example because the certificate is not trusted.
pub const JUSTCALL_CAUSE_TLS: i32 = 3;
/// Your HTTP client reached its timeout.
pub const JUSTCALL_CAUSE_TIMEOUT: i32 = 4;
/// The connection was closed or reset before the response was complete.
pub const JUSTCALL_CAUSE_CLOSED: i32 = 5;
/// Your program cancelled the request.
pub const JUSTCALL_CAUSE_CANCELLED: i32 = 6;

/// Creates an exchange for `request`. The function copies the request with its body, timeout and
/// cancel handle. The timeout of the exchange starts now and includes waits. Sends nothing and
/// reads no source.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`, `request` or `out` is NULL. On success,
/// free `*out` with justcall_exchange_free(). On failure, `*out` is NULL. Does not block. This
/// function is thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_new(
    client: *const justcall_client,
    request: *const justcall_request,
    out: *mut *mut justcall_exchange,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |client: handle, request: handle| {
        let call = request.cancels().iter().cloned().fold(client.get().call(), Call::with_cancel);
        Ok(justcall_exchange::new(call.exchange(request.get().clone())))
    })
}

/// Sets `*action` to the next action, which is one of the JUSTCALL_ACTION numbers. Sets `*wait_ms`
/// to a number of milliseconds. `wait_ms` may be NULL. The meaning of `*wait_ms` depends on the
/// action:
///
/// - For JUSTCALL_ACTION_WAIT, `*wait_ms` is the time to wait.
/// - For JUSTCALL_ACTION_SEND, `*wait_ms` is the time until the deadline of the call and at least
///   1, or 0 if the call has no deadline. Use this time as the timeout of your HTTP client.
/// - For the other actions, `*wait_ms` is 0.
///
/// This function sets `*action` to JUSTCALL_ACTION_SEND again until you report the result. This
/// function sets `*action` to JUSTCALL_ACTION_LOAD again until justcall_exchange_load() returns.
/// You may call this function from time to time while your HTTP client is sending.
/// justcall_exchange_next() then fails if a cancel handle was fired, after
/// justcall_client_shutdown(), or at the deadline. If justcall_exchange_next() fails, stop your
/// request. A later report of the result has no effect.
///
/// Each call of this function invalidates the texts of justcall_exchange_method(),
/// justcall_exchange_url() and the headers. The texts of the last request become invalid even if
/// the action is JUSTCALL_ACTION_SEND again. If your HTTP client does not copy texts that you pass
/// to it, copy the texts before you call this function. libcurl copies them.
///
/// If the call has failed, returns its status now and each time you call this function again. The
/// status is any that justcall_client_send() may return. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT, and changes nothing, if `action` or `exchange` is NULL, or if
/// the exchange is in use. Does not block. After fork(), this function fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT in the child.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_next(
    exchange: *mut justcall_exchange,
    action: *mut i32,
    wait_ms: *mut u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |exchange: exclusive, action: output| {
        let (number, wait) = match exchange.exchange.next()? {
            Action::Send { remaining } => (JUSTCALL_ACTION_SEND, remaining),
            Action::Wait(wait) => (JUSTCALL_ACTION_WAIT, Some(wait)),
            Action::Load => (JUSTCALL_ACTION_LOAD, None),
            Action::Done => (JUSTCALL_ACTION_DONE, None),
        };
        if number == JUSTCALL_ACTION_SEND {
            exchange.outgoing = Outgoing::of(&exchange.exchange);
        }
        action.set(number);
        // Rounded up: asking too early would only say to wait again, and 0 would mean no limit.
        let wait = wait.map_or(0, |wait| wait.as_nanos().div_ceil(1_000_000).max(1));
        argument!(wait_ms).optional_output().set(u64::try_from(wait).unwrap_or(u64::MAX));
        Ok(())
    })
}

/// Reads the source after JUSTCALL_ACTION_LOAD. The source is a file, a program or your load
/// callback. Has no effect after any other action. Returns JUSTCALL_OK even if the source cannot be
/// read. If the source cannot be read, the next justcall_exchange_next() fails, or continues with
/// the pair in use.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `exchange` is NULL or in use. Blocks until the
/// source is read, but at most until the deadline of the call. The cancel handle of the request
/// ends the wait too, but does not interrupt a running load callback. You may run this function on
/// a worker thread, if no other thread uses the exchange until it returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_load(
    exchange: *mut justcall_exchange,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |exchange: exclusive| {
        exchange.exchange.load();
        Ok(())
    })
}

/// Returns the HTTP method of the request that you have to send. The method may differ from that of
/// your own request, as justcall_exchange_is_verifying() explains. Returns NULL if `exchange` is
/// NULL or in use. The text is valid until the next call of justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_method(exchange: *const justcall_exchange) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.method.as_ptr())
}

/// Returns the full URL of the request that you have to send. Returns NULL if `exchange` is NULL or
/// in use. The text is valid until the next call of justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_url(exchange: *const justcall_exchange) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.url.as_ptr())
}

/// Returns the number of headers of the request that you have to send. The number does not include
/// the secret header `Authorization`, or headers that your HTTP client sets, such as `Host`. You
/// may add more headers, and you may replace these headers. Returns 0 if `exchange` is NULL or in
/// use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_count(exchange: *const justcall_exchange) -> usize {
    infallible!(0, |exchange| exchange.take().ok()?.outgoing.headers.len())
}

/// Returns the name of header number `index`, in lower case. The headers are numbered from 0.
/// Returns NULL if the request has no header with this number, or if `exchange` is NULL or in use.
/// The text is valid until the next call of justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_name(
    exchange: *const justcall_exchange,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.headers.get(index)?.0.as_ptr())
}

/// Returns the value of header number `index`. The numbers are those of
/// justcall_exchange_header_name(). Returns NULL if the request has no header with this number, or
/// if `exchange` is NULL or in use. The text is valid until the next call of
/// justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_value(
    exchange: *const justcall_exchange,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.headers.get(index)?.1.as_ptr())
}

/// Returns the body of the request that you have to send. Sets `*length` to the length of the body
/// in bytes. `length` may be NULL. The body has no NUL at the end. Returns NULL, and sets `*length`
/// to 0, if the request has no body, or if `exchange` is NULL or in use. If the request has an
/// empty body, sets `*length` to 0 but does not return NULL. The body is valid until `exchange` is
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_body(
    exchange: *const justcall_exchange,
    length: *mut usize,
) -> *const c_void {
    let (body, size) = infallible!((ptr::null(), 0), |exchange| {
        let exchange = exchange.take().ok()?;
        // The bytes belong to the exchange's request, which does not change.
        let body = exchange.exchange.outgoing().body()?;
        (body.as_ptr().cast(), body.len())
    });
    argument!(length).optional_output().set(size);
    body
}

/// Returns 1 if the request that you have to send verifies the pair and is not your own request.
/// Send such a request as the exchange describes it, without the body and headers of your own
/// request. The verifying request comes before your own request if the library must know the
/// account first. The verifying request comes after your own request if that was `/v2/account` and
/// the service answered 401. Returns 0 if you have to send your own request, or if `exchange` is
/// NULL or in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_is_verifying(exchange: *const justcall_exchange) -> i32 {
    infallible!(0, |exchange| i32::from(exchange.take().ok()?.exchange.is_verifying()))
}

/// Writes the value of the `Authorization` header into `buffer`, like
/// justcall_credentials_authorization(). Call this function after each JUSTCALL_ACTION_SEND, right
/// before you send the request. The response that you report then applies to the pair that this
/// function wrote. For example, a response with 401 makes the library reject that pair. If you
/// report a response without calling this function, the response applies to the pair in use at
/// JUSTCALL_ACTION_SEND.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the action is not JUSTCALL_ACTION_SEND, or if
/// `exchange` is NULL or in use. Also fails like justcall_credentials_authorization().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_authorization(
    exchange: *mut justcall_exchange,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |exchange: exclusive, buffer: buffer(capacity, length)| {
        exchange.exchange.authorization()?.expose_authorization(|value| buffer.fill(value))
    })
}

/// Reports the final response to the request. The arguments are those of justcall_classify(), and
/// the function copies all of them. Pass the whole decoded body. You may keep a `Content-Encoding`
/// header. Do not pass the headers of interim responses (HTTP status 100 to 199). After this
/// function, call justcall_exchange_next() for the next action.
///
/// Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
/// has not been reported yet.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT for the same reasons as justcall_classify(), and if
/// `exchange` is NULL or in use. On failure, the exchange is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_answered(
    exchange: *mut justcall_exchange,
    http_status: i32,
    header_names: *const *const c_char,
    header_values: *const *const c_char,
    header_count: usize,
    body: *const c_void,
    body_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |exchange: exclusive,
                      http_status: http_status,
                      header_names: headers(header_count),
                      header_values: headers(header_count),
                      body: optional_bytes(body_length)| {
        exchange.exchange.answered(from_own_http(http_status, &header_names, &header_values, body)?);
        Ok(())
    })
}

/// Reports that your HTTP client got no response. `cause` is one of the JUSTCALL_CAUSE numbers.
/// Pass 0 as `request_sent` only if your HTTP client certainly sent no byte of the request. The
/// library may then retry even a POST request. Pass 1 as `request_sent` if you are not sure. After
/// this function, call justcall_exchange_next() for the next action.
///
/// Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
/// has not been reported yet.
///
/// With libcurl, choose `cause` by the CURLcode:
///
/// - JUSTCALL_CAUSE_RESOLVE: CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY.
/// - JUSTCALL_CAUSE_CONNECT: CURLE_COULDNT_CONNECT.
/// - JUSTCALL_CAUSE_TLS: CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
///   CURLE_SSL_CACERT_BADFILE.
/// - JUSTCALL_CAUSE_TIMEOUT: CURLE_OPERATION_TIMEDOUT.
/// - JUSTCALL_CAUSE_CANCELLED: CURLE_ABORTED_BY_CALLBACK.
/// - JUSTCALL_CAUSE_CLOSED: every other CURLcode.
///
/// With libcurl, pass 0 as `request_sent` for the causes RESOLVE, CONNECT and TLS. For the other
/// causes, pass 1 if CURLINFO_REQUEST_SIZE is greater than 0, and 0 otherwise. If your program
/// fails for another reason, pass JUSTCALL_CAUSE_CLOSED if a retry may help, and
/// JUSTCALL_CAUSE_CANCELLED if not.
///
/// The library retries the causes RESOLVE, CONNECT and CLOSED like a lost connection. The other
/// causes end the call. A call that ends fails with the same status and reason as with the built-in
/// HTTP client:
///
/// - JUSTCALL_CAUSE_RESOLVE: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `resolve`.
/// - JUSTCALL_CAUSE_CONNECT: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `connect`.
/// - JUSTCALL_CAUSE_CLOSED: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `receive`, or `send`
///   if nothing was sent.
/// - JUSTCALL_CAUSE_TLS: JUSTCALL_ERROR_TLS_FAILED.
/// - JUSTCALL_CAUSE_TIMEOUT: JUSTCALL_ERROR_TIMEOUT, with the reason `receive`, or `connect` if
///   nothing was sent.
/// - JUSTCALL_CAUSE_CANCELLED: JUSTCALL_ERROR_CANCELLED.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `cause` is not one of the JUSTCALL_CAUSE numbers,
/// or if `exchange` is NULL or in use. On failure, the exchange is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_failed(
    exchange: *mut justcall_exchange,
    cause: i32,
    request_sent: i32,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |exchange: exclusive| {
        let cause = match cause {
            JUSTCALL_CAUSE_RESOLVE => Cause::Resolve,
            JUSTCALL_CAUSE_CONNECT => Cause::Connect,
            JUSTCALL_CAUSE_TLS => Cause::Tls,
            JUSTCALL_CAUSE_TIMEOUT => Cause::Timeout,
            JUSTCALL_CAUSE_CLOSED => Cause::Closed,
            JUSTCALL_CAUSE_CANCELLED => Cause::Cancelled,
            _ => return Err(Error::invalid_argument("The argument cause is not a JUSTCALL_CAUSE number.")),
        };
        exchange.exchange.failed(cause, request_sent != 0);
        Ok(())
    })
}

/// Returns the response in `*out`, after JUSTCALL_ACTION_DONE. The HTTP status of this response is
/// 200 to 299. Any other HTTP status is a failure, and justcall_error_response() returns the
/// response of a failure. You may call this function more than once.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the call has not ended yet, if `exchange` or `out`
/// is NULL, or if the exchange is in use. If the call has failed, fails with the status of the
/// call. On success, free `*out` with justcall_response_free(). On failure, `*out` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_response(
    exchange: *const justcall_exchange,
    out: *mut *mut justcall_response,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |exchange: exclusive| {
        justcall_response::new(exchange.exchange.response()?.clone())
    })
}

/// Frees an exchange and everything that was borrowed from it. You may free an exchange before its
/// call has ended. This function does not stop a request that your HTTP client is sending: stop it
/// yourself. Does nothing if `exchange` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_free(exchange: *mut justcall_exchange) {
    free!(exchange);
}
