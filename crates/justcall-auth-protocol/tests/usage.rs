//! The metrics that an exchange counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::LoadedPair;
use justcall_auth_protocol::metrics::{FLOOR, open_metrics};
use justcall_auth_protocol::{
    Action, Credentials, Exchange, Headers, Moment, Policy, Refresh, Request, Response, Shared,
};

const SECRET: &[u8] = b"canary-of-the-secret";
const KEY: &[u8] = b"canary-of-the-key";

fn at(ms: u64) -> Moment {
    let monotonic = Duration::from_millis(ms);
    Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
}

fn response(status: u16, headers: &[(&str, &str)]) -> Response {
    let headers: Headers = headers.iter().copied().collect();
    Response::new(status, headers, b"{}".to_vec())
}

/// Makes a call that begins at `now`. Each response comes `took` milliseconds after its request.
fn call(shared: &Shared, method: &str, mut now: u64, took: u64, responses: &[Option<Response>]) -> Exchange {
    let request = Request::new(method, "/v2.1/calls").expect("good");
    let mut exchange = Exchange::request(Arc::default(), shared.clone(), request, &at(now));
    let mut responses = responses.iter();
    loop {
        match exchange.next(&at(now)) {
            Ok(Action::Load) => {
                let credentials = Credentials::new(KEY, SECRET).expect("good");
                let value = LoadedPair {
                    created_at: Some(Duration::from_secs(1_799_000_000)),
                    ..LoadedPair::from(credentials)
                };
                exchange.loaded(Ok(justcall_auth_protocol::keyring::SourceRead::Pair(value)), &at(now));
            }
            Ok(Action::Send { .. }) => {
                exchange.authorization().expect("due");
                now += took;
                match responses.next().expect("a response for every request") {
                    Some(response) => exchange.answered(response.clone(), &at(now)),
                    None => exchange.not_answered(Error::new(ErrorKind::ConnectionFailed), &at(now)),
                }
            }
            Ok(Action::Wait(wait)) => now += u64::try_from(wait.as_millis()).expect("short") + 1,
            Ok(Action::Done) | Err(_) => return exchange,
        }
    }
}

/// Returns the samples of the text, by name with labels.
fn samples(shared: &Shared, now: &Moment) -> BTreeMap<String, f64> {
    let text = open_metrics(&shared.metrics, &shared.keyring, &Policy::default(), now);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        (
            name.strip_prefix("justcall_auth_").expect("the prefix of our metrics").to_owned(),
            value.parse().expect("a number"),
        )
    };
    lines.map(sample).collect()
}

fn shared() -> Shared {
    Shared::new("https://api.justcall.io", Arc::default())
}

#[test]
fn it_counts_calls_by_outcome_and_requests_by_method_and_status() {
    let shared = shared();
    call(&shared, "GET", 0, 7, &[Some(response(200, &[]))]);
    call(&shared, "POST", 100, 30, &[Some(response(201, &[]))]);
    call(&shared, "GET", 200, 700, &[Some(response(503, &[])), None, Some(response(200, &[]))]);
    call(&shared, "PURGE", 9000, 7, &[Some(response(418, &[]))]);
    call(&shared, "GET", 9100, 7, &[Some(response(403, &[]))]);
    let samples_now = samples(&shared, &at(10_000));
    for (name, count) in [
        ("calls_total{outcome=\"ok\"}", 3.0),
        ("calls_total{outcome=\"bad_request\"}", 1.0),
        ("calls_total{outcome=\"forbidden\"}", 1.0),
        ("calls_total{outcome=\"timeout\"}", 0.0),
        ("requests_total{method=\"GET\",status=\"200\"}", 2.0),
        ("requests_total{method=\"POST\",status=\"201\"}", 1.0),
        ("requests_total{method=\"GET\",status=\"503\"}", 1.0),
        ("requests_total{method=\"GET\",status=\"none\"}", 1.0),
        ("requests_total{method=\"other\",status=\"4xx\"}", 1.0),
        ("retries_total", 2.0),
        ("request_duration_seconds_count", 6.0),
        ("request_duration_seconds_bucket{le=\"0.01\"}", 3.0),
        ("request_duration_seconds_bucket{le=\"0.05\"}", 4.0),
        ("request_duration_seconds_bucket{le=\"1.0\"}", 6.0),
        ("request_duration_seconds_sum", 1.451),
        ("events_total{event=\"retrying\"}", 2.0),
        ("events_total{event=\"usage_spike\"}", 0.0),
        ("pair_generation", 1.0),
        ("pair_age_seconds", 1_000_010.0),
        ("pair_created_timestamp_seconds", 1_799_000_000.0),
        ("pair_rotation_due_seconds", 7_776_000.0),
        ("pair_rejected", 0.0),
        ("last_used_timestamp_seconds", 1_800_000_009.0),
    ] {
        let value = samples_now.get(name).unwrap_or_else(|| panic!("{name} is not among {samples_now:#?}"));
        assert!((value - count).abs() < 1e-9, "{name} is {value}");
    }
    assert!(
        !samples_now
            .keys()
            .any(|name| name.starts_with("calls_total{outcome=\"webhook") || name.contains("buffer"))
    );
    let webhooks = samples_now.iter().filter(|(name, _)| name.starts_with("webhooks_total"));
    assert!(webhooks.clone().count() > 8 && webhooks.clone().all(|(_, count)| *count < 0.5));
}

#[test]
fn it_exports_a_rejected_pair_and_the_rest_of_the_rate_limit() {
    let shared = shared();
    let limits = [
        ("X-Rate-Limit-Limit", "1800"),
        ("X-Rate-Limit-Remaining", "1700"),
        ("X-Rate-Limit-Reset", "1800003600"),
        ("X-Rate-Limit-Burst-Remaining", "29"),
    ];
    call(&shared, "GET", 0, 7, &[Some(response(200, &limits))]);
    let others = [limits[0], ("X-Rate-Limit-Remaining", "1600"), limits[2]];
    call(&shared, "GET", 50, 7, &[Some(response(200, &others))]);
    call(&shared, "GET", 100, 7, &[Some(response(401, &[]))]);
    let samples_now = samples(&shared, &at(1000));
    for (name, figure) in [
        ("pair_rejected", 1.0),
        ("calls_total{outcome=\"invalid_credentials\"}", 1.0),
        ("events_total{event=\"pair_rejected\"}", 1.0),
        ("rate_limit{window=\"main\"}", 1800.0),
        ("rate_limit_remaining{window=\"main\"}", 1600.0),
        ("rate_limit_remaining{window=\"burst\"}", 29.0),
        ("rate_limit_reset_timestamp_seconds{window=\"main\"}", 1_800_003_600.0),
        ("account_requests_total", 102.0),
    ] {
        let value = samples_now.get(name).unwrap_or_else(|| panic!("{name} is not among {samples_now:#?}"));
        assert!((value - figure).abs() < 1e-9, "{name} is {value}");
    }
    assert!(samples(&shared, &at(31_000))["pair_rejected"] < 0.5, "the cool-down is over");
}

#[test]
fn it_exports_nothing_about_a_pair_before_there_is_one() {
    let shared = shared();
    let samples_now = samples(&shared, &at(0));
    assert!(!samples_now.keys().any(|name| name.starts_with("pair_age") || name.starts_with("last_used")));
    // Reading the source for a first pair is not a call.
    let mut exchange = Refresh::find(&Policy::default(), shared.clone(), &at(0));
    exchange.next(&at(0)).expect("an action");
    exchange.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(0));
    assert!(samples(&shared, &at(0)).iter().all(|(name, value)| !name.starts_with("calls") || *value < 0.5));
}

#[test]
fn it_reports_a_spike_as_an_event_with_its_figures() {
    let shared = shared();
    let mut events = Vec::new();
    for minute in 0..62_u64 {
        let requests = if minute == 61 { 500 } else { 10 };
        for _ in 0..requests {
            let mut exchange = call(&shared, "GET", minute * 60_000, 1, &[Some(response(200, &[]))]);
            events.extend(exchange.take_events());
        }
    }
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((events[0].kind(), events[0].generation()), (EventKind::UsageSpike, 1));
    let figures = format!("The program sent {} requests within a minute", FLOOR + 1);
    assert!(events[0].message().starts_with(&figures), "{}", events[0].message());
    assert!(
        events[0].message().ends_with("The previous maximum was 10 requests within a minute."),
        "{}",
        events[0].message()
    );
    let samples_now = samples(&shared, &at(62 * 60_000));
    assert!((samples_now["events_total{event=\"usage_spike\"}"] - 1.0).abs() < 1e-9);
}

#[test]
fn it_never_identifies_the_pair() {
    let shared = shared();
    call(&shared, "GET", 0, 7, &[Some(response(401, &[("canary-header", "canary")]))]);
    let text = open_metrics(&shared.metrics, &shared.keyring, &Policy::default(), &at(0));
    assert!(!text.contains("cana"), "{text}");
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn it_exports_the_version_the_units_and_no_request_that_was_not_sent() {
    let shared = shared();
    let text = open_metrics(&shared.metrics, &shared.keyring, &Policy::default(), &at(0));
    let build = concat!("\njustcall_auth_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n");
    assert!(text.starts_with("# TYPE justcall_auth_build info\n# HELP ") && text.contains(build), "{text}");
    assert!(text.contains("\n# UNIT justcall_auth_request_duration_seconds seconds\n"), "{text}");
    assert!(!text.contains("# UNIT justcall_auth_calls"), "a number has no unit: {text}");
    assert!(!text.contains("requests_total{"), "{text}");
}
