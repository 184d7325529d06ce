//! Proxies as they are in the world: down, unknown, slow, and with answers of every kind to CONNECT.
#![cfg(target_os = "linux")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::{Client, Config, Credentials, Error, ErrorKind};
use support::PATIENCE;

fn config(base_url: &str, proxy: &str) -> Config {
    let mut config = Config::new();
    config.set_base_url(base_url).expect("good").set_proxy(proxy).expect("good");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    config.set_timeout(PATIENCE).set_max_retries(0);
    config
}

fn verify(config: &Config) -> Error {
    Client::new(config).and_then(|client| client.verify()).expect_err("there is no way through")
}

/// A proxy that answers every CONNECT with `answer`, and then connects it or, without a target, waits.
fn proxy(answer: &'static [u8], ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // It ends with the test's process.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || tunnel(client, answer, ends));
        }
    });
    url
}

fn tunnel(mut client: TcpStream, answer: &[u8], ends: bool) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    client.write_all(answer).ok()?;
    if ends {
        return None;
    }
    let line = String::from_utf8(head).ok()?;
    let service = TcpStream::connect(line.split(' ').nth(1)?).ok()?;
    let (mut up, mut down) = (client.try_clone().ok()?, service.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut up, &mut &service));
    std::io::copy(&mut down, &mut client).ok().map(drop)
}

#[test]
fn it_makes_a_tunnel_whatever_the_words_and_line_ends_of_the_answer_are() {
    let sandbox = support::sandbox();
    for answer in [
        &b"HTTP/1.1 200 Connection established\r\n\r\n"[..],
        b"HTTP/1.1 200 Verbindung \xfc\r\n\r\n",
        b"HTTP/1.1 200 Verbindung\r\nVia: \xfc\xff\r\n\r\n",
        b"HTTP/1.0 200 OK\n\n",
        b"HTTP/1.1 200 OK\nVia: proxy\n\n",
        b"HTTP/1.1 200 OK\r\nVia: proxy\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let mut config = support::config(&sandbox);
        config.set_proxy(&proxy(answer, false)).expect("good");
        let verified = Client::new(&config).and_then(|client| client.verify());
        assert!(verified.is_ok(), "{}: {verified:?}", String::from_utf8_lossy(answer));
    }
}

#[test]
fn it_fails_at_once_when_the_answer_makes_no_tunnel_though_the_connection_stays_open() {
    for (answer, why) in [
        (&b"SSH-2.0-OpenSSH canary"[..], "does not answer as a proxy does"),
        (b"\x15\x03\x01\x00\x02\x02\x46canary", "does not answer as a proxy does"),
        (b"HTTP/2 200 OK\r\n\r\n", "does not answer as a proxy does"),
        (b"HTTP/1.1 2000 canary\n", "does not answer as a proxy does"),
        (b"HTTP/1.1 canary\r\n", "does not answer as a proxy does"),
        (b"HTTP/1.1 403 canary\n", "HTTP 403"),
        (b"HTTP/1.1 502 canary \xfc\r\n", "HTTP 502"),
        (b"HTTP/1.1 407 canary\n", "HTTP 407"),
        (b"HTTP/1.1 301 canary\r\nLocation: canary\r\n", "HTTP 301"),
        (b"HTTP/1.1 101 canary\r\n", "HTTP 101"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let held = thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a connection");
            client.write_all(answer).expect("it listens");
            // Until the client has given up.
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).map(drop)
        });
        let mut config = config("https://service.invalid", &url);
        // Far longer than a moment, and without it the end would never come.
        config.set_timeout(Duration::from_secs(600));
        let begun = Instant::now();
        let error = verify(&config);
        let shown = format!("{error} {error:?} {}", error.hint());
        assert!(begun.elapsed() < Duration::from_secs(300), "{shown}");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::ConnectionFailed, Some("connect")), "{shown}");
        assert!(
            error.message().starts_with("The proxy 127.0.0.1:") && error.message().contains(why),
            "{shown}"
        );
        assert!(!error.request_sent() && !shown.contains("canary"), "{shown}");
        let _closed = held.join().expect("it ended");
    }
}

#[test]
fn it_blames_the_proxy_for_what_the_proxy_does() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let blames = |error: &Error, words: &str| {
        let shown = format!("{error} {}", error.hint());
        assert!(error.message().contains(words) && error.message().len() < 300, "{shown}");
        assert!(error.hint().contains("HTTPS_PROXY") && !shown.contains("base URL"), "{shown}");
        assert!(!shown.contains("service's host") && !error.request_sent(), "{shown}");
    };
    let down = verify(&config("https://service.invalid", &format!("http://{nobody}")));
    blames(&down, &format!("The proxy {nobody} refused the connection"));
    assert_eq!((down.kind(), down.reason()), (ErrorKind::ConnectionFailed, Some("connect")));

    // RFC 6761: no name under .invalid is ever found.
    let unknown = verify(&config("https://127.0.0.1:1", "http://user:canary@proxy.invalid:3128"));
    blames(&unknown, "The proxy's host proxy.invalid could not be found");
    assert_eq!((unknown.kind(), unknown.reason()), (ErrorKind::ConnectionFailed, Some("resolve")));
    assert!(!format!("{unknown} {unknown:?}").contains("canary"));
    assert!(!unknown.message().contains("failed to lookup"), "std's words: {unknown}");

    blames(&verify(&config("https://service.invalid", &proxy(b"", true))), "closed the connection early");
    blames(
        &verify(&config("https://service.invalid", &proxy(b"HTTP/1.1 2", true))),
        "closed the connection early",
    );

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let mut slow = config("https://service.invalid", &format!("http://{address}"));
    let late = verify(slow.set_timeout(Duration::from_millis(300)));
    blames(&late, &format!("connecting through the proxy {address}"));
    assert_eq!((late.kind(), late.reason()), (ErrorKind::Timeout, Some("connect")));

    let long = format!("http://{}invalid:1", "long.".repeat(48));
    blames(&verify(&config("https://service.invalid", &long)), "The proxy's host long.long.");

    let control = verify(&config(&format!("https://{nobody}"), ""));
    assert!(
        control.message().contains("The service's host refused"),
        "the control, without a proxy: {control}"
    );
}

#[test]
fn it_blames_the_service_for_what_happens_in_a_tunnel() {
    let tunnel = proxy(b"HTTP/1.1 200 OK\r\n\r\n", false);
    let sandbox = support::sandbox();
    let untrusted = verify(&config(sandbox.url(), &tunnel));
    assert_eq!(untrusted.kind(), ErrorKind::TlsFailed, "{untrusted}");
    let dead_end = verify(&config(sandbox.url(), &proxy(b"HTTP/1.1 200 OK\r\n\r\n", true)));
    assert_eq!(dead_end.kind(), ErrorKind::ConnectionFailed, "{dead_end}");
    assert!(!dead_end.message().starts_with("The proxy"), "{dead_end}");
}
