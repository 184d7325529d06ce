//! The accounts of the simulated service, and the search for the account of a request's pair.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::account::{
    Account, AccountChange, AccountView, FIRST_ID, Issued, NewAccount, Pair, Reset, Setting,
};
use super::rate::RateLimit;
use crate::{ControlError, Dialect};

/// The text that replaces a secret.
const MASK: &str = "<secret>";
/// The shortest secret that is masked. Shorter ones, which only tests use, occur in ordinary words.
const MASKED_BYTES_MIN: usize = 8;

/// The account and the generations of the pairs that a request's key and secret belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Match {
    /// The account of the key, or of the secret if the key is unknown.
    account_id: Option<u64>,
    key_generation: Option<usize>,
    /// The generation in that account.
    secret_generation: Option<usize>,
}

/// All accounts, oldest first.
#[derive(Default)]
pub(super) struct Accounts {
    dialect: Dialect,
    all: Vec<Account>,
    /// All keys ever used, each with the index of its account and its generation.
    keys: HashMap<String, (usize, usize)>,
}

impl Accounts {
    /// Creates an empty list. The dialect decides which limits of the plan the accounts announce.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Creates an account with its pair. Fails if its number or key is taken, or a setting is invalid.
    pub(super) fn create(&mut self, mut new: NewAccount) -> Result<&Account, ControlError> {
        let pair = Pair::new(new.api_key.take(), new.api_secret.take())?;
        new.rate_limit.map_or(Ok(()), check_limit)?;
        let id = new.account_id.unwrap_or_else(|| self.free_id());
        if self.all.iter().any(|account| account.id == id) {
            return Err(ControlError::conflict("there is an account with that account_id already"));
        }
        self.claim(&pair.key, self.all.len(), 1)?;
        self.all.push(Account::new(id, pair, new, self.dialect));
        Ok(self.all.last().expect("one was just added"))
    }

    /// Gives an account a new pair. Earlier pairs die when the overlap ends, or immediately without one.
    pub(super) fn reset(&mut self, reset: Reset, now: Instant) -> Result<&Account, ControlError> {
        let end = now
            .checked_add(Duration::from_millis(reset.overlap_ms))
            .ok_or_else(|| ControlError::bad_request("overlap_ms is too large"))?;
        let index = self.named(reset.api_key.as_deref(), reset.account_id)?;
        let pair = Pair::new(reset.new_api_key, reset.new_api_secret)?;
        self.claim(&pair.key, index, self.all[index].generation() + 1)?;
        let account = &mut self.all[index];
        account.pairs.iter_mut().for_each(|issued| issued.die_at(end));
        account.pairs.push(Issued::new(pair));
        Ok(account)
    }

    /// Changes what an account may do. Fails if there is no such account, or a setting is invalid.
    pub(super) fn change(&mut self, id: u64, change: AccountChange) -> Result<&Account, ControlError> {
        if let Setting::Own(limit) = change.rate_limit {
            check_limit(limit)?;
        }
        let index = self.named(None, Some(id))?;
        self.all[index].change(change, self.dialect);
        Ok(&self.all[index])
    }

    /// Returns every account as the console shows it.
    pub(super) fn view(&self, now: Instant) -> Vec<AccountView> {
        self.all.iter().map(|account| account.view(now)).collect()
    }

    /// Returns an account whose current secret was not shown yet, and marks it as shown. Fails if it was shown.
    pub(super) fn reveal(&mut self, id: u64) -> Result<&Account, ControlError> {
        let index = self.named(None, Some(id))?;
        let account = &mut self.all[index];
        let current = account.pairs.last_mut().expect("an account never loses its pairs");
        if std::mem::replace(&mut current.secret_shown, true) {
            return Err(ControlError::conflict("the secret was shown once; reset the pair for a new one"));
        }
        Ok(account)
    }

    /// Returns a text with all secrets of all accounts replaced, including percent-encoded ones.
    pub(super) fn mask(&self, text: &str) -> String {
        // Most texts are shorter than a secret, so that even an account with many resets costs little.
        let may_contain = |secret: &&str| (MASKED_BYTES_MIN..=text.len()).contains(&secret.len());
        let pairs = self.all.iter().flat_map(|account| &account.pairs);
        let secrets = pairs.map(|issued| issued.pair.secret.as_str()).filter(may_contain);
        secrets.fold(text.to_owned(), |text, secret| {
            let masked = text.replace(secret, MASK);
            // Encoders differ in what they encode, so the decoded text is searched, of a form also with its spaces.
            let decoded = [masked.clone(), masked.replace('+', " ")]
                .map(|text| percent_decode_str(&text).decode_utf8_lossy().into_owned());
            let found = decoded.into_iter().find(|text| text.contains(secret));
            found.map_or(masked, |text| text.replace(secret, MASK))
        })
    }

    /// Returns the secret of a generation of an account; by default the current one of the first account.
    pub(super) fn secret(
        &self,
        key: Option<&str>,
        id: Option<u64>,
        generation: Option<usize>,
    ) -> Result<&str, ControlError> {
        let account = &self.all[self.named(key, id)?];
        let generation = generation.unwrap_or_else(|| account.generation());
        let pair = generation.checked_sub(1).and_then(|index| account.pairs.get(index));
        pair.map(|issued| issued.pair.secret.as_str()).ok_or_else(|| {
            ControlError::not_found(format!(
                "the account's generations are 1 to {}, not {generation}",
                account.generation()
            ))
        })
    }

    /// Ends a pair that is current or alive. Returns its account and generation.
    pub(super) fn revoke(&mut self, key: &str, now: Instant) -> Result<(&Account, usize), ControlError> {
        let unknown = || ControlError::not_found("no account has that key, alive or current");
        let (index, generation) = *self.keys.get(key).ok_or_else(unknown)?;
        let account = &mut self.all[index];
        let is_current = generation == account.generation();
        let issued = &mut account.pairs[generation - 1];
        if !is_current && !issued.is_alive(now) {
            return Err(unknown());
        }
        issued.die_at(now);
        Ok((account, generation))
    }

    /// Removes every account except the first, so that each case of a test can create the same account. Returns their number.
    /// The limits of the first account are whole again.
    pub(super) fn forget_others(&mut self) -> usize {
        if let Some(first) = self.all.first_mut() {
            first.rate.restart();
        }
        let forgotten = self.all.len().saturating_sub(1);
        self.all.truncate(1);
        self.keys.retain(|_, (index, _)| *index == 0);
        forgotten
    }

    /// Returns the account that has exactly this `Authorization` value as a living pair.
    pub(super) fn authorize(&mut self, authorization: Option<&str>, now: Instant) -> Option<&mut Account> {
        let (key, secret) = authorization?.split_once(':')?;
        let (index, generation) = *self.keys.get(key)?;
        let account = &mut self.all[index];
        let issued = &account.pairs[generation - 1];
        (issued.pair.secret == secret && issued.is_alive(now)).then_some(account)
    }

    /// Returns the account and the generations of the pairs, living or dead, that this `Authorization` value belongs to.
    pub(super) fn identify(&self, authorization: Option<&str>) -> Match {
        let Some((key, secret)) = authorization.and_then(|value| value.split_once(':')) else {
            return Match::default();
        };
        let generation_in = |account: &Account| {
            account.pairs.iter().rposition(|issued| issued.pair.secret == secret).map(|i| i + 1)
        };
        if let Some((index, generation)) = self.keys.get(key) {
            let account = &self.all[*index];
            return Match {
                account_id: Some(account.id),
                key_generation: Some(*generation),
                secret_generation: generation_in(account),
            };
        }
        let found = self.all.iter().find_map(|account| Some((account.id, generation_in(account)?)));
        Match {
            account_id: found.map(|(id, _)| id),
            key_generation: None,
            secret_generation: found.map(|(_, generation)| generation),
        }
    }

    fn named(&self, key: Option<&str>, id: Option<u64>) -> Result<usize, ControlError> {
        let fits = |account: &Account| {
            key.is_none_or(|key| account.pair().key == key) && id.is_none_or(|id| account.id == id)
        };
        self.all
            .iter()
            .position(fits)
            .ok_or_else(|| ControlError::not_found("no account has that current key or account_id"))
    }

    /// Registers a key. A key is never used twice, so that a request's generation is unambiguous.
    fn claim(&mut self, key: &str, account: usize, generation: usize) -> Result<(), ControlError> {
        if self.keys.contains_key(key) {
            return Err(ControlError::conflict("that api_key is in use or was before"));
        }
        self.keys.insert(key.to_owned(), (account, generation));
        Ok(())
    }

    fn free_id(&self) -> u64 {
        self.all.iter().map(|account| account.id + 1).max().unwrap_or(FIRST_ID)
    }
}

fn check_limit(limit: RateLimit) -> Result<(), ControlError> {
    if !limit.is_valid() {
        return Err(ControlError::bad_request("rate_limit takes a limit and a window_s above 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{AccountChange, Accounts, Match, NewAccount, Pair, Reset};

    fn is_alive(accounts: &mut Accounts, pair: &Pair, now: Instant) -> bool {
        accounts.authorize(Some(&format!("{}:{}", pair.key, pair.secret)), now).is_some()
    }

    /// Returns an account that was reset, with its first pair, its second pair and the time of the reset.
    fn reset(overlap_ms: u64) -> (Accounts, Pair, Pair, Instant) {
        let mut accounts = Accounts::default();
        let old = accounts.create(NewAccount::default()).unwrap().pair().clone();
        let now = Instant::now();
        let new = accounts.reset(Reset { overlap_ms, ..Reset::default() }, now).unwrap().pair().clone();
        (accounts, old, new, now)
    }

    #[test]
    fn it_ends_the_old_pair_immediately_at_a_reset() {
        let (mut accounts, old, new, now) = reset(0);
        let torn = Pair { key: new.key.clone(), secret: old.secret.clone() };
        assert!(!is_alive(&mut accounts, &old, now));
        assert!(!is_alive(&mut accounts, &torn, now));
        assert!(is_alive(&mut accounts, &new, now));
    }

    #[test]
    fn it_keeps_the_old_pair_alive_to_the_end_of_the_overlap() {
        let (mut accounts, old, new, now) = reset(1_000);
        let torn = Pair { key: old.key.clone(), secret: new.secret.clone() };
        for (after_ms, old_lives) in [(0, true), (999, true), (1_000, false), (2_000, false)] {
            let then = now + Duration::from_millis(after_ms);
            assert_eq!(is_alive(&mut accounts, &old, then), old_lives, "after {after_ms} ms");
            assert!(is_alive(&mut accounts, &new, then) && !is_alive(&mut accounts, &torn, then));
        }
    }

    #[test]
    fn it_never_lengthens_an_overlap_by_another_reset() {
        let (mut accounts, first, second, now) = reset(1_000);
        let overlap = |overlap_ms| Reset { overlap_ms, ..Reset::default() };
        accounts.reset(overlap(5_000), now).unwrap();
        let later = now + Duration::from_millis(1_500);
        assert!(!is_alive(&mut accounts, &first, later) && is_alive(&mut accounts, &second, later));
        accounts.reset(overlap(0), now).unwrap();
        assert!(!is_alive(&mut accounts, &second, now), "a reset without overlap kills all before it");
    }

    #[test]
    fn it_revokes_a_pair_in_its_overlap_and_the_current_one() {
        let (mut accounts, old, new, now) = reset(1_000);
        assert_eq!(accounts.revoke(&old.key, now).unwrap().1, 1);
        assert!(!is_alive(&mut accounts, &old, now) && is_alive(&mut accounts, &new, now));
        assert_eq!(accounts.revoke(&old.key, now).err().unwrap().status(), 404, "it is dead");
        assert_eq!(accounts.revoke(&new.key, now).unwrap().1, 2);
        assert!(!is_alive(&mut accounts, &new, now));
        assert_eq!(accounts.revoke(&new.key, now).unwrap().1, 2, "the current one, dead or not");
    }

    #[test]
    fn it_reports_the_generations_of_a_torn_pair() {
        let (accounts, old, new, _) = reset(0);
        let torn = accounts.identify(Some(&format!("{}:{}", new.key, old.secret)));
        assert_eq!(
            torn,
            Match { account_id: Some(12345), key_generation: Some(2), secret_generation: Some(1) }
        );
        let only_secret = accounts.identify(Some(&format!("unknown:{}", old.secret)));
        assert_eq!((only_secret.key_generation, only_secret.secret_generation), (None, Some(1)));
        assert_eq!(accounts.identify(Some("unknown:nothing")), Match::default());
        assert_eq!(accounts.identify(None), Match::default());
    }

    #[test]
    fn it_takes_a_given_pair_as_it_is_but_never_a_key_twice() {
        let mut accounts = Accounts::default();
        let given = || NewAccount {
            api_key: Some("k".into()),
            api_secret: Some("s:t".into()),
            ..NewAccount::default()
        };
        accounts.create(given()).unwrap();
        assert!(accounts.authorize(Some("k:s:t"), Instant::now()).is_some());
        assert_eq!(accounts.create(given()).err().unwrap().status(), 409);
    }

    #[test]
    fn it_forgets_all_accounts_but_the_first_with_their_keys() {
        let mut accounts = Accounts::default();
        let first = accounts.create(NewAccount::default()).unwrap().pair().clone();
        let other = || NewAccount { api_key: Some("k".into()), account_id: Some(7), ..NewAccount::default() };
        accounts.create(other()).unwrap();
        assert_eq!(accounts.forget_others(), 1);
        assert!(is_alive(&mut accounts, &first, Instant::now()));
        accounts.create(other()).unwrap();
    }

    #[test]
    fn it_reveals_a_secret_once_and_the_next_one_after_a_reset() {
        let (mut accounts, _, new, _) = reset(0);
        assert_eq!(accounts.reveal(12345).unwrap().pair(), &new);
        assert_eq!(accounts.reveal(12345).err().unwrap().status(), 409);
        assert_eq!(accounts.reveal(1).err().unwrap().status(), 404);
        accounts.reset(Reset::default(), Instant::now()).unwrap();
        assert!(accounts.reveal(12345).is_ok());
    }

    #[test]
    fn it_masks_every_secret_past_and_present_in_any_spelling() {
        let (mut accounts, old, new, _) = reset(0);
        let given = NewAccount { api_secret: Some("a-b/c secret".into()), ..NewAccount::default() };
        accounts.create(given).unwrap();
        for spelling in ["a-b/c secret", "a-b%2Fc%20secret", "a%2db%2fc%20secret", "a-b%2Fc+secret"] {
            let text = format!("/x?a={}&b={}-&c={spelling}&d={}", old.secret, new.secret, new.key);
            let masked = format!("/x?a=<secret>&b=<secret>-&c=<secret>&d={}", new.key);
            assert_eq!(accounts.mask(&text), masked);
        }
        assert_eq!(accounts.mask("/x?a=%2F+b"), "/x?a=%2F+b", "the control: nothing else is changed");
    }

    #[test]
    fn it_changes_what_an_account_may_do_and_nothing_else() {
        let mut accounts = Accounts::default();
        let (id, pair) = accounts.create(NewAccount::default()).map(|a| (a.id, a.pair().clone())).unwrap();
        let now = Instant::now();
        let mut change = |json: &str| {
            let change: AccountChange = serde_json::from_str(json).unwrap();
            accounts.change(id, change).map(|account| serde_json::to_value(account.view(now)).unwrap())
        };
        let before = change("{}").unwrap();
        let after = change(r#"{"plan": "Free", "allowed_ips": ["127.0.0.2"]}"#).unwrap();
        assert_eq!((&after["plan"], &after["api_access"]), (&"Free".into(), &false.into()));
        assert_eq!((&after["role"], &after["pairs"]), (&before["role"], &before["pairs"]));
        assert_eq!(after["rate"]["long"]["limit"], 60, "the announced limits are the new plan's");
        let limited = change(r#"{"rate_limit": {"limit": 2, "window_s": 9}, "api_access": true}"#).unwrap();
        assert_eq!((&limited["rate"]["enforced"], &limited["api_access"]), (&true.into(), &true.into()));
        let free = change(r#"{"rate_limit": null, "api_access": null, "plan": "Pro"}"#).unwrap();
        assert_eq!((&free["rate"]["enforced"], &free["api_access"]), (&false.into(), &true.into()));
        assert_eq!(free["rate"]["long"]["limit"], 120);
        assert_eq!(change(r#"{"rate_limit": {"limit": 0, "window_s": 9}}"#).unwrap_err().status(), 400);
        assert!(is_alive(&mut accounts, &pair, now));
    }
}
