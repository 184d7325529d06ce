//! An account of the pretended service: its current pair, perhaps older ones in an overlap, and what it may do.

use std::net::IpAddr;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};

use super::objects::Objects;
use super::rate::{RateLimit, RateView, RateWindow};
use crate::{ControlError, Dialect, random};

/// The account number of the help article's example.
pub(super) const FIRST_ID: u64 = 12345;
/// Digits of a made-up key or secret, in bytes: 40 hex digits, as real ones have.
const PAIR_BYTES: usize = 20;
/// How many of an account's last pairs are shown, whether alive or not.
const PAIRS_SHOWN: usize = 5;

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

/// What to change of an account. A member that is absent changes nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountChange {
    plan: Option<String>,
    role: Option<String>,
    allowed_ips: Option<Vec<IpAddr>>,
    api_access: Setting<bool>,
    pub(super) rate_limit: Setting<RateLimit>,
    addons: Option<Vec<String>>,
}

/// What becomes of a setting that the plan decides unless the account has its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Setting<T> {
    /// The member is absent.
    #[default]
    Unchanged,
    /// The member is null.
    OfPlan,
    Own(T),
}

impl<T> Setting<T> {
    /// Returns the account's own setting after the change, from the one before it.
    fn apply_to(self, own: Option<T>) -> Option<T> {
        match self {
            Self::Unchanged => own,
            Self::OfPlan => None,
            Self::Own(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(member: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(member)?.map_or(Self::OfPlan, Self::Own))
    }
}

/// An account as the console shows it, without any secret.
#[derive(Serialize)]
pub(crate) struct AccountView {
    account_id: u64,
    email: String,
    plan: String,
    role: String,
    allowed_ips: Vec<IpAddr>,
    api_access: bool,
    addons: Vec<String>,
    rate: RateView,
    generation: usize,
    /// The last pairs, and all that are alive.
    pairs: Vec<PairView>,
}

/// A pair without its secret.
#[derive(Serialize)]
struct PairView {
    generation: usize,
    api_key: String,
    alive: bool,
    /// How long it still lives, if its end is known.
    dies_in_ms: Option<u64>,
    secret_shown: bool,
}

/// A pair of an account, with the time at which it dies, once that is known.
pub(super) struct Issued {
    pub(super) pair: Pair,
    dies: Option<Instant>,
    /// Whether a control call has returned the secret.
    pub(super) secret_shown: bool,
}

impl Issued {
    pub(super) fn new(pair: Pair) -> Self {
        Self { pair, dies: None, secret_shown: false }
    }

    pub(super) fn is_alive(&self, now: Instant) -> bool {
        self.dies.is_none_or(|dies| now < dies)
    }

    fn view(&self, generation: usize, now: Instant) -> PairView {
        let left = |dies: Instant| dies.saturating_duration_since(now).as_millis();
        PairView {
            generation,
            api_key: self.pair.key.clone(),
            alive: self.is_alive(now),
            dies_in_ms: self.dies.map(|dies| u64::try_from(left(dies)).unwrap_or(u64::MAX)),
            secret_shown: self.secret_shown,
        }
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
    pub(crate) objects: Objects,
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
            objects: Objects::default(),
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

    /// Changes what the account may do. Requests that were counted before count no more if the limit changes.
    pub(super) fn change(&mut self, change: AccountChange, dialect: Dialect) {
        let AccountChange { plan, role, allowed_ips, api_access, rate_limit, addons } = change;
        let new_plan = plan.is_some_and(|plan| std::mem::replace(&mut self.plan, plan) != self.plan);
        match rate_limit {
            Setting::Own(limit) => self.rate = RateWindow::new(dialect, &self.plan, Some(limit)),
            Setting::OfPlan => self.rate = RateWindow::new(dialect, &self.plan, None),
            Setting::Unchanged if new_plan && !self.rate.is_enforced() => {
                self.rate = RateWindow::new(dialect, &self.plan, None);
            }
            Setting::Unchanged => {}
        }
        self.role = role.unwrap_or_else(|| std::mem::take(&mut self.role));
        self.allowed_ips = allowed_ips.unwrap_or_else(|| std::mem::take(&mut self.allowed_ips));
        self.api_access = api_access.apply_to(self.api_access);
        self.addons = addons.unwrap_or_else(|| std::mem::take(&mut self.addons));
    }

    /// Returns the account as the console shows it.
    pub(super) fn view(&self, now: Instant) -> AccountView {
        let first_shown = self.pairs.len().saturating_sub(PAIRS_SHOWN);
        let shown = |(index, issued): &(usize, &Issued)| *index >= first_shown || issued.is_alive(now);
        AccountView {
            account_id: self.id,
            email: self.email.clone(),
            plan: self.plan.clone(),
            role: self.role.clone(),
            allowed_ips: self.allowed_ips.clone(),
            api_access: self.has_api_access(),
            addons: self.addons.clone(),
            rate: self.rate.view(now),
            generation: self.generation(),
            pairs: self
                .pairs
                .iter()
                .enumerate()
                .filter(shown)
                .map(|(index, issued)| issued.view(index + 1, now))
                .collect(),
        }
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
