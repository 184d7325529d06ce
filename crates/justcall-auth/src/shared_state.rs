//! The shared state of one process: connections by equal settings, pairs by equal source, and rejections.
//!
//! The state belongs to a process: after `fork()` the child creates a new one at its first call. It never waits for an
//! inherited lock, which a thread that the child does not have may hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::keyring::Rejections;
use justcall_auth_protocol::{Policy, Shared};
use justcall_auth_secret::{ForkOwned, Level, PerProcess};

use crate::reentry;
use crate::source::{ChangeDetector, Environment, Fingerprints, Identity, Source};
use crate::transport::{AddressBook, Settings, SystemRoots, Transport, VaultClient};

/// The shared state of this process.
pub(crate) struct SharedState {
    sources: Mutex<Sources>,
    transports: Mutex<Vec<Weak<Transport>>>,
    rejections: Arc<Rejections>,
    fingerprints: Fingerprints,
    system_roots: Arc<SystemRoots>,
    addresses: Arc<AddressBook>,
}

/// Clients with equal keys have the same pair, unless the environment held another pair when one of them was created.
type Key = (Identity, String, Option<u64>, Level);

/// A source and its pairs.
#[derive(Debug)]
pub(crate) struct SharedSource {
    pub shared: Shared,
    pub detector: ChangeDetector,
    /// The time and the error of the last failed refresh that a webhook caused.
    webhook_failure: Mutex<Option<(Duration, Error)>>,
}

/// How long a failed refresh counts for webhooks. Anyone may send those, so each must not cause a refresh.
const WEBHOOK_INTERVAL: Duration = Duration::from_secs(1);

impl SharedSource {
    /// Returns the error of the last refresh that a webhook caused, if it is recent and there is no pair yet.
    pub fn webhook_failure(&self, now: Duration) -> Option<Error> {
        let failure = lock(&self.webhook_failure).clone();
        let is_recent = |at: Duration| now.saturating_sub(at) < WEBHOOK_INTERVAL;
        failure
            .filter(|(at, _)| is_recent(*at) && self.shared.keyring.current().is_none())
            .map(|(_, error)| error)
    }

    /// Records that a refresh which a webhook caused failed. A cancelled call is no failure of the source. A file is
    /// not recorded, because reading it again is cheap.
    pub fn webhook_failed(&self, now: Duration, error: &Error) {
        let is_about_source = !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::InvalidArgument);
        if is_about_source && self.detector.is_costly() {
            *lock(&self.webhook_failure) = Some((now, error.clone()));
        }
    }

    /// Lets the next call read the source if the login of the source should be renewed at `now`. The pair in use stays if
    /// that fails.
    pub fn renew_login_if_due(&self, now: Duration) {
        if self.detector.is_renewal_due(now) {
            self.shared.keyring.request_refresh();
        }
    }

    /// Returns true if this thread is inside a call that holds a lease of these pairs. A new call must not wait for
    /// that lease.
    pub fn is_entered(&self) -> bool {
        self.detector.is_entered() || reentry::is_inside(&*self.shared.keyring)
    }
}

struct Sources {
    /// The shared sources of each key, the latest last. A key has several only if the environment held another pair
    /// each time.
    known: HashMap<Key, Vec<Weak<SharedSource>>>,
    /// The number of keys at which unused ones are removed.
    sweep_at: usize,
}

static CURRENT: PerProcess<SharedState> = PerProcess::new();

impl SharedState {
    /// Returns the state of this process.
    pub fn current() -> Arc<ForkOwned<Self>> {
        CURRENT.get_or_make(Self::new)
    }

    /// Forgets all rejections of the service.
    pub fn forget_rejections() {
        Self::current().rejections.forget_all();
    }

    fn new() -> Self {
        Self {
            sources: Mutex::new(Sources { known: HashMap::new(), sweep_at: 64 }),
            transports: Mutex::default(),
            rejections: Arc::default(),
            fingerprints: Fingerprints::default(),
            system_roots: Arc::default(),
            addresses: Arc::default(),
        }
    }

    /// Returns true if clients with this source, base URL, expected account and memory level exist.
    pub fn knows_source(&self, source: &Source, policy: &Policy, memory: Level) -> bool {
        let sources = lock(&self.sources);
        let known = sources.known.get(&key(source, policy, memory));
        known.is_some_and(|known| known.iter().any(|source| source.strong_count() > 0))
    }

    /// Returns the shared source of all clients with this source, base URL, expected account and memory level. For the
    /// environment, the pair in it must also be the one that they read there.
    pub fn shared_source(
        &self,
        source: &Source,
        policy: &Policy,
        memory: Level,
        environment: &dyn Environment,
    ) -> Arc<SharedSource> {
        let fingerprint = source.fingerprint(environment, &self.fingerprints);
        let key = key(source, policy, memory);
        let mut sources = lock(&self.sources);
        let mut known = sources.known.get(&key).into_iter().flatten().rev().filter_map(Weak::upgrade);
        if let Some(source) = known.find(|source| source.detector.is_for(fingerprint)) {
            return source;
        }
        if sources.known.len() >= sources.sweep_at {
            sources.known.retain(|_, sources| sources.iter().any(|source| source.strong_count() > 0));
            sources.sweep_at = sources.known.len().max(32) * 2;
        }
        let shared = Shared::new(policy.base_url.to_string(), self.rejections.clone());
        let detector = ChangeDetector::new(source.clone(), memory, self.fingerprints.clone());
        detector.is_for(fingerprint);
        let source = Arc::new(SharedSource { shared, detector, webhook_failure: Mutex::default() });
        let known = sources.known.entry(key).or_default();
        known.retain(|source| source.strong_count() > 0);
        known.push(Arc::downgrade(&source));
        source
    }

    /// Returns the pairs of all clients of this process: the pairs in use, the candidates, and the pairs that were
    /// replaced shortly before `now`.
    pub fn pairs(&self, now: Duration) -> Vec<Credentials> {
        let sources: Vec<Arc<SharedSource>> =
            lock(&self.sources).known.values().flatten().filter_map(Weak::upgrade).collect();
        let versions = sources.iter().flat_map(|source| {
            let keyring = &source.shared.keyring;
            [keyring.current(), keyring.candidate(), keyring.previous(now)]
        });
        versions.flatten().map(|version| version.credentials().clone()).collect()
    }

    /// Returns the transport of all clients with these settings.
    pub fn transport(&self, settings: &Settings) -> Arc<Transport> {
        let mut transports = lock(&self.transports);
        transports.retain(|transport| transport.strong_count() > 0);
        let equal =
            transports.iter().filter_map(Weak::upgrade).find(|transport| transport.settings() == settings);
        equal.unwrap_or_else(|| {
            let transport =
                Arc::new(Transport::new(settings.clone(), self.addresses.clone(), self.system_roots()));
            transports.push(Arc::downgrade(&transport));
            transport
        })
    }

    /// Returns a client for requests to Vault.
    pub fn vault_client(&self, settings: Settings) -> VaultClient {
        VaultClient::new(settings, self.addresses.clone(), self.system_roots())
    }

    /// Returns the certificate authorities of the system, which are read once a process.
    pub fn system_roots(&self) -> Arc<SystemRoots> {
        self.system_roots.clone()
    }
}

fn key(source: &Source, policy: &Policy, memory: Level) -> Key {
    (source.identity(), policy.base_url.to_string(), policy.expected_account, memory)
}

/// Locks a mutex. The guarded state is consistent at every moment, so a panic elsewhere cannot corrupt it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::ffi::OsString;

    use super::*;

    /// The two variables of `env:`.
    #[derive(Default)]
    struct Variables(RefCell<Option<[&'static str; 2]>>);

    impl Environment for Variables {
        fn variable(&self, name: &str) -> Option<OsString> {
            let halves = (*self.0.borrow())?;
            Some(halves[usize::from(name.ends_with("SECRET"))].into())
        }
    }

    #[test]
    fn it_shares_pairs_while_the_environment_holds_the_same_pair_or_none() {
        const A: [&str; 2] = ["abc123def456", "sec789xyz000"];
        const B: [&str; 2] = ["abc123def456", "sec789xyz001"];
        let (state, variables) = (SharedState::new(), Variables::default());
        let source = Source::parse("env:").expect("a spelling");
        let shared = |values| {
            variables.0.replace(values);
            state.shared_source(&source, &Policy::default(), Level::Heap, &variables)
        };
        let is_same = |one: &Arc<SharedSource>, other: &Arc<SharedSource>| Arc::ptr_eq(one, other);
        let unset = shared(None);
        let a = shared(Some(A));
        assert!(is_same(&unset, &a), "nothing was read yet");
        let b = shared(Some(B));
        assert!(!is_same(&a, &b), "the environment holds another pair");
        assert!(is_same(&a, &shared(Some(A))) && is_same(&b, &shared(Some(B))));
        assert!(
            is_same(&a, &shared(Some(["abc123def456\n", "sec789xyz000"]))),
            "a final line break is ignored"
        );
        assert!(is_same(&b, &shared(None)), "it was scrubbed: the latest counts");
        assert!(is_same(&b, &shared(Some(["", ""]))), "empty is not set");
        for malformed in [["abc123def456", ""], ["", "sec789xyz000"], ["abc123def456", "sec789xyz000 "]] {
            let other = shared(Some(malformed));
            assert!(!is_same(&a, &other) && !is_same(&b, &other), "the first call reports {malformed:?}");
        }
        let halves = shared(Some(["abc123def45", "6sec789xyz000"]));
        assert!(!is_same(&a, &halves), "the halves are compared separately");

        let other_names = Source::parse("env:A,A_SECRET").expect("a spelling");
        variables.0.replace(Some(A));
        let other = state.shared_source(&other_names, &Policy::default(), Level::Heap, &variables);
        assert!(!is_same(&a, &other));
        drop((a, unset));
        let again = shared(Some(A));
        assert!(!is_same(&again, &b) && is_same(&again, &shared(Some(A))), "an unused source is forgotten");
    }

    #[test]
    fn it_shares_a_pair_of_vault_only_between_clients_with_the_same_login() {
        let state = SharedState::new();
        let shared = |spelling: &str, variables: &[(&str, &str)]| {
            let source =
                Source::parse(spelling).and_then(|source| source.resolve(&variables)).expect(spelling);
            state.shared_source(&source, &Policy::default(), Level::Heap, &variables)
        };
        let usual = [("VAULT_ADDR", "https://a:8200"), ("VAULT_TOKEN", "one")];
        let one = shared("vault:kv/a", &usual);
        let same =
            |spelling: &str, variables: &[(&str, &str)]| Arc::ptr_eq(&one, &shared(spelling, variables));
        assert!(same("vault:kv/a", &usual));
        assert!(same("vault:https://a:8200/kv/a", &usual), "the address is the same");
        assert!(!same("vault:kv/a", &[usual[0], ("VAULT_TOKEN", "two")]));
        assert!(!same("vault:kv/a", &[("VAULT_ADDR", "https://b:8200"), usual[1]]));
        assert!(!same("vault:kv/a", &[usual[0], usual[1], ("VAULT_NAMESPACE", "team")]));
        assert!(!same("vault:kv/a", &[usual[0], usual[1], ("VAULT_CACERT", "/ca.pem")]));
        for other in [
            "vault:kv/b",
            "vault:other/a",
            "vault:kv/a?key=k",
            "vault:kv/a?namespace=team",
            "vault:kv/a?token_file=/token",
            "vault:kv/a?auth=approle",
            "vault:kv/a?auth=jwt&role=app",
        ] {
            assert!(!same(other, &usual), "{other}");
        }
        let role = |role_id| [usual[0], ("VAULT_ROLE_ID", role_id), ("VAULT_SECRET_ID", "x")];
        let [first, second] = ["one", "two"].map(|id| shared("vault:kv/a?auth=approle", &role(id)));
        assert!(!Arc::ptr_eq(&first, &second), "another role");
    }

    #[test]
    fn it_knows_a_source_while_a_client_uses_it() {
        let (state, variables) = (SharedState::new(), Variables::default());
        let [source, other] = ["env:", "env:A,A_SECRET"].map(|text| Source::parse(text).expect("a spelling"));
        let knows = |source| state.knows_source(source, &Policy::default(), Level::Heap);
        assert!(!knows(&source));
        let shared = state.shared_source(&source, &Policy::default(), Level::Heap, &variables);
        assert!(knows(&source) && !knows(&other));
        drop(shared);
        assert!(!knows(&source), "no client uses it");
    }

    #[test]
    fn it_forgets_the_sources_that_no_client_uses() {
        const MANY: usize = 200;
        let (state, variables) = (SharedState::new(), Variables::default());
        let shared = |number: usize| {
            let source = Source::parse(&format!("env:A{number},A{number}_SECRET")).expect("a spelling");
            state.shared_source(&source, &Policy::default(), Level::Heap, &variables)
        };
        let known = || lock(&state.sources).known.len();
        (0..10).for_each(|number| drop(shared(number)));
        assert_eq!(known(), 10, "a search for unused ones costs more than a few of them");
        let used: Vec<_> = (0..MANY).map(shared).collect();
        assert_eq!(known(), MANY, "all are in use");
        drop(used);
        (MANY..2 * MANY).for_each(|number| drop(shared(number)));
        assert!(known() < MANY / 2, "{} of {} are still known", known(), 2 * MANY);
    }

    #[test]
    fn it_forgets_the_pairs_of_the_environment_that_no_client_uses() {
        let (state, variables) = (SharedState::new(), Variables::default());
        let source = Source::parse("env:").expect("a spelling");
        for key in ["abc123def450", "abc123def451", "abc123def452"] {
            variables.0.replace(Some([key, "sec789xyz000"]));
            drop(state.shared_source(&source, &Policy::default(), Level::Heap, &variables));
        }
        assert_eq!(lock(&state.sources).known.values().map(Vec::len).sum::<usize>(), 1, "the latest");
    }
}
