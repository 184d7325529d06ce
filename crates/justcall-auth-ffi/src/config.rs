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

/// The settings of clients. Every setting that you do not set keeps its default. You can create any
/// number of clients from one configuration. A client copies the settings, so later changes to the
/// configuration do not affect it. Change a configuration on one thread at a time.
pub struct justcall_config {
    config: Config,
}

impl justcall_config {
    pub(crate) fn get(&self) -> &Config {
        &self.config
    }
}

/// Creates a configuration in which every setting has its default. The pair comes from
/// `"default:"`, and the base URL is that of the JustCall service. The timeout is 30 seconds, and
/// the number of retries is 2. The client trusts the system's certificate authorities. Returns NULL
/// only on an internal error. Free the configuration with justcall_config_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_config_new() -> *mut justcall_config {
    guarded(ptr::null_mut(), || into_raw(justcall_config { config: Config::new() }))
}

/// Sets the source of the pair. `source` has the same form as for justcall_credentials_load(). A
/// client reads the source at its first call, not when this function runs. Replaces the source,
/// callback or pair that was set before.
///
/// justcall_client_new() decides which source `"default:"` stands for. For `"env:"`, it compares
/// the environment with the pair that earlier clients read there. If the environment holds a
/// different pair, the new client uses that pair, and the earlier clients keep theirs. If the
/// environment holds the same pair or none, the clients share the pair. A client reads the
/// environment again only after the service rejected its pair, or in justcall_client_reload().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a valid source, or if `config` or
/// `source` is NULL. On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_source(
    config: *mut justcall_config,
    source: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, source: text| config.config.set_source(source).map(drop))
}

/// Sets a pair that the program already has, instead of a source. The caller keeps ownership of
/// `credentials` and may free it as soon as this function returns.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `credentials` is NULL. On failure, the
/// configuration is unchanged.
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

/// Sets a callback that loads the pair, instead of a source. Use a callback for a pair in a
/// database or in another keychain. justcall_load_fn describes the callback. Replaces the source,
/// callback or pair that was set before.
///
/// The library passes `context` to `load`. The library calls `free_context` with `context` when
/// this configuration and all clients made from it no longer need `load`. `free_context` may be
/// NULL. If this function replaces a callback that no client uses, it frees the context of the old
/// callback. If clients use the old callback, its context is freed with the last of these clients.
/// justcall_config_set_source() and justcall_config_set_credentials() replace a callback in the
/// same way.
///
/// Each call of this function makes a new source, even with the same `load` and `context`. Clients
/// share a pair only if they were created from this configuration after the same call of this
/// function.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `load` is NULL. On failure, the
/// configuration is unchanged, and `context` is not freed.
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

/// Sets the URL of the service, in the form `"https://host[:port][/prefix]"`. The prefix must be
/// percent-encoded. The library accepts `http://` only for a loopback address, because `http://`
/// sends the secret unencrypted.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` does not have the form above, or if `config`
/// or `url` is NULL. On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_base_url(
    config: *mut justcall_config,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, url: text| config.config.set_base_url(url).map(drop))
}

/// Sets the path that justcall_client_verify() requests with GET, such as
/// `"/v2.1/users?per_page=1"`. By default, it requests `/v2/account` or its alternative.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` does not start with a slash, could lead to
/// another host, or needs percent-encoding. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if
/// `config` or `path` is NULL. On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_verify_path(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_verify_path(path).map(drop))
}

/// Sets the time limit of a whole call in milliseconds. The limit includes retries and waits. 0
/// means no limit. The default is 30000.
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

/// Sets the maximum number of retries of a call. Retries of every kind count together. 0 means no
/// retries. The default is 2.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `n` is negative or `config` is NULL. On failure,
/// the configuration is unchanged.
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

/// Sets how many milliseconds calls wait for a new pair after the service rejected the pair in use.
/// The wait starts at the rejection. While calls wait, the library reads the source up to four
/// times a second. With this wait, a reset of the pair makes no call fail, if the source gets the
/// new pair in time. The new pair is in time if it arrives before the end of this wait and of the
/// call's timeout. The default is 0, which means no wait: a call fails unless the source already
/// has another pair.
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

/// Sets a callback that handles events. justcall_event_fn describes the callback. Replaces the
/// event handler that was set before.
///
/// The library passes `context` to `handler`. The library calls `free_context` with `context` when
/// this configuration and all clients and exchanges made from it no longer need `handler`.
/// `free_context` may be NULL. After fork(), the child calls `handler` and `free_context` too.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `handler` is NULL. On failure, the
/// configuration is unchanged, and `context` is not freed.
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

/// Sets a PEM file of certificate authorities, which clients trust instead of the system's.
/// Replaces the certificates of justcall_config_set_ca_pem(). justcall_client_new() reads the file,
/// and fails if the file contains an unusable certificate.
///
/// By default, the environment variables SSL_CERT_FILE and SSL_CERT_DIR name the certificate
/// authorities. If both variables are unset or empty, clients trust the system's certificate
/// authorities. Clients skip an unusable certificate in a place that one of these variables names.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty, or if `config` or `path` is NULL.
/// On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_ca_file(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_ca_file(path).map(drop))
}

/// Sets certificate authorities from memory, which clients trust instead of the system's. `pem` is
/// `pem_length` bytes of certificates in PEM form. The function copies them. Replaces the file of
/// justcall_config_set_ca_file().
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `pem` contains no certificate or an unusable one.
/// Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `pem_length` is over 8 MiB, or if `config` or
/// `pem` is NULL. On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_ca_pem(
    config: *mut justcall_config,
    pem: *const c_char,
    pem_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, pem: bytes(pem_length)| config.config.set_ca_pem(pem).map(drop))
}

/// Sets the local IP address of connections, such as `"192.0.2.7"` or `"2001:db8::7"`. With `""`,
/// which is the default, the system chooses the address. Use this function if the account allows
/// API calls only from some addresses, and the host has several. The library skips addresses of the
/// service or proxy that belong to the other family (IPv4 or IPv6).
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `address` is not an IP address, or if `config` or
/// `address` is NULL. On failure, the configuration is unchanged. If this host does not have the
/// address, calls fail with JUSTCALL_ERROR_CONNECTION_FAILED.
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

/// Sets the maximum length of a response body, in bytes after decompression. If a body is longer,
/// the call fails with JUSTCALL_ERROR_INVALID_RESPONSE. 0 means no limit. The default is 33554432
/// (32 MiB). The library always reads at most 64 KiB of an error response or of a response that
/// verifies the pair.
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
/// `justcall-auth status` reads the file to find pairs that nothing uses any more. By default there
/// is no such file: the library writes nothing to disk by itself.
///
/// The file contains no pair. The library creates the file and its folder so that only their owner
/// has access. Several processes may share the file. No call fails because the file cannot be
/// written.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty, or if `config` or `path` is NULL.
/// On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_state_file(
    config: *mut justcall_config,
    path: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, path: text| config.config.set_state_file(path).map(drop))
}

/// Sets the proxy, in the form `"http://[user:password@]host[:port]"`. Set `""` to use no proxy.
/// The user name and the password must be percent-encoded. The library asks the proxy for a tunnel
/// (CONNECT), so the proxy never sees the pair. Requests to an `http://` base URL never go through
/// a proxy.
///
/// By default, the environment variable HTTPS_PROXY names the proxy. HTTPS_PROXY does not apply to
/// loopback hosts, or to hosts that an entry of NO_PROXY matches. Commas or blanks separate the
/// entries of NO_PROXY. An entry is `*`, a domain, an address, or a network such as `10.0.0.0/8`. A
/// domain also matches all its subdomains. A domain or an address may have a port.
/// justcall_client_new() reads both variables. An unusable proxy is an error only if the base URL
/// needs it.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` does not have the form above, or if `config`
/// or `url` is NULL. On failure, the configuration is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_proxy(
    config: *mut justcall_config,
    url: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut, url: text| config.config.set_proxy(url).map(drop))
}

/// Sets the account that the pair must belong to. Every call fails with
/// JUSTCALL_ERROR_WRONG_ACCOUNT if the pair belongs to another account. Every call also fails with
/// this status if the service does not name the account. In these calls, the library requests only
/// the account and sends nothing else.
///
/// In our measurements, the JustCall service did not name the account of a pair. Therefore every
/// call to the JustCall service fails if an account is expected.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `id` is 0 or `config` is NULL. To accept every
/// account, do not call this function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_set_expected_account(
    config: *mut justcall_config,
    id: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |config: handle_mut| config.config.set_expected_account(id).map(drop))
}

/// Keeps the pair in locked memory pages, encrypted between calls. JUSTCALL_MEMORY_AUTO is the
/// default. If the system refuses to lock memory, the pair is kept on the heap.
/// justcall_client_protection() reports which of the two is used, and why.
pub const JUSTCALL_MEMORY_AUTO: i32 = 0;
/// Keeps the pair in locked memory pages. If the system refuses to lock memory, calls fail with
/// JUSTCALL_ERROR_MEMORY_PROTECTION.
pub const JUSTCALL_MEMORY_STRICT: i32 = 1;
/// Keeps the pair on the heap. The library wipes this memory when it frees the pair, but does not
/// lock or encrypt it.
pub const JUSTCALL_MEMORY_HEAP: i32 = 2;
/// Keeps the pair in memory that even the kernel cannot read (memfd_secret). If the system does not
/// offer such memory, calls fail with JUSTCALL_ERROR_MEMORY_PROTECTION. Linux refuses to hibernate
/// while a process uses such memory.
pub const JUSTCALL_MEMORY_SECRETMEM: i32 = 3;

/// Sets how the pair is protected in memory between calls. `level` is one of the JUSTCALL_MEMORY
/// numbers. If the system refuses this protection, the first call that needs the pair fails.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `level` is not one of these numbers or `config` is
/// NULL. On failure, the configuration is unchanged.
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

/// Frees a configuration. Clients made from the configuration remain valid. Does nothing if
/// `config` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_config_free(config: *mut justcall_config) {
    free!(config);
}
