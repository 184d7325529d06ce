//! The percent-encoded URL, which is what is signed.

use std::borrow::Cow;

use percent_encoding::AsciiSet;

use crate::error::Error;
use crate::{copy, encoding, service};

/// The URLs that deliveries are expected for.
pub(super) enum Expected {
    Any,
    These(Vec<EncodedUrl<'static>>),
}

impl Expected {
    /// Whether a delivery for `url` is expected.
    pub fn includes(&self, url: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(urls) => urls.iter().any(|known| known.url == url),
        }
    }

    /// `url` with its encodings, which are made ahead for those expected.
    ///
    /// # Errors
    /// `out_of_memory`.
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

/// What is encoded, as [`service::WEBHOOK_UNRESERVED`] has it.
static ENCODED: [AsciiSet; 2] = {
    let [usual, other] = service::WEBHOOK_UNRESERVED;
    [encoding::all_but(usual), encoding::all_but(other)]
};

/// A URL and what it is signed as.
#[derive(Clone)]
pub(super) struct EncodedUrl<'a> {
    url: Cow<'a, str>,
    /// As `encodeURIComponent` writes it.
    usual: String,
    /// As others write it, where that differs.
    other: Option<String>,
}

impl EncodedUrl<'static> {
    /// Checks a URL that is expected.
    ///
    /// # Errors
    /// `invalid_argument` when no webhook can be registered with it; `out_of_memory`.
    pub fn expected(url: &str) -> Result<Self, Error> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        if rest.is_none_or(str::is_empty) || url.contains(|c: char| c.is_control() || c == ' ') {
            // Not echoed: what was given in its place may be the secret.
            return Err(Error::invalid_argument("The expected URL of the webhook is no whole URL.")
                .with_hint(
                    "Give it exactly as it is registered in JustCall, such as https://example.com/hooks.",
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

    /// The forms in which it may have been signed.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
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
        assert_eq!(EncodedUrl::new("https://a.b/c".into()).expect("memory").forms().count(), 1);
    }

    #[test]
    fn it_takes_whole_urls_alone_and_echoes_none() {
        for url in ["https://example.com/hooks?a=b", "http://127.0.0.1:8080", "https://münchen.example/"] {
            assert!(EncodedUrl::expected(url).is_ok(), "{url}");
        }
        for url in ["", "https://", "example.com/canary", "/canary", "https://canary\n", "https://a b", "*"] {
            let error = EncodedUrl::expected(url).err().expect(url);
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
