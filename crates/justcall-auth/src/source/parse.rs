//! The grammar of the spellings of sources.

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::service;

use super::Source;
use super::spellings::{KEY_FILE, SECRET_FILE, refuse};
use super::vault;

pub(super) fn parse(spelling: &str) -> Result<Source, Error> {
    let (kind, rest) = spelling.split_once(':').unwrap_or((spelling, ""));
    if rest.contains('\0') {
        return Err(refuse("it contains a NUL"));
    }
    match (kind, rest) {
        _ if !spelling.contains(':') => Err(refuse("its kind is unknown")),
        ("default", "") => Ok(Source::Default),
        ("env", names) => variables(names),
        ("file", "") => Err(refuse("`file:` takes a path, as file:/etc/justcall.json")),
        ("file" | "dir", pair) if is_pair(pair) => Err(refuse(
            "`file:` and `dir:` take a path, not a pair: write the pair to a file and use its path",
        )),
        ("file", path) => Ok(Source::File(path.into())),
        ("dir", rest) => {
            let (path, key, secret) = file_names(rest)?;
            if path.is_empty() {
                return Err(refuse("`dir:` takes a path, as dir:/etc/justcall"));
            }
            Ok(Source::Dir { path: path.into(), key, secret })
        }
        ("systemd", rest) => match file_names(rest)? {
            ("", key, secret) => Ok(Source::Systemd { key, secret }),
            _ => Err(refuse("`systemd:` takes no path: systemd names the folder")),
        },
        ("command", line) => words(line),
        ("vault", rest) => vault::parse(rest),
        _ => Err(refuse("its kind is unknown")),
    }
}

/// Returns true if `path` is a pair, passed by mistake. As a path, it would be in every message about the file.
fn is_pair(path: &str) -> bool {
    let is_half = |half: &str| half.len() >= 6 && !half.contains(['/', '\\']);
    path.split_once(':').is_some_and(|(key, secret)| is_half(key) && is_half(secret))
        && Credentials::parse(path.as_bytes()).is_ok()
}

/// Returns `env:` with the default variables.
pub(super) fn env() -> Source {
    Source::Env { key: service::KEY_VARIABLE.into(), secret: service::SECRET_VARIABLE.into(), scrub: false }
}

fn variables(rest: &str) -> Result<Source, Error> {
    let (names, scrub) = match rest.split_once('?') {
        None => (rest, false),
        Some((names, "scrub")) => (names, true),
        Some(_) => return Err(refuse("the only option of `env:` is ?scrub")),
    };
    if names.is_empty() {
        return Ok(Source::Env {
            key: service::KEY_VARIABLE.into(),
            secret: service::SECRET_VARIABLE.into(),
            scrub,
        });
    }
    let is_unusual = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | '?');
    let is_variable = |name: &str| !name.is_empty() && !name.contains(is_unusual);
    match names.split_once(',') {
        Some((key, secret))
            if is_variable(key) && is_variable(secret) && key != secret && !secret.contains(',') =>
        {
            Ok(Source::Env { key: key.into(), secret: secret.into(), scrub })
        }
        _ => Err(refuse("`env:` takes the names of two different variables, as env:KEY,SECRET")),
    }
}

/// Splits `PATH?key=NAME&secret=NAME`. A `?` in the path is not supported, because no secret is mounted under such a
/// path.
fn file_names(rest: &str) -> Result<(&str, String, String), Error> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut key, mut secret) = (KEY_FILE, SECRET_FILE);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("key", name)) if is_file_name(name) => key = name,
            Some(("secret", name)) if is_file_name(name) => secret = name,
            _ => {
                return Err(refuse(
                    "the options are key=NAME and secret=NAME, each the name of a file in the folder",
                ));
            }
        }
    }
    if key == secret {
        return Err(refuse("key and secret must be two different files"));
    }
    Ok((path, key.into(), secret.into()))
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}

fn words(line: &str) -> Result<Source, Error> {
    match shlex::split(line) {
        None => Err(refuse("the quotes in the command of `command:` do not match")),
        Some(words) if words.first().is_none_or(String::is_empty) => {
            Err(refuse("`command:` takes a program, as command:pass show justcall"))
        }
        Some(words) => Ok(Source::Command(words)),
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::error::ErrorKind;

    use super::*;

    #[test]
    fn it_reads_every_spelling() {
        let shown = |spelling: &str| format!("{:?}", parse(spelling).expect(spelling));
        assert_eq!(shown("default:"), "Default");
        assert_eq!(shown("env:"), "Env(JUSTCALL_API_KEY, JUSTCALL_API_SECRET)");
        assert_eq!(shown("env:A,B"), "Env(A, B)");
        assert_eq!(shown("env:?scrub"), "Env(JUSTCALL_API_KEY, JUSTCALL_API_SECRET, scrub)");
        assert_eq!(shown("env:A,B?scrub"), "Env(A, B, scrub)");
        for path in
            ["a b:c", "./canary:sec789xyz000", "C:\\justcall", "canary:sec", "justcall-2026-11-24T16:10:00"]
        {
            assert_eq!(shown(&format!("file:{path}")), format!("File({path:?})"));
        }
        assert_eq!(shown("dir:/run/x"), "Dir(/run/x, api_key, api_secret)");
        assert_eq!(shown("dir:/run/x?secret=s&key=k"), "Dir(/run/x, k, s)");
        assert!(shown("vault:kv/a").starts_with("Vault {"));
        assert_eq!(shown("systemd:"), "Systemd(api_key, api_secret)");
        assert_eq!(shown("systemd:?key=justcall.key"), "Systemd(justcall.key, api_secret)");
    }

    #[test]
    fn it_splits_a_command_as_a_shell_would_and_expands_nothing() {
        let words = |spelling: &str| match parse(spelling).expect(spelling) {
            Source::Command(words) => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(words("command:op read 'a b' \"c'd\" e\\ f"), ["op", "read", "a b", "c'd", "e f"]);
        assert_eq!(
            words("command:sh -c $HOME `id` $(id) *;x"),
            ["sh", "-c", "$HOME", "`id`", "$(id)", "*;x"]
        );
    }

    #[test]
    fn it_refuses_an_invalid_source_and_does_not_repeat_it() {
        for bad in [
            "",
            "canary",
            "canary:sec789xyz000",
            "ENV:",
            "env:canary",
            "env:A,A",
            "env:A,",
            "env:A,B,C",
            "env:A=B,C",
            "env:?x",
            "env:A,B?canary",
            "file:",
            "file:\0",
            "file:canary:sec789xyz000",
            "dir:canary:sec789xyz000",
            "dir:",
            "dir:?key=k",
            "dir:/x?canary",
            "dir:/x?key=../canary",
            "dir:/x?key=s&secret=s",
            "systemd:/canary",
            "command:",
            "command:   ",
            "command:pass 'canary",
            "vault:canary:sec789xyz000",
            "default:canary",
            "keyring:canary",
        ] {
            let error = parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad:?}");
            assert!(!format!("{error:?}").contains("canary"), "{bad:?}");
        }
    }
}
