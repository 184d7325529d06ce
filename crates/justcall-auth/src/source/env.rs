//! `env:`: two environment variables.

use std::ffi::OsString;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use zeroize::Zeroizing;

use super::failure::{malformed_in, missing};
use super::fingerprints::Fingerprints;
use super::{Environment, LoadedSource, text};

/// Returns true if either variable has a value.
pub(super) fn is_set(environment: &dyn Environment, key: &str, secret: &str) -> bool {
    [key, secret].into_iter().any(|name| {
        let half = environment.variable(name).map(into_bytes);
        half.is_some_and(|half| !text::strip_newline(&half).is_empty())
    })
}

pub(super) fn load(
    environment: &dyn Environment,
    key: &str,
    secret: &str,
    scrub: bool,
) -> Result<LoadedSource, Error> {
    let value = |name: &str| environment.variable(name).map(into_bytes);
    let is_empty = |half: &Option<Zeroizing<Vec<u8>>>| {
        half.as_ref().is_none_or(|half| text::strip_newline(half).is_empty())
    };
    let (key_bytes, secret_bytes) = match (value(key), value(secret)) {
        // `X=${X}` in a compose file sets an unset variable to an empty text.
        halves if is_empty(&halves.0) && is_empty(&halves.1) => {
            return Err(missing(&format!("the environment variables {key} and {secret}")));
        }
        (Some(key), Some(secret)) => (key, secret),
        // One half without the other is a mistake, not an absent pair.
        (key_half, _) => {
            let (set, unset, found): (_, _, &[u8]) =
                if key_half.is_some() { (key, secret, b"x") } else { (secret, key, b"") };
            let error = Credentials::new(found, b"").expect_err("a half is empty");
            return Err(malformed_in(&format!("The variable {set} is set, but {unset} is not"), &error));
        }
    };
    let place = format!("The environment variables {key} and {secret}");
    let credentials = Credentials::new(text::strip_newline(&key_bytes), text::strip_newline(&secret_bytes))
        .map_err(|error| malformed_in(&place, &error))?;
    if scrub {
        environment.scrub(key);
        environment.scrub(secret);
    }
    Ok(LoadedSource::new(credentials, place))
}

/// Returns the fingerprint of the variables, even if they are not a valid pair. Returns `None` if they are empty.
pub(super) fn fingerprint(
    environment: &dyn Environment,
    key: &str,
    secret: &str,
    fingerprints: &Fingerprints,
) -> Option<u64> {
    let half = |name: &str| environment.variable(name).map(into_bytes).unwrap_or_default();
    let (key, secret) = (half(key), half(secret));
    let (key, secret) = (text::strip_newline(&key), text::strip_newline(&secret));
    (!key.is_empty() || !secret.is_empty()).then(|| fingerprints.of_halves(key, secret))
}

/// Returns true if this process has privileges that its user does not have: set-user-ID, set-group-ID or file
/// capabilities.
#[cfg(target_os = "linux")]
pub(super) fn is_privileged() -> bool {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid() || kernel_says_secure()
}

/// Returns `AT_SECURE` of the auxiliary vector, which the kernel sets. The vector consists of pairs of machine words,
/// tag and value.
#[cfg(target_os = "linux")]
fn kernel_says_secure() -> bool {
    const AT_SECURE: usize = 23;
    const WORD: usize = size_of::<usize>();
    let vector = std::fs::read("/proc/self/auxv").unwrap_or_default();
    let word = |bytes: &[u8]| bytes.try_into().map(usize::from_ne_bytes).unwrap_or_default();
    vector.chunks_exact(2 * WORD).any(|entry| word(&entry[..WORD]) == AT_SECURE && word(&entry[WORD..]) != 0)
}

/// Other systems have no such flag, or no way to read it without unsafe code.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_privileged() -> bool {
    false
}

/// Returns the bytes of a variable, which are wiped after use. Text that is not UTF-8 must reach the check unchanged.
fn into_bytes(value: OsString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.into_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::error::ErrorKind;

    use super::super::Source;
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Credentials, Error> {
        Source::Default.load(&variables).map(|loaded| loaded.pair.credentials)
    }

    #[test]
    fn it_reads_the_default_variables_and_ignores_one_final_newline() {
        let pair = load(&[("JUSTCALL_API_KEY", "abc123def456"), ("JUSTCALL_API_SECRET", "sec789xyz000\n")]);
        assert_eq!(pair.expect("a good pair").key_hint(), "abc1…f456");
    }

    #[test]
    fn it_names_the_searched_variables() {
        let error = load(&[]).expect_err("nothing is set");
        assert_eq!(error.kind(), ErrorKind::CredentialsMissing);
        assert!(error.message().contains("JUSTCALL_API_KEY and JUSTCALL_API_SECRET"));
    }

    #[test]
    fn it_treats_two_empty_variables_as_absent_and_one_as_malformed() {
        for (key, secret) in [("", ""), ("\n", ""), ("", "\r\n")] {
            let error =
                load(&[("JUSTCALL_API_KEY", key), ("JUSTCALL_API_SECRET", secret)]).expect_err("empty");
            assert_eq!(error.kind(), ErrorKind::CredentialsMissing, "{key:?} {secret:?}");
        }
        for empty in ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET"] {
            let error = load(&[(empty, "")]).expect_err("nothing is set");
            assert_eq!(error.kind(), ErrorKind::CredentialsMissing, "{empty}");
        }
        let error = load(&[("JUSTCALL_API_KEY", ""), ("JUSTCALL_API_SECRET", "sec789xyz000")]);
        assert_eq!(error.expect_err("one half").reason(), Some("empty_half"));
    }

    #[test]
    fn it_names_the_missing_variable_if_the_other_is_set() {
        let error = load(&[("JUSTCALL_API_KEY", "abc123def456")]).expect_err("one half");
        assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
        assert!(
            error.message().contains("JUSTCALL_API_KEY is set, but JUSTCALL_API_SECRET is not"),
            "{error}"
        );
    }

    #[test]
    fn it_refuses_a_second_newline_and_an_empty_variable() {
        for (secret, reason) in
            [("sec789xyz000\n\n", "trailing_whitespace"), ("", "empty_half"), ("\n", "empty_half")]
        {
            let error = load(&[("JUSTCALL_API_KEY", "abc123def456"), ("JUSTCALL_API_SECRET", secret)]);
            assert_eq!(error.expect_err("malformed").reason(), Some(reason), "{secret:?}");
        }
    }
}
