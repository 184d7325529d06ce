//! `doctor`: the pair, the environment and the account, and which check decides the exit code.

use justcall_auth_sandbox::{Dialect, SandboxConfig};
use serde_json::{Value, json};

use crate::checks::{Checks, NAMES, checks, checks_with, pair};
use crate::run::{Service, file, run};

#[test]
fn it_passes_every_check() {
    let service = Service::start();
    let checks = checks(&service, &[], 0);
    assert_eq!(checks.are("skipped"), ["permissions", "dns", "tunnel"], "{checks:?}");
    checks.has("memory", "ok", "locked");
    assert_eq!(checks.are("ok").len(), NAMES.len() - 3, "{checks:?}");
    checks.has("source", "ok", "JUSTCALL_API_KEY and JUSTCALL_API_SECRET");
    checks.has("source", "ok", "no pair before it in: JUSTCALL_CREDENTIALS");
    checks.has("pair", "ok", &service.sandbox.api_key()[..4]);
    checks.has("proxy", "ok", "none");
    checks.has("tcp", "ok", service.sandbox.url().strip_prefix("https://").expect("https"));
    checks.has(
        "tls",
        "ok",
        "TLS 1.3; certificate of justcall-auth-sandbox, issued by justcall-auth-sandbox CA",
    );
    checks.has("tls", "ok", "valid for 364 more days");
    checks.has("verify", "ok", "Pro");
    checks.has("rate_limit", "ok", "119 of 120 requests left");
    checks.has("local_address", "ok", "127.0.0.1");

    let text = service.run(&["doctor"]);
    assert_eq!((text.exit, text.stderr.as_str()), (0, ""));
    assert!(text.stdout.ends_with("\nAll checks passed.\n") && !text.stdout.contains('\u{1b}'), "{text:?}");
    assert_eq!(text.stdout.lines().filter(|line| line.starts_with("✓ ")).count(), NAMES.len() - 3);
    assert_eq!(text.stdout.lines().filter(|line| line.starts_with("– ")).count(), 3);
    let timed = text.stdout.lines().find(|line| line.starts_with("✓ tcp")).expect("a line");
    assert!(timed.ends_with(" ms)"), "{timed}");
}

#[test]
fn it_sends_the_pair_once() {
    let service = Service::start();
    checks(&service, &[], 0);
    let requests = service.control("GET", "requests", &Value::Null);
    let with_pair: Vec<&Value> = requests
        .as_array()
        .expect("a list")
        .iter()
        .filter(|request| !request["secret_generation"].is_null())
        .collect();
    assert_eq!(with_pair.len(), 1, "{requests}");
    assert_eq!(with_pair[0]["path"], "/v2/account");
}

#[test]
fn it_checks_the_network_even_without_a_pair() {
    let service = Service::start();
    let checks = checks_with(&service, &[], &[], 3);
    assert_eq!(checks.are("failed"), ["source"]);
    for place in
        ["JUSTCALL_CREDENTIALS", "JUSTCALL_API_KEY", "$CREDENTIALS_DIRECTORY", "/run/secrets/justcall"]
    {
        checks.has("source", "failed", place);
    }
    for name in ["proxy", "tcp", "tls", "clock", "local_address"] {
        assert_eq!(checks.get(name).0, "ok", "{checks:?}");
    }
    for name in ["pair", "permissions", "verify", "rate_limit"] {
        assert_eq!(checks.get(name).0, "skipped", "{checks:?}");
    }
    let text = run(&service.arguments(&["doctor"]), &[]);
    assert_eq!((text.exit, text.stderr.as_str()), (3, ""));
    assert!(
        text.stdout.starts_with("✗ source ") && text.stdout.ends_with("\nOne check failed.\n"),
        "{text:?}"
    );
    assert!(text.stdout.lines().nth(1).is_some_and(|line| line.starts_with("  → ")), "{text:?}");
}

#[test]
fn it_reports_a_malformed_pair_and_does_not_send_it() {
    let service = Service::start();
    let secret = format!("{} ", service.sandbox.api_secret());
    let variables = [pair(&service)[0], ("JUSTCALL_API_SECRET", &secret)];
    let checks = checks_with(&service, &[], &variables, 3);
    assert_eq!(checks.are("failed"), ["pair"]);
    checks.has("pair", "failed", "API secret ends with a space");
    checks.has("pair", "failed", "JUSTCALL_API_SECRET");
    checks.has("verify", "skipped", "no pair");
    let requests = service.control("GET", "requests", &Value::Null);
    assert!(requests.as_array().expect("a list").iter().all(|request| request["path"] != "/v2/account"));
}

#[test]
fn it_distinguishes_an_unreadable_source_from_a_misspelt_one() {
    let service = Service::start();
    let unreadable = checks_with(&service, &["--source", "file:no/such/file"], &[], 1);
    unreadable.has("source", "failed", "no/such/file");
    let misspelt = checks_with(&service, &[], &[("JUSTCALL_CREDENTIALS", "/etc/justcall.json")], 2);
    misspelt.has("source", "failed", "JUSTCALL_CREDENTIALS");
    assert_eq!(misspelt.get("verify").0, "skipped");
}

#[cfg(unix)]
#[test]
fn it_warns_about_a_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret());
    let (path, source) = file(folder.path(), "pair", &pair);
    let set = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            .expect("the file belongs to this user");
    };
    set(0o600);
    let own = checks_with(&service, &["--source", &source], &[], 0);
    own.has("permissions", "ok", "no other user");
    own.has("source", "ok", path.to_str().expect("UTF-8"));
    for mode in [0o644, 0o640, 0o604] {
        set(mode);
        let shared = checks_with(&service, &["--source", &source], &[], 0);
        assert_eq!(shared.are("warning"), ["permissions"], "{mode:o}");
        shared.has("permissions", "warning", path.to_str().expect("UTF-8"));
    }
    let text = run(&service.arguments(&["doctor", "--source", &source]), &[]);
    assert!(text.stdout.contains("\n! permissions ") && text.stdout.contains("chmod 0600"), "{text:?}");
    assert!(text.stdout.ends_with("\nCalls work. Check the warning.\n"), "{text:?}");
}

#[test]
fn it_warns_about_misleading_settings() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let own = format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret());
    let (path, source) = file(folder.path(), "pair", &own);
    let stray = ("JUSTCALL_WEBHOOK_SECRET", "0123456789");
    let other = "0".repeat(40);
    let variables = [
        ("JUSTCALL_CREDENTIALS", source.as_str()),
        ("JUSTCALL_API_KEY", &other),
        ("JUSTCALL_API_SECRET", &own[..40]),
        stray,
    ];
    let misled = checks_with(&service, &[], &variables, 0);
    misled.has("surroundings", "warning", "different pairs");
    misled.has("surroundings", "warning", "JUSTCALL_WEBHOOK_SECRET");
    misled.has("source", "ok", path.to_str().expect("UTF-8"));
    let named = checks_with(&service, &["--source", &source], &variables[1..], 0);
    assert!(!named.get("surroundings").1.contains("different pairs"), "the source was named: {named:?}");
}

#[test]
fn it_exits_like_a_failed_verification() {
    let service = Service::start();
    let wrong = "0123456789abcdef0123456789abcdef01234567";
    let rejected = checks_with(&service, &[], &[pair(&service)[0], ("JUSTCALL_API_SECRET", wrong)], 4);
    assert_eq!(rejected.are("failed"), ["verify"]);
    rejected.has("verify", "failed", "The service answered: \"Invalid API key or secret.\"");

    let free = service.control("POST", "pairs", &json!({"plan": "Free"}));
    let (key, secret) = (free["api_key"].as_str().unwrap(), free["api_secret"].as_str().unwrap());
    let forbidden = Checks::of(&service.run_as(key, secret, &["doctor", "--json"]), 5);
    assert_eq!(forbidden.are("failed"), ["verify"]);
    forbidden.has("verify", "failed", "plan does not include API access");
    forbidden.has("rate_limit", "ok", "of 60 requests left");

    checks(&service, &["--expected-account", "4711"], 1).has(
        "verify",
        "failed",
        "the account 4711 is expected",
    );
    service.control("POST", "faults", &json!({"fault": "answer", "status": 503, "path": "/v2/account"}));
    checks(&service, &["--max-retries", "0"], 8).has("verify", "failed", "unavailable");
}

#[test]
fn it_requests_the_path_of_the_option() {
    let service = Service::start();
    let named = checks(&service, &["--verify-path", "/v2.1/users?per_page=1"], 0);
    named.has("verify", "ok", "GET /v2.1/users?per_page=1 does not return its account");
}

#[test]
fn it_reports_the_rest_of_both_windows() {
    let service = Service::with(SandboxConfig { dialect: Dialect::Measured, ..SandboxConfig::default() });
    let both = checks(&service, &[], 0);
    both.has("rate_limit", "ok", "of 3600 requests left");
    both.has("rate_limit", "ok", "in the burst window");
    both.has("rate_limit", "ok", "of 60 requests left");

    let service = Service::start();
    let limit = json!({"rate_limit": {"limit": 2, "window_s": 3600}});
    let account = service.control("POST", "pairs", &limit);
    let (key, secret) = (account["api_key"].as_str().unwrap(), account["api_secret"].as_str().unwrap());
    assert_eq!(service.run_as(key, secret, &["verify"]).exit, 0);
    let last = Checks::of(&service.run_as(key, secret, &["doctor", "--json"]), 6);
    assert_eq!(last.are("failed"), ["rate_limit"], "the last request was accepted");
    last.has("rate_limit", "failed", "0 of 2 requests left");
    let over = Checks::of(&service.run_as(key, secret, &["doctor", "--json"]), 6);
    assert_eq!(over.are("failed"), ["verify", "rate_limit"]);
}

#[cfg(unix)]
#[test]
fn it_shows_a_spinner_and_colours_only_on_a_terminal() {
    let service = Service::start();
    service.control("POST", "faults", &json!({"fault": "delay", "ms": 400, "path": "/v2/account"}));
    let variables = [&pair(&service)[..], &[("TERM", "xterm")]].concat();
    let (exit, shown) = crate::terminal::run_on_terminal(&service.arguments(&["doctor"]), &variables);
    assert_eq!(exit, 0);
    assert!(shown.contains("⠋ verify …") && shown.contains("\u{1b}[K"), "{shown:?}");
    assert!(shown.contains("\u{1b}[1m\u{1b}[32m✓\u{1b}[0m verify"), "{shown:?}");
    let dumb = [&pair(&service)[..], &[("TERM", "dumb")]].concat();
    let (_, shown) = crate::terminal::run_on_terminal(&service.arguments(&["doctor"]), &dumb);
    assert!(!shown.contains('\u{1b}') && !shown.contains('⠋'), "{shown:?}");
    let (_, shown, stderr) = crate::terminal::run(&service.arguments(&["doctor"]), &variables);
    assert!(!shown.contains('⠋') && stderr.is_empty(), "only standard output is a terminal: {shown:?}");
    let piped = service.run(&["doctor"]);
    assert!(piped.stderr.is_empty() && !piped.stdout.contains(['\u{1b}', '⠋', '\r']), "{piped:?}");
}
