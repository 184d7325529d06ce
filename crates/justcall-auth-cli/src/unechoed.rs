//! What must not be repeated: arguments that may be a pair, or half of one, given where none belongs.
//!
//! Error messages name paths and words that the user gave. Someone who pastes a pair in their place must not find it in
//! a terminal's scrollback or a build log as well.

use std::borrow::Cow;
use std::ffi::OsString;

pub(crate) use justcall_auth_scan::NOT_SHOWN;

/// The shortest key, or half of a pair, that is taken for one.
const SHORTEST: usize = 6;
/// From this length on letters with digits among them are taken for a half.
const SHORTEST_ALONE: usize = 12;

/// The arguments that may be secret.
#[derive(Debug, Default)]
pub(crate) struct Unechoed(Vec<String>);

impl Unechoed {
    /// Those among `arguments`, which begin with the program's own name.
    pub fn among(arguments: &[OsString]) -> Self {
        let mut found: Vec<String> = Vec::new();
        for argument in arguments.iter().skip(1) {
            let argument = argument.to_string_lossy();
            let value = match argument.split_once('=') {
                Some((option, value)) if option.starts_with('-') => value,
                _ => &argument,
            };
            let value = value.strip_prefix("file:").or(value.strip_prefix("env:")).unwrap_or(value);
            // `env:` takes two names with a comma between them, and `scan --git` two commits with dots.
            let values = value.split([',', '.']);
            found.extend(values.filter(|value| may_be_secret(value)).map(str::to_owned));
        }
        Self(found)
    }

    /// `text` without them.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), NOT_SHOWN).into()
            } else {
                text
            }
        })
    }
}

/// Whether `word` is surely no secret: an option or a name, made of letters, dashes and underscores.
pub(crate) fn is_plain_word(word: &str) -> bool {
    word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '_'))
}

/// A pair `key:secret`, or a half that stands alone.
fn may_be_secret(value: &str) -> bool {
    if let Some((key, secret)) = value.split_once(':') {
        return key.len() >= SHORTEST
            && key.chars().all(|c| c.is_ascii_alphanumeric())
            && secret.len() >= SHORTEST
            && !secret.starts_with("//");
    }
    value.len() >= SHORTEST_ALONE
        && value.chars().all(|c| c.is_ascii_alphanumeric())
        && value.chars().any(|c| c.is_ascii_digit())
        && value.chars().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unechoed(arguments: &[&str]) -> Unechoed {
        let all: Vec<OsString> =
            std::iter::once("justcall-auth").chain(arguments.iter().copied()).map(OsString::from).collect();
        Unechoed::among(&all)
    }

    #[test]
    fn it_masks_a_pair_wherever_it_was_given() {
        for argument in [
            "abc123def456:sec789xyz000",
            "--ca-file=abc123def456:sec789xyz000",
            "file:abc123def456:sec789xyz000",
            "--source=file:abc123def456:sec789xyz000",
        ] {
            let masked = unechoed(&[argument]);
            assert_eq!(
                masked.mask("The file abc123def456:sec789xyz000 is absent."),
                "The file [not shown] is absent.",
                "{argument}"
            );
        }
        assert_eq!(unechoed(&["sec789xyz000"]).mask("no sec789xyz000"), "no [not shown]");
    }

    #[test]
    fn it_leaves_paths_urls_and_names_alone() {
        for argument in [
            "https://api.justcall.io:8443/prefix",
            "/etc/justcall2026/ca.pem",
            "file:/etc/justcall.json",
            "file:credentials.json",
            r"C:\certificates\ca.pem",
            "env:KEY_1,SECRET_1",
            "trailing_whitespace",
        ] {
            assert!(unechoed(&[argument]).0.is_empty(), "{argument}");
        }
    }
}
