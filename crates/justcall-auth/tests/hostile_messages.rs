//! Hostile URLs, proxies, headers and responses. Messages about them are short, written by this library, and repeat
//! none of the input.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use justcall_auth::{Client, Config, Credentials, Error, ErrorKind, Request};

/// A text that no message may repeat.
const CANARY: &str = "canary-7f3a";

/// Returns what is wrong with a message: it repeats its input, shows bytes as numbers, or is too long.
fn faults(text: &str) -> Option<&'static str> {
    let numbers = |text: &str| {
        let words = text.split(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | ' '));
        words.map(|run| run.split(',').filter(|number| !number.trim().is_empty()).count()).max()
    };
    let borrowed =
        ["rustls", "webpki", "httparse", "invalid uri", "ureq", "Os {", "Error(", "Peer disconnected"];
    match text {
        _ if text.contains("canary") => Some("it repeats its input"),
        _ if numbers(text).is_some_and(|most| most > 3) => Some("it shows bytes as numbers"),
        _ if text.len() > 300 => Some("it is too long"),
        _ if borrowed.iter().any(|words| text.contains(words)) => Some("another library wrote it"),
        _ => None,
    }
}

#[track_caller]
fn must_be_ours(error: &Error, case: &str) {
    for text in [error.message(), error.hint()] {
        assert_eq!(faults(text), None, "{case}: {text}");
    }
    assert!(!format!("{error} {error:?}").contains("canary"), "{case}: {error:?}");
}

#[test]
fn it_detects_a_message_of_another_library() {
    for bad in [
        "The URL https://canary-7f3a is bad.",
        "invalid byte in [104, 116, 116, 112]",
        &"long ".repeat(70),
        "invalid uri character",
        "InvalidCertificate from rustls",
    ] {
        assert!(faults(bad).is_some(), "{bad}");
    }
    assert_eq!(faults("The base URL has a port that is not a number from 1 to 65535."), None);
}

#[test]
fn it_reports_hostile_urls_and_headers_in_its_own_words() {
    let long = CANARY.repeat(10_000);
    let rests = [
        "canary-7f3a:99999".to_owned(),
        "canary-7f3a:+1".into(),
        "canary-7f3a@host".into(),
        "canary-7f3a:x@host".into(),
        "ho st/canary-7f3a".into(),
        "host\r\nX: canary-7f3a".into(),
        "host/\u{1F600}canary-7f3a".into(),
        "\u{e9}canary-7f3a".into(),
        "[canary-7f3a]".into(),
        "[::1".into(),
        "host#canary-7f3a".into(),
        "host?canary-7f3a".into(),
        "host/../canary-7f3a".into(),
        "%00canary-7f3a".into(),
        long.clone(),
        format!("host:{long}"),
        format!("{long}@host/@"),
    ];
    for rest in &rests {
        for scheme in ["https://", "http://", "canary-7f3a://", "", "//"] {
            let url = format!("{scheme}{rest}");
            let case = &url[..url.len().min(60)].escape_debug().to_string();
            let mut config = Config::new();
            if let Err(error) = config.set_base_url(&url).map(drop) {
                assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{case}");
                must_be_ours(&error, case);
            }
            if let Err(error) = config.set_proxy(&url).map(drop) {
                assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{case}");
                must_be_ours(&error, case);
            }
        }
        must_be_ours(&Config::new().set_verify_path(rest).map(drop).expect_err(rest), rest);
        must_be_ours(&Request::new(rest, "/v2").map(drop).expect_err(rest), rest);
    }
    let mut request = Request::new("GET", "/v2").expect("good");
    for (name, value) in [
        ("X-Note", "canary-7f3a\r\nY: z".to_owned()),
        ("X-\u{e9}-canary-7f3a", "a".into()),
        ("Accept-Encoding", "canary-7f3a".into()),
        ("X-Note", long.clone()),
        ("Authorization", "canary-7f3a".into()),
    ] {
        must_be_ours(&request.set_header(name, &value).map(drop).expect_err(name), name);
    }
    let error = request.set_header(&"x".repeat(60_000), "a\n").map(drop).expect_err("a line break");
    must_be_ours(&error, "a long name");
}

#[test]
fn it_reports_hostile_responses_in_its_own_words() {
    let long = CANARY.repeat(700);
    let answers = [
        "SSH-2.0-canary-7f3a\r\n\r\n".to_owned(),
        "HTTP/1.1 canary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 99999 canary-7f3a\r\n\r\n".into(),
        "HTTP/9.9 200 canary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\ncanary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\nX: a\r\n canary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\nContent-Length: canary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\ncanary-7f3a".into(),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\ncanary-7f3a".into(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary-7f3a\r\n".into(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;canary-7f3a\r\nabcdeX".into(),
        "HTTP/1.1 200 OK\r\nContent-Encoding: canary-7f3a\r\nContent-Length: 2\r\n\r\n{}".into(),
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\ncanary-7f3a".into(),
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncanary-7f3a".into(),
        "HTTP/1.1 302 Found\r\nLocation: https://host/canary-7f3a\r\nContent-Length: 0\r\n\r\n".into(),
        format!("HTTP/1.1 302 Found\r\nLocation: https://{}\r\nContent-Length: 0\r\n\r\n", "a".repeat(8000)),
        format!("HTTP/1.1 302 Found\r\nLocation: https://host/{long}\r\nContent-Length: 0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nX: {long}{long}{long}{long}{long}{long}{long}{long}{long}{long}\r\n\r\n"),
        format!("HTTP/1.1 {long}"),
        "HTTP/1.1 101 canary-7f3a\r\nUpgrade: canary-7f3a\r\n\r\n".into(),
        "HTTP/1.1 418 canary-7f3a\r\nContent-Length: 0\r\n\r\n".into(),
        String::new(),
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let sent = answer.clone();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a connection");
            let _head = client.read(&mut [0; 4096]);
            let _all = client.write_all(sent.as_bytes());
        });
        let mut config = Config::new();
        config.set_base_url(&url).expect("loopback").set_timeout(Duration::from_secs(20)).set_max_retries(0);
        config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let client = Client::new(&config).expect("a client");
        let case = &answer[..answer.len().min(80)];
        let error = client.request(Request::new("GET", "/v2.1/calls").expect("good")).expect_err(case);
        assert_ne!(error.kind(), ErrorKind::Timeout, "{case}");
        must_be_ours(&error, case);
    }
}

/// Answers to a `ClientHello` from other services and from middleboxes.
#[test]
fn it_reports_hostile_handshakes_in_its_own_words() {
    let record = |kind: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("it is short").to_be_bytes();
        [&[kind, 3, 3], &length[..], content].concat()
    };
    let (alert, handshake) = (21, 22);
    let server_hello = |version: [u8; 2], cipher: [u8; 2], rest: &[u8]| {
        let body = [&version[..], &[7; 32], &[0], &cipher, &[0], rest].concat();
        let length = u32::try_from(body.len()).expect("it is short").to_be_bytes();
        record(handshake, &[&[2], &length[1..], &body[..]].concat())
    };
    let answers = [
        ("HTTP", b"HTTP/1.1 400 canary-7f3a\r\nContent-Length: 0\r\n\r\n".to_vec(), "does not speak TLS"),
        ("SSH", b"SSH-2.0-canary-7f3a\r\n".to_vec(), "does not speak TLS"),
        (
            "a record of 65535 bytes",
            [vec![22, 3, 3, 255, 255], vec![0; 65_535]].concat(),
            "does not speak TLS",
        ),
        ("an alert", record(alert, &[2, 40]), "TLS alert"),
        ("an alert of no known kind", record(alert, &[2, 255]), "TLS alert"),
        ("a handshake that is text", record(handshake, b"canary-7f3a canary-7f3a"), "TLS"),
        ("TLS 1.0", server_hello([3, 1], [0, 0x2F], &[]), "no TLS 1.2 or 1.3"),
        ("a cipher that was not offered", server_hello([3, 3], [0, 0], &[]), "rules of TLS"),
        ("data before the handshake", record(23, b"canary-7f3a"), "rules of TLS"),
    ];
    for (case, answer, expected) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a connection");
            let _hello = client.read(&mut [0; 4096]);
            let _all = client.write_all(&answer);
            let _end = client.read(&mut [0; 4096]);
        });
        let mut config = Config::new();
        config.set_base_url(&url).expect("a URL").set_timeout(Duration::from_secs(20)).set_max_retries(0);
        config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let client = Client::new(&config).expect("a client");
        let error = client.request(Request::new("GET", "/v2.1/calls").expect("good")).expect_err(case);
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{case}: {error}");
        assert!(error.message().contains(expected), "{case}: {error}");
        assert!(!error.request_sent(), "{case}: the handshake was not complete");
        must_be_ours(&error, case);
    }
}
