//! How a client is set up.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth::{Config, Error, Level};

use crate::callback::justcall_free_fn;
use crate::credentials::justcall_credentials;
use crate::error::justcall_error;
use crate::event::justcall_event_fn;
use crate::fallible::fallible;
use crate::function::{free, guarded, into_raw};
use crate::source::justcall_load_fn;
use crate::status::justcall_status;

/// The settings of clients; what is not set keeps its default. For one thread at a time while it is
/// changed. A client copies what it needs: one configuration makes any number of clients, and later
/// changes to it do not reach them.
pub struct justcall_config {
    config: Config,
}

impl justcall_config {
    pub(crate) fn get(&self) -> &Config {
        &self.config
    }
}

/// Creates a configuration with every default: the pair from `"default:"`, the service itself, a
/// timeout of 30 seconds, 2 retries, the system's certificate authorities. Free it with
/// justcall_config_free(). Returns NULL only on an internal error.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_config_new() -> *mut justcall_config {
    guarded(ptr::null_mut(), || into_raw(justcall_config { config: Config::new() }))
}

/// Sets where the pair comes from: a source as for justcall_credentials_load(). It is read at a
/// client's first call, not now. Replaces an earlier source, callback or pair.
///
/// Creating a client resolves `"default:"`, and compares the environment of `"env:"` with the pair
/// that earlier clients read there. If the environment holds another pair, the new client uses that
/// one, and the earlier clients keep theirs. If it holds the same pair or none, they share the
/// pair. A client reads the environment again only after the service rejected its pair, or in
/// justcall_client_reload().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a source or an argument is NULL;
/// the configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_source(
    config: *mut justcall_config,
    source: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, source: text| config.config.set_source(source).map(drop))
}

/// Sets a pair that the program already has, in place of a source. `credentials` stays yours and
/// may be freed at once.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the configuration is then
/// unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_credentials(
    config: *mut justcall_config,
    credentials: *const justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, credentials: handle| {
        config.config.set_credentials(credentials.get().clone());
        Ok(())
    })
}

/// Sets the function that loads the pair, in place of a source: for pairs in a database or another
/// keychain. See justcall_load_fn. `context` is passed to it, and to `free_context`, which may be
/// NULL, once neither this configuration nor a client made from it will call `load` any more.
///
/// Replaces an earlier source, callback or pair. The context of an earlier callback is freed by
/// this call, or with the last client that uses it. justcall_config_set_source() and
/// justcall_config_set_credentials() replace a callback in the same way. Clients share a pair only
/// if they were created from this configuration after the same call of this function: a second call
/// makes another source, also with the same `load` and `context`.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `load` is NULL; the configuration is
/// then unchanged, and `context` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_source_callback(
    config: *mut justcall_config,
    load: justcall_load_fn,
    context: *mut c_void,
    free_context: justcall_free_fn,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, load: callback(context, free_context)| {
        config.config.set_source_callback(Arc::new(load));
        Ok(())
    })
}

/// Sets where the service is: `"https://host[:port][/prefix]"`. `http://` is accepted only for a
/// loopback address, because it would send the secret in the clear.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not such a URL or an argument is NULL;
/// the configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_base_url(
    config: *mut justcall_config,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, url: text| config.config.set_base_url(url).map(drop))
}

/// Sets the path that justcall_client_verify() requests with GET, such as
/// `"/v2.1/users?per_page=1"`, in place of `/v2/account` and its alternative.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` does not start with a slash, could lead to
/// another host or needs percent-encoding, or if an argument is NULL; the configuration is then
/// unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_verify_path(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_verify_path(path).map(drop))
}

/// Sets the time limit of a whole call in milliseconds, retries and waits included. 0 means no
/// limit. Default: 30000.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_timeout_ms(
    config: *mut justcall_config,
    ms: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| {
        config.config.set_timeout(Duration::from_millis(ms));
        Ok(())
    })
}

/// Sets how many retries a call may make, of every kind together. 0 means none. Default: 2.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `n` is negative or `config` is NULL; the
/// configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_max_retries(
    config: *mut justcall_config,
    n: i32,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| {
        let retries = u32::try_from(n).map_err(|_| Error::invalid_argument("The argument n is negative."))?;
        config.config.set_max_retries(retries);
        Ok(())
    })
}

/// Sets how long calls wait for another pair, in milliseconds from the moment that the service
/// rejected the one in use. Meanwhile the source is read up to four times a second. A reset of the
/// pair then fails no call, if the new pair comes in that time and before the calls' own timeout.
/// 0, the default, means no wait: a call fails if its source gives no other pair at once.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_rotation_wait_ms(
    config: *mut justcall_config,
    ms: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| {
        config.config.set_rotation_wait(Duration::from_millis(ms));
        Ok(())
    })
}

/// Sets the function that is called for each event: see justcall_event_fn. `context` is passed to
/// it, and to `free_context`, which may be NULL, once neither this configuration nor a client or
/// exchange made from it will call `handler` any more. After fork() both are called in the child
/// too. Replaces an earlier handler.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `handler` is NULL; the configuration
/// is then unchanged, and `context` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_event_handler(
    config: *mut justcall_config,
    handler: justcall_event_fn,
    context: *mut c_void,
    free_context: justcall_free_fn,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, handler: callback(context, free_context)| {
        config.config.set_observer(Arc::new(handler));
        Ok(())
    })
}

/// Sets a PEM file of certificate authorities to trust in place of the system's. Replaces those of
/// justcall_config_set_ca_pem(). The file is read when a client is created; justcall_client_new()
/// fails if a certificate in it cannot be used. Without it, the environment variables SSL_CERT_FILE
/// and SSL_CERT_DIR name the authorities, if they are set and not empty; certificates there that
/// cannot be used are skipped.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty or an argument is NULL; the
/// configuration is then as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_ca_file(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_ca_file(path).map(drop))
}

/// Sets certificate authorities to trust in place of the system's: `pem_length` bytes of
/// certificates in PEM form, which are copied. For programs that have them in memory. Replaces
/// those of justcall_config_set_ca_file().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if there is no certificate in `pem` or one that
/// cannot be used, if `pem_length` is over 8 MiB, or if an argument is NULL; the configuration is
/// then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_ca_pem(
    config: *mut justcall_config,
    pem: *const c_char,
    pem_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, pem: bytes(pem_length)| config.config.set_ca_pem(pem).map(drop))
}

/// Sets the IP address of this machine that connections come from, such as `"192.0.2.7"` or
/// `"2001:db8::7"`, or `""`, the default, to let the system choose. For accounts that allow API
/// calls from some addresses only, on hosts with several. Addresses of the service, or of the
/// proxy, that are of the other family (IPv4 or IPv6) are skipped.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `address` is not an IP address or an argument is
/// NULL; the configuration is then unchanged. If this machine does not have the address, calls fail
/// with JUSTCALL_ERROR_CONNECTION_FAILED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_local_address(
    config: *mut justcall_config,
    address: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, address: text| {
        config.config.set_local_address(address).map(drop)
    })
}

/// Sets the length of the longest response body that calls read, in bytes after decompression. A
/// longer one fails the call with JUSTCALL_ERROR_INVALID_RESPONSE. Of the response in an error, and
/// of one that verifies the pair, at most 64 KiB are read. 0 means no limit. Default: 33554432 (32
/// MiB).
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_max_response_length(
    config: *mut justcall_config,
    max_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| {
        config.config.set_max_response_length(max_length);
        Ok(())
    })
}

/// Sets a file in which clients record, at most once an hour, that their pair is used. The command
/// `justcall-auth status` reads it to find pairs that nothing uses any more. The file and its
/// folder are created for their owner alone; several processes may share it; it holds no pair. A
/// call never fails because the file cannot be written. By default there is none: the library
/// leaves nothing on a disk by itself.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty or an argument is NULL; the
/// configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_state_file(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_state_file(path).map(drop))
}

/// Sets the proxy: `"http://[user:password@]host[:port]"`, or `""` for none. User name and password
/// are percent-encoded. The library asks the proxy for a tunnel (CONNECT), so the proxy never sees
/// the pair. A plain `http://` base URL never goes through a proxy.
///
/// By default the environment variable HTTPS_PROXY names the proxy, except for loopback hosts and
/// for those that an entry of NO_PROXY covers: `*`; a domain, with all below it; an address; a
/// network such as `10.0.0.0/8`; domains and addresses also with a port. Entries are separated by
/// commas or blanks. Both variables are read when the client is created, and a proxy that cannot be
/// used is an error only if the base URL would use it.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not such a URL or an argument is NULL;
/// the configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_proxy(
    config: *mut justcall_config,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, url: text| config.config.set_proxy(url).map(drop))
}

/// Sets the account that the pair must belong to. Every call fails with
/// JUSTCALL_ERROR_WRONG_ACCOUNT if the pair belongs to another account, or if the service does not
/// name the account. The library then requests only the account.
///
/// When measured, the JustCall service did not name the account of a pair. So every call to it
/// fails if an account is expected.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `id` is 0 or `config` is NULL. To expect no
/// particular account, do not set it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_expected_account(
    config: *mut justcall_config,
    id: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| config.config.set_expected_account(id).map(drop))
}

/// Locked pages, encrypted between calls; the heap if the system refuses to lock memory:
/// justcall_client_protection() reports which, and why. The default.
pub const JUSTCALL_MEMORY_AUTO: i32 = 0;
/// Locked pages, else JUSTCALL_ERROR_MEMORY_PROTECTION.
pub const JUSTCALL_MEMORY_STRICT: i32 = 1;
/// The heap: wiped when freed, and no more.
pub const JUSTCALL_MEMORY_HEAP: i32 = 2;
/// Memory that only the process can read, not even the kernel (memfd_secret), else
/// JUSTCALL_ERROR_MEMORY_PROTECTION. While a process has it, Linux refuses to hibernate.
pub const JUSTCALL_MEMORY_SECRETMEM: i32 = 3;

/// Sets how well the pair is protected in memory between calls: one of the JUSTCALL_MEMORY numbers.
/// If the system refuses it, the first call that needs the pair fails.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `level` is none of them or `config` is NULL; the
/// configuration is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_memory_protection(
    config: *mut justcall_config,
    level: i32,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| {
        let level = usize::try_from(level).ok().and_then(|level| Level::ALL.get(level));
        let level = level
            .ok_or_else(|| Error::invalid_argument("The argument level is not a JUSTCALL_MEMORY number."))?;
        config.config.set_memory_protection(*level);
        Ok(())
    })
}

/// Frees a configuration. Clients made from it live on. Does nothing if `config` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_free(config: *mut justcall_config) {
    free!(config);
}
