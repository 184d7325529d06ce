//! The base URL: where the service is, checked once.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

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
        if let Err(why) = HostAndPort::parse(authority.as_str()) {
            return refuse(why);
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

/// `host[:port]`, checked: what is no port must not become the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// A name, or an address; one of IPv6 in brackets.
    pub host: String,
    /// `None` if none is given.
    pub port: Option<u16>,
}

/// The longest name that the domain name system has, with a dot at its end, in bytes.
const MAX_HOST: usize = 254;

impl HostAndPort {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong, in words that follow a subject and hold nothing of `text`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // A colon in an address of IPv6 begins no port.
        let end = text.find(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match text[end..].find(':') {
            Some(colon) => (&text[..end + colon], Some(&text[end + colon + 1..])),
            None => (text, None),
        };
        let is_address = |inner: &str| inner.parse::<Ipv6Addr>().is_ok();
        let is_host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(is_address),
            None => !host.contains(['[', ']']),
        };
        if host.is_empty() || port == Some("") {
            return Err("has no host, or a colon without a port");
        }
        if !is_host || host.len() > MAX_HOST {
            return Err("has a host that is neither a name nor an address");
        }
        let port = match port {
            None => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok().filter(|port| *port > 0).ok_or(NO_PORT)?)
            }
            Some(_) => return Err(NO_PORT),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

const NO_PORT: &str = "has a port that is not a number from 1 to 65535";

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
            "https://127.0.0.1:65536",
            "https://127.0.0.1:99999999999999999999",
            "https://127.0.0.1:0",
            "https://127.0.0.1:8080x",
            "https://127.0.0.1:+8443",
            "https://127.0.0.1:-1",
            "https://127.0.0.1:0x50",
            "https://127.0.0.1:80:80",
            "https://[::1]:65536",
            "https://[::1]:+1",
            "https://[::1]8080",
            "https://[::1",
            "https://::1",
            "https://key:secret/@host",
            "http://127.0.0.1:0443x/prefix",
        ] {
            let error = BaseUrl::parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
            assert!(!error.message().contains("key:secret"));
        }
        let long = format!("https://{}.example", "canary.".repeat(40));
        let error = BaseUrl::parse(&long).expect_err("longer than any name");
        assert!(error.message().len() < 100 && !error.message().contains("canary"), "{error}");
    }

    #[test]
    fn it_keeps_every_port_that_is_one() {
        for (url, port) in [
            ("https://host:1", Some(1)),
            ("https://host:65535/prefix", Some(65535)),
            ("https://[::1]:00443", Some(443)),
            ("https://[::1]", None),
            ("https://host", None),
        ] {
            BaseUrl::parse(url).expect(url);
            let uri: Uri = url.parse().expect(url);
            let authority = uri.authority().expect(url).as_str();
            assert_eq!(HostAndPort::parse(authority).expect(url).port, port, "{url}");
            assert_eq!(uri.port_u16(), port, "the transport reads the same: {url}");
        }
    }
}
