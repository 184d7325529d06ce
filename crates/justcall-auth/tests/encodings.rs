//! Bodies that are compressed or labelled so. A response that came is never reported as a lost connection.
#![cfg(target_os = "linux")]

mod support;

use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use justcall_auth::{Client, Config, Credentials, Error, ErrorKind, Request, Response};
use support::read_request;

/// The limit of each wait, so that a hang fails instead of blocking.
const TIME_LIMIT: Duration = Duration::from_secs(20);
const PLAIN: &[u8] = br#"{"status":"success","data":{"account_id":7}}"#;

/// Answers every request with the same bytes.
struct Service {
    client: Client,
    requests: Arc<AtomicUsize>,
}

impl Service {
    fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut config = Config::new();
        config
            .set_base_url(&format!("http://{}", listener.local_addr().expect("an address")))
            .expect("loopback may be http");
        config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        config.set_timeout(TIME_LIMIT).set_max_retries(2);
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        // The thread ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, counted) = (answer.clone(), counted.clone());
                std::thread::spawn(move || while serve(&stream, &answer, &counted).is_some() {});
            }
        });
        Self { client: Client::new(&config).expect("a client"), requests }
    }

    fn ask(&self, method: &str) -> Result<Response, Error> {
        self.client.request(Request::new(method, "/v2.1/texts").expect("good"))
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Reads one request without a body and answers it. Returns `None` at the end of the connection.
fn serve(mut stream: &TcpStream, answer: &[u8], counted: &AtomicUsize) -> Option<()> {
    read_request(stream)?;
    counted.fetch_add(1, Ordering::SeqCst);
    stream.write_all(answer).ok()?;
    if answer.starts_with(b"HTTP/1.1 200 Cut") {
        stream.shutdown(Shutdown::Both).ok()?;
    }
    Some(())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).expect("memory accepts everything");
    encoder.finish().expect("memory accepts everything")
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn it_accepts_a_response_without_a_body_whatever_its_encoding_header() {
    for encoding in ["gzip", "GZIP", "x-gzip", "gzip, gzip", "br", "identity"] {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        let no_content = format!("HTTP/1.1 204 No Content\r\n{headers}\r\n").into_bytes();
        let to_head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 20\r\n\r\n").into_bytes();
        let chunked =
            format!("HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").into_bytes();
        for (method, answer) in [
            ("POST", no_content.clone()),
            ("DELETE", no_content),
            ("HEAD", to_head),
            ("POST", answer("200 OK", &headers, b"")),
            ("GET", chunked),
        ] {
            let case = format!("{method}, {}", String::from_utf8_lossy(&answer));
            let service = Service::start(answer);
            let response = service.ask(method).expect(&case);
            assert_eq!((response.body(), service.requests()), (&b""[..], 1), "{case}");
            service.ask(method).expect("over the same connection");
        }
    }
}

#[test]
fn it_expands_gzip_under_each_of_its_names() {
    let once = gzip(PLAIN);
    for (encoding, body) in [
        ("gzip", once.clone()),
        ("GZIP", once.clone()),
        ("x-gzip", once.clone()),
        ("X-GZip", once.clone()),
        ("identity, gzip", once.clone()),
        ("gzip, gzip", gzip(&once)),
        ("gzip", [gzip(&PLAIN[..9]), gzip(&PLAIN[9..])].concat()),
        ("identity", PLAIN.to_vec()),
        ("", PLAIN.to_vec()),
    ] {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        let service = Service::start(answer("200 OK", &headers, &body));
        let response = service.ask("GET").expect(encoding);
        assert_eq!(response.body(), PLAIN, "{encoding}");
        let names: Vec<_> = response.headers().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let is_expanded = body != PLAIN;
        assert_eq!(!names.iter().any(|name| name == "content-encoding"), is_expanded, "{encoding}");
        assert_eq!(!names.iter().any(|name| name == "content-length"), is_expanded, "{encoding}");
    }
}

#[test]
fn it_reports_a_response_that_cannot_be_decoded_as_invalid_and_never_retries() {
    let packed = gzip(PLAIN);
    let mut wrong_sum = packed.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let mut wrong_data = packed.clone();
    wrong_data[12] ^= 0x55;
    for (encoding, body) in [
        ("gzip", PLAIN.to_vec()),
        ("gzip", b"x".to_vec()),
        ("gzip", packed[..packed.len() - 4].to_vec()),
        ("gzip", packed[..5].to_vec()),
        ("gzip", wrong_sum),
        ("gzip", wrong_data),
        ("gzip, gzip", packed.clone()),
        ("br", b"\x0b\x02\x80canary\x03".to_vec()),
        ("deflate", packed.clone()),
        ("zstd", packed.clone()),
        ("gzip, br", packed),
    ] {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        for method in ["GET", "POST"] {
            let service = Service::start(answer("200 OK", &headers, &body));
            let error = service.ask(method).expect_err(encoding);
            let case = format!("{method} {encoding}: {error} {}", error.hint());
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{case}");
            assert!(error.request_sent() && !error.retryable() && error.http_status() == 200, "{case}");
            assert!(error.message().contains("Content-Encoding") && !case.contains("DNS"), "{case}");
            assert_eq!(service.requests(), 1, "{case}");
            // The status of an error response has already decided.
            let service = Service::start(answer("422 Unprocessable", &headers, &body));
            assert_eq!(service.ask(method).expect_err("422").kind(), ErrorKind::Unprocessable, "{case}");
        }
    }
}

#[test]
fn it_still_reports_a_connection_that_was_lost_in_a_compressed_body() {
    let packed = gzip(PLAIN);
    let head =
        format!("HTTP/1.1 200 Cut\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
    for end in [0, 1, 12, packed.len() - 1] {
        let service = Service::start([head.as_bytes(), &packed[..end]].concat());
        let error = service.ask("POST").expect_err("the body is not complete");
        assert_eq!(error.kind(), ErrorKind::ConnectionFailed, "{end}: {error}");
        assert_eq!((error.reason(), error.request_sent()), (Some("receive"), true), "{end}: {error}");
    }
}

#[test]
fn it_reads_json_behind_a_byte_order_mark() {
    let marked = [b"\xEF\xBB\xBF", PLAIN].concat();
    for (headers, body) in [("", marked.clone()), ("Content-Encoding: gzip\r\n", gzip(&marked))] {
        let account = Service::start(answer("200 OK", headers, &body)).client.verify().expect("an account");
        assert_eq!(account.id(), Some(7));
    }
    let refusal = "\u{feff}{\"status\":\"error\",\"message\":\"No such number.\"}";
    let error = Service::start(answer("400 No", "", refusal.as_bytes())).ask("GET").expect_err("400");
    assert_eq!(error.service_message(), Some("No such number."));
    let twice = [b"\xEF\xBB\xBF", &marked[..]].concat();
    Service::start(answer("200 OK", "", &twice)).client.verify().expect_err("one mark is enough");
}

#[test]
fn it_refuses_headers_that_are_folded() {
    for headers in ["X-Note: a\r\n b\r\n", "X-Note: a\r\n\tb\r\n"] {
        let service = Service::start(answer("200 OK", headers, PLAIN));
        let error = service.ask("POST").expect_err("folding is obsolete since 2014");
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidResponse, true), "{error}");
        assert_eq!(service.requests(), 1);
    }
    Service::start(answer("200 OK", "X-Note: a b\r\n", PLAIN)).ask("POST").expect("the control");
}
