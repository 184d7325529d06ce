//! The base URL: where the service is, checked once.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

use crate::error::Error;
use crate::service;

/// A checked base URL: `https://host[:port][/prefix]`, or `http://` for a loopback host.
///
/// Whether a host *name* under `http://` is loopback is known only once it is resolved; the transport checks that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Without a slash at the end.
    text: String,
    encrypted: bool,
}

impl BaseUrl {
    /// Checks `text`.
    ///
    /// # Errors
    /// `invalid_argument`, saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Err(Error::invalid_argument(format!("The base URL {why}."))
                .hint_is(format!("Leave it out to use {}.", service::BASE_URL)))
        };
        // Not even an invalid URL is echoed: people paste pairs into URLs.
        let Ok(uri) = text.parse::<Uri>() else { return refuse("is not a URL") };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return refuse("has no scheme and host: it should look like https://host");
        };
        if authority.as_str().contains('@') {
            return refuse("contains a user name or password, which do not belong there");
        }
        if authority.host().is_empty() || authority.as_str().ends_with(':') {
            return refuse("has no host, or a colon without a port");
        }
        if uri.query().is_some() || text.contains('#') {
            return refuse("has a query or a fragment");
        }
        if uri.path().split('/').any(|segment| segment == ".." || segment == ".") {
            return refuse("has a dot segment in its path");
        }
        let encrypted = match scheme {
            "https" => true,
            "http" => false,
            _ => return refuse("is neither https:// nor http://"),
        };
        let address = authority.host().trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if !encrypted && address.is_ok_and(|address| !address.is_loopback()) {
            return refuse(
                "is http://, which would send the secret in the clear; only a loopback address may be http://",
            );
        }
        Ok(Self { text: text.trim_end_matches('/').to_owned(), encrypted })
    }

    /// The URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> String {
        [&self.text, path].concat()
    }

    /// False for `http://`.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self { text: service::BASE_URL.to_owned(), encrypted: true }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn it_accepts_the_service_and_loopback() {
        for good in [
            service::BASE_URL,
            "https://api.justcall.io/",
            "https://gateway.corp:8443/justcall",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            let url = BaseUrl::parse(good).expect(good);
            assert_eq!(url.join("/v2/account"), format!("{}/v2/account", good.trim_end_matches('/')));
        }
        assert_eq!(BaseUrl::parse(service::BASE_URL).expect("the default parses"), BaseUrl::default());
    }

    #[test]
    fn it_refuses_what_would_leak_or_mislead() {
        for bad in [
            "",
            "/v2",
            "api.justcall.io",
            "ftp://api.justcall.io",
            "https://",
            "https://host:",
            "https://key:secret@host",
            "https://host/?a=b",
            "https://host/#x",
            "https://host/a/../b",
            "http://10.0.0.1",
            "http://93.184.216.34",
            "https://ho st",
            "https://host\r\nX: y",
        ] {
            let error = BaseUrl::parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
            assert!(!error.message().contains("key:secret"));
        }
    }
}
