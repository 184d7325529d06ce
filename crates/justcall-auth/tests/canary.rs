//! No public type's `Debug`, no error and no log line contains a secret. The pair is easy to find.

mod support;

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use justcall_auth::diagnostics::Diagnostics;
use justcall_auth::source::{Content, ProcessEnvironment};
use justcall_auth::{
    Client, Config, Credentials, Error, Level, Request, Response, Secret, Source, StackBuffer,
    WebhookHeaders, WebhookVerifier, WipedBuffer,
};
use justcall_auth_sandbox::Sandbox;
use justcall_auth_secret::PerProcess;
use justcall_auth_vault_tests::Bao;
use serde_json::json;

/// A secret that occurs nowhere else. The tests also search for parts of it, because half a secret is too much.
const SECRET: &str = "canary7f3a9Q2xW";
const KEY: &str = "canarykeyK8vT41";

fn pair() -> Credentials {
    Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("a good pair")
}

/// Returns true if `text` contains the whole key, or a part of the secret that is too long to be there by chance.
fn leaks(text: &str) -> bool {
    SECRET.as_bytes().windows(8).any(|window| text.contains(std::str::from_utf8(window).expect("ASCII")))
        || text.contains(KEY)
}

/// Returns the public types of the crates that process secrets, read from their sources.
fn public_types() -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for name in ["justcall-auth-secret", "justcall-auth-protocol", "justcall-auth"] {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("UTF-8");
                    for line in text.lines().map(str::trim_start) {
                        let named =
                            line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "));
                        let end = |c: char| !c.is_alphanumeric();
                        types.extend(named.and_then(|rest| rest.split(end).next()).map(str::to_owned));
                    }
                }
            }
        }
    }
    types
}

/// Types without text from a pair: numbers, names, and text from the service or the system.
const WITHOUT_SECRETS: &[&str] = &[
    "Account",
    "Action",
    "Cause",
    "CallOptions",
    "Cancel",
    "Certificate",
    "Code",
    "ErrorKind",
    "EventKind",
    "Example",
    "Form",
    "HostAndPort",
    "Level",
    "Moment",
    "Phase",
    "ProcessEnvironment",
    "Protection",
    "ProtectionReport",
    "ProxyException",
    "RateLimit",
    "RateWindow",
    "Replacement",
    "Refused",
    "RegisterWipe",
    "Remembered",
    "Severity",
    "Skew",
    "StateFile",
    "TcpConnection",
    "TlsInfo",
    "Verification",
    "WipingAllocator",
    // They have no `Debug`.
    "Call",
];

struct Shown(Vec<(&'static str, String)>);

impl Shown {
    fn add(&mut self, name: &'static str, value: &dyn Debug) {
        self.0.push((name, format!("{value:?} {value:#?}")));
    }
}

/// Creates a value of every other public type with the pair in it.
fn shown(sandbox: &Sandbox) -> Shown {
    let mut shown = Shown(Vec::new());
    let mut config = support::bare_config(sandbox);
    config.set_proxy(&format!("http://{KEY}:{SECRET}@127.0.0.1:1")).expect("a proxy");
    shown.add("Config", config.set_credentials(pair()));
    let mut buffer = WipedBuffer::with_capacity(64);
    buffer.push(SECRET.as_bytes());
    shown.add("WipedBuffer", &buffer);
    let mut buffer = StackBuffer::<64>::new();
    buffer.push(SECRET.as_bytes());
    shown.add("StackBuffer", &buffer);
    shown.add("Secret", &Secret::copy_from(SECRET.as_bytes()));
    for level in Level::ALL {
        shown.add("Secret", &Secret::keep(SECRET.as_bytes(), level).ok());
    }
    let per_process = PerProcess::new();
    shown.add("ForkOwned", &per_process.get_or_make(|| SECRET));
    shown.add("PerProcess", &per_process);
    shown.add("Credentials", &pair());
    shown.add("Source", &Source::Fixed(pair()));
    shown.add("Source", &Source::parse(&format!("command:tool --password {SECRET}")).expect("good"));
    shown.add("LoadedSource", &Source::Fixed(pair()).load(&ProcessEnvironment).expect("a pair"));
    let pair = pair();
    let content =
        Content { credentials: &pair, created_at: "2026-11-24T00:00:00Z", previous_compromised: false };
    shown.add("Content", &content);
    let client = Client::new(&config).expect("a client");
    client.credentials().expect("the pair");
    shown.add("Client", &client);
    let diagnostics = Diagnostics::new(&config).expect("diagnostics");
    shown.add("Diagnostics", &diagnostics);
    shown.add("FoundPair", &diagnostics.source().ok());
    let route = diagnostics.route().expect("a route");
    shown.add("Route", &route);
    shown.add("NamedProxy", &route.proxy());

    let mut request = Request::new("POST", &format!("/v2/texts?token={SECRET}")).expect("good");
    request.set_header("x-token", SECRET).expect("good").set_body(SECRET);
    shown.add("Request", &request);
    let echo = Response::new(
        401,
        vec![("x-echo".into(), SECRET.into())],
        format!("{{\"message\":\"{SECRET}\"}}").into(),
    );
    shown.add("Response", &echo);
    shown.add("Headers", &echo.headers());

    let shared = justcall_auth_protocol::Shared::new("scope", Arc::default());
    let loaded = justcall_auth_protocol::keyring::LoadedPair::from(pair);
    shown.add("LoadedPair", &loaded);
    let read = justcall_auth_protocol::keyring::SourceRead::Pair(loaded);
    shown.add("SourceRead", &read);
    let rejections = justcall_auth_protocol::keyring::Rejections::default();
    shown.add("Rejections", &rejections);
    let now = justcall_auth_protocol::Moment {
        monotonic: std::time::Duration::ZERO,
        unix: std::time::Duration::ZERO,
        random: 0,
    };
    let mut refresh = justcall_auth_protocol::Refresh::reload(
        &justcall_auth_protocol::Policy::default(),
        shared.clone(),
        &now,
    );
    shown.add("RefreshAction", &refresh.next(&now));
    refresh.loaded(Ok(read.clone()), &now);
    shown.add("Refresh", &refresh);
    shown.add("Metrics", &shared.metrics);
    shown.add("Shared", &shared);
    let shared = justcall_auth_protocol::Shared::new("scope", Arc::default());
    shown.add("Exchange", &client.exchange(request.clone()));
    let mut exchange =
        justcall_auth_protocol::Exchange::request(Arc::default(), shared.clone(), request, &now);
    shown.add("Exchange", &exchange);
    exchange.next(&now).expect("LOAD");
    exchange.loaded(Ok(read), &now);
    shown.add("Keyring", &shared.keyring);
    shown.add("PairVersion", &shared.keyring.current());
    exchange.next(&now).expect("SEND");
    exchange.authorization().expect("the pair");
    shown.add("Exchange", &exchange);
    exchange.answered(echo, &now);
    shown.add("Exchange", &exchange);
    for event in exchange.take_events() {
        assert_eq!(event.kind(), justcall_auth::EventKind::PairRejected);
        shown.add("Event", &event);
    }
    let error = exchange.next(&now).expect_err("401");
    shown.add("Error", &error);
    shown.0.push((
        "Error",
        format!("{error} {} {} {:?}", error.message(), error.hint(), error.service_message()),
    ));
    shown.add("Finding", &error.findings());
    show_webhooks(&mut shown);
    shown.add("Policy", &justcall_auth_protocol::Policy::default());
    let refused: Vec<Error> = [format!("https://{KEY}:{SECRET}@host"), format!("{KEY}:{SECRET}")]
        .iter()
        .map(|url| Config::new().set_base_url(url).map(drop).expect_err("refused"))
        .collect();
    shown.add("BaseUrl", &refused);
    shown
}

/// Shows the verifier and headers with the secret, and the results of deliveries. One delivery is genuine, and its URL
/// contains the secret.
fn show_webhooks(shown: &mut Shown) {
    // From Python: hmac.new(SECRET, f"{SECRET}|https%3A%2F%2Fa.b%2F{SECRET}|call.completed|1711040902", "sha256")
    let genuine = "78dbe64682ece7a973343785a5598fdc5f5886e7d064d87aa41fecbb341b57aa";
    let url = format!("https://a.b/{SECRET}");
    let mut verifier = WebhookVerifier::for_url(&url).expect("a URL");
    verifier.add_secret(SECRET.as_bytes()).expect("a secret");
    shown.add("WebhookVerifier", &verifier);
    let body = format!("{{\"type\":\"call.completed\",\"webhook_url\":\"{url}\",\"data\":\"{SECRET}\"}}");
    let mut verify = |signature: &str, body: &str, now: i64| {
        let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(b"1711040902"));
        shown.add("WebhookHeaders", &headers);
        verifier.verify(&headers, body.as_bytes(), now)
    };
    let event = verify(genuine, &body, 1_711_040_902).expect("genuine");
    let failures = [
        verify(genuine, &body, 0),
        verify(&"0".repeat(64), &body, 0),
        verify(SECRET, &body, 0),
        verify(genuine, SECRET, 0),
    ];
    for failure in failures {
        let error = failure.expect_err("refused");
        shown.0.push(("Error", format!("{error} {error:?} {}", error.hint())));
    }
    shown.add("WebhookEvent", &event);
}

/// Reads the pair from Vault with a login, and opens its secret. Returns both, and the secrets of the login.
fn read_from_vault(shown: &mut Shown) -> [String; 2] {
    let (bao, folder) = (Bao::start(), tempfile::tempdir().expect("a folder"));
    bao.store("a", &json!({"api_key": KEY, "api_secret": SECRET}));
    bao.permit("a", "a", &["read", "update"]);
    let (role_id, secret_id) = bao.approle(&["a"], &json!({}));
    let token = bao.token(&["a"], "1h");
    let files = [("role", &role_id), ("secret", &secret_id), ("token", &token)].map(|(name, content)| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("a file");
        file.display().to_string()
    });
    let secret = format!("vault:{}/secret/a?ca={}", bao.address(), bao.ca_file().display());
    let with_token = format!("{secret}&token_file={}", files[2]);
    let with_role = format!("{secret}&auth=approle&role_id_file={}&secret_id_file={}", files[0], files[1]);
    for spelling in [with_token, with_role] {
        let source = Source::parse(&spelling).and_then(|source| source.resolve(&ProcessEnvironment));
        let source = source.expect("a source");
        let loaded = source.load(&ProcessEnvironment).expect("a pair");
        assert!(loaded.pair.credentials.same_pair(&pair()));
        shown.add("LoadedSource", &loaded);
        shown.add("Source", &source);
        let Source::Vault(vault) = &source else { panic!("{source:?}") };
        shown.add("VaultSource", vault);
        shown.add("VaultSecret", &source.vault_secret().expect("of Vault").expect("a secret"));
    }
    [secret_id, token]
}

#[test]
fn it_shows_no_secret_in_any_public_type() {
    assert!(
        leaks(&format!("{:?}", Some(SECRET))) && leaks(&format!("x{}", &SECRET[3..12])),
        "the control: a leak is found"
    );
    let sandbox = support::sandbox();
    let mut shown = shown(&sandbox);
    let logins = read_from_vault(&mut shown);
    let Shown(shown) = shown;
    let covered: BTreeSet<String> = shown
        .iter()
        .map(|(name, _)| *name)
        .chain(WITHOUT_SECRETS.iter().copied())
        .map(str::to_owned)
        .collect();
    let types = public_types();
    assert!(types.len() > 30, "only {types:?}");
    let missing: Vec<&String> = types.difference(&covered).collect();
    assert!(missing.is_empty(), "public types that this test does not show: {missing:?}");
    let stale: Vec<&String> = covered.difference(&types).collect();
    assert!(stale.is_empty(), "types that are no longer public: {stale:?}");
    for (name, text) in shown {
        assert!(!leaks(&text), "{name} shows the pair: {text}");
        assert!(!logins.iter().any(|login| text.contains(login)), "{name} shows a login: {text}");
    }
}

/// Stores every log line of this process.
struct Log(Mutex<String>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.0.lock().expect("a log"), "{} {}", record.target(), record.args())
            .expect("a String accepts all text");
    }

    fn flush(&self) {}
}

static LOG: Log = Log(Mutex::new(String::new()));

#[test]
fn it_logs_no_secret_at_any_level() {
    log::set_logger(&LOG).expect("the first logger of the process");
    log::set_max_level(log::LevelFilter::Trace);
    let sandbox = support::sandbox();
    sandbox.control("POST", "pairs", &json!({"api_key": KEY, "api_secret": SECRET})).expect("an account");
    let mut config = support::bare_config(&sandbox);
    config.set_credentials(pair()).set_max_retries(0);
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    for fault in [
        json!({"fault": "answer", "status": 401, "times": 1, "path": "/v2.1/calls", "body": {"message": "{authorization}"}}),
        json!({"fault": "answer", "status": 302, "times": 1, "headers": {"Location": "https://{api_key}.example/{authorization}"}}),
        json!({"fault": "reset_after_request", "times": 1}),
        json!({"fault": "raw", "bytes": "SSH-2.0\r\n\r\n", "times": 1}),
    ] {
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let _failure = client.request(Request::new("GET", "/v2.1/calls").expect("good"));
    }
    let before = LOG.0.lock().expect("a log").len();
    let logins = read_from_vault(&mut Shown(Vec::new()));
    let log = LOG.0.lock().expect("a log").clone();
    assert!(log[before..].contains("rustls"), "the control: the read of Vault writes logs");
    assert!(
        log.contains("ureq") && log.contains("/v2/account"),
        "the control: the lower layers write logs\n{log}"
    );
    let ours =
        log.lines().filter(|line| !line.starts_with("hyper") && !line.starts_with("justcall_auth_sandbox"));
    for line in ours {
        assert!(!leaks(line), "{line}");
        assert!(!logins.iter().any(|login| line.contains(login)), "{line}");
    }
}
