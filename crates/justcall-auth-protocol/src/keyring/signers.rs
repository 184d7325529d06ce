//! Which pairs webhooks may be signed with.
//!
//! A process that only receives webhooks makes no call that would prove a candidate. To it a delivery that is signed with
//! the candidate is the proof: from then on the current pair counts for the overlap and no longer, as after a call.

use std::time::Duration;

use super::{Held, Keyring};
use crate::error::ErrorKind;

impl Keyring {
    /// The pairs that a webhook may be signed with at `now`, the likeliest first. Not the current one, from the moment
    /// that the source says that it got into wrong hands.
    pub fn signers(&self, now: Duration) -> impl Iterator<Item = Held> + use<> {
        let state = self.state.read();
        let candidate = state.candidate.as_ref();
        let is_compromised = candidate.is_some_and(|one| one.held.previous_compromised);
        let is_over = candidate.and_then(|one| one.signed_until).is_some_and(|until| now >= until);
        let current = state.current.clone().filter(|_| !is_compromised && !is_over);
        let previous = self.previous(now).filter(|_| !is_compromised);
        [current, candidate.map(|one| one.held.clone()), previous].into_iter().flatten()
    }

    /// A delivery of a webhook was verified with these pairs, and refused with `failure` if it is not genuine.
    pub fn delivered(&self, failure: Option<ErrorKind>) {
        self.usage().webhooks().add(failure);
    }

    /// A webhook came that is signed with `held`. A candidate is proven by it, as far as webhooks go: those signed with
    /// the current pair count for `overlap` from now on.
    pub fn signed(&self, held: &Held, overlap: Duration, now: Duration) {
        let is_news = |state: &super::State| {
            state.candidate.as_ref().is_some_and(|one| one.held.is(held) && one.signed_until.is_none())
        };
        if !is_news(&self.state.read()) {
            return;
        }
        self.change(|state| {
            if let Some(candidate) = state.candidate.as_mut().filter(|one| one.held.is(held)) {
                candidate.signed_until.get_or_insert(now.saturating_add(overlap));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Found, Look};
    use super::*;
    use crate::credentials::Credentials;
    use crate::exchange::Moment;

    const OVERLAP: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn found(secret: &str, previous_compromised: bool) -> Look {
        let credentials = Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair");
        Look::Found(Found { previous_compromised, ..credentials.into() })
    }

    fn load(keyring: &Arc<Keyring>, look: Look, second: u64) {
        let lease = keyring.lease_refresh(None, at(second)).expect("no other call reads the source");
        let now = Moment { monotonic: at(second), unix: at(second), random: 0 };
        keyring.looked(&lease, Ok(look), &now);
    }

    /// A keyring whose source gave these, one a second.
    fn keyring(looks: impl IntoIterator<Item = Look>) -> Arc<Keyring> {
        let keyring = Arc::new(Keyring::new("scope", Arc::default()));
        for (second, look) in (1..).zip(looks) {
            load(&keyring, look, second);
        }
        keyring
    }

    fn signers(keyring: &Keyring, now: u64) -> Vec<String> {
        let secret = |held: Held| {
            let credentials = held.credentials().clone();
            let at = credentials.secret_at();
            credentials.expose_authorization(|pair| String::from_utf8_lossy(&pair[at..]).into_owned())
        };
        keyring.signers(at(now)).map(secret).collect()
    }

    #[test]
    fn it_takes_the_current_pair_then_what_the_source_gave_since() {
        assert!(signers(&keyring([]), 1).is_empty());
        assert_eq!(signers(&keyring([found("first", false)]), 9), ["first"]);
        assert_eq!(
            signers(&keyring([found("first", false), found("second", false)]), 9),
            ["first", "second"]
        );
    }

    #[test]
    fn it_takes_the_pair_before_for_the_overlap_after_a_call_proved_the_new_one() {
        let keyring = keyring([found("first", false), found("second", false)]);
        let candidate = keyring.candidate().expect("the second");
        keyring.promote(&candidate, OVERLAP, at(10));
        assert_eq!(signers(&keyring, 909), ["second", "first"]);
        assert_eq!(signers(&keyring, 910), ["second"]);
    }

    #[test]
    fn it_takes_a_delivery_for_the_proof_where_no_call_is_made() {
        let keyring = keyring([found("first", false), found("second", false)]);
        let candidate = keyring.candidate().expect("the second");
        keyring.signed(&keyring.current().expect("the first"), OVERLAP, at(5));
        assert_eq!(signers(&keyring, 100_000), ["first", "second"], "nothing proves the second yet");
        keyring.signed(&candidate, OVERLAP, at(10));
        keyring.signed(&candidate, OVERLAP, at(800));
        assert_eq!(signers(&keyring, 909), ["first", "second"]);
        assert_eq!(signers(&keyring, 910), ["second"]);
        // A call that proves it later does not prolong that.
        keyring.promote(&candidate, OVERLAP, at(905));
        assert_eq!(signers(&keyring, 909), ["second", "first"]);
        assert_eq!(signers(&keyring, 910), ["second"]);
    }

    #[test]
    fn it_drops_a_pair_in_wrong_hands_as_soon_as_the_source_says_so() {
        let keyring = keyring([found("first", false), found("second", true)]);
        assert_eq!(signers(&keyring, 9), ["second"]);
        keyring.promote(&keyring.candidate().expect("the second"), OVERLAP, at(10));
        assert_eq!(signers(&keyring, 11), ["second"]);
    }

    #[test]
    fn it_drops_the_pair_before_with_one_in_wrong_hands() {
        for (is_compromised, expected) in [(false, &["second", "third", "first"][..]), (true, &["third"])] {
            let keyring = keyring([found("first", false), found("second", false)]);
            keyring.promote(&keyring.candidate().expect("the second"), OVERLAP, at(10));
            load(&keyring, found("third", is_compromised), 20);
            assert_eq!(signers(&keyring, 21), expected);
        }
    }

    #[test]
    fn it_keeps_the_current_pair_when_the_source_takes_back_another() {
        let keyring = keyring([found("first", false), found("second", true), found("first", false)]);
        assert_eq!(signers(&keyring, 9), ["first"]);
    }
}
