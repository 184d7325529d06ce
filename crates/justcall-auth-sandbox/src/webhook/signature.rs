//! Signs webhooks as the service documents it. The product has another implementation of HMAC, so that
//! tests compare two.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::Sha256;
use time::OffsetDateTime;

use crate::random;

/// The characters that Python's `quote(text, safe="")` does not encode.
const PYTHON: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The characters that JavaScript's `encodeURIComponent` does not encode.
const JAVASCRIPT: &AsciiSet = &PYTHON.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// The encoder of the URL in the signed message.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    /// Leaves `! * ' ( )`, as the documentation does.
    #[default]
    Javascript,
    /// Encodes these too.
    Python,
}

/// The form of a timestamp.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimestampForm {
    /// `2024-03-21 17:08:22`, UTC, as in the documentation's example.
    #[default]
    Datetime,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
}

impl TimestampForm {
    /// Formats a time in milliseconds since 1970.
    pub(super) fn write(self, at: i128) -> String {
        match self {
            Self::EpochMs => at.to_string(),
            Self::EpochS => at.div_euclid(1000).to_string(),
            Self::Datetime => datetime(at),
        }
    }
}

/// Formats a time in milliseconds since 1970 as `2024-03-21 17:08:22`.
pub(super) fn datetime(at: i128) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(at * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Returns `hex(HMAC-SHA256(key = secret, message = secret | encoded url | type | timestamp))`.
pub(super) fn sign(secret: &str, url: &str, encoding: Encoding, name: &str, timestamp: &str) -> String {
    let set = match encoding {
        Encoding::Javascript => JAVASCRIPT,
        Encoding::Python => PYTHON,
    };
    let message = format!("{secret}|{}|{name}|{timestamp}", utf8_percent_encode(url, set));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    random::in_hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Encoding, TimestampForm, sign};

    #[test]
    fn it_signs_the_documentations_example_as_published() {
        let signature = sign(
            "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb",
            "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4",
            Encoding::Javascript,
            "call.completed",
            "2024-03-21 17:08:22",
        );
        assert_eq!(signature, "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf");
    }

    #[test]
    fn its_encodings_differ_in_five_characters_alone() {
        let both = |url: &str| {
            [Encoding::Javascript, Encoding::Python].map(|encoding| sign("s", url, encoding, "t", "0"))
        };
        for character in (0..=0x7Fu8).map(char::from).chain(['ä', '€', '😀']) {
            let [javascript, python] = both(&format!("https://a.example/{character}"));
            assert_eq!(javascript != python, "!*'()".contains(character), "{character:?}");
        }
    }

    #[test]
    fn it_writes_a_moment_in_every_form() {
        let at = 1_711_040_902_345;
        assert_eq!(TimestampForm::Datetime.write(at), "2024-03-21 17:08:22");
        assert_eq!(TimestampForm::EpochS.write(at), "1711040902");
        assert_eq!(TimestampForm::EpochMs.write(at), "1711040902345");
    }
}
