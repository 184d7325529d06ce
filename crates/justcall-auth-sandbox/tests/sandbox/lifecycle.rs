//! Starting and stopping a sandbox.

use std::net::SocketAddr;
use std::path::PathBuf;

use justcall_auth_sandbox::{Sandbox, SandboxConfig, StartError};
use rustls::pki_types::ServerName;
use serde_json::json;

use crate::client::{Connection, End, authority, connect, eventually, get, pair, plain, sandbox};

#[test]
fn it_leaves_nothing_behind() {
    let sandbox = sandbox();
    let ca_file = sandbox.ca_file().unwrap().to_owned();
    let address: SocketAddr = authority(sandbox.url()).parse().unwrap();
    assert!(ca_file.exists());
    sandbox.control("POST", "faults", &json!({"fault": "hang"})).unwrap();
    let mut hanging = Connection::open(&sandbox).unwrap();
    hanging.get(&pair(&sandbox), "/v2/account").unwrap();
    drop(sandbox);
    assert!(!ca_file.exists());
    assert_ne!(hanging.rest().1, End::Clean, "a connection is cut, not closed as if it were done");
    assert!(connect(address).is_err());
}

/// A name for a CA file. The file vanishes with this value.
struct Named(PathBuf);

impl Named {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("justcall-auth-sandbox-{name}-{}.pem", std::process::id())))
    }

    fn start(&self) -> Result<Sandbox, StartError> {
        Sandbox::start(SandboxConfig { ca_file: Some(self.0.clone()), ..SandboxConfig::default() })
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn it_keeps_a_ca_file_that_the_caller_named_and_replaces_that_of_an_earlier_sandbox() {
    let named = Named::new("kept");
    let mut contents = Vec::new();
    for _ in 0..2 {
        let sandbox = named.start().unwrap();
        assert_eq!(sandbox.ca_file(), Some(named.0.as_path()));
        assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
        drop(sandbox);
        let pem = std::fs::read_to_string(&named.0).unwrap();
        assert!(
            pem.starts_with("-----BEGIN CERTIFICATE-----")
                && pem.trim_end().ends_with("-----END CERTIFICATE-----")
        );
        assert!(!pem.contains("PRIVATE"));
        contents.push(pem);
    }
    assert_ne!(contents[0], contents[1]);
    std::fs::write(&named.0, "").unwrap();
    named.start().expect("an empty file has nothing to lose");
}

#[test]
fn it_does_not_overwrite_a_file_of_the_caller() {
    let named = Named::new("refused");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    named.start().unwrap();
    let ours = std::fs::read_to_string(&named.0).unwrap();
    let key = ours.replace("CERTIFICATE", "PRIVATE KEY");
    let with = |before: &str, after: &str| format!("{before}{ours}{after}");
    let huge = with("", &"\n".repeat(100_000));
    for contents in [
        "a key",
        " ",
        &other,
        &with("", &other),
        &with(&other, ""),
        &with("", &key),
        &with(&key, ""),
        &with("", "notes"),
        &with("notes\n", ""),
        &huge,
    ] {
        std::fs::write(&named.0, contents).unwrap();
        let refused = named.start().map(drop).unwrap_err();
        assert!(matches!(&refused, StartError::CaFileNotOurs(path) if *path == named.0), "{refused:?}");
        assert!(refused.to_string().contains("it was not changed; name another file"), "{refused}");
        assert_eq!(std::fs::read_to_string(&named.0).unwrap(), contents);
    }
}

#[test]
fn it_serves_plain_http_without_a_ca_file() {
    let sandbox = plain();
    assert!(sandbox.url().starts_with("http://127.0.0.1:"));
    assert!(sandbox.control_url().starts_with("http://127.0.0.1:") && sandbox.control_url().ends_with('/'));
    assert_eq!(sandbox.ca_file(), None);
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
}

#[test]
fn it_serves_both_loopback_families_at_one_port() {
    let listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    let sandbox = match Sandbox::start(SandboxConfig { listen, ..SandboxConfig::default() }) {
        // A machine without IPv6 has no such address.
        Err(StartError::Listen(address, _)) if address.is_ipv6() => return,
        started => started.unwrap(),
    };
    let port = authority(sandbox.url()).parse::<SocketAddr>().unwrap().port();
    for address in
        [SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port))]
    {
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = Connection::open_as(address, name, sandbox.ca_file()).unwrap();
        connection.get(&pair(&sandbox), "/v2/account").unwrap();
        assert_eq!(connection.answer().unwrap().status, 200);
    }
}

#[test]
fn it_is_an_ipv6_address_in_its_urls_if_that_comes_first() {
    let listen = vec!["[::1]:0".parse().unwrap()];
    let Ok(sandbox) = Sandbox::start(SandboxConfig { listen, ..SandboxConfig::default() }) else { return };
    assert!(sandbox.url().starts_with("https://[::1]:"));
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
    assert!(Connection::open_control(&sandbox).is_ok());
}

#[test]
fn it_listens_on_loopback_addresses_only() {
    for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let listen = vec!["127.0.0.1:0".parse().unwrap(), open.parse().unwrap()];
        let refused = Sandbox::start(SandboxConfig { listen, ..SandboxConfig::default() });
        assert!(matches!(refused, Err(StartError::NotLoopback(_))), "{open}");
    }
    let nowhere = Sandbox::start(SandboxConfig { listen: Vec::new(), ..SandboxConfig::default() });
    assert!(matches!(nowhere, Err(StartError::NoAddress)));
}

#[test]
fn it_names_the_address_that_is_taken() {
    let first = sandbox();
    let taken: SocketAddr = authority(first.url()).parse().unwrap();
    let second = Sandbox::start(SandboxConfig { listen: vec![taken], ..SandboxConfig::default() });
    match second {
        Err(StartError::Listen(address, _)) => assert_eq!(address, taken),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_creates_new_pairs_and_an_authority_for_every_sandbox() {
    let (one, other) = (sandbox(), sandbox());
    assert_ne!(one.api_secret(), other.api_secret());
    assert_ne!(one.ca_file(), other.ca_file());
    let address: SocketAddr = authority(one.url()).parse().unwrap();
    let stranger = Connection::open_as(address, ServerName::try_from("localhost").unwrap(), other.ca_file());
    assert!(stranger.is_err(), "one sandbox's authority does not vouch for another");
}

#[test]
fn it_serves_many_connections_at_once() {
    let sandbox = plain();
    let right = pair(&sandbox);
    let mut connections: Vec<Connection> = (0..100).map(|_| Connection::open(&sandbox).unwrap()).collect();
    for connection in &mut connections {
        connection.get(&right, "/v2/account").unwrap();
    }
    for connection in &mut connections {
        assert_eq!(connection.answer().unwrap().status, 200);
    }
    let count = || sandbox.control("GET", "requests", &json!(null)).unwrap().as_array().unwrap().len();
    eventually(|| count() == 100);
}
