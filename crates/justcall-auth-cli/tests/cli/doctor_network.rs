//! `doctor`: the route to the service, from the proxy to the clock.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use justcall_auth_sandbox::SandboxConfig;
use serde_json::{Value, json};

use crate::checks::{Checks, checks, checks_with, pair};
use crate::run::{Service, run};

#[test]
fn it_skips_the_checks_after_a_failed_connection() {
    let service = Service::start();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    let after_tcp = ["tunnel", "tls", "clock", "verify", "rate_limit", "local_address"];
    let refused = Checks::of(
        &run(&["doctor", "--json", "--base-url", &format!("https://{closed}")], &pair(&service)),
        7,
    );
    assert_eq!(refused.are("failed"), ["tcp"]);
    refused.has("tcp", "failed", "refused the connection");
    for name in after_tcp {
        assert_eq!(refused.get(name).0, "skipped", "{refused:?}");
    }

    // RFC 6761: names under .invalid never exist.
    let nameless =
        Checks::of(&run(&["doctor", "--json", "--base-url", "https://justcall.invalid"], &pair(&service)), 7);
    assert_eq!(nameless.are("failed"), ["dns"]);
    nameless.has("dns", "failed", "justcall.invalid");
    assert_eq!(nameless.get("tcp").0, "skipped");
    assert_eq!(nameless.get("verify").0, "skipped");
}

#[test]
fn it_prints_the_addresses_of_a_name() {
    let service = Service::start();
    let url = service.sandbox.url().replace("127.0.0.1", "localhost");
    let ca_file = service.address[3].as_str();
    let arguments = ["doctor", "--json", "--base-url", &url, "--ca-file", ca_file];
    Checks::of(&run(&arguments, &pair(&service)), 0).has("dns", "ok", "127.0.0.1");
}

#[test]
fn it_reports_an_untrusted_certificate() {
    let service = Service::start();
    let stranger = Service::start();
    let arguments =
        ["doctor", "--json", "--base-url", service.sandbox.url(), "--ca-file", &stranger.address[3]];
    let untrusted = Checks::of(&run(&arguments, &pair(&service)), 7);
    assert_eq!(untrusted.are("failed"), ["tls"]);
    untrusted.has("clock", "skipped", "no connection");
    untrusted.has("local_address", "ok", "127.0.0.1");
    assert_eq!(service.requests(), 0);
    for certificate in ["expired", "wrong_host", "unknown_ca"] {
        service.control("DELETE", "faults", &Value::Null);
        service.control("POST", "faults", &json!({"fault": "tls", "certificate": certificate}));
        assert_eq!(checks(&service, &[], 7).are("failed"), ["tls"], "{certificate}");
    }
}

#[test]
fn it_needs_no_tls_on_this_machine() {
    let service =
        justcall_auth_sandbox::Sandbox::start(SandboxConfig { http: true, ..SandboxConfig::default() })
            .expect("a sandbox");
    let pair = [("JUSTCALL_API_KEY", service.api_key()), ("JUSTCALL_API_SECRET", service.api_secret())];
    let checks = Checks::of(&run(&["doctor", "--json", "--base-url", service.url()], &pair), 0);
    checks.has("tls", "skipped", "http://");
    assert_eq!(checks.get("verify").0, "ok");
}

#[test]
fn it_reports_a_clock_that_differs_from_the_services() {
    let service = Service::start();
    for (date, side) in
        [("Sun, 06 Nov 1994 08:49:37 GMT", "ahead of"), ("Fri, 31 Dec 2100 00:00:00 GMT", "behind")]
    {
        service.control("DELETE", "faults", &Value::Null);
        let skewed = json!({"fault": "answer", "status": 404, "path": "/", "headers": {"date": date}});
        service.control("POST", "faults", &skewed);
        let checks = checks(&service, &[], 1);
        assert_eq!(checks.are("failed"), ["clock"]);
        checks.has("clock", "failed", side);
    }
    service.control("DELETE", "faults", &Value::Null);
    service.control(
        "POST",
        "faults",
        &json!({"fault": "answer", "status": 200, "path": "/", "headers": {"date": "soon"}}),
    );
    checks(&service, &[], 0).has("clock", "skipped", "has no date");
}

/// Starts a proxy for one tunnel after another, which requires the login if there is one. Returns its port.
fn proxy(login: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let serve = move |client: std::net::TcpStream| -> std::io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        let (mut target, mut admitted) = (String::new(), login.is_none());
        for line in reader.by_ref().lines() {
            let line = line?;
            if let Some(rest) = line.strip_prefix("CONNECT ") {
                rest.split(' ').next().unwrap_or_default().clone_into(&mut target);
            }
            admitted |= login.is_some_and(|login| line == format!("Proxy-Authorization: Basic {login}"));
            if line.is_empty() {
                break;
            }
        }
        let mut client = client;
        if !admitted {
            return client.write_all(b"HTTP/1.1 407 Login\r\n\r\n");
        }
        let service = std::net::TcpStream::connect(target)?;
        client.write_all(b"HTTP/1.1 200 Go on\r\n\r\n")?;
        let (mut up, mut down) = (client.try_clone()?, service.try_clone()?);
        thread::spawn(move || std::io::copy(&mut up, &mut &service));
        std::io::copy(&mut down, &mut client).map(drop)
    };
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || serve(client));
        }
    });
    port
}

#[test]
fn it_prints_the_proxy_and_its_origin() {
    let service = Service::start();
    let url = format!("http://127.0.0.1:{}", proxy(None));
    let explicit = checks(&service, &["--proxy", &url], 0);
    explicit.has("proxy", "ok", &format!("{} from --proxy", &url[7..]));
    explicit.has("tcp", "ok", &url[7..]);
    explicit.has("tunnel", "ok", "opened a tunnel");
    explicit.has("local_address", "ok", "The service sees the address of the proxy");

    let variables = [&pair(&service)[..], &[("HTTPS_PROXY", "http://proxy.example:3128")]].concat();
    // A proxy of the environment is not used for the machine itself.
    let direct = checks_with(&service, &[], &variables, 0);
    direct.has("proxy", "ok", "proxy.example:3128 from HTTPS_PROXY, not used for this base URL");
    assert_eq!(direct.get("tunnel").0, "skipped");
    checks_with(&service, &["--proxy", ""], &variables, 0).has("proxy", "ok", "none");
    let far = Checks::of(
        &run(
            &["doctor", "--json", "--base-url", "https://service.invalid"],
            &[&pair(&service)[..], &[("https_proxy", url.as_str())]].concat(),
        ),
        7,
    );
    far.has("proxy", "ok", "from https_proxy");
    assert_eq!(far.are("failed"), ["tunnel"], "the proxy looks the name up: {far:?}");
}

#[test]
fn it_shows_why_a_proxy_is_not_used_and_which_entry_of_no_proxy_matched() {
    let service = Service::start();
    let url = "https://service.invalid:8443";
    let doctor = |base_url: &str, proxy: &str, list: &str, exit: i32| {
        let variables = [&pair(&service)[..], &[("HTTPS_PROXY", proxy), ("NO_PROXY", list)]].concat();
        Checks::of(&run(&["doctor", "--json", "--base-url", base_url], &variables), exit)
    };
    for entry in ["*", "invalid", ".service.invalid", "service.invalid.", "*.invalid:8443"] {
        for proxy in
            ["http://proxy.example:3128", "socks5://proxy.example:1080", "http://proxy.example:99999"]
        {
            let list = format!("10.0.0.0/8 other.example,{entry}");
            let checks = doctor(url, proxy, &list, 7);
            checks.has("proxy", "ok", "from HTTPS_PROXY");
            checks.has("proxy", "ok", &format!("the entry {entry} of NO_PROXY covers its host"));
            assert_eq!(checks.are("failed"), ["dns"], "the proxy is not used: {checks:?}");
        }
    }
    for (base_url, list, entry) in [
        ("https://10.255.255.1:1", "10.0.0.0/8", Some("10.0.0.0/8")),
        ("https://[fd00:0:0::1]:1", "fd00:0::1", Some("fd00:0::1")),
        ("https://10.255.255.1:1", "11.0.0.0/8", None),
    ] {
        // The proxy is down, so the failed connection shows whether it is used.
        let variables =
            [&pair(&service)[..], &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", list)]].concat();
        let arguments = ["doctor", "--json", "--timeout", "0.2", "--base-url", base_url];
        let checks = Checks::of(&run(&arguments, &variables), 7);
        match entry {
            Some(entry) => checks.has("proxy", "ok", &format!("the entry {entry} of NO_PROXY")),
            None => checks.has("tcp", "failed", "The proxy 127.0.0.1:1 refused the connection"),
        }
    }
    let loopback = doctor(service.sandbox.url(), "socks5://proxy.example:1080", "", 7);
    loopback.has("proxy", "ok", "(not usable), not used for this base URL: its host is this machine");
    let used = doctor(url, "socks5://proxy.example:1080", "other.example", 2);
    used.has("proxy", "failed", "HTTPS_PROXY");
}

#[test]
fn it_never_prints_the_login_of_a_proxy() {
    let service = Service::start();
    let port = proxy(Some("Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3M="));
    let good = format!("http://canary-user:canary-pass@127.0.0.1:{port}");
    let wrong = format!("http://canary-user:canary-wrong@127.0.0.1:{port}");
    let unusable = format!("https://canary-user:canary-pass@127.0.0.1:{port}");
    for json in [&[][..], &["--json"]] {
        for (command, url, exit) in [
            (&["doctor"][..], &good, 0),
            (&["doctor"], &wrong, 7),
            (&["doctor"], &unusable, 2),
            (&["verify"], &good, 0),
            (&["verify"], &wrong, 7),
            (&["verify"], &unusable, 2),
            (&["request", "get", "/v2.1/calls"], &wrong, 7),
        ] {
            let run = service.run(&[command, &["--proxy", url], json].concat());
            assert_eq!(run.exit, exit, "{run:?}");
            assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{run:?}");
        }
        let variables = [&pair(&service)[..], &[("HTTPS_PROXY", unusable.as_str())]].concat();
        // A base URL on another machine, for which the proxy would be used.
        let far = ["doctor", "--base-url", "https://service.invalid"];
        let run = run(&[&far[..], json].concat(), &variables);
        assert_eq!(run.exit, 2, "{run:?}");
        assert!(!run.stdout.contains("canary") && run.stdout.contains("HTTPS_PROXY"), "{run:?}");
    }
}
