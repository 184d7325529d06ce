//! An answer of the service.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use justcall_auth::service::{self, RateLimit};
use justcall_auth::{Error, Headers, Response, copy};

use crate::function::{argument, free, infallible};
use crate::output;

/// A response of the service: its HTTP status, headers and body. A response is immutable, so
/// several threads may use it at the same time.
pub struct justcall_response {
    response: Response,
    headers: Vec<(CString, CString)>,
    rate_limit: RateLimit,
}

impl justcall_response {
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn new(response: Response) -> Result<Self, Error> {
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| Ok((output::long_text(name)?, output::long_text(value)?)));
        // It is an answer to what was sent.
        let headers = headers.collect::<Result<_, Error>>().map_err(|error| error.with_request_sent(true))?;
        Ok(Self { headers, rate_limit: service::rate_limit(&response), response })
    }
}

/// Puts together what the program got over its own HTTP.
///
/// # Errors
/// `out_of_memory`.
pub(crate) fn from_own_http(
    http_status: u16,
    names: &[&[u8]],
    values: &[&[u8]],
    body: Option<&[u8]>,
) -> Result<Response, Error> {
    let mut headers = Headers::default();
    for (name, value) in names.iter().zip(values) {
        headers.try_push_lossy(name, value)?;
    }
    Ok(Response::new(http_status, headers, copy::bytes(body.unwrap_or_default())?))
}

/// The figure of `limit` that one of the numbers below stands for.
pub(crate) fn figure(limit: &RateLimit, which: i32) -> Option<i64> {
    let RateLimit { main, burst } = limit;
    let figure = match which {
        JUSTCALL_RATE_LIMIT => main.limit?,
        JUSTCALL_RATE_LIMIT_REMAINING => main.remaining?,
        JUSTCALL_RATE_LIMIT_RESET => main.reset?.as_secs(),
        JUSTCALL_RATE_LIMIT_BURST => burst.limit?,
        JUSTCALL_RATE_LIMIT_BURST_REMAINING => burst.remaining?,
        JUSTCALL_RATE_LIMIT_BURST_RESET => burst.reset?.as_secs(),
        _ => return None,
    };
    i64::try_from(figure).ok()
}

/// Selects the number of requests that the account's rate limit allows in its long window.
pub const JUSTCALL_RATE_LIMIT: i32 = 0;
/// Selects the number of requests that are left in the long window.
pub const JUSTCALL_RATE_LIMIT_REMAINING: i32 = 1;
/// Selects the time when the next long window starts, in seconds since 1970-01-01 UTC.
pub const JUSTCALL_RATE_LIMIT_RESET: i32 = 2;
/// Selects the number of requests that the account's rate limit allows in its short window.
pub const JUSTCALL_RATE_LIMIT_BURST: i32 = 3;
/// Selects the number of requests that are left in the short window.
pub const JUSTCALL_RATE_LIMIT_BURST_REMAINING: i32 = 4;
/// Selects the time when the next short window starts, in seconds since 1970-01-01 UTC.
pub const JUSTCALL_RATE_LIMIT_BURST_RESET: i32 = 5;

/// Returns the HTTP status of a response. Returns 0 if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_http_status(response: *const justcall_response) -> i32 {
    infallible!(0, |response| i32::from(response.response.http_status()))
}

/// Returns the whole body of a response, after decompression. Sets `*length` to the length of the
/// body in bytes. `length` may be NULL. The body has no NUL at the end. A byte order mark at the
/// beginning of the body is kept. Returns NULL, and sets `*length` to 0, if `response` is NULL.
/// Does not return NULL for an empty body. The body is valid until `response` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_body(
    response: *const justcall_response,
    length: *mut usize,
) -> *const c_void {
    let body = infallible!(None, |response| Some(response.response.body()));
    argument!(length).optional_output().set(body.map_or(0, <[u8]>::len));
    body.map_or(ptr::null(), |body| body.as_ptr().cast())
}

/// Returns the value of the first header with the name `name`. Header names are not case-sensitive.
/// The library replaces bytes that are not UTF-8 with U+FFFD. Returns NULL if the response has no
/// such header, or if `response` or `name` is NULL. The text is valid until `response` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header(
    response: *const justcall_response,
    name: *const c_char,
) -> *const c_char {
    infallible!(ptr::null(), |response| {
        let name = argument!(name).string()?;
        response.headers.iter().find(|(known, _)| known.to_bytes().eq_ignore_ascii_case(name))?.1.as_ptr()
    })
}

/// Returns the number of headers of a response. A header that occurs several times is counted each
/// time. Returns 0 if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_count(response: *const justcall_response) -> usize {
    infallible!(0, |response| response.headers.len())
}

/// Returns the name of header number `index`, in lower case. The headers are numbered from 0, in
/// the order of the response. Returns NULL if the response has no header with this number, or if
/// `response` is NULL. The text is valid until `response` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_name(
    response: *const justcall_response,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |response| response.headers.get(index)?.0.as_ptr())
}

/// Returns the value of header number `index`. The numbers are those of
/// justcall_response_header_name(). Returns NULL if the response has no header with this number, or
/// if `response` is NULL. The text is valid until `response` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_value(
    response: *const justcall_response,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |response| response.headers.get(index)?.1.as_ptr())
}

/// Returns a number of the account's rate limit, as the headers of this response report it. The
/// function reads both spellings of the service's rate limit headers. `which` is one of the
/// JUSTCALL_RATE_LIMIT numbers. Returns -1 if the response does not contain the number, if `which`
/// is invalid, or if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_rate_limit(response: *const justcall_response, which: i32) -> i64 {
    infallible!(-1, |response| figure(&response.rate_limit, which)?)
}

/// Frees a response and everything that was borrowed from it. Do not free the response that
/// justcall_error_response() returns, because it belongs to the error. Does nothing if `response`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_free(response: *mut justcall_response) {
    free!(response);
}
