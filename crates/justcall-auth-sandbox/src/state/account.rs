//! An account of the simulated service: its pairs, and what they may do.

use std::net::IpAddr;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};

use super::objects::Objects;
use super::rate::{RateLimit, RateView, RateWindow};
use crate::{ControlError, Dialect, random};

/// The account number of the help article's example.
pub(super) const FIRST_ID: u64 = 12345;
/// The bytes of a generated key or secret: 40 hex digits, as real ones have.
const PAIR_BYTES: usize = 20;
/// How many of an account's last pairs are shown, including dead ones.
const PAIRS_SHOWN: usize = 5;

/// A pair of API key and secret. It is plain text, since this server is for tests.
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

/// The settings of a new account. Absent ones have defaults.
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

/// The account to reset, and its new pair.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reset {
    pub(super) api_key: Option<String>,
    pub(super) account_id: Option<u64>,
    pub(super) new_api_key: Option<String>,
    pub(super) new_api_secret: Option<String>,
    /// How long the earlier pairs stay alive, in milliseconds.
    pub(super) overlap_ms: u64,
}

/// The settings of an account to change. Absent ones stay as they are.
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

/// A change of a setting for which the plan has a default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Setting<T> {
    /// Keeps the setting. The member is absent.
    #[default]
    Unchanged,
    /// Restores the plan's default. The member is null.
    OfPlan,
    Own(T),
}

impl<T> Setting<T> {
    /// Returns the account's setting after the change.
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
    /// The last pairs, and all living ones.
    pairs: Vec<PairView>,
}

/// A pair without its secret.
#[derive(Serialize)]
struct PairView {
    generation: usize,
    api_key: String,
    alive: bool,
    /// How long until the pair dies, if that is known.
    dies_in_ms: Option<u64>,
    secret_shown: bool,
}

/// A pair of an account, with the time of its death, if that is known.
pub(super) struct Issued {
    pub(super) pair: Pair,
    dies: Option<Instant>,
    /// True if a control call has returned the secret.
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

    /// Sets the time of the pair's death, unless it dies earlier.
    pub(super) fn die_at(&mut self, time: Instant) {
        self.dies = Some(self.dies.map_or(time, |dies| dies.min(time)));
    }
}

/// An account of the simulated service.
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
    /// All pairs, oldest first. The last one is the current pair.
    pub(super) pairs: Vec<Issued>,
}

impl Account {
    /// Creates an account with its first pair. The dialect decides which limits of the plan it announces.
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

    /// Returns the current pair, revoked or not.
    pub(crate) fn pair(&self) -> &Pair {
        &self.pairs.last().expect("an account is made with a pair and never loses one").pair
    }

    /// Changes what the account may do. A changed limit starts to count at 0.
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

    /// Returns the number of the current pair, from 1.
    pub(crate) fn generation(&self) -> usize {
        self.pairs.len()
    }

    /// Returns true if the account's pair may use the API.
    pub(crate) fn has_api_access(&self) -> bool {
        self.api_access.unwrap_or(!self.plan.eq_ignore_ascii_case("free"))
    }

    /// Returns true if the user who created the pair has the rights of an administrator.
    pub(crate) fn is_admin(&self) -> bool {
        self.role.eq_ignore_ascii_case("admin") || self.role.eq_ignore_ascii_case("owner")
    }

    /// Returns true if requests may come from this address.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.allowed_ips.is_empty() || self.allowed_ips.contains(&address)
    }

    /// Returns true if the account has an add-on.
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
