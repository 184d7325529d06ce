//! The errors of Vault. Each has a reason, which programs can compare, and a hint with a command.

use justcall_auth_protocol::error::{Error, ErrorKind};

use super::super::failure::unavailable;
use super::{LIMIT, Target};

/// The secret was deleted. Its data can be restored.
pub(super) const DELETED: &str = "vault_deleted";
/// The server failed, perhaps after it has done what was requested.
pub(super) const FAILED: &str = "vault_failed";
/// The token is not valid.
pub(super) const TOKEN: &str = "vault_token";

/// Returns the error for a secret that cannot be read.
pub(super) fn fault(place: &str, reason: &'static str, why: &str, hint: impl Into<String>) -> Error {
    unavailable(place, why).with_reason(reason).with_hint(hint)
}

pub(super) fn invalid_address(why: &str) -> Error {
    Error::invalid_argument(format!("The address of Vault in the variable BAO_ADDR or VAULT_ADDR {why}."))
        .with_reason("vault_address")
        .with_hint("Set VAULT_ADDR to https://host:8200. Several addresses are separated by commas.")
}

pub(super) fn no_address() -> Error {
    Error::invalid_argument("The source contains no address of Vault, and VAULT_ADDR is not set.")
        .with_reason("vault_address")
        .with_hint("Use vault:https://host:8200/MOUNT/PATH as the source, or set VAULT_ADDR.")
}

pub(super) fn no_role() -> Error {
    Error::invalid_argument("The login with a JWT requires a role.")
        .with_reason("vault_login")
        .with_hint("Add ?auth=jwt&role=NAME to the source, or set VAULT_ROLE. List the roles with `vault list auth/jwt/role`.")
}

pub(super) fn no_token(target: &Target) -> Error {
    let why = "there is no token: VAULT_TOKEN is not set, and ~/.vault-token does not exist";
    let hint = "Run `vault login`, set VAULT_TOKEN, or choose another login with ?token_file=FILE, ?auth=approle or ?auth=jwt.";
    fault(&target.place(None), TOKEN, why, hint)
}

/// Returns the error for a request without an answer. `error` is that of the transport.
pub(super) fn unanswered(place: &str, address: &str, error: Error) -> Error {
    let status = format!("`vault status -address={address}`");
    let (reason, why, hint) = match error.kind() {
        ErrorKind::Cancelled | ErrorKind::InvalidArgument | ErrorKind::OutOfMemory => {
            return error.with_request_sent(false);
        }
        ErrorKind::Timeout => (
            error.reason().unwrap_or("receive"),
            format!("Vault did not answer within {} seconds or the timeout of the call.", LIMIT.as_secs()),
            format!(
                "Check with {status} whether Vault answers, and add the addresses of other servers to the source, separated by commas."
            ),
        ),
        ErrorKind::TlsFailed => (
            "vault_tls",
            error.message().to_owned(),
            format!(
                "Set VAULT_CACERT, or the option ca of the source, to the file with the CA certificate of Vault. The address must be a name in the certificate. VAULT_SKIP_VERIFY has no effect here. Check with {status}."
            ),
        ),
        ErrorKind::InvalidResponse => return not_vault(place, address, error.message()),
        _ => (
            error.reason().unwrap_or("connect"),
            error.message().to_owned(),
            format!(
                "Check the address of Vault, the firewall, and the proxy in HTTPS_PROXY. Check with {status} whether Vault runs."
            ),
        ),
    };
    Error::with_message(ErrorKind::SourceUnavailable, format!("{place} cannot be read. {why}"))
        .with_reason(reason)
        .with_hint(hint)
}

/// Returns the error for an answer that Vault does not give.
pub(super) fn not_vault(place: &str, address: &str, why: &str) -> Error {
    let hint = format!(
        "Check the address and the path. `vault status -address={address}` shows whether Vault answers there, and `vault secrets list -detailed` whether the engine is a KV engine of version 2."
    );
    fault(place, "vault_answer", why.trim_end_matches('.'), hint)
}

/// Returns the error for the status of a server that cannot serve any request, or `None` if it can. `body` is searched
/// for the words of Vault.
pub(super) fn of_server(place: &str, address: &str, status: u16, body: &[u8]) -> Option<Error> {
    let has = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
    let http = format!("(HTTP {status})");
    Some(match status {
        300..=399 | 472 | 473 => standby(place, &http),
        500..=599 if has(b"not active") || has(b"no active") || has(b"standby") => standby(place, &http),
        503 if has(b"sealed") => fault(
            place,
            "vault_sealed",
            &format!("Vault is sealed {http}"),
            format!(
                "Unseal Vault with `vault operator unseal -address={address}` on each server. `vault status` shows the progress."
            ),
        ),
        429 => fault(
            place,
            "vault_busy",
            &format!("Vault refuses more requests for now {http}"),
            "Try again later. `vault list sys/quotas/rate-limit` lists the quotas of Vault.",
        ),
        412 | 500..=599 => failed(place, address, &http),
        // A new engine is upgraded to version 2 for some seconds.
        400 if has(b"Upgrading from non-versioned") => failed(place, address, &http),
        _ => return None,
    })
}

fn failed(place: &str, address: &str, http: &str) -> Error {
    fault(
        place,
        FAILED,
        &format!("Vault failed {http}"),
        format!("Try again later. Check `vault status -address={address}` and the log of Vault."),
    )
}

fn standby(place: &str, http: &str) -> Error {
    fault(
        place,
        "vault_standby",
        &format!(
            "the server is a standby that does not forward requests {http}, and redirects are never followed with a token"
        ),
        "Add the addresses of all servers to the source or to VAULT_ADDR, separated by commas. `vault operator members` lists them. Also check the cluster_addr of the servers.",
    )
}

/// Returns the error for a token that Vault does not accept.
pub(super) fn token_refused(place: &str) -> Error {
    fault(
        place,
        TOKEN,
        "Vault does not accept the token: it has expired, was revoked, or belongs to another namespace or server",
        "Check the token with `vault token lookup`, and get a new one with `vault login` or `vault token create`. With ?auth=approle or ?auth=jwt the library logs in itself.",
    )
}

/// Returns the error for a valid token without the right to `act`.
pub(super) fn denied(place: &str, target: &Target, act: &str) -> Error {
    let Target { mount, path, .. } = target;
    fault(
        place,
        "vault_denied",
        &format!("the policies of the token do not permit to {act} it (HTTP 403)"),
        format!(
            "Add a policy with: path \"{mount}/data/{path}\" {{ capabilities = [\"{act}\"] }}. `vault token capabilities {mount}/data/{path}` shows what the token may do."
        ),
    )
}

pub(super) fn no_engine(place: &str, mount: &str) -> Error {
    fault(
        place,
        "vault_mount",
        &format!("there is no KV engine of version 2 at {mount}/"),
        format!(
            "Check the first part of the path, or set the option mount. `vault secrets list -detailed` lists the engines. `vault kv enable-versioning {mount}` converts an engine of version 1."
        ),
    )
}

/// Returns the error for a secret without a current version.
pub(super) fn absent(target: &Target, place: &str, reason: &'static str, version: u64) -> Error {
    let Target { mount, path, fields: [key, secret], .. } = target;
    let put = format!(
        "`vault kv put -mount={mount} {path} -` with {{\"{key}\": …, \"{secret}\": …}} on standard input"
    );
    let (why, hint) = match reason {
        DELETED => (
            format!("its version {version} was deleted"),
            format!(
                "Restore it with `vault kv undelete -mount={mount} -versions={version} {path}`, or store a pair with {put}."
            ),
        ),
        "vault_destroyed" => (
            format!("its version {version} was destroyed and cannot be restored"),
            format!(
                "Store a pair with {put}, or restore an older version with `vault kv rollback`. `vault kv metadata get -mount={mount} {path}` lists the versions."
            ),
        ),
        _ => (
            "it does not exist".to_owned(),
            format!("Check the path with `vault kv list -mount={mount}`, or store a pair with {put}."),
        ),
    };
    Error::with_message(ErrorKind::CredentialsMissing, format!("{place} contains no pair: {why}."))
        .with_reason(reason)
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_why_a_server_serves_no_request() {
        for (status, body, reason) in [
            (302, "", Some("vault_standby")),
            (472, "", Some("vault_standby")),
            (473, "", Some("vault_standby")),
            (500, "local node not active but active cluster node not found", Some("vault_standby")),
            (503, "Vault is sealed", Some("vault_sealed")),
            (503, "", Some(FAILED)),
            (429, "", Some("vault_busy")),
            (412, "", Some(FAILED)),
            (500, "", Some(FAILED)),
            (400, "Upgrading from non-versioned to versioned data", Some(FAILED)),
            (400, "", None),
            (200, "", None),
            (403, "", None),
            (404, "", None),
        ] {
            let error = of_server("The secret", "https://vault:8200", status, body.as_bytes());
            let found = error.as_ref().map(|error| error.reason().unwrap_or_default());
            assert_eq!(found, reason, "{status} {body}");
        }
    }
}
