//! A way through an HTTP proxy: a tunnel made by CONNECT, in which TLS runs to the service itself. The proxy never sees
//! the pair.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use http::Uri;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::{Secret, WipedBuffer, Zeroizing};

use super::call::State;
use super::wire::Wire;
use crate::base64;
use crate::source::Environment;

/// The largest head of a proxy's answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// An HTTP proxy. Cloning shares it; two are equal when they are the same proxy with the same login.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Parts>);

struct Parts {
    host: String,
    port: u16,
    /// `user:password`, encoded as `Proxy-Authorization` takes it.
    login: Option<Secret>,
    exceptions: Vec<String>,
    /// A proxy of the environment is for the network; the machine itself needs none.
    spares_loopback: bool,
}

impl Proxy {
    /// The environment variables that name a proxy; the first that is set does.
    pub const VARIABLES: [&'static str; 2] = ["https_proxy", "HTTPS_PROXY"];

    /// Reads `http://[user:password@]host[:port]`.
    ///
    /// # Errors
    /// `invalid_argument`, without repeating what was given.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Self::read(url, Vec::new(), false).map_err(|why| refuse("The proxy", why))
    }

    /// The proxy that `https_proxy` or `HTTPS_PROXY` names, without the hosts in `no_proxy` or `NO_PROXY`.
    ///
    /// # Errors
    /// `invalid_argument`, naming the variable.
    pub fn from_environment(environment: &dyn Environment) -> Result<Option<Self>, Error> {
        let variable = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                let value = environment.variable(name)?.into_string().unwrap_or_default();
                Some((name, value)).filter(|(_, value)| !value.is_empty())
            })
        };
        let Some((name, url)) = variable(Self::VARIABLES) else { return Ok(None) };
        let exceptions = variable(["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        let exceptions = exceptions
            .split(',')
            .map(|entry| entry.trim().to_ascii_lowercase())
            .filter(|entry| !entry.is_empty());
        Self::read(&url, exceptions.collect(), true)
            .map(Some)
            .map_err(|why| refuse(&format!("The proxy in the variable {name}"), why))
    }

    fn read(url: &str, exceptions: Vec<String>, spares_loopback: bool) -> Result<Self, &'static str> {
        let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|_| "is not a URL")?;
        if uri.scheme_str() != Some("http") {
            return Err("is not an http:// proxy, the only kind there is support for");
        }
        let authority = uri.authority().ok_or("has no host")?.as_str();
        let login = authority.rsplit_once('@').map(|(login, _)| Zeroizing::new(percent_decode(login)));
        let login = login.map(|login| Secret::from(base64::encode(&login)));
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("has no host")?.to_owned();
        let port = uri.port_u16().unwrap_or(80);
        Ok(Self(Arc::new(Parts { host, port, login, exceptions, spares_loopback })))
    }

    /// Whether requests to `uri` go through this proxy.
    pub fn is_for(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback =
            bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if uri.scheme_str() != Some("https") || self.0.spares_loopback && is_loopback {
            return false;
        }
        !self.0.exceptions.iter().any(|entry| is_exception(entry, bare))
    }

    /// Where the proxy is.
    pub fn host_and_port(&self) -> (&str, u16) {
        (&self.0.host, self.0.port)
    }

    /// Asks the proxy at the other end of `wire` for a tunnel to `host`.
    pub(super) fn connect(&self, wire: &mut Wire, host: &str, port: u16, call: &State) -> io::Result<()> {
        let login_len = self.0.login.as_ref().map_or(0, Secret::len);
        let mut head = WipedBuffer::with_capacity(2 * host.len() + login_len + 128);
        head.push(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").as_bytes());
        if let Some(login) = &self.0.login {
            head.push(b"Proxy-Authorization: Basic ");
            login.expose(|login| head.push(login));
            head.push(b"\r\n");
        }
        head.push(b"\r\n");
        wire.write_all(head.as_ref())?;
        match status(&read_head(wire)?) {
            Some(200..=299) => Ok(()),
            Some(407) => Err(call.fail(
                self.refused("asks for a user name and password (HTTP 407)")
                    .hint_is("Give them in the proxy's URL, as http://user:password@host:port."),
            )),
            Some(status) => {
                Err(call.fail(self.refused(&format!("refused to connect to the service (HTTP {status})"))))
            }
            None => Err(call.fail(self.refused("does not answer as a proxy does"))),
        }
    }

    fn refused(&self, why: &str) -> Error {
        let message = format!("The proxy {}:{} {why}.", self.0.host, self.0.port);
        Error::with_message(ErrorKind::ConnectionFailed, message)
            .reason_is("connect")
            .hint_is("Check the proxy in HTTPS_PROXY or in the configuration, and whether it lets this machine reach the service.")
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let same_login = match (&self.0.login, &other.0.login) {
            (None, None) => true,
            // Compared where they are: a copy would stay behind.
            (Some(mine), Some(theirs)) => mine.expose(|mine| theirs.expose(|theirs| mine == theirs)),
            _ => false,
        };
        let rest = |proxy: &Self| (proxy.0.port, proxy.0.spares_loopback);
        self.0.host == other.0.host
            && rest(self) == rest(other)
            && self.0.exceptions == other.0.exceptions
            && same_login
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.0.host, self.0.port)
    }
}

/// `example.com` and `.example.com` mean the host and all below it, `*` every host.
fn is_exception(entry: &str, host: &str) -> bool {
    let entry =
        entry.trim_start_matches("*.").trim_start_matches('.').trim_start_matches('[').trim_end_matches(']');
    entry == "*" || host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'))
}

fn refuse(what: &str, why: &str) -> Error {
    Error::invalid_argument(format!("{what} {why}.")).hint_is("A proxy looks like http://host:port.")
}

/// Everything up to the empty line, and nothing after it: that belongs to TLS.
fn read_head(wire: &mut Wire) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD || wire.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits"));
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;

    use super::*;

    struct Variables(HashMap<&'static str, &'static str>);

    impl Environment for Variables {
        fn variable(&self, name: &str) -> Option<OsString> {
            self.0.get(name).map(OsString::from)
        }
    }

    fn environment(variables: &[(&'static str, &'static str)]) -> Result<Option<Proxy>, Error> {
        Proxy::from_environment(&Variables(variables.iter().copied().collect()))
    }

    fn is_for(proxy: &Proxy, url: &str) -> bool {
        proxy.is_for(&url.parse().expect(url))
    }

    #[test]
    fn it_reads_a_proxy_and_hides_its_login() {
        let proxy = Proxy::parse("http://us%65r:p%40ss@proxy.corp:3128").expect("a proxy");
        assert_eq!(proxy.host_and_port(), ("proxy.corp", 3128));
        let login = proxy.0.login.as_ref().expect("a login");
        assert!(login.expose(|login| login == b"dXNlcjpwQHNz"));
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.corp:3128)");
        let other = |login: &str| Proxy::parse(&format!("http://{login}proxy.corp:3128")).expect("a proxy");
        assert_eq!(proxy, other("user:p%40ss@"), "the same login, written otherwise");
        assert!(proxy != other("user:another@") && proxy != other(""));
        assert_eq!(Proxy::parse("proxy.corp").expect("a proxy").host_and_port(), ("proxy.corp", 80));
        for bad in ["socks5://proxy:1080", "https://canary:x@proxy", "http://", "http://canary host"] {
            let error = Proxy::parse(bad).expect_err(bad);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn it_takes_the_environments_proxy_for_https_alone_and_never_for_this_machine() {
        let proxy = environment(&[("HTTPS_PROXY", "http://proxy:1")]).expect("good").expect("a proxy");
        assert!(is_for(&proxy, "https://api.justcall.io/v2"));
        assert!(!is_for(&proxy, "http://127.0.0.1/") && !is_for(&proxy, "https://127.0.0.1/"));
        assert!(!is_for(&proxy, "https://[::1]:443/") && !is_for(&proxy, "https://LOCALHOST/"));
        assert!(is_for(&Proxy::parse("http://proxy:1").expect("good"), "https://127.0.0.1/"), "said in code");
        assert_eq!(
            environment(&[("HTTP_PROXY", "http://evil:1"), ("http_proxy", "http://evil:1")]).expect("good"),
            None
        );
        assert_eq!(environment(&[("HTTPS_PROXY", "")]).expect("good"), None);
        let error = environment(&[("HTTPS_PROXY", "socks5://x")]).expect_err("no SOCKS");
        assert!(error.message().contains("HTTPS_PROXY"), "{error}");
    }

    #[test]
    fn it_spares_the_hosts_in_no_proxy() {
        for (list, host, spared) in [
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
            let proxy = environment(&[("https_proxy", "proxy:1"), ("no_proxy", list)])
                .expect("good")
                .expect("a proxy");
            assert_eq!(is_for(&proxy, &format!("https://{host}/")), !spared, "{list:?} and {host}");
        }
    }

    #[test]
    fn it_reads_the_status_of_a_proxys_answer() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0\r\n\r\n"), None);
        assert_eq!(status(b""), None);
    }
}
