//! Who may make control calls: programs on this machine that know the token, and the console's own page.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::{HeaderMap, Method, Request};

use crate::wire::Reply;

/// The headers that keep other sites out of a browser that has the console open.
const SECURITY_HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Where control calls are served: the origin of a page that may make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ControlOrigin {
    pub(crate) scheme: &'static str,
    pub(crate) port: u16,
}

impl ControlOrigin {
    /// Returns true if `HOST:PORT` is a loopback name with this port.
    fn is_host(self, host: &str) -> bool {
        let Some((name, port)) = host.rsplit_once(':') else { return false };
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let loopback = name.eq_ignore_ascii_case("localhost")
            || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        loopback && port.parse() == Ok(self.port)
    }

    fn is_origin(self, origin: &str) -> bool {
        let host = origin.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix("://"));
        host.is_some_and(|host| self.is_host(host))
    }
}

/// Refuses pages of a browser that are not the console's: those that reach the port by a name of their own, and those of
/// another origin.
///
/// `page` is true if the request is for the page itself, which a link on another page may open: it only opens, and the
/// other page cannot read it.
pub(super) fn check<B>(origin: ControlOrigin, request: &Request<B>, page: bool) -> Result<(), Reply> {
    let headers = request.headers();
    if !text(headers, HOST.as_str()).is_some_and(|host| origin.is_host(host)) {
        return Err(Reply::error(403, "The Host header must be a loopback name with the control port."));
    }
    if text(headers, ORIGIN.as_str()).is_some_and(|sent| !origin.is_origin(sent)) {
        return Err(Reply::error(403, "Pages of another origin must not make control calls."));
    }
    let opens_page = page
        && *request.method() == Method::GET
        && text(headers, "sec-fetch-mode") == Some("navigate")
        && text(headers, "sec-fetch-dest") == Some("document");
    match text(headers, "sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if opens_page => Ok(()),
        Some(_) => Err(Reply::error(403, "Pages of another origin must not make control calls.")),
    }
}

/// Adds the headers that every answer on a control port has.
pub(super) fn add_security_headers(headers: &mut HeaderMap) {
    for (name, value) in SECURITY_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Returns the value of a header. One that is no text is an empty text, which nothing allows.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}
