//! No fingerprint of a pair leaves the process: what the library counts and reports does not depend on the pair.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_protocol::metrics::open_metrics;
use justcall_auth_protocol::{Action, Credentials, Exchange, Moment, Policy, Request, Response, Shared};

fn at(ms: u64) -> Moment {
    let monotonic = Duration::from_millis(ms);
    Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 7 }
}

/// Makes a call for whose requests the service gives `statuses`, and returns its events. Its source has `pair`.
fn call(shared: &Shared, mut now: u64, pair: (&str, &str), statuses: &[u16]) -> String {
    let policy = Arc::new(Policy { rotation_due: Duration::from_secs(1), ..Policy::default() });
    let request = Request::new("GET", "/v2.1/calls").expect("a good path");
    let mut exchange = Exchange::request(policy, shared.clone(), request, &at(now));
    let mut statuses = statuses.iter();
    let mut events = String::new();
    loop {
        let action = exchange.next(&at(now));
        for event in exchange.take_events() {
            writeln!(events, "{event:?}").expect("a String takes all");
        }
        match action {
            Ok(Action::Load) => {
                let credentials =
                    Credentials::new(pair.0.as_bytes(), pair.1.as_bytes()).expect("a good pair");
                let created_at = Some(Duration::from_secs(1_799_000_000));
                let loaded = LoadedPair { created_at, is_watched: true, ..LoadedPair::from(credentials) };
                exchange.loaded(Ok(SourceRead::Pair(loaded)), &at(now));
            }
            Ok(Action::Send { .. }) => {
                exchange.authorization().expect("due");
                now += 40;
                let status = *statuses.next().expect("a status for every request");
                exchange.answered(Response::new(status, Vec::new(), b"{}".to_vec()), &at(now));
            }
            Ok(Action::Wait(wait)) => now += u64::try_from(wait.as_millis()).expect("short") + 1,
            Ok(Action::Done) => return events,
            Err(error) => return format!("{events}{error:?}\n"),
        }
    }
}

/// Returns everything that a process with these pairs counts and reports: a first pair, which is rejected, and the next
/// one, of which a wrong copy is rejected first.
fn reported(first: (&str, &str), wrong: (&str, &str), next: (&str, &str)) -> String {
    let shared = Shared::new("https://api.justcall.io", Arc::default());
    let mut text = call(&shared, 1_000, first, &[200]);
    text += &call(&shared, 9_000, first, &[503, 200]);
    text += &call(&shared, 20_000, wrong, &[401, 401]);
    text += &call(&shared, 30_000, next, &[200]);
    text += &call(&shared, 40_000, next, &[403]);
    let policy = Policy::default();
    text + &open_metrics(&shared.metrics, &shared.keyring, &policy, &at(50_000))
}

#[test]
fn it_counts_and_reports_the_same_whatever_the_pair_is() {
    // Events contain the first and last four characters of a key, so the keys agree in them.
    let one = reported(
        ("abcd0000000000000000wxyz", "0000000000000000"),
        ("abcd1111111111111111wxyz", "1111111111111111"),
        ("abcd2222222222222222wxyz", "2222222222222222"),
    );
    let other = reported(
        ("abcdW3FDtqoSmrbEGXekwxyz", "p7oIXbNaoNVz9ybFpY5E1Q"),
        ("abcdhK0q0hFHqvJYFMnVwxyz", "2c9eD0vGv5Zt3wq6aJm7Lw"),
        ("abcdZmQJ6Jw7cXHhT1Zzwxyz", "uV1m0mZlq8Ck2nq4xJH3Pg"),
    );
    assert_eq!(one, other);
    for expected in ["PairRejected", "CandidateRejected", "Rotated", "RotationDue", "generation 2", "# EOF"] {
        assert!(one.contains(expected), "the control: {expected} is in {one}");
    }
}

#[test]
fn it_shows_only_the_hint_of_the_key_in_events_and_nothing_in_metrics() {
    let text =
        |key| reported((key, "0000000000000000"), (key, "1111111111111111"), (key, "2222222222222222"));
    let (one, other) = (text("abcd000000000000wxyz"), text("efgh000000000000wxyz"));
    let counted = |text: &str| text[text.find("# TYPE").expect("the metrics")..].to_owned();
    assert_eq!(counted(&one), counted(&other));
    // The control of both tests: what depends on the pair is seen.
    assert_ne!(one, other);
    assert_eq!(one.replace("abcd…wxyz", "efgh…wxyz"), other);
}
