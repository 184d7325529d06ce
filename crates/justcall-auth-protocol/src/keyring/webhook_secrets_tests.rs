//! The pairs that webhooks may be signed with.

use std::sync::Arc;

use super::*;
use crate::credentials::Credentials;
use crate::time::Moment;

const OVERLAP: Duration = Duration::from_secs(900);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn pair(secret: &str, previous_compromised: bool) -> SourceRead {
    let credentials = Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair");
    SourceRead::Pair(LoadedPair { previous_compromised, ..credentials.into() })
}

fn load(keyring: &Arc<Keyring>, read: SourceRead, second: u64) {
    let lease = keyring.lease_refresh(None, at(second)).expect("no other call reads the source");
    let now = Moment { monotonic: at(second), unix: at(second), random: 0 };
    keyring.finish_refresh(&lease, Ok(read), &now);
}

/// Returns a keyring whose source returned these pairs, one per second.
fn keyring(reads: impl IntoIterator<Item = SourceRead>) -> Arc<Keyring> {
    let keyring = Arc::new(Keyring::new("scope", Arc::default()));
    for (second, read) in (1..).zip(reads) {
        load(&keyring, read, second);
    }
    keyring
}

fn secrets(keyring: &Keyring, now: u64) -> Vec<String> {
    let secret = |version: PairVersion| {
        let credentials = version.credentials().clone();
        let at = credentials.secret_at();
        credentials.expose_authorization(|pair| String::from_utf8_lossy(&pair[at..]).into_owned())
    };
    keyring.webhook_pairs(at(now)).map(secret).collect()
}

#[test]
fn it_accepts_the_current_pair_then_the_candidate() {
    assert!(secrets(&keyring([]), 1).is_empty());
    assert_eq!(secrets(&keyring([pair("first", false)]), 9), ["first"]);
    assert_eq!(secrets(&keyring([pair("first", false), pair("second", false)]), 9), ["first", "second"]);
}

#[test]
fn it_accepts_the_previous_pair_for_the_overlap_after_a_call_proved_the_new_one() {
    let keyring = keyring([pair("first", false), pair("second", false)]);
    let candidate = keyring.candidate().expect("the second");
    keyring.promote(&candidate, None, OVERLAP, at(10));
    assert_eq!(secrets(&keyring, 909), ["second", "first"]);
    assert_eq!(secrets(&keyring, 910), ["second"]);
}

#[test]
fn it_treats_a_delivery_as_proof_if_no_call_is_made() {
    let keyring = keyring([pair("first", false), pair("second", false)]);
    let candidate = keyring.candidate().expect("the second");
    keyring.confirm_by_webhook(&keyring.current().expect("the first"), OVERLAP, at(5));
    assert_eq!(secrets(&keyring, 100_000), ["first", "second"], "nothing proves the second yet");
    keyring.confirm_by_webhook(&candidate, OVERLAP, at(10));
    keyring.confirm_by_webhook(&candidate, OVERLAP, at(800));
    assert_eq!(secrets(&keyring, 909), ["first", "second"]);
    assert_eq!(secrets(&keyring, 910), ["second"]);
    // A later proof by a call does not extend that time.
    keyring.promote(&candidate, None, OVERLAP, at(905));
    assert_eq!(secrets(&keyring, 909), ["second", "first"]);
    assert_eq!(secrets(&keyring, 910), ["second"]);
}

#[test]
fn it_drops_a_compromised_pair_as_soon_as_the_source_reports_it() {
    let keyring = keyring([pair("first", false), pair("second", true)]);
    assert_eq!(secrets(&keyring, 9), ["second"]);
    keyring.promote(&keyring.candidate().expect("the second"), None, OVERLAP, at(10));
    assert_eq!(secrets(&keyring, 11), ["second"]);
}

#[test]
fn it_drops_the_previous_pair_too_if_the_current_one_is_compromised() {
    for (is_compromised, expected) in [(false, &["second", "third", "first"][..]), (true, &["third"])] {
        let keyring = keyring([pair("first", false), pair("second", false)]);
        keyring.promote(&keyring.candidate().expect("the second"), None, OVERLAP, at(10));
        load(&keyring, pair("third", is_compromised), 20);
        assert_eq!(secrets(&keyring, 21), expected);
    }
}

#[test]
fn it_keeps_the_current_pair_if_the_source_returns_to_it() {
    let keyring = keyring([pair("first", false), pair("second", true), pair("first", false)]);
    assert_eq!(secrets(&keyring, 9), ["first"]);
}
