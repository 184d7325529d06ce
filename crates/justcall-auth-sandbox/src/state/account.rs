//! An account of the pretended service: its current pair, perhaps older ones in an overlap, and what it may do.

use std::net::IpAddr;
use std::time::Instant;

use serde::Deserialize;

use super::rate::{RateLimit, RateWindow};
use crate::{ControlError, Dialect, random};

/// The account number of the help article's example.
pub(super) const FIRST_ID: u64 = 12345;
/// Digits of a made-up key or secret, in bytes: 40 hex digits, as real ones have.
const PAIR_BYTES: usize = 20;

/// A pair of API key and secret, in plain text: this is a server for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Pair {
    pub(super) fn new(key: Option<String>, secret: Option<String>) -> Result<Self, ControlError> {
        let or_random = |half: Option<String>| half.unwrap_or_else(|| random::hex(PAIR_BYTES));
        let pair = Self { key: or_random(key), secret: or_random(secret) };
        if pair.key.is_empty() || pair.secret.is_empty() {
            return Err(ControlError::bad_request("api_key and api_secret must not be empty"));
        }
        if pair.key.contains(':') {
            return Err(ControlError::bad_request("api_key must not contain a colon"));
        }
        Ok(pair)
    }
}

/// What may be said about an account when it is made.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewAccount {
    pub(super) plan: Option<String>,
    pub(super) role: Option<String>,
    pub(super) email: Option<String>,
    pub(super) account_id: Option<u64>,
    pub(super) allowed_ips: Vec<IpAddr>,
    pub(super) api_access: Option<bool>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) addons: Vec<String>,
    pub(super) api_key: Option<String>,
    pub(super) api_secret: Option<String>,
}

/// Which account to reset, and to what.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reset {
    pub(super) api_key: Option<String>,
    pub(super) account_id: Option<u64>,
    pub(super) new_api_key: Option<String>,
    pub(super) new_api_secret: Option<String>,
    /// How long the pairs before stay alive, in milliseconds.
    pub(super) overlap_ms: u64,
}

/// A pair of an account, with the time at which it dies, once that is known.
pub(super) struct Issued {
    pub(super) pair: Pair,
    dies: Option<Instant>,
}

impl Issued {
    pub(super) fn new(pair: Pair) -> Self {
        Self { pair, dies: None }
    }

    pub(super) fn is_alive(&self, now: Instant) -> bool {
        self.dies.is_none_or(|dies| now < dies)
    }

    /// Lets the pair die at this time, unless it dies earlier.
    pub(super) fn die_at(&mut self, time: Instant) {
        self.dies = Some(self.dies.map_or(time, |dies| dies.min(time)));
    }
}

/// An account of the pretended service.
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) plan: String,
    pub(crate) role: String,
    pub(super) rate: RateWindow,
    allowed_ips: Vec<IpAddr>,
    api_access: Option<bool>,
    addons: Vec<String>,
    /// Every pair there was; the last one is the current one.
    pub(super) pairs: Vec<Issued>,
}

impl Account {
    /// An account with its first pair. The dialect decides which usual rate limits it announces.
    pub(super) fn new(id: u64, pair: Pair, new: NewAccount, dialect: Dialect) -> Self {
        let plan = new.plan.unwrap_or_else(|| "Pro".to_owned());
        Self {
            id,
            email: new.email.unwrap_or_else(|| default_email(id)),
            rate: RateWindow::new(dialect, &plan, new.rate_limit),
            plan,
            role: new.role.unwrap_or_else(|| "Admin".to_owned()),
            allowed_ips: new.allowed_ips,
            api_access: new.api_access,
            addons: new.addons,
            pairs: vec![Issued::new(pair)],
        }
    }

    /// The current pair, whether or not it was revoked.
    pub(crate) fn pair(&self) -> &Pair {
        &self.pairs.last().expect("an account is made with a pair and never loses one").pair
    }

    /// The number of the current pair; the first is 1.
    pub(crate) fn generation(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the account's pair may use the API at all.
    pub(crate) fn has_api_access(&self) -> bool {
        self.api_access.unwrap_or(!self.plan.eq_ignore_ascii_case("free"))
    }

    /// Whether the pair was made by someone with an administrator's rights.
    pub(crate) fn is_admin(&self) -> bool {
        self.role.eq_ignore_ascii_case("admin") || self.role.eq_ignore_ascii_case("owner")
    }

    /// Whether requests may come from this address.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.allowed_ips.is_empty() || self.allowed_ips.contains(&address)
    }

    /// Whether the account has bought this add-on.
    pub(crate) fn has_addon(&self, name: &str) -> bool {
        self.addons.iter().any(|addon| addon == name)
    }
}

fn default_email(id: u64) -> String {
    if id == FIRST_ID {
        return "admin@yourcompany.com".to_owned();
    }
    format!("admin@account-{id}.example")
}
