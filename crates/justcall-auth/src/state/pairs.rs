//! What the state file holds: the pairs, under keyed hashes, with their times.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::encoding::{hex, read_hex};
use justcall_auth_secret::zeroize_stack;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::disk::readable;
use super::{INTERVAL, Remembered};

/// So many pairs are remembered: those that were used or seen last.
const MAX_PAIRS: usize = 256;
/// A larger file is not one of ours.
const MAX_SIZE: u64 = 1024 * 1024;
/// More stack than the HMAC uses: the end of the pair, or all of a short one, lies there in the block under way.
const STACK: usize = 8192;

/// What the file holds.
pub(super) struct State {
    key: [u8; 32],
    pub(super) pairs: BTreeMap<String, Pair>,
}

/// Seconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    first: u64,
    last: Option<u64>,
}

impl Pair {
    /// Whether there is something to write at `now`: also where the clock went back.
    pub(super) fn is_stale(self, now: u64, is_use: bool) -> bool {
        let is_due = |last: u64| now.saturating_sub(last) >= INTERVAL.as_secs();
        self.first > now || self.last.is_some_and(|last| last > now) || is_use && self.last.is_none_or(is_due)
    }

    pub(super) fn remembered(self) -> Remembered {
        let (first_seen, last_used) = (Duration::from_secs(self.first), self.last.map(Duration::from_secs));
        Remembered { first_seen, last_used }
    }
}

impl State {
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the system gives no randomness"))?;
        Ok(Self { key, pairs: BTreeMap::new() })
    }

    /// `None` where there is none, or none that can be read.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match readable(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut text)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let key = read_hex(value.get("key")?.as_str()?.as_bytes())?;
        let pairs = value.get("pairs")?.as_object()?.iter().map(|(name, pair)| {
            let first = pair.get("first_seen")?.as_u64()?;
            let last = match pair.get("last_used") {
                None | Some(Value::Null) => None,
                Some(last) => Some(last.as_u64()?),
            };
            Some((name.clone(), Pair { first, last }))
        });
        Some(Self { key, pairs: pairs.collect::<Option<_>>()? })
    }

    pub(super) fn text(&self) -> String {
        let pair = |pair: &Pair| json!({"first_seen": pair.first, "last_used": pair.last});
        let pairs: serde_json::Map<String, Value> =
            self.pairs.iter().map(|(name, known)| (name.clone(), pair(known))).collect();
        let about = "Written by justcall-auth: when API pairs were first seen and last used, in seconds since 1970. \
                     No pair can be got back from it.";
        format!("{}\n", json!({"about": about, "key": hex(&self.key), "pairs": pairs}))
    }

    /// Returns what is on record of a pair.
    pub(super) fn known(&self, credentials: &Credentials) -> Option<Pair> {
        self.pairs.get(&self.fingerprint(credentials)).copied()
    }

    /// Puts on record that a pair was seen at `now`, or used. If there are too many, the oldest is forgotten.
    pub(super) fn remember(&mut self, credentials: &Credentials, now: u64, is_use: bool) -> Pair {
        let pair = self.pairs.entry(self.fingerprint(credentials)).or_insert(Pair { first: now, last: None });
        pair.first = pair.first.min(now);
        pair.last = if is_use { Some(now) } else { pair.last.map(|last| last.min(now)) };
        let pair = *pair;
        self.forget_the_oldest();
        pair
    }

    fn fingerprint(&self, credentials: &Credentials) -> String {
        let tag = self.tag(credentials);
        zeroize_stack::<STACK>();
        hex(&tag.as_ref()[..16])
    }

    /// What is hashed lies on the stack of this function, which is why it must have a frame of its own.
    #[inline(never)]
    fn tag(&self, credentials: &Credentials) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        credentials.expose_authorization(|pair| hmac::sign(&key, pair))
    }

    fn forget_the_oldest(&mut self) {
        while self.pairs.len() > MAX_PAIRS {
            let lately = |pair: &Pair| pair.last.unwrap_or(pair.first);
            let oldest = self.pairs.iter().min_by_key(|(_, pair)| lately(pair)).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.pairs.remove(&name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn it_leaves_nothing_of_the_pair_on_the_stack() {
        use std::fs;
        use std::io::{Seek as _, SeekFrom};

        /// What the functions that this thread called last left below its frame.
        fn left(whose: &[u8]) -> bool {
            const DEPTH: u64 = 32 * 1024;
            let here = 0_u8;
            let end = (&raw const here).addr() as u64;
            let mut memory = fs::File::open("/proc/self/mem").expect("Linux has it");
            let mut stack = vec![0; usize::try_from(DEPTH).expect("small")];
            memory.seek(SeekFrom::Start(end - DEPTH)).expect("an address");
            memory.read_exact(&mut stack).expect("a thread's stack is larger");
            memchr::memmem::find(&stack, whose).is_some()
        }

        // Short enough to stay whole in the block under way.
        let pair = Credentials::new(b"canary123key", b"stackcanary789").expect("a good pair");
        let state = State::new().expect("randomness");
        let is_left = |act: fn(&State, &Credentials)| {
            // A stack of its own, on which nothing else was.
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    act(&state, &pair);
                    left(b"stackcanary789")
                });
                thread.join().expect("it does not panic")
            })
        };
        let unwiped = |state: &State, credentials: &Credentials| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &state.key);
            credentials.expose_authorization(|pair| hmac::sign(&key, pair));
        };
        assert!(is_left(unwiped), "the control");
        assert!(!is_left(|state, credentials| drop(state.fingerprint(credentials))));
    }

    #[test]
    fn it_forgets_the_pairs_that_were_used_longest_ago() {
        let mut state = State::new().expect("randomness");
        for number in 0..300 {
            state.pairs.insert(format!("{number:03}"), Pair { first: number, last: None });
        }
        state.forget_the_oldest();
        assert_eq!(state.pairs.len(), MAX_PAIRS);
        assert!(state.pairs.contains_key("299") && !state.pairs.contains_key("043"));
    }
}
