//! Faults that strike a new connection, and the certificate that it presents.

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use justcall_auth_sandbox::Sandbox;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error};
use serde_json::{Value, json};

use crate::client::{Connection, End, authority, connect, get, pair, plain, sandbox};
use crate::faults::fault;

fn address(sandbox: &Sandbox) -> SocketAddr {
    authority(sandbox.url()).parse().unwrap()
}

#[test]
fn it_resets_a_new_connection_before_its_request() {
    for sandbox in [sandbox(), plain()] {
        fault(&sandbox, &json!({"fault": "reset_before_request", "times": 1}));
        let mut connection = Connection::open(&sandbox).expect("the handshake succeeds");
        assert_eq!(connection.rest(), (Vec::new(), End::Reset));
        assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
        let requests = sandbox.control("GET", "requests", &Value::Null).unwrap();
        assert_eq!(requests.as_array().unwrap().len(), 1, "only the second request was read");
    }
}

#[test]
fn it_leaves_open_connections_alone() {
    let sandbox = sandbox();
    let mut connection = Connection::open(&sandbox).unwrap();
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    connection.answer().unwrap();
    fault(&sandbox, &json!({"fault": "reset_before_request"}));
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
}

#[test]
fn it_answers_a_client_hello_late() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "slow_handshake", "ms": 150, "times": 1}));
    let before = Instant::now();
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
    assert!(before.elapsed() >= Duration::from_millis(150));
}

#[test]
fn it_never_answers_a_client_hello() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "hang_handshake"}));
    let mut tcp = connect(address(&sandbox)).unwrap();
    tcp.write_all(b"\x16\x03\x01\x00\x05hello").unwrap();
    assert!(Connection::Plain(tcp).is_silent());
}

#[test]
fn it_answers_a_client_hello_with_other_bytes() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "raw_handshake", "base64": "FQMBAAICRg==", "times": 1}));
    let error = Connection::open(&sandbox).err().expect("the handshake is refused");
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
    assert!(sandbox.control("GET", "requests", &Value::Null).unwrap().as_array().unwrap().len() == 1);
}

fn certificate_error(sandbox: &Sandbox, bad: &str) -> CertificateError {
    fault(sandbox, &json!({"fault": "tls", "certificate": bad, "times": 1}));
    let error = Connection::open(sandbox).err().expect("the certificate is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(error)) => error.clone(),
        other => panic!("no certificate error: {other:?}"),
    }
}

#[test]
fn it_shows_bad_certificates_each_with_its_own_fault() {
    let sandbox = sandbox();
    assert!(matches!(certificate_error(&sandbox, "expired"), CertificateError::ExpiredContext { .. }));
    let early = certificate_error(&sandbox, "not_yet_valid");
    assert!(matches!(early, CertificateError::NotValidYetContext { .. }), "{early:?}");
    assert!(matches!(
        certificate_error(&sandbox, "wrong_host"),
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName
    ));
    assert_eq!(certificate_error(&sandbox, "unknown_ca"), CertificateError::UnknownIssuer);
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
}

#[test]
fn it_is_localhost_and_nothing_else() {
    let sandbox = sandbox();
    for (name, good) in [("localhost", true), ("127.0.0.1", true), ("::1", true), ("example.com", false)] {
        let name = ServerName::try_from(name).unwrap();
        let connected = Connection::open_as(address(&sandbox), name.clone(), sandbox.ca_file());
        assert_eq!(connected.is_ok(), good, "{name:?}");
    }
}

#[test]
fn it_drops_a_client_that_speaks_plain_http_to_tls() {
    let sandbox = sandbox();
    let mut tcp = connect(address(&sandbox)).unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (bytes, _) = Connection::Plain(tcp).rest();
    assert!(!bytes.starts_with(b"HTTP"));
}
