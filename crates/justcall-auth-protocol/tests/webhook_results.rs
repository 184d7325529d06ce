//! Results of webhooks: the message of a stale delivery, and the counters. Every verification counts once, by its result.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

use justcall_auth_protocol::metrics::MAX_SIZE;
use justcall_auth_protocol::webhook::{MAX_BODY, SigningSecrets};
use justcall_auth_protocol::{Error, ErrorKind, WebhookEvent, WebhookHeaders, WebhookVerifier};

const SECRET: &[u8] = b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const OTHER: &[u8] = b"5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d";
const URL: &str = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4";
const SIGNATURE: &str = "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";
const TIME: &str = "2024-03-21 17:08:22";
const NOW: i64 = 1_711_040_902;

fn verifier(secret: &[u8]) -> WebhookVerifier {
    let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
    verifier.add_secret(secret).expect("a secret");
    verifier
}

/// A delivery. Each test changes one part of a genuine one.
#[derive(Clone, Copy)]
struct Delivery<'a> {
    signature: Option<&'a str>,
    version: &'a str,
    body: &'a [u8],
    now: i64,
}

fn body() -> Vec<u8> {
    format!(r#"{{"type":"call.completed","webhook_url":"{URL}","data":{{"note":"9f3c7a51"}}}}"#).into_bytes()
}

fn verify(verifier: &WebhookVerifier, delivery: &Delivery<'_>) -> Result<WebhookEvent, ErrorKind> {
    let signature = delivery.signature.map(str::as_bytes);
    let headers = WebhookHeaders::new(signature, Some(delivery.version.as_bytes()), Some(TIME.as_bytes()));
    verifier.verify(&headers, delivery.body, delivery.now).map_err(|error| error.kind())
}

/// Returns the counters that are not zero, by result.
fn counted(verifier: &WebhookVerifier) -> BTreeMap<String, u64> {
    let usage = verifier.usage();
    let samples =
        usage.lines().filter_map(|line| line.strip_prefix("justcall_auth_webhooks_total{result=\""));
    let sample = |sample: &str| {
        let (name, count) = sample.split_once("\"} ").expect("a sample");
        (name.to_owned(), count.parse().expect("a whole number"))
    };
    samples.map(sample).filter(|(_, count)| *count > 0).collect()
}

fn once(names: &[&str]) -> BTreeMap<String, u64> {
    names.iter().map(|name| ((*name).to_owned(), 1)).collect()
}

#[test]
fn it_counts_every_result_once_and_by_its_name() {
    let body = body();
    let good = || Delivery { signature: Some(SIGNATURE), version: "v1", body: &body, now: NOW };
    let long = vec![b' '; MAX_BODY + 1];
    let mut all = verifier(SECRET);
    all.set_replay_check(|event: &WebhookEvent| Ok(event.secret_index() == 0));
    for (delivery, kind) in [
        (Delivery { signature: None, ..good() }, ErrorKind::WebhookUnsigned),
        (Delivery { version: "v2", ..good() }, ErrorKind::WebhookVersion),
        (Delivery { body: &long, ..good() }, ErrorKind::WebhookMalformed),
        (Delivery { signature: Some(&"0".repeat(64)), ..good() }, ErrorKind::WebhookMismatch),
        (Delivery { now: NOW + 601, ..good() }, ErrorKind::WebhookStale),
        (good(), ErrorKind::WebhookReplayed),
    ] {
        let before = counted(&all);
        assert_eq!(verify(&all, &delivery), Err(kind));
        let mut expected = before;
        assert_eq!(expected.insert(kind.name().to_owned(), 1), None);
        assert_eq!(counted(&all), expected);
    }
    let mut elsewhere = WebhookVerifier::for_url("https://example.com/").expect("a URL");
    elsewhere.add_secret(SECRET).expect("a secret");
    assert_eq!(verify(&elsewhere, &good()), Err(ErrorKind::WebhookWrongUrl));
    assert_eq!(counted(&elsewhere), once(&["webhook_wrong_url"]));
    let genuine = verifier(SECRET);
    verify(&genuine, &good()).expect("genuine");
    assert_eq!(counted(&genuine), once(&["ok"]));
    let empty = WebhookVerifier::for_any_url();
    assert_eq!(verify(&empty, &good()), Err(ErrorKind::InvalidArgument), "there is no secret");
    assert_eq!(counted(&empty), once(&["invalid_argument"]));
}

#[test]
fn it_exports_zeros_before_the_first_delivery() {
    let usage = verifier(SECRET).usage();
    let webhook = ErrorKind::ALL.iter().filter(|kind| kind.name().starts_with("webhook_"));
    let names = webhook.map(|kind| kind.name()).chain(["ok", "source_unavailable", "invalid_argument"]);
    for name in names {
        let sample = format!("justcall_auth_webhooks_total{{result=\"{name}\"}} 0\n");
        assert!(usage.contains(&sample), "{name}: {usage}");
    }
    assert!(!usage.contains("result=\"not_found\""), "only a replay check fails like this");
}

#[test]
fn it_counts_the_errors_of_a_replay_check() {
    let body = body();
    let mut verifier = verifier(SECRET);
    for (result, kind) in [
        (Ok(true), ErrorKind::WebhookReplayed),
        (Err(ErrorKind::Unavailable), ErrorKind::Unavailable),
        (Err(ErrorKind::NotFound), ErrorKind::NotFound),
    ] {
        verifier.set_replay_check(move |_: &WebhookEvent| result.map_err(Error::new));
        let delivery = Delivery { signature: Some(SIGNATURE), version: "v1", body: &body, now: NOW };
        assert_eq!(verify(&verifier, &delivery), Err(kind));
    }
    assert_eq!(counted(&verifier), once(&["not_found", "unavailable", "webhook_replayed"]));
}

/// An owner of secrets: the results reported to it, and the error of reading its secrets.
struct Owner(Mutex<Vec<Option<ErrorKind>>>, Option<ErrorKind>);

impl SigningSecrets for Owner {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        self.1.map_or(Ok(()), |kind| Err(Error::new(kind)))?;
        Ok(is_signer(SECRET).then_some(0))
    }

    fn delivered(&self, failure: Option<ErrorKind>) {
        self.0.lock().expect("whole").push(failure);
    }
}

#[test]
fn it_reports_each_result_to_the_owner_of_its_secrets_and_keeps_its_own_count() {
    let body = body();
    let good = || Delivery { signature: Some(SIGNATURE), version: "v1", body: &body, now: NOW };
    for unreadable in [None, Some(ErrorKind::SourceUnavailable)] {
        let owner = Arc::new(Owner(Mutex::default(), unreadable));
        let [first, second] = [(); 2].map(|()| {
            let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
            verifier.use_secrets_of(owner.clone()).expect("the only source");
            verifier
        });
        assert_eq!(verify(&first, &good()).err(), unreadable);
        assert_eq!(verify(&second, &Delivery { signature: None, ..good() }), Err(ErrorKind::WebhookUnsigned));
        assert_eq!(*owner.0.lock().expect("whole"), [unreadable, Some(ErrorKind::WebhookUnsigned)]);
        assert_eq!(counted(&first), once(&[unreadable.map_or("ok", ErrorKind::name)]));
        assert_eq!(counted(&second), once(&["webhook_unsigned"]));
    }
}

#[test]
fn it_loses_no_count_between_threads() {
    let (body, verifier) = (body(), verifier(SECRET));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let good = Delivery { signature: Some(SIGNATURE), version: "v1", body: &body, now: NOW };
                for _ in 0..500 {
                    verify(&verifier, &good).expect("genuine");
                    verify(&verifier, &Delivery { signature: None, ..good }).expect_err("unsigned");
                }
            });
        }
    });
    let expected = [("ok".to_owned(), 2000), ("webhook_unsigned".to_owned(), 2000)];
    assert_eq!(counted(&verifier), expected.into());
}

#[test]
fn it_exports_no_secret_no_url_and_no_content_of_a_delivery() {
    let body = body();
    let verifiers = [verifier(SECRET), verifier(OTHER)];
    for verifier in &verifiers {
        let delivery = Delivery { signature: Some(SIGNATURE), version: "v1", body: &body, now: NOW };
        let _ = verify(verifier, &delivery);
        let usage = verifier.usage();
        let secrets = [SECRET, OTHER].map(|secret| std::str::from_utf8(secret).expect("ASCII"));
        for hidden in [secrets[0], secrets[1], URL, "webhook.site", SIGNATURE, "9f3c7a51", "call.completed"] {
            assert!(!usage.contains(hidden), "{hidden}: {usage}");
        }
        assert!(usage.len() < MAX_SIZE && usage.ends_with("\n# EOF\n"), "{usage}");
    }
    assert_eq!(verifiers.map(|verifier| counted(&verifier)), [once(&["ok"]), once(&["webhook_mismatch"])]);
}

#[test]
fn its_message_shows_how_far_a_timestamp_is_in_the_past_or_in_the_future() {
    let body = body();
    let mut verifier = verifier(SECRET);
    verifier.set_tolerance(10);
    let headers = WebhookHeaders::new(Some(SIGNATURE.as_bytes()), Some(b"v1"), Some(TIME.as_bytes()));
    for (now, end) in [
        (NOW + 11, "its timestamp is 11 s in the past. The tolerance is 10 s."),
        (NOW - 12, "its timestamp is 12 s in the future. The tolerance is 10 s."),
    ] {
        let error = verifier.verify(&headers, &body, now).expect_err("too far from now");
        assert!(error.message().ends_with(end), "{error}");
    }
    assert!(verifier.verify(&headers, &body, NOW + 10).is_ok());
}
