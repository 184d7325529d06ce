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

/// One call with your own HTTP client, such as libcurl or an event loop. It follows the rules of
/// justcall_client_send() for headers, retries, a reset of the pair and the meaning of a response.
/// For one thread at a time, in the process that created it. It keeps alive what it needs of its
/// justcall_client.
///
/// Call justcall_exchange_next() in a loop: it returns what to do. Only justcall_exchange_load()
/// blocks. Rules for your HTTP client:
///
/// - It must not follow redirects, because that would send the pair to another host.
/// - Set it up again for each JUSTCALL_ACTION_SEND. Method, URL, headers, body and pair may differ
///   from those of the request before.
/// - It uses its own CA certificates and proxy. Those of the justcall_client do not apply to it.
/// - It may send `Accept-Encoding` with every encoding that it decodes, such as `br` or `zstd`.
///   Report decoded bodies; the header `Content-Encoding` may stay.
/// - Report the final response only. Drop interim responses, of HTTP status 100 to 199, together
///   with their headers.
/// - It makes copies of the pair. The library cannot wipe those: wipe them where you can.
///
/// While an exchange is to load or to send, other calls that share its pair may wait for it. They
/// continue when you report the result or free the exchange, at its deadline, or after 60 seconds
/// if it has no deadline. So free an exchange that you do not finish.
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

/// Send the request: justcall_exchange_method() and the functions after it describe it,
/// justcall_exchange_authorization() writes its `Authorization` header. Set up your HTTP client
/// again each time. Stop after `wait_ms` milliseconds. Then report the result with
/// justcall_exchange_answered() or justcall_exchange_failed().
pub const JUSTCALL_ACTION_SEND: i32 = 1;
/// Call justcall_exchange_next() again after `wait_ms` milliseconds. Several short waits in a row
/// are normal, for example 20 milliseconds each while another call reads the source.
pub const JUSTCALL_ACTION_WAIT: i32 = 2;
/// Call justcall_exchange_load(). It may block, so run it on a worker thread if you have an event
/// loop.
pub const JUSTCALL_ACTION_LOAD: i32 = 3;
/// The call has succeeded: justcall_exchange_response() gives the response.
pub const JUSTCALL_ACTION_DONE: i32 = 4;

/// The host's address was not found.
pub const JUSTCALL_CAUSE_RESOLVE: i32 = 1;
/// No connection was made.
pub const JUSTCALL_CAUSE_CONNECT: i32 = 2;
/// The TLS handshake failed, for example because the certificate is not trusted.
pub const JUSTCALL_CAUSE_TLS: i32 = 3;
/// Your HTTP client ran out of time.
pub const JUSTCALL_CAUSE_TIMEOUT: i32 = 4;
/// The connection was closed or reset before the response was complete.
pub const JUSTCALL_CAUSE_CLOSED: i32 = 5;
/// Your program ended the request.
pub const JUSTCALL_CAUSE_CANCELLED: i32 = 6;

/// Creates an exchange for `request`, which is copied with its body, timeout and cancel handle. The
/// timeout counts from now and includes waits. Sends and reads nothing yet.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument other than `error` is NULL. On success
/// `*out` is yours, to be freed with justcall_exchange_free(); on failure it is NULL. Any number of
/// threads may call this on one client.
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

/// Returns what to do now: sets `*action` to one of the JUSTCALL_ACTION numbers and, unless
/// `wait_ms` is NULL, `*wait_ms` to a number of milliseconds. For JUSTCALL_ACTION_WAIT it is the
/// time to wait. For JUSTCALL_ACTION_SEND it is the time left until the call's deadline, at least
/// 1, or 0 if the call has no limit: use it as your HTTP client's timeout. For the other actions it
/// is 0. Never blocks.
///
/// Returns JUSTCALL_ACTION_SEND again until you report the result, and JUSTCALL_ACTION_LOAD until
/// justcall_exchange_load() returns. So while your HTTP client is sending, you may call this from
/// time to time to notice a fired cancel handle, justcall_client_shutdown() and the deadline: it
/// then returns the failure. Stop your request in that case; a later report of its result has no
/// effect. Each call of this function ends the text of justcall_exchange_method(),
/// justcall_exchange_url() and the headers, also if it returns JUSTCALL_ACTION_SEND again. Copy
/// that text first if your HTTP client does not; libcurl does.
///
/// Returns the failure of the call once it is final, now and at every later call: any status that
/// justcall_client_send() may return. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT at every call in a
/// child of the process that created the exchange. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT,
/// and changes nothing, if `action` or `exchange` is NULL or the exchange is in use.
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

/// Reads the source, after JUSTCALL_ACTION_LOAD: a file, a program or your load callback. Has no
/// effect after another action. Returns JUSTCALL_OK also if the source cannot be read: the next
/// justcall_exchange_next() then fails, or continues with the pair in use.
///
/// Blocks until the source is read, at most until the call's deadline; the cancel handle of the
/// request ends it too. A load callback that is running is not interrupted. May run on a worker
/// thread, if nothing else uses the exchange until it returns. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `exchange` is NULL or in use.
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

/// Returns the method of the request to send. It may differ from that of your request: see
/// justcall_exchange_is_verifying(). Returns NULL if `exchange` is NULL or in use. The text lives
/// until the next justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_method(exchange: *const justcall_exchange) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.method.as_ptr())
}

/// Returns the full URL of the request to send. Returns NULL if `exchange` is NULL or in use. The
/// text lives until the next justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_url(exchange: *const justcall_exchange) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.url.as_ptr())
}

/// Returns how many headers the request to send has beside `Authorization`, which is secret, and
/// those that your HTTP client sets, such as `Host`. You may add headers, and replace these.
/// Returns 0 if `exchange` is NULL or in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_count(exchange: *const justcall_exchange) -> usize {
    infallible!(0, |exchange| exchange.take().ok()?.outgoing.headers.len())
}

/// Returns the name of header number `index`, from 0, in lower case. Returns NULL if there is no
/// such header or `exchange` is NULL or in use. The text lives until the next
/// justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_name(
    exchange: *const justcall_exchange,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.headers.get(index)?.0.as_ptr())
}

/// Returns the value of header number `index`, as justcall_exchange_header_name() counts. Returns
/// NULL if there is no such header or `exchange` is NULL or in use. The text lives until the next
/// justcall_exchange_next().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_header_value(
    exchange: *const justcall_exchange,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |exchange| exchange.take().ok()?.outgoing.headers.get(index)?.1.as_ptr())
}

/// Returns the body of the request to send, and sets `*length`, unless `length` is NULL, to its
/// length in bytes. Returns NULL, with a length of 0, if the request has no body or `exchange` is
/// NULL or in use. The body may be empty: then this is not NULL, and the length is 0. The body is
/// not NUL-terminated, and lives until justcall_exchange_free().
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

/// Returns 1 if the request to send verifies the pair and is not your own request. It comes before
/// your own if the account of the pair must be known first. It comes after your own if that was
/// `/v2/account` and the service answered 401. Send it as the exchange describes it, without the
/// body and headers of your own request. Returns 0 if the request is your own, or if `exchange` is
/// NULL or in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_is_verifying(exchange: *const justcall_exchange) -> i32 {
    infallible!(0, |exchange| i32::from(exchange.take().ok()?.exchange.is_verifying()))
}

/// Writes the value of the `Authorization` header, after JUSTCALL_ACTION_SEND, into `buffer`, as
/// justcall_credentials_authorization() does. Call it right before you send, and again for each
/// JUSTCALL_ACTION_SEND. The response then counts for the pair that was written: after 401, that
/// pair is rejected. If you report a response without this call, it counts for the pair that was in
/// use at JUSTCALL_ACTION_SEND.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if no request is to be sent, or the exchange is in
/// use; otherwise as justcall_credentials_authorization() does.
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

/// Reports the final response to the request, with arguments as for justcall_classify(), all of
/// which are copied. Pass the whole body, decompressed; a `Content-Encoding` header may stay. Drop
/// the headers of interim responses (100 to 199). The next justcall_exchange_next() returns what
/// follows.
///
/// Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
/// has not been reported yet.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT as justcall_classify() does, and if `exchange` is
/// NULL or in use; the exchange is then unchanged.
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
        exchange.exchange.answered(from_own_http(http_status, header_names, header_values, body)?);
        Ok(())
    })
}

/// Reports that your HTTP client got no response. `cause` is one of the JUSTCALL_CAUSE numbers.
/// `request_sent` is 0 if surely no byte of the request was sent, so that even a POST may be sent
/// again; pass 1 if in doubt. The next justcall_exchange_next() returns what follows. Has no
/// effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result has
/// not been reported yet.
///
/// The cause for each CURLcode of libcurl:
///
/// - JUSTCALL_CAUSE_RESOLVE: CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY.
/// - JUSTCALL_CAUSE_CONNECT: CURLE_COULDNT_CONNECT.
/// - JUSTCALL_CAUSE_TLS: CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
///   CURLE_SSL_CACERT_BADFILE.
/// - JUSTCALL_CAUSE_TIMEOUT: CURLE_OPERATION_TIMEDOUT.
/// - JUSTCALL_CAUSE_CANCELLED: CURLE_ABORTED_BY_CALLBACK.
/// - JUSTCALL_CAUSE_CLOSED: every other.
///
/// With libcurl, pass `request_sent` 0 for the first three causes, and for the others 1 if
/// CURLINFO_REQUEST_SIZE is greater than 0. If your program fails for a reason that is none of the
/// causes, pass JUSTCALL_CAUSE_CLOSED if a retry may help, else JUSTCALL_CAUSE_CANCELLED.
///
/// The causes RESOLVE, CONNECT and CLOSED are retried as a lost connection is; the others end the
/// call. A call that ends fails as it would with the built-in HTTP client: with
/// JUSTCALL_ERROR_CONNECTION_FAILED (reason `resolve` or `connect`; for JUSTCALL_CAUSE_CLOSED
/// `receive`, or `send` if nothing was sent), JUSTCALL_ERROR_TLS_FAILED, JUSTCALL_ERROR_TIMEOUT
/// (reason `receive`, or `connect` if nothing was sent) or JUSTCALL_ERROR_CANCELLED.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `cause` is none of those numbers, or `exchange` is
/// NULL or in use; the exchange is then unchanged.
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

/// Returns the response, after JUSTCALL_ACTION_DONE. Its HTTP status is 200 to 299: everything else
/// is a failure, whose response justcall_error_response() returns. May be called more than once.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the call is not over yet, an argument is NULL, or
/// the exchange is in use; with the call's failure if it has failed. On success `*out` is yours, to
/// be freed with justcall_response_free(); on failure it is NULL.
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

/// Frees an exchange, whether it is over or not, and all that was borrowed from it. A request that
/// your HTTP client is sending is yours to stop. Does nothing if `exchange` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_exchange_free(exchange: *mut justcall_exchange) {
    free!(exchange);
}
