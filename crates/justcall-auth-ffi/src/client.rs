//! A client of the service.

use std::ffi::c_char;

use justcall_auth::{Client, Config};

use crate::account::justcall_account;
use crate::config::justcall_config;
use crate::error::justcall_error;
use crate::handle::Out;
use crate::output::Buffer;
use crate::status::justcall_status;
use crate::{guard, handle, input};

/// A client of the JustCall API. Make one and keep it: it holds the pair and the open connections.
/// Any number of threads may use one at once.
pub struct justcall_client {
    client: Client,
}

/// Makes a client as `config` says, which stays yours and may be freed at once; with every default
/// if `config` is NULL. Reads the CA file, if one is set. The service is not asked and the pair not
/// read: the first call does.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL, or the CA file cannot be read or
/// holds no certificate. On success `*out` is yours, to be freed with justcall_client_free(); on
/// failure it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_new(
    config: *const justcall_config,
    out: *mut *mut justcall_client,
    error: *mut *mut justcall_error,
) -> justcall_status {
    // SAFETY: the pointers are NULL or what the comment above and the header's introduction say.
    let body = || unsafe {
        let out = Out::new("out", out)?;
        let client = match config.as_ref() {
            Some(config) => Client::new(config.get())?,
            None => Client::new(&Config::new())?,
        };
        out.put(justcall_client { client });
        Ok(())
    };
    // SAFETY: `error` is NULL or may be written to.
    unsafe { guard::status(error, body) }
}

/// Asks the service whether the pair is good, and whose it is: `/v2/account` and, where the service
/// has no such page, `/v2.1/users?per_page=1`, which proves the pair without telling the account's
/// details. Blocks until it is known, at most for the configured timeout.
///
/// Fails with the status that says why: JUSTCALL_ERROR_INVALID_CREDENTIALS if the service rejects
/// the pair, any other but those about buffers if it could not be asked or did not answer as it
/// should. On success `*out` is yours, to be freed with justcall_account_free(); on failure it is
/// NULL. Any number of threads may call this on one client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_verify(
    client: *const justcall_client,
    out: *mut *mut justcall_account,
    error: *mut *mut justcall_error,
) -> justcall_status {
    // SAFETY: the pointers are NULL or what the comment above and the header's introduction say.
    let body = || unsafe {
        let out = Out::new("out", out)?;
        let client = input::handle("client", client)?;
        out.put(justcall_account::new(&client.client.verify()?));
        Ok(())
    };
    // SAFETY: `error` is NULL or may be written to.
    unsafe { guard::status(error, body) }
}

/// As justcall_credentials_authorization(), with the pair that the client's calls are made with
/// now: for a request that you send yourself. Reads the source if no call has done so yet, and then
/// fails as justcall_credentials_load() does too. Any number of threads may call this on one
/// client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_authorization(
    client: *const justcall_client,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    // SAFETY: the pointers are NULL or what the comment above and the header's introduction say.
    let body = || unsafe {
        let client = input::handle("client", client)?;
        let buffer = Buffer::new(buffer, capacity, length)?;
        client.client.credentials()?.expose_authorization(|value| buffer.fill(value))
    };
    // SAFETY: `error` is NULL or may be written to.
    unsafe { guard::status(error, body) }
}

/// Frees a client, once no call uses it. Accounts and errors that came from it live on. Does
/// nothing if `client` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_client_free(client: *mut justcall_client) {
    // SAFETY: NULL, or a handle of this type that its owner gives up.
    unsafe { handle::free(client) };
}
