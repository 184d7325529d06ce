//! The percent-encoded URL, which the signature covers.

use std::borrow::Cow;

use percent_encoding::AsciiSet;

use crate::error::Error;
use crate::{copy, encoding, service};

/// The URLs that a verifier accepts.
pub(super) enum Expected {
    Any,
    These(Vec<EncodedUrl<'static>>),
}

impl Expected {
    /// Returns true if deliveries for `url` are accepted.
    pub fn includes(&self, url: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(urls) => urls.iter().any(|known| known.url == url),
        }
    }

    /// Returns `url` with its encodings, which are prepared for the expected URLs.
    ///
    /// # Errors
    /// Fails with `out_of_memory` if memory is short.
    pub fn encode<'a>(&'a self, url: &'a str) -> Result<Cow<'a, EncodedUrl<'a>>, Error> {
        let known = match self {
            Self::Any => None,
            Self::These(urls) => urls.iter().find(|known| known.url == url),
        };
        match known {
            Some(known) => Ok(Cow::Borrowed(known)),
            None => EncodedUrl::new(url.into()).map(Cow::Owned),
        }
    }
}

/// The characters to encode, by [`service::WEBHOOK_UNRESERVED`].
static ENCODED: [AsciiSet; 2] = {
    let [usual, other] = service::WEBHOOK_UNRESERVED;
    [encoding::all_but(usual), encoding::all_but(other)]
};

/// A URL and its encodings, one of which is signed.
#[derive(Clone)]
pub(super) struct EncodedUrl<'a> {
    url: Cow<'a, str>,
    /// As `encodeURIComponent` encodes it.
    usual: String,
    /// As other encoders encode it, if that differs.
    other: Option<String>,
}

impl EncodedUrl<'static> {
    /// Checks an expected URL.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if no webhook can be registered with the URL, or with `out_of_memory` if memory is
    /// short.
    pub fn expected(url: &str) -> Result<Self, Error> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        if rest.is_none_or(str::is_empty) || url.contains(|c: char| c.is_control() || c == ' ') {
            // The argument is not echoed, because it may be the secret by mistake.
            return Err(Error::invalid_argument("The expected URL of the webhook is not a complete URL.")
                .with_hint(
                    "Pass the URL exactly as it is registered in JustCall, such as https://example.com/hooks.",
                ));
        }
        Self::new(Cow::Owned(copy::text(url)?))
    }
}

impl<'a> EncodedUrl<'a> {
    fn new(url: Cow<'a, str>) -> Result<Self, Error> {
        let [usual, other] = &ENCODED;
        let usual = encoding::percent_encoded(&url, usual)?;
        let other = encoding::percent_encoded(&url, other)?;
        let other = (other != usual).then_some(other);
        Ok(Self { url, usual, other })
    }

    /// Returns the encodings that may have been signed.
    pub fn encodings(&self) -> impl Iterator<Item = &str> {
        [Some(self.usual.as_str()), self.other.as_deref()].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_encodes_as_both_encoders_do() {
        let url = EncodedUrl::new("https://a.b/ü?x=(1)*'!~-_.".into()).expect("memory");
        assert_eq!(url.usual, "https%3A%2F%2Fa.b%2F%C3%BC%3Fx%3D(1)*'!~-_.");
        assert_eq!(url.other.as_deref(), Some("https%3A%2F%2Fa.b%2F%C3%BC%3Fx%3D%281%29%2A%27%21~-_."));
        assert_eq!(EncodedUrl::new("https://a.b/c".into()).expect("memory").encodings().count(), 1);
    }

    #[test]
    fn it_accepts_only_complete_urls_and_echoes_none() {
        for url in ["https://example.com/hooks?a=b", "http://127.0.0.1:8080", "https://münchen.example/"] {
            assert!(EncodedUrl::expected(url).is_ok(), "{url}");
        }
        for url in ["", "https://", "example.com/canary", "/canary", "https://canary\n", "https://a b", "*"] {
            let error = EncodedUrl::expected(url).err().expect(url);
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
