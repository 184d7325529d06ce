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

/// An API key and its secret, which were checked when the handle was created. The library stores
/// both in its own memory. The library wipes the pair when the last handle that refers to it is
/// freed. Credentials are immutable, so several threads may use one handle at the same time.
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

/// The size of a buffer that can hold every `Authorization` value with its NUL.
pub const JUSTCALL_AUTHORIZATION_SIZE: usize = 1026;

const _: () =
    assert!(JUSTCALL_AUTHORIZATION_SIZE == 2 * diagnose::MAX_HALF + 2, "two halves, a colon and a NUL");

/// Checks an API key and its secret and copies them. The check sends nothing to the service. `key`
/// and `secret` do not need a NUL at the end. You keep your own copies of both: wipe them with
/// justcall_wipe().
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if the key or the secret cannot be sent. The
/// error message names the malformed half and the reason, but never contains the key or the secret.
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `key`, `secret` or `out` is NULL, or if a length
/// is over SIZE_MAX / 2.
///
/// On success, free `*out` with justcall_credentials_free(). On failure, `*out` is NULL. Does not
/// block. This function is thread-safe.
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
/// If the source is unknown, the hint of the error lists all sources. An environment variable that
/// is empty counts as not set.
///
/// Fails with JUSTCALL_ERROR_CREDENTIALS_MISSING if the source has no pair. The error message names
/// every place that was searched. Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if the pair in
/// the source is malformed. Fails with JUSTCALL_ERROR_SOURCE_UNAVAILABLE if the source cannot be
/// read. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a valid source, or if
/// `source` or `out` is NULL.
///
/// On success, free `*out` with justcall_credentials_free(). On failure, `*out` is NULL. Blocks
/// until the source is read. A `command:` source runs a program, and a `vault:` source asks Vault,
/// each for at most 10 seconds. This function is thread-safe, as long as no other thread changes the
/// environment.
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

/// Reads an API key and its secret like justcall_credentials_load(), within the limits of
/// `options`. The library stops the program of a `command:` source at the timeout or when the call
/// is cancelled. If `options` is NULL, this function works like justcall_credentials_load().
///
/// Fails like justcall_credentials_load(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
/// handle of `options` is fired.
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

/// Returns a shortened form of the API key, which identifies the pair in logs. The text is the
/// first four characters of the key, an ellipsis (U+2026) and the last four. If the key is shorter
/// than 12 bytes, the text is only its first character and an ellipsis. The text never contains a
/// part of the secret. Returns NULL if `credentials` is NULL. The text is valid until `credentials`
/// is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_key_hint(
    credentials: *const justcall_credentials,
) -> *const c_char {
    infallible!(ptr::null(), |credentials| credentials.key_hint.as_ptr())
}

/// Writes the value of the `Authorization` header into `buffer`. The value is `key:secret`,
/// followed by a NUL. Sends nothing. Sets `*length` to the length of the value without the NUL.
/// `length` may be NULL.
///
/// Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the value and its NUL.
/// If `capacity` is too small, this function sets `*length` as well and leaves `buffer` unchanged.
/// A capacity of JUSTCALL_AUTHORIZATION_SIZE is always enough. Fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `credentials` is NULL, or if `capacity` is over SIZE_MAX / 2.
/// Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `buffer` is NULL and `capacity` is not 0.
///
/// Wipe `buffer` with justcall_wipe() after you have sent the request. `buffer` is the only copy of
/// the value outside the library until your HTTP client copies it. For example, curl_slist_append()
/// makes a copy. The library cannot wipe the copies that your HTTP client makes: wipe them
/// yourself, if you can. Does not block. This function is thread-safe.
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

/// Frees a credentials handle. The library wipes the pair when no configuration or client uses it
/// either. Does nothing if `credentials` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_credentials_free(credentials: *mut justcall_credentials) {
    free!(credentials);
}
