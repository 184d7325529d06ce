//! Masking of arguments that may be a pair or half of one, passed by mistake.
//!
//! Error messages contain paths and words from the arguments. A pair that was pasted there must not appear in the
//! scrollback of a terminal or in a build log.

use std::borrow::Cow;
use std::ffi::OsString;

pub(crate) use justcall_auth_scan::NOT_SHOWN;

/// The shortest text that counts as a half of a pair with a colon.
const SHORTEST: usize = 6;
/// The shortest text of letters and digits that counts as a half without a colon.
const SHORTEST_ALONE: usize = 12;

/// The arguments that may be secret.
#[derive(Debug, Default)]
pub(crate) struct ArgumentMask(Vec<String>);

impl ArgumentMask {
    /// Finds the arguments that may be secret. The first argument is the name of the program.
    pub fn among(arguments: &[OsString]) -> Self {
        let mut found: Vec<String> = Vec::new();
        for argument in arguments.iter().skip(1) {
            let argument = argument.to_string_lossy();
            let value = match argument.split_once('=') {
                Some((option, value)) if option.starts_with('-') => value,
                _ => &argument,
            };
            let value = value.strip_prefix("file:").or(value.strip_prefix("env:")).unwrap_or(value);
            // `env:` has two names with a comma between them, and `scan --git` two commits with dots.
            let values = value.split([',', '.']);
            found.extend(values.filter(|value| may_be_secret(value)).map(str::to_owned));
        }
        Self(found)
    }

    /// Returns `text` with these arguments masked.
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

/// Returns true if `word` is certainly not secret: an option or a name of letters, dashes and underscores.
pub(crate) fn is_plain_word(word: &str) -> bool {
    word.len() <= 40 && word.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '_'))
}

/// Returns true for a pair `key:secret`, or for a single half.
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

    fn argument_mask(arguments: &[&str]) -> ArgumentMask {
        let all: Vec<OsString> =
            std::iter::once("justcall-auth").chain(arguments.iter().copied()).map(OsString::from).collect();
        ArgumentMask::among(&all)
    }

    #[test]
    fn it_masks_a_pair_in_every_argument() {
        for argument in [
            "abc123def456:sec789xyz000",
            "--ca-file=abc123def456:sec789xyz000",
            "file:abc123def456:sec789xyz000",
            "--source=file:abc123def456:sec789xyz000",
        ] {
            let masked = argument_mask(&[argument]);
            assert_eq!(
                masked.mask("The file abc123def456:sec789xyz000 is absent."),
                "The file [not shown] is absent.",
                "{argument}"
            );
        }
        assert_eq!(argument_mask(&["sec789xyz000"]).mask("no sec789xyz000"), "no [not shown]");
    }

    #[test]
    fn it_masks_no_paths_urls_or_names() {
        for argument in [
            "https://api.justcall.io:8443/prefix",
            "/etc/justcall2026/ca.pem",
            "file:/etc/justcall.json",
            "file:credentials.json",
            r"C:\certificates\ca.pem",
            "env:KEY_1,SECRET_1",
            "trailing_whitespace",
        ] {
            assert!(argument_mask(&[argument]).0.is_empty(), "{argument}");
        }
    }
}
