//! A request under the base URL, checked so that it can neither reach another host nor inject a header.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::AsciiSet;

use crate::error::Error;
use crate::path;
use crate::url::BaseUrl;
use crate::{encoding, service};

/// Headers that only the library sets. They carry the pair, choose the host, delimit the message or apply to one
/// connection.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// All characters except the unreserved ones of RFC 3986.
static ENCODED_IN_QUERY: AsciiSet = encoding::all_but(b"-._~");

/// The longest path with its query, in bytes. Common servers accept this length.
const MAX_PATH: usize = 8 * 1024;

/// The longest header, in bytes. This is more than common servers accept.
const MAX_HEADER: usize = 64 * 1024;

/// The longest header name in a message, in bytes.
const MAX_SHOWN: usize = 100;

/// A request: method, path under the base URL, headers, body.
#[derive(Clone)]
pub struct Request {
    method: Cow<'static, str>,
    path: Cow<'static, str>,
    headers: Vec<(String, String)>,
    /// Shared, because a body may be large and every call uses a clone.
    body: Option<Arc<Vec<u8>>>,
    timeout: Option<Duration>,
}

impl Request {
    /// Creates a request for `path`, which must start with `/`, be percent-encoded and may contain a query.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `method` is not an HTTP method in capitals. `CONNECT` and `TRACE` are refused,
    /// because the first is for proxies and the second echoes the secret. Also fails with `invalid_argument` if `path`
    /// is a full URL or could become one: `//host`, dot segments, backslashes, control characters, spaces, a fragment,
    /// characters outside ASCII.
    pub fn new(method: &str, path: &str) -> Result<Self, Error> {
        check_method(method)?;
        check_path(path)?;
        let (method, path) = (method.to_owned().into(), path.to_owned().into());
        Ok(Self { method, path, headers: Vec::new(), body: None, timeout: None })
    }

    /// Creates a request for `target`: a path as for [`Request::new`], or a URL under `base`, such as the
    /// `next_page_link` of a response.
    ///
    /// # Errors
    /// Fails as [`Request::new`], and with `invalid_argument` if `target` is a URL that is not under `base`.
    pub fn under(base: &BaseUrl, method: &str, target: &str) -> Result<Self, Error> {
        Self::new(method, &base.path_of(target)?)
    }

    /// Creates a request for a path of this crate, without checks.
    pub(crate) fn trusted_get(path: Cow<'static, str>) -> Self {
        Self { method: "GET".into(), path, headers: Vec::new(), body: None, timeout: None }
    }

    /// Adds `name=value` to the query, percent-encoded.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the path would become longer than 8 KiB.
    pub fn add_query(&mut self, name: &str, value: &str) -> Result<&mut Self, Error> {
        // Encoding never shortens a text.
        if name.len().saturating_add(value.len()) > MAX_PATH {
            return Err(too_long());
        }
        let mut path = self.path.clone().into_owned();
        path.push(if path.contains('?') { '&' } else { '?' });
        encoding::push_percent_encoded(name, &ENCODED_IN_QUERY, &mut path);
        path.push('=');
        encoding::push_percent_encoded(value, &ENCODED_IN_QUERY, &mut path);
        check_path(&path)?;
        self.path = path.into();
        Ok(self)
    }

    /// Sets a header. Replaces a header with the same name, ignoring case.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the name is not a header name or only the library may set it, if the value
    /// contains a control character, if name and value together are longer than 64 KiB, or if `Accept-Encoding` accepts
    /// anything but `gzip` and `identity`, the only encodings that the library decodes.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<&mut Self, Error> {
        if name.len().saturating_add(value.len()) > MAX_HEADER {
            return Err(Error::invalid_argument("A header is longer than 64 KiB."));
        }
        let lower = name.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Error::invalid_argument("The name of a header contains a forbidden character."));
        }
        if RESERVED_HEADERS.contains(&lower.as_str()) {
            return Err(Error::invalid_argument(format!(
                "The header {lower} cannot be set, because the library sets it."
            )));
        }
        if value.chars().any(char::is_control) || value.trim_matches(' ') != value {
            let shown = lower.get(..MAX_SHOWN).unwrap_or(&lower);
            return Err(Error::invalid_argument(format!(
                "The value of the header {shown} contains a control character, or starts or ends with a space."
            )));
        }
        if lower == "accept-encoding" && !accepts_only_decoded_encodings(value) {
            return Err(Error::invalid_argument(
                "The header accept-encoding allows an unsupported encoding. Only gzip and identity are supported.",
            )
            .with_hint("Leave out accept-encoding to receive gzip, which the library decodes. Use identity for responses without compression."));
        }
        self.headers.retain(|(known, _)| *known != lower);
        self.headers.push((lower, value.to_owned()));
        Ok(self)
    }

    /// Sets the body. Its type is JSON if no `Content-Type` header is set.
    pub fn set_body(&mut self, body: impl Into<Vec<u8>>) -> &mut Self {
        self.body = Some(Arc::new(body.into()));
        self
    }

    /// Sets the timeout of this call, which overrides the client's timeout. Zero means no limit.
    pub fn set_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns the HTTP method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path with its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path with its query, which is not copied if it is a path of this crate.
    pub fn shared_path(&self) -> Cow<'static, str> {
        self.path.clone()
    }

    /// Returns the path without its query.
    pub fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Returns the caller's headers, with names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the headers that are sent beside the caller's: those of [`service::HEADERS`] that the caller has not
    /// set.
    pub fn default_headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let is_set = |name: &str| self.headers.iter().any(|(set, _)| set == name);
        service::HEADERS.iter().copied().filter(move |(name, _)| !is_set(name))
    }

    /// Returns the body, or `None` if none is set.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_ref().map(|body| body.as_slice())
    }

    /// Returns the timeout of this call, or `None` if the client's timeout applies.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns true if the method is idempotent (RFC 9110, section 9.2.2).
    pub fn is_idempotent(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
    }
}

/// Shows the method, the route and the length of the body. Query, headers and body are data of the customer and must
/// not appear in logs.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("route", &self.route())
            .field("body_len", &self.body().map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}

fn check_method(method: &str) -> Result<(), Error> {
    if method.is_empty() || method.len() > 32 || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Error::invalid_argument(
            "The method must be an HTTP method in capitals, such as GET or POST.",
        ));
    }
    if matches!(method, "CONNECT" | "TRACE") {
        return Err(Error::invalid_argument(format!("The method {method} cannot be used for API calls.")));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::invalid_argument(format!("The path {why}.")));
    if !path.starts_with('/') {
        return refuse("does not start with a slash");
    }
    if path.len() > MAX_PATH {
        return Err(too_long());
    }
    path::check_path(path).or_else(|why| refuse(&why))
}

fn too_long() -> Error {
    Error::invalid_argument("The path is longer than 8 KiB.")
}

/// Returns true for a `tchar` of RFC 9110.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns true if `value`, of an `Accept-Encoding` header, accepts only encodings that the library decodes. An
/// encoding with a weight of zero is not accepted.
fn accepts_only_decoded_encodings(value: &str) -> bool {
    value.split(',').all(|accepted| {
        let (coding, weight) = accepted.split_once(';').unwrap_or((accepted, ""));
        let coding = coding.trim();
        let is_decoded =
            ["", "gzip", "x-gzip", "identity"].iter().any(|known| coding.eq_ignore_ascii_case(known));
        is_decoded || is_zero(weight)
    })
}

/// Returns true if `weight` is a form of `q=0`.
fn is_zero(weight: &str) -> bool {
    let number = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    number.is_some_and(|number| number.trim().parse() == Ok(0.0_f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn it_refuses_a_path_that_could_leave_the_base_url() {
        for bad in [
            "",
            "v2",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/a/../b",
            "/..",
            "/a/%2e%2E/b",
            "/%2f/evil.example",
            "/a b",
            "/a\r\nX: y",
            "/a\0",
            "/a#b",
            "/ä",
            "/a%0d%0aX",
            "/a%0",
            "/a%zz",
            "/.",
            "/a%00",
        ] {
            assert_eq!(
                Request::new("GET", bad).expect_err(bad).kind(),
                ErrorKind::InvalidArgument,
                "{bad:?}"
            );
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        assert!(Request::new("GET", &long).is_err());
        for good in
            ["/", "/v2/calls", "/v2.1/users?per_page=1", "/a%20b?x=//host/..", "/a//b", "/...", "/a:b@c"]
        {
            Request::new("GET", good).expect(good);
        }
    }

    #[test]
    fn it_converts_a_url_under_the_base_url_to_its_path() {
        let base = BaseUrl::parse("https://gateway.corp/justcall").expect("a good base URL");
        for (target, path) in [("https://gateway.corp/justcall/a?b=c", "/a?b=c"), ("/a?b=c", "/a?b=c")] {
            assert_eq!(Request::under(&base, "GET", target).expect(target).path(), path);
        }
        for bad in [
            "https://gateway.corp/justcall/../a",
            "https://gateway.corp/justcall//evil.example",
            "https://gateway.corp/justcall/a#b",
            "https://gateway.corp/justcall\\a",
            "https://gateway.corp/justcall/%2e%2e/a",
            "https://evil.example/justcall/a",
            "//gateway.corp/justcall/a",
            "gateway.corp/justcall/a",
        ] {
            let error = Request::under(&base, "GET", bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
        }
        assert!(Request::under(&base, "get", "/a").is_err());
    }

    #[test]
    fn it_refuses_methods_that_are_not_for_an_api() {
        for bad in ["", "get", "GET ", "G\r\nET", "CONNECT", "TRACE", "ÄÖ"] {
            assert!(Request::new(bad, "/").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn it_accepts_texts_up_to_their_longest_length() {
        let of = |letter: &str, length: usize| letter.repeat(length);
        let path = |length: usize| Request::new("GET", &format!("/{}", of("a", length - 1)));
        assert!(path(8192).is_ok());
        let error = path(8193).expect_err("too long");
        assert!(error.message().contains("8 KiB"), "{error}");

        assert!(Request::new(&of("A", 32), "/").is_ok() && Request::new(&of("A", 33), "/").is_err());

        let mut request = Request::new("GET", "/").expect("a good request");
        request.set_header("x", &of("a", 65_535)).expect("64 KiB with the name");
        let error = request.set_header("x", &of("a", 65_536)).expect_err("too long");
        assert!(error.message().contains("64 KiB"), "{error}");
    }

    #[test]
    fn it_shows_the_request_without_its_data() {
        let mut request = Request::new("POST", "/v2.1/texts?to=canary").expect("a good request");
        request.set_header("x-note", "canary").expect("a good header");
        let shown = format!("{request:?}");
        assert!(shown.contains("POST") && shown.contains("/v2.1/texts"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn it_refuses_headers_that_only_the_library_sets() {
        let mut request = Request::new("GET", "/").expect("a good request");
        for bad in RESERVED_HEADERS {
            assert!(request.set_header(&bad.to_ascii_uppercase(), "x").is_err(), "{bad}");
        }
        for (name, value) in
            [("x y", "a"), ("", "a"), ("x:", "a"), ("x", "a\r\nb"), ("x", "a\0"), ("x", " a")]
        {
            assert!(request.set_header(name, value).is_err(), "{name:?}: {value:?}");
        }
        request.set_header("X-Note", "one").expect("a good header");
        request.set_header("x-note", "two").expect("a good header");
        assert_eq!(request.headers(), [("x-note".to_owned(), "two".to_owned())]);
    }

    #[test]
    fn it_refuses_to_accept_encodings_that_it_does_not_decode() {
        let mut request = Request::new("GET", "/v2.1/calls").expect("good");
        for good in
            ["gzip", "GZIP;q=1.0, identity; q=0.5", "identity", "", "gzip, br;q=0", "*; Q = 0.000", "x-gzip"]
        {
            request.set_header("Accept-Encoding", good).expect(good);
        }
        for bad in [
            "br",
            "gzip, br",
            "deflate",
            "*",
            "gzip;q=0, zstd;q=0.1",
            "br;q=",
            "br;q=canary",
            "br;q=-1",
            "gzip br",
        ] {
            let error = request.set_header("Accept-Encoding", bad).expect_err(bad);
            assert!(
                error.message().contains("accept-encoding") && !error.message().contains("canary"),
                "{error}"
            );
        }
    }

    #[test]
    fn it_encodes_the_query() {
        let mut request = Request::new("GET", "/v2/calls").expect("a good request");
        request.add_query("from", "+1 555&x=y").expect("fits").add_query("ä", "").expect("fits");
        assert_eq!(request.path(), "/v2/calls?from=%2B1%20555%26x%3Dy&%C3%A4=");
    }

    #[test]
    fn it_sends_the_headers_that_the_caller_has_not_set() {
        let mut request = Request::new("POST", "/v2/texts").expect("a path");
        assert!(request.default_headers().eq(service::HEADERS.iter().copied()));
        request.set_header("Accept", "text/csv").expect("a header");
        let names: Vec<&str> = request.default_headers().map(|(name, _)| name).collect();
        assert_eq!(names, ["content-type", "x-justcall-client", "user-agent"]);
    }

    #[test]
    fn it_has_the_body_and_the_timeout_that_were_set() {
        let mut request = Request::new("POST", "/v2/texts").expect("a path");
        assert_eq!((request.body(), request.timeout()), (None, None));
        request.set_body("[7]");
        request.set_timeout(Duration::from_secs(7));
        assert_eq!((request.body(), request.timeout()), (Some(&b"[7]"[..]), Some(Duration::from_secs(7))));
    }
}
