//! URLs of the service, paths of requests, and proxies.

use std::ffi::OsString;

use http::Uri;
use justcall_auth::diagnostics::ProxyException;
use justcall_auth::source::Environment;
use justcall_auth::{Config, Error, ErrorKind, Request, test_parsers};
use justcall_auth_protocol::url::{BaseUrl, HostAndPort};

use crate::Target;
use crate::disclosure::check_hidden;
use crate::input::Input;

pub const TARGET: Target = Target {
    name: "urls",
    about: "An accepted base URL has the host that its text shows, no login, and plain HTTP only for a name or a loopback address. \
            No path and no link of a response reaches another host. A proxy is used unless the host is this machine or an entry \
            covers it, a longer list covers no less, and neither a message nor `Debug` contains eight bytes of a URL's login.",
    check,
    seeds,
    tokens: &[
        "https://",
        "http://",
        "HTTPS://",
        "ftp://",
        "api.justcall.io",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "::ffff:127.0.0.1",
        "10.0.0.0/8",
        "fe80::/10",
        "*",
        ".example.com",
        "*.example.com",
        ":443",
        ":80",
        ":8443",
        ":0",
        ":65536",
        "@",
        "user:pass@",
        "%40",
        "%2F",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "/..",
        "/./",
        "/%2e%2e/",
        "/v2.1/calls?page=2",
        "GET",
        "POST",
        "CONNECT",
        "\0",
        " ",
        "\t",
        "\r\n",
        ",",
        "é",
        "xn--",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 407 \r\n\r\n",
    ],
};

fn seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 12] = [
        b"\x00https://api.justcall.io",
        b"\x00http://[::1]:8080/prefix/",
        b"\x00https://key:canary123456@api.justcall.io",
        b"\x01https://gateway.corp:8443/justcall\0GET\0https://gateway.corp:8443/justcall/v2/a?b=c",
        b"\x01https://api.justcall.io\0POST\0/v2.1/texts/new",
        b"\x01http://localhost\0GET\0http://localhost:80/a\0name\0value & more",
        b"\x02https://api.justcall.io\0http://user:pass%40word@proxy.corp:3128\0.justcall.io,10.0.0.0/8",
        b"\x02https://10.1.2.3:8443\0proxy.corp\0*.example.com 10.0.0.0/8",
        b"\x02http://localhost:8080\0http://proxy:1\0*",
        b"\x02https://[fe80::1]\0http://[::1]:3128/\0fe80::/10",
        b"\x03HTTP/1.1 200 Connection established\r\n\r\n",
        b"\x04[::1]:8080",
    ];
    texts.iter().map(|text| text.to_vec()).collect()
}

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(5) {
        0 => check_base(&input.text()),
        1 => check_target(&mut input),
        2 => check_proxy(&mut input),
        3 => check_status(input.rest()),
        _ => check_host(&input.text()),
    }
}

fn check_base(text: &str) {
    let base = match BaseUrl::parse(text) {
        Ok(base) => base,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            return check_hidden(text.as_bytes(), |text| {
                shown(BaseUrl::parse(&String::from_utf8_lossy(text)).err())
            });
        }
    };
    let uri: Uri = text.parse().expect("an accepted URL is one");
    let authority = uri.authority().expect("it has a host");
    assert!(!authority.as_str().contains('@'), "{text}");
    assert!(!text.contains(['#', '?', ' ', '\\']) && !text.contains(char::is_control), "{text}");
    assert_eq!(base.is_encrypted(), uri.scheme_str() == Some("https"));
    if !base.is_encrypted() {
        let address = authority.host().trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        assert!(address.is_err() || address.is_ok_and(|address| address.is_loopback()), "{text}");
    }
    let shown = base.to_string();
    assert_eq!(BaseUrl::parse(&shown).expect("its own text"), base);
    assert!(!shown.ends_with('/') && text.starts_with(&shown));
    for path in ["/v2/account", "/v2.1/users?per_page=1"] {
        check_host_of(&base, path);
    }
}

/// Checks that the URL of `path` has the host of `base`.
fn check_host_of(base: &BaseUrl, path: &str) {
    let of_base: Uri = base.to_string().parse().expect("a base URL");
    let url: Uri = base.join(path).parse().expect("a URL that can be sent");
    assert_eq!((url.scheme(), url.authority()), (of_base.scheme(), of_base.authority()), "{path}");
    let in_parts = base.uri(path.to_owned().into()).expect("the same URL");
    assert_eq!(
        (in_parts.authority(), in_parts.path(), in_parts.query()),
        (url.authority(), url.path(), url.query())
    );
    let segments = |path: &str| path.split('/').any(|segment| matches!(segment, "." | ".."));
    assert!(!segments(url.path()) && !url.path().contains('\\'), "{path}");
}

/// A base URL, a method and a target, which a response may contain, then names and values of a query.
fn check_target(input: &mut Input) {
    let (base, method, target) = (input.text(), input.text(), input.text());
    let Ok(base) = BaseUrl::parse(&base) else { return };
    let Ok(mut request) = Request::under(&base, &method, &target) else {
        return check_hidden(target.as_bytes(), |target| {
            shown(Request::under(&base, &method, &String::from_utf8_lossy(target)).err())
        });
    };
    assert!(method.bytes().all(|byte| byte.is_ascii_uppercase()) && method != "CONNECT" && method != "TRACE");
    assert!(request.path().starts_with('/') && !request.path().starts_with("//"), "{}", request.path());
    check_host_of(&base, request.path());
    for _ in 0..4 {
        let (name, value) = (input.text(), input.text());
        let before = request.path().to_owned();
        if request.add_query(&name, &value).is_err() {
            return assert_eq!(request.path(), before);
        }
        assert!(request.path().starts_with(&before) && request.path().is_ascii());
        assert!(
            !request.path()[before.len() + 1..].contains(['/', '#', '?', ' ', '@']),
            "{}",
            request.path()
        );
    }
    check_host_of(&base, request.path());
}

/// A base URL, a proxy, and the list of hosts without it.
fn check_proxy(input: &mut Input) {
    let (base, url, list) = (input.text(), input.text(), input.text());
    let mut config = Config::new();
    if config.set_base_url(&base).is_err() {
        return;
    }
    let environment = |list: &str| Variables { proxy: url.clone(), list: list.to_owned() };
    let named = test_parsers::named_proxy(&config, &environment(&list));
    let everything = test_parsers::named_proxy(&config, &environment(&format!("{list} *")))
        .expect("the entry * is enough");
    match named {
        Ok(None) => assert!(url.is_empty()),
        Ok(Some(proxy)) => {
            if let Some(ProxyException::Entry(entry)) = &proxy.exception {
                assert!(list.contains(entry.as_str()) && !entry.is_empty());
            }
            // A longer list covers no less.
            let longer = test_parsers::named_proxy(&config, &environment(&format!("{list},other.example")))
                .expect("as before");
            let longer = longer.expect("the variable is set").exception;
            assert!(proxy.exception.is_none() || longer == proxy.exception || list.is_empty(), "{longer:?}");
            assert!(everything.is_some_and(|proxy| proxy.exception.is_some()));
            if let Some(address) = proxy.address() {
                assert!(
                    !address.contains('@')
                        && address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
                );
            }
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument),
    }
    let login = url.rsplit_once('@').map_or("", |(login, _)| login);
    check_hidden(login.as_bytes(), |login| {
        let login = String::from_utf8_lossy(login);
        let url = url.rsplit_once('@').map_or(String::new(), |(_, host)| format!("{login}@{host}"));
        let mut config = Config::new();
        let refused = shown(config.set_proxy(&url).err());
        let environment = Variables { proxy: url, list: list.clone() };
        format!("{refused} {config:?} {:?}", test_parsers::named_proxy(&config, &environment))
    });
}

/// The first line of a proxy's answer. Only three digits after `HTTP/1.` and a blank are a status.
fn check_status(head: &[u8]) {
    let status = test_parsers::proxy_status(head);
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let digits = parts.get(1).filter(|digits| digits.len() == 3 && digits.iter().all(u8::is_ascii_digit));
    let expected = digits.filter(|_| line.starts_with(b"HTTP/1."));
    assert_eq!(status.map(|status| format!("{status:03}").into_bytes()).as_deref(), expected.copied());
}

/// A host with a port.
fn check_host(text: &str) {
    let Ok(found) = HostAndPort::parse(text) else { return };
    let written = found.port.map_or(found.host.clone(), |port| format!("{}:{port}", found.host));
    assert_eq!(HostAndPort::parse(&written).expect("its own text"), found);
    assert!(text.starts_with(&found.host) && found.port != Some(0) && !found.host.is_empty());
}

/// Returns everything that the product shows about a failure.
fn shown(error: Option<Error>) -> String {
    error.map(|error| format!("{error} {error:?} {}", error.hint())).unwrap_or_default()
}

/// An environment with a proxy, which is no part of the process.
struct Variables {
    proxy: String,
    list: String,
}

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        match name {
            "HTTPS_PROXY" => Some(self.proxy.as_str().into()),
            "NO_PROXY" => Some(self.list.as_str().into()),
            _ => None,
        }
    }
}
