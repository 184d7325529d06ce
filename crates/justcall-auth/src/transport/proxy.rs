//! An HTTP proxy: a tunnel by CONNECT, in which TLS runs to the service itself. The proxy never receives the pair.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use http::uri::Authority;
use justcall_auth_protocol::encoding;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::url::HostAndPort;
use justcall_auth_secret::{Secret, WipedBuffer};

use super::call::{CallState, PROXY_HINT};
use super::resolve::shown;
use super::socket::Socket;

mod named;

pub use named::{NamedProxy, ProxyException};

/// The largest head of a proxy's response, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// An HTTP proxy. Clones share it. Two are equal if host, port and login are.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Parts>);

struct Parts {
    host: String,
    port: u16,
    /// `user:password`, encoded for `Proxy-Authorization`.
    login: Option<Secret>,
}

/// The reason why a text is not a usable proxy, with a hint.
struct UnusableProxy {
    why: &'static str,
    hint: &'static str,
}

impl From<&'static str> for UnusableProxy {
    fn from(why: &'static str) -> Self {
        Self { why, hint: "Write the proxy as http://host:port." }
    }
}

/// The reason for a text in which the end of the login is unclear.
const UNCLEAR_LOGIN: UnusableProxy = UnusableProxy {
    why: "has a user name or password with a character that must be percent-encoded",
    hint: "Percent-encode the user name and the password. Write %23 for #, %2F for /, %3F for ? and %20 for a space.",
};

impl Proxy {
    /// Parses `http://[user:password@]host[:port]`.
    ///
    /// # Errors
    /// Fails with `invalid_argument`. The message does not contain the text.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Self::read(url).map_err(|unusable| refuse("The proxy", &unusable))
    }

    fn read(url: &str) -> Result<Self, UnusableProxy> {
        let rest = match url.split_once("://") {
            None => url,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err("is not an http:// proxy, the only supported kind".into()),
        };
        // Parsers of URLs end the host here. A login after this point means that it was meant to be longer.
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if path.contains('@') {
            return Err(UNCLEAR_LOGIN);
        }
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        if login.is_some_and(|login| !login.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(UNCLEAR_LOGIN);
        }
        let HostAndPort { host, port } = HostAndPort::parse(address)?;
        if address.parse::<Authority>().is_err() {
            return Err("is not a URL".into());
        }
        let login = login.map(|login| {
            let login = encoding::percent_decoded(login);
            Secret::copy_from(encoding::base64(login.as_ref()).as_ref())
        });
        Ok(Self(Arc::new(Parts { host, port: port.unwrap_or(80), login })))
    }

    /// Returns the host and the port.
    pub fn host_and_port(&self) -> (&str, u16) {
        (&self.0.host, self.0.port)
    }

    /// Returns the host and the port as text for messages.
    pub fn address(&self) -> String {
        format!("{}:{}", shown(&self.0.host), self.0.port)
    }

    /// Requests a tunnel to `host` from the proxy at the other end of `socket`.
    pub(super) fn connect(
        &self,
        socket: &mut Socket,
        host: &str,
        port: u16,
        call: &CallState,
    ) -> io::Result<()> {
        let login_len = self.0.login.as_ref().map_or(0, Secret::len);
        let mut head = WipedBuffer::with_capacity(2 * host.len() + login_len + 128);
        head.push(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").as_bytes());
        if let Some(login) = &self.0.login {
            head.push(b"Proxy-Authorization: Basic ");
            login.expose(|login| head.push(login));
            head.push(b"\r\n");
        }
        head.push(b"\r\n");
        socket.write_all(head.as_ref())?;
        match read_status(socket)? {
            Some(200..=299) => Ok(()),
            Some(407) => Err(call
                .fail(self.refused("requires a user name and password (HTTP 407)").with_hint(
                "Add the user name and password to the URL of the proxy, as http://user:password@host:port.",
            ))),
            Some(status) => {
                let peer = call.peer().name();
                Err(call.fail(self.refused(&format!("refused to connect to {peer} (HTTP {status})"))))
            }
            None => Err(call.fail(self.refused("does not answer like a proxy"))),
        }
    }

    fn refused(&self, why: &str) -> Error {
        let message = format!("The proxy {} {why}.", self.address());
        Error::with_message(ErrorKind::ConnectionFailed, message).with_reason("connect").with_hint(PROXY_HINT)
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let same_login = match (&self.0.login, &other.0.login) {
            (None, None) => true,
            // The secrets are compared in place, because a copy would not be wiped.
            (Some(mine), Some(theirs)) => mine.expose(|mine| theirs.expose(|theirs| mine == theirs)),
            _ => false,
        };
        self.0.host == other.0.host && self.0.port == other.0.port && same_login
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.0.host, self.0.port)
    }
}

fn refuse(what: &str, unusable: &UnusableProxy) -> Error {
    Error::invalid_argument(format!("{what} {}.", unusable.why)).with_hint(unusable.hint)
}

/// Returns the status of the proxy's response, or `None` if it is not HTTP. Of a success, reads up to the empty line
/// and nothing after it, which belongs to TLS. Any other response is final after its first line.
fn read_status(socket: &mut Socket) -> io::Result<Option<u16>> {
    let (mut head, mut byte) = (Vec::new(), [0_u8]);
    for _ in 0..MAX_HEAD {
        if socket.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
        if !head.iter().zip(PROTOCOL).all(|(byte, expected)| byte == expected) {
            return Ok(None);
        }
        if byte != *b"\n" {
            continue;
        }
        // Some proxies end lines with LF only.
        let is_complete = head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n");
        match status(&head) {
            Some(100 | 102..=299) if !is_complete => {}
            Some(100 | 102..=199) => head.clear(),
            status => return Ok(status),
        }
    }
    Ok(None)
}

const PROTOCOL: &[u8] = b"HTTP/1.";

/// Returns the status in the first line of `head`. The reason phrase may be in any encoding.
pub(crate) fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let digits = line.strip_prefix(PROTOCOL)?.split(|byte| *byte == b' ').nth(1)?;
    // A number in Rust may have a sign.
    let is_status = digits.len() == 3 && digits.iter().all(u8::is_ascii_digit);
    is_status.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::source::Environment;

    fn environment(variables: &[(&str, &str)], url: &str) -> Result<Option<NamedProxy>, Error> {
        NamedProxy::of_environment(&variables, &url.parse().expect(url))
    }

    /// Returns true if calls to `url` use a proxy of the environment.
    fn is_for(variables: &[(&str, &str)], url: &str) -> bool {
        environment(variables, url).expect("good").expect("a proxy").into_used().is_some()
    }

    const SERVICE: &str = "https://api.justcall.io/v2";

    #[test]
    fn it_reads_a_proxy_and_hides_its_login() {
        let proxy = Proxy::parse("http://us%65r:p%40ss@proxy.corp:3128").expect("a proxy");
        assert_eq!(proxy.host_and_port(), ("proxy.corp", 3128));
        let login = proxy.0.login.as_ref().expect("a login");
        assert!(login.expose(|login| login == b"dXNlcjpwQHNz"));
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.corp:3128)");
        let other = |login: &str| Proxy::parse(&format!("http://{login}proxy.corp:3128")).expect("a proxy");
        assert_eq!(proxy, other("user:p%40ss@"), "the same login in another spelling");
        assert!(proxy != other("user:another@") && proxy != other(""));
        assert_eq!(Proxy::parse("proxy.corp").expect("a proxy").host_and_port(), ("proxy.corp", 80));
        for bad in ["socks5://proxy:1080", "https://canary:x@proxy", "http://", "http://canary host"] {
            let error = Proxy::parse(bad).expect_err(bad);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn it_refuses_a_login_that_is_not_percent_encoded_and_an_invalid_port() {
        for (bad, why) in [
            ("http://canary:pa#ss@proxy:3128", "percent-encoded"),
            ("http://canary:pa/ss@proxy:3128", "percent-encoded"),
            ("http://canary:pa?ss@proxy:3128", "percent-encoded"),
            ("canary:12/ss@proxy", "percent-encoded"),
            ("http://canary:pa ss@proxy:3128", "percent-encoded"),
            ("http://canary:p\u{e4}ss@proxy:3128", "percent-encoded"),
            ("http://canary:x@proxy/canary@", "percent-encoded"),
            ("http://canary:99999", "port"),
            ("http://canary:3128x", "port"),
            ("http://canary:+3128", "port"),
            ("canary:0", "port"),
            ("http://canary:", "port"),
            ("http://[::1]:65536", "port"),
            ("http://[canary]:80", "neither a name nor an address"),
            ("http://canary%", "URL"),
            ("", "no host"),
        ] {
            for error in [
                Proxy::parse(bad).expect_err(bad),
                environment(&[("HTTPS_PROXY", if bad.is_empty() { "http://" } else { bad })], SERVICE)
                    .expect_err(bad),
            ] {
                let shown = format!("{error} {error:?} {}", error.hint());
                assert!(error.message().contains(why) && !shown.contains("canary"), "{bad}: {shown}");
                assert!(error.message().len() < 300, "{bad}: {shown}");
            }
        }
        for (good, host, port) in [
            ("http://user:pa%23ss@proxy:3128", "proxy", 3128),
            ("http://user:p@ss:w@proxy:3128/", "proxy", 3128),
            ("HTTP://proxy:8080/path", "proxy", 8080),
            ("[::1]:3128", "[::1]", 3128),
        ] {
            assert_eq!(Proxy::parse(good).expect(good).host_and_port(), (host, port), "{good}");
        }
    }

    #[test]
    fn it_uses_the_proxy_of_the_environment_only_for_https_and_never_for_this_machine() {
        let proxy = [("HTTPS_PROXY", "http://proxy:1")];
        assert!(is_for(&proxy, SERVICE));
        assert!(!is_for(&proxy, "http://127.0.0.1/") && !is_for(&proxy, "https://127.0.0.1/"));
        assert!(!is_for(&proxy, "https://[::1]:443/") && !is_for(&proxy, "https://LOCALHOST/"));
        let proxy = Proxy::parse("http://proxy:1").expect("good");
        let uri = "https://127.0.0.1/".parse().expect("good");
        assert!(NamedProxy::configured(proxy, &uri).into_used().is_some(), "the configuration names it");
        let other = [("HTTP_PROXY", "http://evil:1"), ("http_proxy", "http://evil:1")];
        assert!(environment(&other, SERVICE).expect("good").is_none());
        assert!(environment(&[("HTTPS_PROXY", "")], SERVICE).expect("good").is_none());
        let error = environment(&[("HTTPS_PROXY", "socks5://x")], SERVICE).expect_err("no SOCKS");
        assert!(error.message().contains("HTTPS_PROXY"), "{error}");
    }

    #[test]
    fn it_refuses_an_unusable_proxy_only_if_it_would_be_used() {
        for unusable in ["socks5://proxy:1080", "http://proxy:99999", "http://u:p#w@proxy"] {
            let exception = |list: &'static str, url: &str| {
                let named = environment(&[("https_proxy", unusable), ("NO_PROXY", list)], url);
                let named = named.expect("not used").expect("it is named");
                assert_eq!((named.address(), named.variable), (None, Some("https_proxy")));
                assert!(named.clone().into_used().is_none());
                named.exception.expect("a reason")
            };
            assert_eq!(exception("*", SERVICE), ProxyException::Entry("*".into()));
            assert_eq!(
                exception("a.b justcall.io:443", SERVICE),
                ProxyException::Entry("justcall.io:443".into())
            );
            assert_eq!(exception("", "https://localhost:8443/"), ProxyException::Loopback);
            assert_eq!(exception("", "https://[::1]/"), ProxyException::Loopback);
            assert_eq!(exception("", "http://127.0.0.1/"), ProxyException::PlainHttp);
            environment(&[("https_proxy", unusable), ("NO_PROXY", "other.example")], SERVICE)
                .expect_err(unusable);
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_ignores_no_variable_that_is_not_text() {
        use std::os::unix::ffi::OsStringExt as _;
        struct Bytes(&'static str, &'static [u8]);
        impl Environment for Bytes {
            fn variable(&self, name: &str) -> Option<OsString> {
                let proxy = (name == "HTTPS_PROXY" && self.0 != name).then(|| "http://proxy:1".into());
                if name == self.0 { Some(OsString::from_vec(self.1.to_vec())) } else { proxy }
            }
        }
        let of = |environment| NamedProxy::of_environment(&environment, &SERVICE.parse().expect("good"));
        of(Bytes("HTTPS_PROXY", b"http://proxy\xFF:1")).expect_err("not text, so no host");
        let named = of(Bytes("NO_PROXY", b"\xFF, justcall.io")).expect("good").expect("named");
        assert_eq!(named.exception, Some(ProxyException::Entry("justcall.io".into())));
    }

    #[test]
    fn it_uses_no_proxy_for_the_hosts_in_no_proxy() {
        for (list, host, is_direct) in [
            ("api.justcall.io", "api.justcall.io", true),
            ("justcall.io", "api.justcall.io", true),
            (".justcall.io", "api.justcall.io", true),
            ("*.justcall.io", "API.JustCall.IO", true),
            ("stcall.io", "api.justcall.io", false),
            ("other.example, *", "api.justcall.io", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "110.0.0.1", false),
            ("", "api.justcall.io", false),
        ] {
            let list: &'static str = list;
            let variables = [("https_proxy", "proxy:1"), ("no_proxy", list)];
            assert_eq!(is_for(&variables, &format!("https://{host}/")), !is_direct, "{list:?} and {host}");
        }
    }

    #[test]
    fn it_reads_the_status_of_a_proxys_response() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        assert_eq!(status(b"HTTP/1.1 200 Verbindung \xfc\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 407\n\n"), Some(407));
        assert_eq!(status(b"HTTP/1.1 2000 OK\n\n"), None);
        assert_eq!(status(b"HTTP/1.1 +20 OK\n\n"), None);
        assert_eq!(status(b"SSH-2.0\r\n\r\n"), None);
        assert_eq!(status(b""), None);
    }
}
