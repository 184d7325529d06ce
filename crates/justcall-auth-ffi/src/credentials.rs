//! A pair of API key and secret that can be sent.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Credentials, Source, diagnose};

use crate::call_options::justcall_call_options;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{argument, free, infallible};
use crate::output;
use crate::status::justcall_status;

/// An API key and its secret, checked, in memory of the library that is wiped when the last handle
/// that refers to it is freed. Immutable: any number of threads may use one at once.
pub struct justcall_credentials {
    credentials: Credentials,
    key_hint: CString,
}

impl justcall_credentials {
    fn new(credentials: Credentials) -> Self {
        Self { key_hint: output::text(credentials.key_hint()), credentials }
    }

    pub(crate) fn get(&self) -> &Credentials {
        &self.credentials
    }
}

/// The capacity that a buffer needs to hold any `Authorization` value with its NUL.
pub const JUSTCALL_AUTHORIZATION_SIZE: usize = 1026;

const _: () =
    assert!(JUSTCALL_AUTHORIZATION_SIZE == 2 * diagnose::MAX_HALF + 2, "two halves, a colon and a NUL");

/// Checks an API key and its secret, without asking the service, and copies them. Neither needs a
/// NUL at its end. Your own copies stay yours to wipe: see justcall_wipe().
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if one cannot be sent; the message says which
/// half is wrong and why, never its value. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `key`,
/// `secret` or `out` is NULL or a length is impossible. On success `*out` is yours, to be freed
/// with justcall_credentials_free(); on failure it is NULL. Does not block. Any thread may call
/// this.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_new(
    key: *const c_char,
    key_length: usize,
    secret: *const c_char,
    secret_length: usize,
    out: *mut *mut justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |key: bytes(key_length), secret: bytes(secret_length)| {
        Ok(justcall_credentials::new(Credentials::new(key, secret)?))
    })
}

/// Reads an API key and its secret from a source, such as `"default:"`, `"env:"` or `"file:PATH"`.
/// The hint of the error about an unknown source lists them all. A variable that is empty counts as
/// not set.
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MISSING, whose message names every place that was
/// searched; with JUSTCALL_ERROR_CREDENTIALS_MALFORMED; with JUSTCALL_ERROR_SOURCE_UNAVAILABLE; and
/// with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a source or an argument is NULL. On
/// success `*out` is yours, to be freed with justcall_credentials_free(); on failure it is NULL.
///
/// Blocks until the source is read; a `command:` source runs a program, for 10 seconds at most. Any
/// thread may call this while no other changes the environment.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_load(
    source: *const c_char,
    out: *mut *mut justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |source: text| {
        let source = Source::parse(source)?;
        Ok(justcall_credentials::new(source.load(&ProcessEnvironment)?.pair.credentials))
    })
}

/// Reads an API key and its secret as justcall_credentials_load() does, within the limits of
/// `options`, which may be NULL for none: a `command:` source is stopped at the timeout or when it
/// is cancelled.
///
/// Fails as justcall_credentials_load() does, and with JUSTCALL_ERROR_CANCELLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_load_with(
    source: *const c_char,
    options: *const justcall_call_options,
    out: *mut *mut justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |source: text| {
        let loaded =
            Source::parse(source)?.load_with(&ProcessEnvironment, &argument!(options).call_options())?;
        Ok(justcall_credentials::new(loaded.pair.credentials))
    })
}

/// Returns the ends of the key, to identify the pair in logs: its first four characters, an
/// ellipsis (U+2026) and its last four; of a key shorter than 12 bytes the first character alone.
/// It never has a part of the secret. Returns NULL if `credentials` is NULL. The text lives as long
/// as `credentials`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_key_hint(
    credentials: *const justcall_credentials,
) -> *const c_char {
    infallible!(ptr::null(), |credentials| credentials.key_hint.as_ptr())
}

/// Writes the value of the `Authorization` header, `key:secret` and a NUL, into `buffer`. Sends
/// nothing. Wipe the buffer with justcall_wipe() when the request is sent. The buffer is the only
/// copy outside the library until your HTTP client copies it, as curl_slist_append() does. The
/// library cannot wipe the copies that your client makes: wipe those too, where you can.
///
/// Sets `*length`, unless `length` is NULL, to the length without the NUL. If `capacity`, which
/// counts the NUL, is too small, fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL, sets `*length` too,
/// and leaves `buffer` unchanged; JUSTCALL_AUTHORIZATION_SIZE is always enough. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `credentials` is NULL, `buffer` is NULL and `capacity` not 0,
/// or `capacity` is impossible. Does not block. Any thread may call this.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_authorization(
    credentials: *const justcall_credentials,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |credentials: handle, buffer: buffer(capacity, length)| {
        credentials.get().expose_authorization(|value| buffer.fill(value))
    })
}

/// Frees the handle. The pair is wiped when no configuration or client refers to it either. Does
/// nothing if `credentials` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_free(credentials: *mut justcall_credentials) {
    free!(credentials);
}
