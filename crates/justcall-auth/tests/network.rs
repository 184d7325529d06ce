//! Real conditions of connections: idle connections that die, proxies, certificate authorities, bodies of every size.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Barrier;

use justcall_auth::{Client, ErrorKind, Request};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use support::{Tinyproxy, config, example, requests, sandbox, wait_until};

fn post(client: &Client, body: &[u8]) -> justcall_auth::Response {
    let mut request = Request::new("POST", "/v2.1/echo").expect("good");
    request.set_body(body);
    client.request(request).expect("the sandbox echoes")
}

fn port(sandbox: &Sandbox) -> u16 {
    sandbox.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// Returns how many sockets of this process to the sandbox are in `state`, in the kernel's notation.
fn sockets(sandbox: &Sandbox, state: &str) -> usize {
    let remote = format!("0100007F:{:04X}", port(sandbox));
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("the kernel's table");
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(2) == Some(&remote.as_str()) && row.get(3) == Some(&state)).count()
}

const ESTABLISHED: &str = "01";

#[test]
fn it_uses_one_connection_for_calls_in_a_row() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    for _ in 0..5 {
        client.verify().expect("a good pair");
    }
    let connections: Vec<u64> =
        requests(&sandbox).iter().filter_map(|request| request["connection"].as_u64()).collect();
    assert_eq!(connections, [connections[0]; 5]);
}

#[test]
fn it_never_fails_a_call_over_a_connection_that_died_while_idle() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    sandbox.control("POST", "faults", &json!({"fault": "close_idle"})).expect("a fault");
    for round in 0..5 {
        // The request is not idempotent and retries are off, so the one attempt must use a live connection.
        post(&client, b"{}");
        wait_until("the closing by the sandbox", || sockets(&sandbox, ESTABLISHED) == 0);
        assert_eq!(requests(&sandbox).len(), round + 1);
    }
    let seen = requests(&sandbox);
    let connections: std::collections::BTreeSet<u64> =
        seen.iter().filter_map(|request| request["connection"].as_u64()).collect();
    assert_eq!(connections.len(), 5, "the control: each connection died");
}

#[test]
fn it_keeps_no_connection_over_which_the_secret_was_sent_back() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let get = || client.request(Request::new("GET", "/v2.1/echo").expect("good"));
    let answers = |body: &str| {
        sandbox.control("POST", "clear", &Value::Null).expect("cleared");
        let fault = json!({"fault": "answer", "status": 400, "times": 1, "body": {"message": body}});
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let error = get().expect_err("400");
        assert!(!format!("{error} {error:?}").contains(sandbox.api_secret()));
        get().expect("an answer");
        let seen = requests(&sandbox);
        let connections: Vec<u64> =
            seen.iter().filter_map(|request| request["connection"].as_u64()).collect();
        connections[0] == connections[1]
    };
    assert!(answers("nothing of yours"), "the control: the connection is reused");
    assert!(answers("{api_key}"), "the key is not secret");
    assert!(!answers("you sent {authorization}"));
    assert!(
        !answers(&format!("{}{{api_secret}}{}", "x".repeat(20_000), "y".repeat(20_000))),
        "in a later piece"
    );
}

#[test]
fn it_keeps_no_more_idle_connections_than_its_limit() {
    const LIMIT: usize = 256;
    const CALLS: usize = LIMIT + 24;
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    // Each call waits until all have started, so that all connections are open at once.
    sandbox.control("POST", "faults", &json!({"fault": "delay", "ms": 1500})).expect("a fault");
    let together = Barrier::new(CALLS);
    std::thread::scope(|scope| {
        for _ in 0..CALLS {
            scope.spawn(|| {
                together.wait();
                client.verify().expect("a good pair");
            });
        }
    });
    let seen = requests(&sandbox);
    let opened: std::collections::BTreeSet<u64> =
        seen.iter().filter_map(|request| request["connection"].as_u64()).collect();
    assert!(opened.len() > LIMIT, "the control: only {} connections were needed", opened.len());
    wait_until("the closing of excess connections", || sockets(&sandbox, ESTABLISHED) <= LIMIT);
    assert!(sockets(&sandbox, ESTABLISHED) > 0, "the control: idle connections are counted");
}

#[test]
fn it_carries_large_bodies_both_ways() {
    const SIZE: usize = 16 * 1024 * 1024;
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let body: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at % 251).expect("below 251")).collect();
    let response = post(&client, &body);
    let echo: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(echo["body_bytes"], SIZE);
    assert!(response.body().len() > SIZE);
}

#[test]
fn it_expands_gzip_but_not_beyond_its_limit() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let get = |path: &str| client.request(Request::new("GET", path).expect("good"));
    let plain = get("/v2.1/echo?bytes=100000").expect("an answer");
    let packed = get("/v2.1/echo?bytes=100000&gzip=1").expect("an answer");
    assert_eq!(packed.body().len(), plain.body().len() + "&gzip=1".len());
    assert!(serde_json::from_slice::<Value>(packed.body()).is_ok());
    // 32 MiB of filler compress to a few KiB. They are refused once they exceed the limit of a call.
    let error = get(&format!("/v2.1/echo?bytes={}&gzip=1", 32 * 1024 * 1024)).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
}

/// A listener with a full queue: a connection to it is neither accepted nor refused.
struct Dead {
    _listener: std::os::fd::OwnedFd,
    _queue: Vec<std::os::fd::OwnedFd>,
}

impl Dead {
    fn at(address: std::net::SocketAddr) -> Self {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, listen, socket_with};
        let socket = || {
            socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None)
                .expect("a socket")
        };
        let listener = socket();
        bind(&listener, &address).expect("a free address");
        listen(&listener, 0).expect("a listener");
        let queue: Vec<_> = (0..4).map(|_| socket()).collect();
        for socket in &queue {
            let _in_progress = connect(socket, &address);
        }
        Self { _listener: listener, _queue: queue }
    }
}

/// Runs the example `verify` in a separate mount namespace, in which `name` has the addresses `hosts`.
fn verify_where(name: &str, hosts: &[&str], base_url: &str, sandbox: &Sandbox) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (pair, file) = (folder.path().join("pair"), folder.path().join("hosts"));
    std::fs::write(&pair, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
    let lines: Vec<String> = hosts.iter().map(|host| format!("{host} {name}")).collect();
    std::fs::write(
        &file,
        lines.join(
            "
",
        ) + "
",
    )
    .expect("a file");
    let script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&file).arg(example("verify"));
    command.arg(format!("file:{}", pair.display())).arg(base_url);
    let output = command.arg(sandbox.ca_file().expect("TLS is on")).output().expect("unshare runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn it_reaches_a_host_with_two_addresses_if_either_is_alive() {
    let sandbox = sandbox();
    let base_url = format!("https://localhost:{}", port(&sandbox));
    let verify = |hosts: &[&str]| verify_where("localhost", hosts, &base_url, &sandbox);
    let verified = |hosts: &[&str]| {
        let printed = verify(hosts);
        assert!(printed.contains("plan:"), "{hosts:?}: {printed}");
    };
    verified(&["127.0.0.1"]);
    // No server listens there, so the connection is refused at once.
    verified(&["::1", "127.0.0.1"]);
    verified(&["127.0.0.8", "127.0.0.1"]);
    let printed = verify(&["127.0.0.8"]);
    assert!(printed.contains("connection_failed"), "the control: {printed}");
    // The address neither accepts nor refuses connections.
    let _dead = Dead::at(format!("127.0.0.9:{}", port(&sandbox)).parse().expect("an address"));
    verified(&["127.0.0.9", "127.0.0.1"]);
    verified(&["127.0.0.1", "127.0.0.9"]);
}

#[test]
fn it_trusts_the_authorities_of_ssl_cert_file_and_only_those_of_a_ca_file() {
    let sandbox = sandbox();
    let verify = |ca: &[&str], variables: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = folder.path().join("pair");
        std::fs::write(&pair, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
        let mut command = Command::new(example("verify"));
        command.arg(format!("file:{}", pair.display())).arg(sandbox.url()).args(ca);
        let output = command.env_clear().envs(variables.iter().copied()).output().expect("the example runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let own = sandbox.ca_file().expect("TLS is on").to_str().expect("UTF-8");
    let system = "/etc/ssl/certs/ca-certificates.crt";
    assert!(
        verify(&[], &[("SSL_CERT_FILE", own)]).contains("plan:"),
        "{}",
        verify(&[], &[("SSL_CERT_FILE", own)])
    );
    assert!(verify(&[], &[]).contains("tls_failed"), "the system does not trust the sandbox's authority");
    assert!(verify(&[own], &[("SSL_CERT_FILE", system)]).contains("plan:"));
    assert!(verify(&[system], &[("SSL_CERT_FILE", own)]).contains("tls_failed"));
}

#[test]
fn it_uses_a_proxy_by_connect_without_exposing_the_pair() {
    let sandbox = sandbox();
    let proxy = Tinyproxy::start("");
    let mut config = config(&sandbox);
    config.set_proxy(&format!("http://127.0.0.1:{}", proxy.port())).expect("a proxy");
    let client = Client::new(&config).expect("a client");
    for _ in 0..3 {
        client.verify().expect("a good pair");
    }
    let tunnels = proxy.log().matches("): CONNECT 127.0.0.1:").count();
    assert_eq!(tunnels, 1, "one tunnel serves all three: {}", proxy.log());
    assert!(!proxy.log().contains(sandbox.api_key()), "{}", proxy.log());
}

#[test]
fn it_reports_why_a_proxy_refuses() {
    let sandbox = sandbox();
    let proxy = Tinyproxy::start("BasicAuth user pass-word");
    let mut config = config(&sandbox);
    let port = proxy.port();
    let mut verify = |login: &str| {
        config.set_proxy(&format!("http://{login}127.0.0.1:{port}")).expect("a proxy");
        Client::new(&config).and_then(|client| client.verify())
    };
    verify("user:pass%2Dword@").expect("the right login");
    for login in ["", "user:canary@"] {
        let error = verify(login).expect_err("the wrong login");
        assert_eq!(error.kind(), ErrorKind::ConnectionFailed);
        assert!(error.message().contains("proxy") && error.message().contains("40"), "{error}");
        assert!(!format!("{error:?}").contains("canary") && !error.request_sent());
    }
    drop(proxy);
    let error = verify("").expect_err("the proxy has ended");
    assert_eq!((error.kind(), error.request_sent()), (ErrorKind::ConnectionFailed, false));
}

#[test]
fn it_uses_no_proxy_for_plain_http_or_if_the_configuration_forbids_it() {
    let plain = Sandbox::start(SandboxConfig { http: true, ..SandboxConfig::default() }).expect("a sandbox");
    let proxy = Tinyproxy::start("");
    let mut direct = config(&plain);
    direct.set_proxy(&format!("http://127.0.0.1:{}", proxy.port())).expect("a proxy");
    Client::new(&direct).and_then(|client| client.verify()).expect("directly");
    assert!(!proxy.log().contains("Request ("), "{}", proxy.log());
    let sandbox = sandbox();
    let mut config = config(&sandbox);
    config.set_proxy("").expect("none");
    Client::new(&config).and_then(|client| client.verify()).expect("directly");
    assert!(!proxy.log().contains("Request ("), "{}", proxy.log());
}

/// Records what a proxy receives: a listener that refuses every request.
#[test]
fn it_sends_a_proxy_the_host_name_and_no_pair() {
    let sandbox = sandbox();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut config = config(&sandbox);
    config.set_proxy(&format!("http://u:p@{}", listener.local_addr().expect("an address"))).expect("a proxy");
    config.set_base_url("https://api.justcall.io").expect("good");
    let received = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a connection");
        let lines: Vec<String> =
            BufReader::new(&peer).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        peer.write_all(b"HTTP/1.1 503 No\r\n\r\n").expect("the client reads");
        lines
    });
    let error = Client::new(&config).and_then(|client| client.verify()).expect_err("the proxy refuses");
    assert!(error.message().contains("HTTP 503"), "{error}");
    let lines = received.join().expect("a request");
    assert_eq!(
        lines,
        [
            "CONNECT api.justcall.io:443 HTTP/1.1",
            "Host: api.justcall.io:443",
            "Proxy-Authorization: Basic dTpw"
        ]
    );
}

#[test]
fn it_never_sends_the_pair_unencrypted_to_a_host_that_is_not_loopback() {
    let plain = Sandbox::start(SandboxConfig { http: true, ..SandboxConfig::default() }).expect("a sandbox");
    let tls = sandbox();
    let base_url = format!("http://plain.test:{}", port(&plain));
    let verify = |hosts: &[&str]| verify_where("plain.test", hosts, &base_url, &tls);
    assert!(
        verify(&["127.0.0.1"]).contains("invalid_credentials"),
        "the control: another name of loopback is allowed"
    );
    assert!(!requests(&plain).is_empty());
    plain.control("POST", "clear", &Value::Null).expect("cleared");
    for hosts in [["192.0.2.1", "192.0.2.2"], ["127.0.0.1", "192.0.2.1"]] {
        let printed = verify(&hosts);
        assert!(printed.contains("invalid_argument") && printed.contains("unencrypted"), "{printed}");
    }
    assert_eq!(requests(&plain).len(), 0);
}
