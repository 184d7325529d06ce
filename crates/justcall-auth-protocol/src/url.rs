//! The base URL of the service, checked once.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use crate::error::Error;
use crate::path::check_path;
use crate::service;

/// A checked base URL: `https://host[:port][/prefix]`, or `http://` for a loopback host.
///
/// Whether a host *name* under `http://` is loopback is known only after resolution, so the transport checks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Without a slash at the end.
    text: String,
    encrypted: bool,
    authority: Authority,
    /// The host, with the port unless it is that of the scheme.
    host_header: HeaderValue,
}

impl BaseUrl {
    /// Parses and checks a base URL.
    ///
    /// # Errors
    /// Fails with `invalid_argument`. The message names the fault.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // Even an invalid URL is not echoed, because people paste pairs into URLs.
        Self::check(text).map_err(|why| {
            Error::invalid_argument(format!("The base URL {why}."))
                .with_hint(format!("Leave out the base URL to use {}.", service::BASE_URL))
        })
    }

    /// Parses and checks the URL of any server that gets a secret, as [`BaseUrl::parse`] does.
    ///
    /// # Errors
    /// Returns the fault as a predicate, such as "is not a URL". It contains one byte of `text` at most, which no pair has.
    pub fn check(text: &str) -> Result<Self, String> {
        let Ok(uri) = text.parse::<Uri>() else { return Err("is not a URL".into()) };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("does not start with a scheme and a host, as https://host does".into());
        };
        if authority.as_str().contains('@') {
            return Err("contains a user name or password, which are not allowed".into());
        }
        HostAndPort::parse(authority.as_str())?;
        if uri.query().is_some() || text.contains('#') {
            return Err("has a query or a fragment".into());
        }
        // The path of each request begins with this one.
        check_path(uri.path().trim_end_matches('/')).map_err(|why| format!("has a path that {why}"))?;
        let encrypted = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err("is neither https:// nor http://".into()),
        };
        let address = authority.host().trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if !encrypted && address.is_ok_and(|address| !address.is_loopback()) {
            return Err(
                "is http://, which would send the secret unencrypted, and its host is not a loopback address"
                    .into(),
            );
        }
        let port = authority.port_u16().filter(|port| *port != if encrypted { 443 } else { 80 });
        let host = port.map_or(authority.host().to_owned(), |port| format!("{}:{port}", authority.host()));
        let host_header = HeaderValue::try_from(host).expect("a checked host is printable ASCII");
        let text = text.trim_end_matches('/').to_owned();
        Ok(Self { text, encrypted, authority: authority.clone(), host_header })
    }

    /// Returns the URL of `path`, which must start with a slash.
    pub fn join(&self, path: &str) -> String {
        [&self.text, path].concat()
    }

    /// Returns the URL of `path`, as [`BaseUrl::join`] does, in parts. Copies neither the host nor, if the base URL has
    /// no path, a static `path`.
    ///
    /// # Errors
    /// Fails if `path` cannot be part of a URL.
    pub fn uri(&self, path: Cow<'static, str>) -> Result<Uri, http::Error> {
        let prefix =
            self.text.split_once("://").map_or("", |(_, rest)| &rest[self.authority.as_str().len()..]);
        let path_and_query = match path {
            Cow::Borrowed(path) if prefix.is_empty() => PathAndQuery::from_static(path),
            Cow::Owned(path) if prefix.is_empty() => PathAndQuery::try_from(path)?,
            path => PathAndQuery::try_from([prefix, &path].concat())?,
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.encrypted { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path_and_query);
        Ok(Uri::from_parts(parts)?)
    }

    /// Returns the value of the header `Host`.
    pub fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    /// Returns the path of `target`, which is a path or a URL under this one. The path is the argument of
    /// [`BaseUrl::join`] for that URL; [`Request`](crate::request::Request) checks it.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `target` is a URL with another scheme, host, port or prefix.
    pub(crate) fn path_of<'a>(&self, target: &'a str) -> Result<Cow<'a, str>, Error> {
        let Some(url) = UrlParts::of(target) else { return Ok(target.into()) };
        let base = UrlParts::of(&self.text).expect("a base URL has a scheme and a host");
        let under = url.rest.strip_prefix(base.rest).filter(|_| url.origin == base.origin);
        match under {
            Some("") => Ok("/".into()),
            Some(path) if path.starts_with('/') => Ok(path.into()),
            Some(query) if query.starts_with('?') => Ok(["/", query].concat().into()),
            // The URL is not echoed, because people paste pairs into URLs.
            _ => Err(Error::invalid_argument("The URL is not under the client's base URL.").with_hint(
                format!(
                    "Pass a path, or a URL that starts with {}. The pair is never sent to another host.",
                    self.text
                ),
            )),
        }
    }

    /// Returns true for `https://`, false for `http://`.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// A checked `host[:port]`. An invalid port is an error, and is not replaced by the default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port, or `None` if there is none.
    pub port: Option<u16>,
}

/// The longest name of the domain name system with a final dot, in bytes.
const MAX_HOST: usize = 254;

impl HostAndPort {
    /// Parses `text`.
    ///
    /// # Errors
    /// Returns the fault as a predicate, such as "has no host". It contains nothing of `text`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // A colon within an IPv6 address does not start a port.
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
        Self::parse(service::BASE_URL).expect("the address of the service is a base URL")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An absolute URL, split in two.
struct UrlParts<'a> {
    /// Scheme, host and port in lower case, without the default port of the scheme.
    origin: String,
    /// Path and query.
    rest: &'a str,
}

impl<'a> UrlParts<'a> {
    /// Returns `None` if `text` does not start with a scheme and a host.
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if scheme.is_empty() || !is_scheme {
            return None;
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
        let usual_port = if scheme == "https" { ":443" } else { ":80" };
        let host = authority.strip_suffix(usual_port).unwrap_or(&authority);
        Some(Self { origin: [&scheme, "://", host].concat(), rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn it_gives_the_host_header_and_the_url_of_a_request() {
        for (base, host) in [
            ("https://api.justcall.io", "api.justcall.io"),
            ("https://api.justcall.io:443/", "api.justcall.io"),
            ("https://api.justcall.io:80", "api.justcall.io:80"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("http://127.0.0.1:443", "127.0.0.1:443"),
            ("https://[::1]:8443/prefix", "[::1]:8443"),
        ] {
            let base = BaseUrl::parse(base).expect(base);
            assert_eq!(base.host_header(), host);
            for path in [Cow::Borrowed("/v2/account"), Cow::Owned("/v2.1/users?per_page=1".to_owned())] {
                let uri = base.uri(path.clone()).expect("a path");
                assert_eq!(uri.to_string(), base.join(&path));
            }
        }
    }

    #[test]
    fn it_finds_the_path_of_a_url_under_the_base_url() {
        for (base, url, path) in [
            (service::BASE_URL, "https://api.justcall.io/v2.1/calls?page=2", "/v2.1/calls?page=2"),
            (service::BASE_URL, "HTTPS://API.JustCall.io/v2.1/Calls", "/v2.1/Calls"),
            (service::BASE_URL, "https://api.justcall.io:443/a?b=https://c/", "/a?b=https://c/"),
            (service::BASE_URL, "https://api.justcall.io", "/"),
            (service::BASE_URL, "https://api.justcall.io?page=2", "/?page=2"),
            ("https://gateway.corp:8443/justcall", "https://gateway.corp:8443/justcall/v2/a", "/v2/a"),
            ("https://gateway.corp:8443/justcall", "https://gateway.corp:8443/justcall", "/"),
            ("https://gateway.corp:443", "https://gateway.corp/a", "/a"),
            ("http://localhost", "http://localhost:80/a", "/a"),
            ("http://[::1]:8080", "http://[::1]:8080/a", "/a"),
        ] {
            let base = BaseUrl::parse(base).expect(base);
            assert_eq!(base.path_of(url).expect(url), path);
        }
        for path in ["/v2.1/calls?a=https://b/", "", "//evil.example", "v2", "/a://b"] {
            assert_eq!(BaseUrl::default().path_of(path).expect("a path"), path);
        }
    }

    #[test]
    fn it_refuses_every_other_url() {
        let canary = "canary";
        for (base, url) in [
            (service::BASE_URL, "http://api.justcall.io/v2.1/calls"),
            (service::BASE_URL, "ftp://api.justcall.io/v2.1/calls"),
            (service::BASE_URL, "https://api.justcall.io.evil.example/v2.1/calls?canary"),
            (service::BASE_URL, "https://evil.example/api.justcall.io/"),
            (service::BASE_URL, "https://api.justcall.io:8443/v2.1/calls"),
            (service::BASE_URL, "https://api.justcall.io:80/v2.1/calls"),
            (service::BASE_URL, "https://key:canary@api.justcall.io/v2.1/calls"),
            (service::BASE_URL, "https://api.justcall.io@evil.example/"),
            (service::BASE_URL, "https://api.justcall.io\\@evil.example/"),
            (service::BASE_URL, "https://api.justcall.io#@evil.example/"),
            (service::BASE_URL, "https://api.justcall.io./v2.1/calls"),
            (service::BASE_URL, "https:///v2.1/calls"),
            (service::BASE_URL, "https://"),
            ("https://gateway.corp/justcall", "https://gateway.corp/v2.1/calls"),
            ("https://gateway.corp/justcall", "https://gateway.corp/justcallx/v2.1/calls"),
            ("https://gateway.corp/justcall", "https://gateway.corp/JustCall/v2.1/calls"),
        ] {
            let base = BaseUrl::parse(base).expect(base);
            let error = base.path_of(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{url}");
            assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
        }
    }

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
    fn it_refuses_urls_that_leak_the_pair_or_are_ambiguous() {
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
            "https://host/a/%2e%2E/b",
            "https://host/a\\..\\b",
            "https://host/a%5c..%2fb",
            "https://host/\\",
            "https://host//other/a",
            "https://host/%2F/other",
            "https://host/a b",
            "https://host/ä",
            "https://host/\u{96}",
            "https://host/a\u{202e}b",
            "https://host/a\tb",
            "https://host/<a>",
            "https://host/a%0ab",
            "https://host/a%2",
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
    fn it_names_the_fault_of_its_path() {
        let error = BaseUrl::parse("https://host/\u{96}").expect_err("a control character");
        let fault = "The base URL has a path that contains the byte 0xC2, which must be percent-encoded.";
        assert_eq!(error.message(), fault);
        BaseUrl::parse("https://host//").expect("only slashes at the end");
    }

    #[test]
    fn it_keeps_every_valid_port() {
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
            assert_eq!(uri.port_u16(), port, "the transport parses the same port: {url}");
        }
    }

    #[test]
    fn it_parses_a_host_of_at_most_254_bytes_and_names_each_fault() {
        let host = |length| "a".repeat(length);
        for (text, parsed, port) in [
            (&*host(254), &*host(254), None),
            ("[::]:8443", "[::]", Some(8443)),
            ("[fe80::]", "[fe80::]", None),
        ] {
            let expected = HostAndPort { host: parsed.to_owned(), port };
            assert_eq!(HostAndPort::parse(text), Ok(expected), "{text}");
        }
        for (text, fault) in [
            ("", "has no host, or a colon without a port"),
            ("a:", "has no host, or a colon without a port"),
            (":80", "has no host, or a colon without a port"),
            ("]", "has a host that is neither a name nor an address"),
            (&host(255), "has a host that is neither a name nor an address"),
            ("a:0", NO_PORT),
        ] {
            assert_eq!(HostAndPort::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn it_shows_its_text_and_whether_it_is_encrypted() {
        for (text, encrypted) in [("https://gateway.corp/justcall", true), ("http://127.0.0.1:8080", false)] {
            let url = BaseUrl::parse(text).expect(text);
            assert_eq!((url.to_string().as_str(), url.is_encrypted()), (text, encrypted));
        }
    }
}
