//! An answer of the service.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use justcall_auth::service::{self, RateLimit};
use justcall_auth::{Error, Headers, Response, copy};

use crate::function::{argument, free, infallible};
use crate::output;

/// A response of the service: status, headers, body. Immutable: any number of threads may use one
/// at once.
pub struct justcall_response {
    response: Response,
    headers: Vec<(CString, CString)>,
    rate_limit: RateLimit,
}

impl justcall_response {
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn new(response: Response) -> Result<Self, Error> {
        let headers = response.headers().iter().map(|(name, value)| Ok((output::long_text(name)?, output::long_text(value)?)));
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
    names: Vec<String>,
    values: Vec<String>,
    body: Option<&[u8]>,
) -> Result<Response, Error> {
    let headers: Headers = names.into_iter().zip(values).collect();
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

/// How many requests the account's rate limit allows in its window.
pub const JUSTCALL_RATE_LIMIT: i32 = 0;
/// How many of them are left.
pub const JUSTCALL_RATE_LIMIT_REMAINING: i32 = 1;
/// When the window opens again, in seconds since 1970-01-01 UTC.
pub const JUSTCALL_RATE_LIMIT_RESET: i32 = 2;
/// As JUSTCALL_RATE_LIMIT, for the short window beside the long one.
pub const JUSTCALL_RATE_LIMIT_BURST: i32 = 3;
/// As JUSTCALL_RATE_LIMIT_REMAINING, for the short window.
pub const JUSTCALL_RATE_LIMIT_BURST_REMAINING: i32 = 4;
/// As JUSTCALL_RATE_LIMIT_RESET, for the short window.
pub const JUSTCALL_RATE_LIMIT_BURST_RESET: i32 = 5;

/// Returns the HTTP status. Returns 0 if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_http_status(response: *const justcall_response) -> i32 {
    infallible!(0, |response| i32::from(response.response.http_status()))
}

/// Returns the whole body, after decompression, and sets `*length`, unless `length` is NULL, to its
/// length in bytes. A byte order mark at its beginning is kept. The body is not NUL-terminated.
/// Returns NULL, with a length of 0, only if `response` is NULL; an empty body is not NULL. Lives
/// as long as `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_body(
    response: *const justcall_response,
    length: *mut usize,
) -> *const c_void {
    let body = infallible!(None, |response| Some(response.response.body()));
    argument!(length).optional_output().set(body.map_or(0, <[u8]>::len));
    body.map_or(ptr::null(), |body| body.as_ptr().cast())
}

/// Returns the value of the first header with this name. Upper and lower case do not matter. Bytes
/// that are not UTF-8 are replaced by U+FFFD. Returns NULL if there is none or an argument is NULL.
/// The text lives as long as `response`.
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

/// Returns how many headers there are; repeated ones count each. Returns 0 if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_count(response: *const justcall_response) -> usize {
    infallible!(0, |response| response.headers.len())
}

/// Returns the name of header number `index`, from 0, in the order they came, in lower case.
/// Returns NULL if there is no such header or `response` is NULL. The text lives as long as
/// `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_name(
    response: *const justcall_response,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |response| response.headers.get(index)?.0.as_ptr())
}

/// Returns the value of header number `index`, as justcall_response_header_name() counts. Returns
/// NULL if there is no such header or `response` is NULL. The text lives as long as `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_header_value(
    response: *const justcall_response,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |response| response.headers.get(index)?.1.as_ptr())
}

/// Returns a figure of the account's rate limit as this response reports it, in either spelling of
/// the service's headers: `which` is one of the JUSTCALL_RATE_LIMIT numbers. Returns -1 if the
/// response does not report it, if `which` is none of them, or if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_rate_limit(response: *const justcall_response, which: i32) -> i64 {
    infallible!(-1, |response| figure(&response.rate_limit, which)?)
}

/// Frees a response and all that was borrowed from it. Do not free one that belongs to an error.
/// Does nothing if `response` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_response_free(response: *mut justcall_response) {
    free!(response);
}
