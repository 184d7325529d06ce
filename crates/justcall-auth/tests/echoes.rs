//! A service that sends the secret back, split or compressed. The caller gets no part of it, and the connection is not
//! reused.
#![cfg(target_os = "linux")]

mod support;

use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use justcall_auth::{Client, Config, Credentials, Request, Response};
use support::read_request;

const KEY: &str = "abc123def456";
const SECRET: &str = "sec789xyz000";
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// `{"status": "error", "message": "You sent KEY:SECRET, twice: SECRET"}`, compressed, with no plain run of eight
/// bytes.
const GZIPPED: &str = "1f8b0800000000000203ab562a2e492c292d56b252504a2d2aca2f52d25150ca4d2d2e4e4c4f058945e6972a14a7e695\
    282426251b1a19a7a4a699989a5915a7269b5b58565456191818e82894946726a75a29200b2ad50200fbf22177590000\
    00";

/// Answers every request with `pieces`, each after the client has read the previous one.
struct Service {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Service {
    fn start(pieces: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        // The thread ends with the process of the test. A test ends after all its calls.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let pieces = pieces.clone();
                std::thread::spawn(move || while answer(&stream, &pieces).is_some() {});
            }
        });
        Self { address, connections }
    }
}

/// Closes the connection at this position in the pieces.
const CLOSE: &str = "\0farewell";

fn answer(mut stream: &TcpStream, pieces: &[Vec<u8>]) -> Option<()> {
    read_request(stream)?;
    stream.set_nodelay(true).ok()?;
    for piece in pieces {
        if piece == CLOSE.as_bytes() {
            return stream.shutdown(Shutdown::Both).ok().and(None);
        }
        stream.write_all(piece).ok()?;
        await_read(stream.peer_addr().ok()?)?;
    }
    Some(())
}

/// Waits until the socket at `client` has no unread data.
fn await_read(client: SocketAddr) -> Option<()> {
    let local = format!("0100007F:{:04X}", client.port());
    let begun = Instant::now();
    while begun.elapsed() < TIME_LIMIT {
        let table = std::fs::read_to_string("/proc/self/net/tcp").ok()?;
        let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row.get(1) == Some(&local.as_str()))?;
        if row.get(4)?.ends_with(":00000000") {
            return Some(());
        }
        std::thread::yield_now();
    }
    None
}

fn shows(text: &str) -> bool {
    SECRET.as_bytes().windows(8).any(|part| text.contains(std::str::from_utf8(part).expect("ASCII")))
}

/// Returns the response and the error that the caller gets for `pieces`, and whether the connection is reused.
fn responses_of(pieces: &[impl AsRef<[u8]>]) -> (Response, String, bool) {
    let service = Service::start(pieces.iter().map(|piece| piece.as_ref().to_vec()).collect());
    let mut config = Config::new();
    config.set_base_url(&format!("http://{}", service.address)).expect("loopback");
    let pair = Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("a good pair");
    config.set_credentials(pair).set_timeout(TIME_LIMIT).set_max_retries(0);
    let client = Client::new(&config).expect("a client");
    let get = || client.request(Request::new("GET", "/v2.1/calls").expect("good")).expect_err("400");
    let error = get();
    let response = error.response().expect("an answer").clone();
    get();
    let is_reused = service.connections.load(Ordering::SeqCst) == 1;
    (response, format!("{error} {error:?} {:?}", error.service_message()), is_reused)
}

fn everything(response: &Response) -> String {
    let headers: Vec<_> = response.headers().iter().collect();
    format!("{headers:?} {}", String::from_utf8_lossy(response.body()))
}

#[track_caller]
fn must_hide(pieces: &[impl AsRef<[u8]>], must_have: &str) {
    let (response, error, is_reused) = responses_of(pieces);
    let seen = everything(&response);
    assert!(!shows(&seen) && !shows(&error), "{seen}\n{error}");
    assert!(seen.contains(must_have), "the other text is unchanged: {seen}");
    assert!(!is_reused, "the buffers of the connection contain the secret");
}

const HEAD: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n";

fn whole(body: &str) -> String {
    format!("{HEAD}content-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn it_passes_on_no_part_of_a_secret_that_arrives_in_two_pieces() {
    let body = format!("{{\"message\": \"You sent {KEY}:{SECRET}, and {SECRET}\"}}");
    let answer = whole(&body);
    for begun in [1, 8, SECRET.len() - 1] {
        let cut = answer.find(SECRET).expect("the response contains it") + begun;
        must_hide(&[&answer[..cut], &answer[cut..]], "************, and ************\"}");
        let thrice = [&answer[..cut - begun / 2], &answer[cut - begun / 2..cut], &answer[cut..]];
        must_hide(&thrice, "************, and ************\"}");
    }
    let header = format!("{HEAD}x-echo: {KEY}:{SECRET}!\r\ncontent-length: 2\r\n\r\n{{}}");
    let cut = header.find(SECRET).expect("the response contains it") + SECRET.len() - 2;
    must_hide(&[&header[..cut], &header[cut..]], "************!");
}

#[test]
fn it_finds_a_secret_that_is_split_by_chunks() {
    let chunks = |cut: &[&str]| {
        let framed: Vec<String> =
            cut.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
        format!("{HEAD}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", framed.concat())
    };
    let (begin, end) = SECRET.split_at(SECRET.len() - 1);
    must_hide(&[chunks(&["{\"message\": \"", begin, end, "!\"}"])], "************!\"}");
    let letters: Vec<&str> = SECRET.split("").filter(|letter| !letter.is_empty()).collect();
    must_hide(&[chunks(&letters)], "************");
    let (response, _, is_reused) = responses_of(&[chunks(&["{\"message\": \"", "none ", "of ", "yours\"}"])]);
    assert_eq!(response.body(), b"{\"message\": \"none of yours\"}");
    assert!(is_reused, "the control: after other responses the connection is reused");
}

#[test]
fn it_passes_on_no_start_of_a_secret_at_which_a_response_was_cut() {
    let answer = whole(&format!("{{\"message\": \"You sent {KEY}:{SECRET}\"}}"));
    let cut = answer.find(SECRET).expect("the response contains it") + SECRET.len() - 1;
    must_hide(&[&answer[..cut], CLOSE], "You sent abc123def456:***********");
    // At most 64 KiB of an error's body are read, also after decompression or within chunks.
    let filler = "x".repeat(64 * 1024 - SECRET.len() + 2);
    let chunks = format!("{:x}\r\n{filler}{}\r\n2\r\n00\r\n0\r\n\r\n", filler.len() + 10, &SECRET[..10]);
    let long = format!("{HEAD}transfer-encoding: chunked\r\n\r\n{chunks}");
    must_hide(&[long.as_str(), CLOSE], "xx**********");
}

#[test]
fn it_finds_a_secret_in_a_compressed_body() {
    let packed: Vec<u8> = (0..GZIPPED.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&GZIPPED[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    assert!(!shows(&String::from_utf8_lossy(&packed)), "the control: it is not plain in the sent bytes");
    let head = format!("{HEAD}content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
    let answer = [head.as_bytes(), &packed].concat();
    must_hide(&[answer], "You sent abc123def456:************, twice: ************");
}
