//! The content of the state file: pairs as keyed hashes, with their times.

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

/// The number of pairs that are remembered: those last used or seen.
const MAX_PAIRS: usize = 256;
/// The largest state file that is read.
const MAX_SIZE: u64 = 1024 * 1024;
/// The number of bytes of stack to wipe, more than the HMAC uses. Its current block contains the end of the pair, or
/// all of a short one.
const STACK: usize = 8192;

/// The content of the file.
pub(super) struct PairRecords {
    key: [u8; 32],
    pub(super) pairs: BTreeMap<String, PairTimes>,
}

/// The times of a pair, in seconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairTimes {
    first: u64,
    last: Option<u64>,
}

impl PairTimes {
    /// Returns true if the record must be written at `now`, also if the clock was set back.
    pub(super) fn is_stale(self, now: u64, is_use: bool) -> bool {
        let is_due = |last: u64| now.saturating_sub(last) >= INTERVAL.as_secs();
        self.first > now || self.last.is_some_and(|last| last > now) || is_use && self.last.is_none_or(is_due)
    }

    pub(super) fn remembered(self) -> Remembered {
        let (first_seen, last_used) = (Duration::from_secs(self.first), self.last.map(Duration::from_secs));
        Remembered { first_seen, last_used }
    }
}

impl PairRecords {
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("the system provides no randomness"))?;
        Ok(Self { key, pairs: BTreeMap::new() })
    }

    /// Reads the records. Returns `None` if there is no file or if it cannot be parsed.
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
            Some((name.clone(), PairTimes { first, last }))
        });
        Some(Self { key, pairs: pairs.collect::<Option<_>>()? })
    }

    pub(super) fn text(&self) -> String {
        let pair = |pair: &PairTimes| json!({"first_seen": pair.first, "last_used": pair.last});
        let pairs: serde_json::Map<String, Value> =
            self.pairs.iter().map(|(name, known)| (name.clone(), pair(known))).collect();
        let about = "justcall-auth records in this file when API pairs were first seen and last used, in seconds since 1970. No pair can be recovered from this file.";
        format!("{}\n", json!({"about": about, "key": hex(&self.key), "pairs": pairs}))
    }

    /// Returns the record of a pair.
    pub(super) fn known(&self, credentials: &Credentials) -> Option<PairTimes> {
        self.pairs.get(&self.fingerprint(credentials)).copied()
    }

    /// Records that a pair was seen or used at `now`. If there are too many pairs, the oldest is forgotten.
    pub(super) fn remember(&mut self, credentials: &Credentials, now: u64, is_use: bool) -> PairTimes {
        let pair =
            self.pairs.entry(self.fingerprint(credentials)).or_insert(PairTimes { first: now, last: None });
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

    /// Computes the tag in a separate stack frame. The hashed text stays in that frame, and the caller wipes it.
    #[inline(never)]
    fn tag(&self, credentials: &Credentials) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        credentials.expose_authorization(|pair| hmac::sign(&key, pair))
    }

    fn forget_the_oldest(&mut self) {
        while self.pairs.len() > MAX_PAIRS {
            let lately = |pair: &PairTimes| pair.last.unwrap_or(pair.first);
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

        /// Returns true if `text` is in the memory below this frame, which called functions used last.
        fn left(text: &[u8]) -> bool {
            const DEPTH: u64 = 32 * 1024;
            let here = 0_u8;
            let end = (&raw const here).addr() as u64;
            let mut memory = fs::File::open("/proc/self/mem").expect("Linux has it");
            let mut stack = vec![0; usize::try_from(DEPTH).expect("small")];
            memory.seek(SeekFrom::Start(end - DEPTH)).expect("an address");
            memory.read_exact(&mut stack).expect("a thread's stack is larger");
            memchr::memmem::find(&stack, text).is_some()
        }

        // A short secret stays whole in the current block of the HMAC.
        let pair = Credentials::new(b"canary123key", b"stackcanary789").expect("a good pair");
        let state = PairRecords::new().expect("randomness");
        let is_left = |act: fn(&PairRecords, &Credentials)| {
            // Each run has a separate stack, which nothing else has used.
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    act(&state, &pair);
                    left(b"stackcanary789")
                });
                thread.join().expect("it does not panic")
            })
        };
        let unwiped = |state: &PairRecords, credentials: &Credentials| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &state.key);
            credentials.expose_authorization(|pair| hmac::sign(&key, pair));
        };
        assert!(is_left(unwiped), "the control");
        assert!(!is_left(|state, credentials| drop(state.fingerprint(credentials))));
    }

    #[test]
    fn it_forgets_the_least_recently_used_pairs() {
        let mut state = PairRecords::new().expect("randomness");
        for number in 0..300 {
            state.pairs.insert(format!("{number:03}"), PairTimes { first: number, last: None });
        }
        state.forget_the_oldest();
        assert_eq!(state.pairs.len(), MAX_PAIRS);
        assert!(state.pairs.contains_key("299") && !state.pairs.contains_key("043"));
    }

    #[test]
    fn it_writes_a_record_that_is_new_old_or_ahead_of_the_clock() {
        const DAY: u64 = 24 * 60 * 60;
        let times = |first, last| PairTimes { first, last };
        for (record, now, is_use, is_stale) in [
            (times(5 * DAY, None), 5 * DAY, false, false),
            (times(5 * DAY, None), 5 * DAY - 1, false, true),
            (times(5 * DAY, None), 3 * DAY, false, true),
            (times(DAY, Some(5 * DAY)), 3 * DAY, false, true),
            (times(DAY, Some(5 * DAY)), 9 * DAY, false, false),
            (times(5 * DAY, None), 5 * DAY, true, true),
            (times(DAY, Some(5 * DAY)), 5 * DAY, true, false),
            (times(DAY, Some(5 * DAY)), 5 * DAY + INTERVAL.as_secs() - 1, true, false),
            (times(DAY, Some(5 * DAY)), 5 * DAY + INTERVAL.as_secs(), true, true),
        ] {
            assert_eq!(record.is_stale(now, is_use), is_stale, "{record:?} at {now}, in use: {is_use}");
        }
    }
}
