//! A verifier with the secrets of a client whose pair is reset. It refreshes the source, and makes no call.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use justcall_auth::source::Load;
use justcall_auth::{
    Client, Config, Credentials, Error, ErrorKind, WebhookEvent, WebhookHeaders, WebhookVerifier,
};
use ring::hmac;

const URL: &str = "https://example.com/hooks";
const BODY: &[u8] = br#"{"type":"call.completed","webhook_url":"https://example.com/hooks"}"#;
const NOW: i64 = 1_711_040_902;
const FIRST: &str = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const SECOND: &str = "5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d";

/// Returns the signature that the service would send with this secret.
fn sign(secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = format!("{secret}|https%3A%2F%2Fexample.com%2Fhooks|call.completed|{NOW}");
    let tag = hmac::sign(&key, message.as_bytes());
    tag.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn deliver(verifier: &WebhookVerifier, secret: &str) -> Result<WebhookEvent, Error> {
    let (signature, time) = (sign(secret), NOW.to_string());
    let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(time.as_bytes()));
    verifier.verify(&headers, BODY, NOW)
}

/// Writes a pair to the source atomically, as `justcall-auth rotate` does.
fn write_pair(source: &Path, secret: &str, compromised: bool) {
    let text = format!(
        r#"{{"api_key":"abc123def456","api_secret":"{secret}","previous_compromised":{compromised}}}"#
    );
    let new = source.with_extension("new");
    fs::write(&new, text).expect("the test's file");
    fs::rename(new, source).expect("the test's file");
}

fn verifier(source: &Path) -> WebhookVerifier {
    let mut config = Config::new();
    config.set_source(&format!("file:{}", source.display())).expect("a source");
    // No server listens there, so every request would fail.
    config.set_base_url("http://127.0.0.1:1").expect("a URL");
    let client = Client::new(&config).expect("a client");
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.use_secrets_of(Arc::new(client)).expect("the only source of secrets");
    verifier
}

#[cfg(unix)]
#[test]
fn it_does_not_run_a_failing_program_for_every_delivery() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs");
    let script = folder.path().join("script");
    fs::write(&script, format!("echo run >>{}; exit 3", runs.display())).expect("a script");
    let count = || fs::read_to_string(&runs).unwrap_or_default().lines().count();
    let mut config = Config::new();
    config.set_source(&format!("command:sh {}", script.display())).expect("a source");
    let client = Client::new(&config).expect("a client");
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.use_secrets_of(Arc::new(client.clone())).expect("the only source of secrets");
    deliver_fifty_forgeries(&verifier, &count);

    let before = count();
    client.credentials().expect_err("the source still fails");
    assert_eq!(count(), before + 1, "each call reads the source");
    fs::write(&script, format!(r#"echo '{{"api_key":"abc123def456","api_secret":"{FIRST}"}}'"#))
        .expect("a script");
    client.credentials().expect("the source supplies a pair now");
    deliver(&verifier, FIRST).expect("a pair that a call has read counts at once");
}

/// The failing source runs at most once a second.
fn deliver_fifty_forgeries(verifier: &WebhookVerifier, count: &dyn Fn() -> usize) {
    let begun = Instant::now();
    for _ in 0..50 {
        let error = deliver(verifier, "forged").expect_err("there is no secret");
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable, "{error}");
    }
    let allowed = 1 + usize::try_from(begun.elapsed().as_secs()).expect("not that long");
    assert!((1..=allowed).contains(&count()), "the source ran {} times in {:?}", count(), begun.elapsed());
}

/// A callback is treated like a program, because it may ask a secret manager over the network.
#[test]
fn it_does_not_run_a_failing_callback_for_every_delivery() {
    let (runs, works) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let load: Arc<dyn Load> = {
        let (runs, works) = (runs.clone(), works.clone());
        Arc::new(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            if works.load(Ordering::Relaxed) {
                Credentials::new(b"abc123def456", FIRST.as_bytes())
            } else {
                Err(Error::new(ErrorKind::SourceUnavailable))
            }
        })
    };
    let mut config = Config::new();
    config.set_source_callback(load);
    let client = Client::new(&config).expect("a client");
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.use_secrets_of(Arc::new(client.clone())).expect("the only source of secrets");
    let count = || runs.load(Ordering::Relaxed);
    deliver_fifty_forgeries(&verifier, &count);

    let before = count();
    client.credentials().expect_err("the source still fails");
    assert_eq!(count(), before + 1, "a call reads the source every time");
    works.store(true, Ordering::Relaxed);
    client.credentials().expect("the source supplies a pair now");
    deliver(&verifier, FIRST).expect("a pair that a call has read counts at once");
}

/// Delivers until the delivery is accepted. The source is refreshed at most once a second.
fn deliver_until_it_passes(verifier: &WebhookVerifier, secret: &str) -> WebhookEvent {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match deliver(verifier, secret) {
            Ok(event) => return event,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WebhookMismatch, "{error}"),
        }
        assert!(Instant::now() < deadline, "the new pair was never seen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn it_accepts_deliveries_of_the_old_secret_beside_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("pair.json");
    write_pair(&source, FIRST, false);
    let verifier = verifier(&source);
    assert_eq!(deliver(&verifier, FIRST).expect("genuine").secret_index(), 0);
    assert_eq!(deliver(&verifier, SECOND).expect_err("not yet").kind(), ErrorKind::WebhookMismatch);
    write_pair(&source, SECOND, false);
    assert_eq!(deliver_until_it_passes(&verifier, SECOND).secret_index(), 1);
    assert_eq!(deliver(&verifier, FIRST).expect("the delivery was in flight").secret_index(), 0);
}

#[test]
fn it_refuses_deliveries_of_a_compromised_secret_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("pair.json");
    write_pair(&source, FIRST, false);
    let verifier = verifier(&source);
    deliver(&verifier, FIRST).expect("genuine");
    write_pair(&source, SECOND, true);
    assert_eq!(deliver_until_it_passes(&verifier, SECOND).secret_index(), 0);
    assert_eq!(deliver(&verifier, FIRST).expect_err("forged").kind(), ErrorKind::WebhookMismatch);
}

/// Returns how often a result was counted, in the text of a client or a verifier.
fn counted(usage: &str, result: &str) -> u64 {
    let prefix = format!("justcall_auth_webhooks_total{{result=\"{result}\"}} ");
    let count = usage.lines().find_map(|line| line.strip_prefix(&prefix));
    count.expect("the sample exists").parse().expect("a whole number")
}

#[test]
fn it_counts_deliveries_in_the_usage_of_every_client_of_the_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("pair.json");
    let client = |source: &Path| {
        let mut config = Config::new();
        config.set_source(&format!("file:{}", source.display())).expect("a source");
        Client::new(&config).expect("a client")
    };
    let (own, same, other) = (client(&source), client(&source), client(&folder.path().join("other")));
    let [first, second] = [&own, &same].map(|client| {
        let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
        verifier.use_secrets_of(Arc::new(client.clone())).expect("the only source of secrets");
        verifier
    });
    let unsigned = |verifier: &WebhookVerifier| {
        verifier.verify(&WebhookHeaders::default(), b"{}", NOW).expect_err("unsigned");
    };
    unsigned(&first);
    assert!(!own.usage().contains("pair_generation"), "an unsigned delivery reads no source");
    deliver(&second, FIRST).expect_err("there is no file");
    write_pair(&source, FIRST, false);
    deliver(&first, FIRST).expect("genuine");
    deliver(&second, FIRST).expect("genuine");
    deliver(&second, SECOND).expect_err("not its secret");
    let results = ["ok", "webhook_unsigned", "webhook_mismatch", "source_unavailable", "webhook_stale"];
    let all = |usage: &str| results.map(|result| counted(usage, result));
    for client in [&own, &same] {
        assert_eq!(all(&client.usage()), [2, 1, 1, 1, 0]);
        assert!(
            client.usage().contains("justcall_auth_calls_total{outcome=\"ok\"} 0\n"),
            "a delivery is not a call"
        );
    }
    assert_eq!(all(&other.usage()), [0; 5], "another source");
    assert_eq!(all(&first.usage()), [1, 1, 0, 0, 0]);
    assert_eq!(all(&second.usage()), [1, 0, 1, 1, 0]);
    for usage in [own.usage(), first.usage()] {
        assert!(!usage.contains(FIRST) && !usage.contains(URL) && !usage.contains("example.com"));
    }
}

#[test]
fn it_reports_the_source_error_but_recognises_the_probe() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("pair.json");
    let verifier = verifier(&source);
    let probe = verifier.verify(&WebhookHeaders::default(), b"{}", NOW).expect_err("the probe");
    assert_eq!(probe.kind(), ErrorKind::WebhookUnsigned);
    assert_eq!(deliver(&verifier, FIRST).expect_err("no file").kind(), ErrorKind::SourceUnavailable);
    write_pair(&source, FIRST, false);
    deliver(&verifier, FIRST).expect("genuine");
}

#[test]
fn it_reads_a_callback_again_after_a_delivery_that_no_known_pair_signed() {
    let secret = Arc::new(Mutex::new(FIRST));
    let load: Arc<dyn Load> = {
        let secret = secret.clone();
        Arc::new(move || Credentials::new(b"abc123def456", secret.lock().expect("no panic").as_bytes()))
    };
    let mut config = Config::new();
    config.set_source_callback(load);
    let client = Client::new(&config).expect("a client");
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.use_secrets_of(Arc::new(client)).expect("the only source of secrets");
    deliver(&verifier, FIRST).expect("genuine");
    *secret.lock().expect("no panic") = SECOND;
    let begun = Instant::now();
    while deliver(&verifier, SECOND).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the callback is never called again");
        std::thread::yield_now();
    }
}
