//! What the clients of one process share: connections by equal settings, pairs by equal source, what was rejected.
//!
//! It belongs to a process, not to a program: after `fork()` the child makes its own at its first call. Whatever it
//! inherited may have been locked by a thread that the child does not have, so it never waits for an inherited lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::exchange::Policy;
use justcall_auth_protocol::keyring::{Keyring, Rejections};
use justcall_auth_secret::Level;
use once_cell::sync::OnceCell;
use rustls::RootCertStore;

use crate::reentry;
use crate::source::{Identity, Source, Watch};
use crate::transport::{AddressBook, Settings, Transport, system_roots};

/// The shared state of this process.
pub(crate) struct Process {
    id: u32,
    tenants: Mutex<Tenants>,
    transports: Mutex<Vec<Weak<Transport>>>,
    rejections: Arc<Rejections>,
    system_roots: OnceCell<Arc<RootCertStore>>,
    addresses: Arc<AddressBook>,
}

/// Clients with the same of all four have the same pair.
type Key = (Identity, String, Option<u64>, Level);

/// The pairs of one source, and the source itself.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub keyring: Arc<Keyring>,
    pub watch: Watch,
}

impl Tenant {
    /// Whether this thread is inside a call that holds a lease of these pairs: a new call must not wait for it.
    pub fn is_entered(&self) -> bool {
        self.watch.is_entered() || reentry::is_inside(&*self.keyring)
    }
}

struct Tenants {
    known: HashMap<Key, Weak<Tenant>>,
    /// So many entries are worth a search for those that nobody uses any more.
    sweep_at: usize,
}

static CURRENT: ArcSwapOption<Process> = ArcSwapOption::const_empty();

impl Process {
    /// The state of the process that asks.
    pub fn current() -> Arc<Self> {
        let id = justcall_auth_secret::process_id();
        loop {
            let known = CURRENT.load_full();
            match &known {
                Some(process) if process.id == id => return process.clone(),
                // Whoever is first wins; the others find what it made.
                _ => drop(CURRENT.compare_and_swap(&known, Some(Arc::new(Self::new(id))))),
            }
        }
    }

    fn new(id: u32) -> Self {
        Self {
            id,
            tenants: Mutex::new(Tenants { known: HashMap::new(), sweep_at: 64 }),
            transports: Mutex::default(),
            rejections: Arc::default(),
            system_roots: OnceCell::new(),
            addresses: Arc::default(),
        }
    }

    /// Which process this is.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What all clients with this source, base URL, expected account and memory share.
    pub fn tenant(&self, source: &Source, policy: &Policy, memory: Level) -> Arc<Tenant> {
        let scope = policy.base_url.to_string();
        let key = (source.identity(), scope.clone(), policy.expected_account, memory);
        let mut tenants = lock(&self.tenants);
        if let Some(tenant) = tenants.known.get(&key).and_then(Weak::upgrade) {
            return tenant;
        }
        if tenants.known.len() >= tenants.sweep_at {
            tenants.known.retain(|_, tenant| tenant.strong_count() > 0);
            tenants.sweep_at = tenants.known.len().max(32) * 2;
        }
        let keyring = Arc::new(Keyring::new(scope, self.rejections.clone()));
        let tenant = Arc::new(Tenant { keyring, watch: Watch::new(source.clone(), memory) });
        tenants.known.insert(key, Arc::downgrade(&tenant));
        tenant
    }

    /// The connections of all clients with these settings.
    pub fn transport(&self, settings: &Settings) -> Arc<Transport> {
        let mut transports = lock(&self.transports);
        transports.retain(|transport| transport.strong_count() > 0);
        let equal =
            transports.iter().filter_map(Weak::upgrade).find(|transport| transport.settings() == settings);
        equal.unwrap_or_else(|| {
            let transport = Arc::new(Transport::new(settings.clone(), self.addresses.clone()));
            transports.push(Arc::downgrade(&transport));
            transport
        })
    }

    /// The system's certificate authorities, read once a process.
    ///
    /// # Errors
    /// `tls_failed` when there are none.
    pub fn system_roots(&self) -> Result<Arc<RootCertStore>, Error> {
        self.system_roots.get_or_try_init(|| system_roots().map(Arc::new)).cloned()
    }
}

/// What these locks guard is whole at every moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
