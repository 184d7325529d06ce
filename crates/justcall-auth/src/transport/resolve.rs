//! Name look-ups: a cache with a time to live, in front of the system's resolver.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::spawn_without_signals;
use ureq::config::Config;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::call::{CallState, PROXY_HINT, Phase};
use super::exhaustion;

/// How long addresses are used. The system's resolver reports no time to live. After half a minute the service may have
/// moved. A failed connection makes the next call look the name up immediately.
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// The most addresses of a name that are kept and tried.
const MAX_ADDRESSES: usize = 16;
/// The most names that are kept. A client has one, a test suite has several.
const MAX_NAMES: usize = 64;
/// The most look-ups at a time, each on a thread. A call that needs another one waits.
const MAX_LOOK_UPS: usize = 16;

/// Looks a name up in the system, which may take any time.
type SystemLookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Addresses by host, and the running look-ups. Thread-safe.
pub(crate) struct AddressBook {
    look_up_in_system: Box<SystemLookUp>,
    names: Mutex<Names>,
    /// Notified when a look-up has ended.
    ended: Condvar,
}

#[derive(Default)]
struct Names {
    known: HashMap<String, CachedAddresses>,
    running: HashMap<String, Arc<LookUp>>,
}

struct CachedAddresses {
    addresses: Vec<SocketAddr>,
    until: Instant,
}

/// A look-up. All calls that wait for it get its result.
#[derive(Default)]
struct LookUp(OnceLock<Result<Vec<SocketAddr>, LookUpFailure>>);

/// The reason why a look-up failed.
#[derive(Clone)]
enum LookUpFailure {
    /// The reason of the system, as text.
    NotFound(String),
    /// A local resource is exhausted.
    Exhausted(exhaustion::Exhausted),
}

impl Default for AddressBook {
    fn default() -> Self {
        Self::with_resolver(|host| Ok((host, 0).to_socket_addrs()?.take(MAX_ADDRESSES).collect()))
    }
}

impl AddressBook {
    fn with_resolver(
        look_up_in_system: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            look_up_in_system: Box::new(look_up_in_system),
            names: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Returns every address of `host`. A look-up runs on a separate thread, because the system's resolver cannot be
    /// interrupted: at the deadline the call leaves it. Calls that need the same name share one look-up.
    pub(super) fn addresses(
        self: &Arc<Self>,
        host: &str,
        port: u16,
        call: &CallState,
    ) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = without_brackets(host).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let mut addresses = self.find(host, call)?;
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }

    fn find(self: &Arc<Self>, host: &str, call: &CallState) -> io::Result<Vec<SocketAddr>> {
        let mut awaited: Option<Arc<LookUp>> = None;
        loop {
            // The check may run code of the program, so no lock may be held.
            let slice = call.slice()?;
            let mut names = self.lock();
            if awaited.is_none() {
                if let Some(known) = names.known.get(host).filter(|known| known.until > Instant::now()) {
                    return Ok(known.addresses.clone());
                }
                awaited = match names.running.get(host) {
                    Some(running) => Some(running.clone()),
                    None if names.running.len() < MAX_LOOK_UPS => {
                        let started = self.start(host, &mut names);
                        Some(started.map_err(|failure| call.fail(failure.error(host, call)))?)
                    }
                    None => None,
                };
            }
            if let Some(result) = awaited.as_ref().and_then(|look_up| look_up.0.get()) {
                let result = result.clone();
                return result.map_err(|failure| call.fail(failure.error(host, call)));
            }
            let waited = self.ended.wait_timeout(names, slice).unwrap_or_else(PoisonError::into_inner);
            let is_idle = waited.1.timed_out();
            drop(waited);
            if is_idle {
                call.check_interrupt()?;
            }
        }
    }

    /// Starts a look-up of `host`.
    fn start(self: &Arc<Self>, host: &str, names: &mut Names) -> Result<Arc<LookUp>, LookUpFailure> {
        let look_up = Arc::new(LookUp::default());
        let (book, own, name) = (self.clone(), look_up.clone(), host.to_owned());
        spawn_without_signals("justcall-resolve", move || {
            let found = catch_unwind(AssertUnwindSafe(|| (book.look_up_in_system)(&name)));
            book.finish(name, &own, found.unwrap_or_else(|_| Err(io::Error::other("the look-up panicked"))));
        })
        .map_err(|error| LookUpFailure::Exhausted(exhaustion::threads(&error)))?;
        names.running.insert(host.to_owned(), look_up.clone());
        Ok(look_up)
    }

    fn finish(&self, name: String, look_up: &LookUp, found: io::Result<Vec<SocketAddr>>) {
        let result = match found {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(LookUpFailure::NotFound("it has no address".into())),
            Err(error) => Err(LookUpFailure::of(&error)),
        };
        let mut names = self.lock();
        names.running.remove(&name);
        if let Ok(addresses) = &result {
            if names.known.len() >= MAX_NAMES {
                names.known.clear();
            }
            let until = Instant::now() + TIME_TO_LIVE;
            names.known.insert(name, CachedAddresses { addresses: addresses.clone(), until });
        }
        let _first = look_up.0.set(result);
        drop(names);
        self.ended.notify_all();
    }

    /// Forgets addresses that could not be reached, so that the next call looks the name up again.
    pub(super) fn forget(&self, host: &str) {
        self.lock().known.remove(host);
    }

    /// Locks the names. They are consistent at every moment, so a panic elsewhere cannot corrupt them.
    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LookUpFailure {
    /// Returns the reason. The system's resolver does not report that it could not open its files or sockets, so that
    /// is checked here.
    fn of(error: &io::Error) -> Self {
        if let Some(exhausted) = exhaustion::descriptors() {
            return Self::Exhausted(exhausted);
        }
        // std adds this prefix to the system's text.
        let why = error.to_string();
        let words = why.strip_prefix("failed to lookup address information: ").unwrap_or(&why);
        Self::NotFound(words.to_owned())
    }

    /// Returns the error of a call that needs the addresses of `host`.
    fn error(&self, host: &str, call: &CallState) -> Error {
        let error = match self {
            Self::Exhausted(exhausted) => exhausted.error(),
            Self::NotFound(why) => {
                let (whose, hint) = match call.proxy() {
                    Some(_) => ("proxy's host", PROXY_HINT),
                    None => (
                        "host",
                        "Check the base URL. Also check whether this machine can resolve names (DNS).",
                    ),
                };
                let message = format!("The {whose} {} could not be found: {why}.", shown(host));
                Error::with_message(ErrorKind::ConnectionFailed, message).with_hint(hint)
            }
        };
        error.with_reason(Phase::Resolve.name())
    }
}

impl fmt::Debug for AddressBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressBook").finish_non_exhaustive()
    }
}

/// A resolver for ureq that finds nothing. ureq calls its resolver for every request, even on an existing connection.
/// Names are looked up when a connection is opened.
#[derive(Debug)]
pub(super) struct NoResolver;

impl ureq::unversioned::resolver::Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Returns the host and the port of `uri`, by default the port of its scheme.
pub(super) fn host_and_port(uri: &Uri) -> (&str, u16) {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    (uri.host().unwrap_or_default(), port)
}

/// Returns the host without the brackets that URLs put around an address of IPv6.
pub(super) fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The longest host name in a message, in bytes.
const MAX_SHOWN: usize = 100;

/// Returns a host name, which is ASCII, cut for messages.
pub(super) fn shown(host: &str) -> Cow<'_, str> {
    match host.get(..MAX_SHOWN) {
        Some(beginning) if host.len() > MAX_SHOWN => format!("{beginning}…").into(),
        _ => host.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::cancel::Cancel;
    use crate::context::CallContext;
    use crate::transport::call::CurrentCall;

    const ADDRESS: &str = "192.0.2.1:0";

    /// Starts `callers` threads that each look up one of `names`, by number. The port shows which caller got which
    /// result.
    fn look_up_together(book: &Arc<AddressBook>, callers: u16, names: u16) -> Vec<thread::JoinHandle<()>> {
        let one = |caller: u16| {
            let book = book.clone();
            thread::spawn(move || {
                let call = CurrentCall::begin(CallContext::default());
                let found =
                    book.addresses(&format!("{}.test", caller % names), caller, &call).expect("found");
                assert_eq!((found.len(), found[0].port()), (1, caller));
            })
        };
        (0..callers).map(one).collect()
    }

    /// Returns how many threads of this process have the name `name`.
    fn threads_called(name: &str) -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").expect("the kernel's list");
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|other| other.trim() == name).count()
    }

    #[test]
    fn it_leaves_a_hanging_look_up_when_the_call_is_cancelled() {
        let cancel = Cancel::new();
        let call = CurrentCall::begin(CallContext::new(vec![cancel.clone()], None));
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let book = Arc::new(AddressBook::with_resolver(move |_| {
            cancel.fire();
            // Blocks until the test is over.
            let _over = released.lock().expect("no panic").recv();
            Ok(Vec::new())
        }));
        let began = Instant::now();
        assert!(book.addresses("host.test", 1, &call).is_err());
        assert!(began.elapsed() < Duration::from_secs(1), "it went on for {:?}", began.elapsed());
        let error = call.failure().expect("the call stores the error");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        drop(release);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_shares_one_look_up_a_name_and_limits_how_many_run_at_a_time() {
        for (callers, names) in [(300, 1), (300, 40)] {
            let (look_ups, running, most) =
                <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
            let (counted, now, peak) = (look_ups.clone(), running.clone(), most.clone());
            let (release, released) = mpsc::channel::<()>();
            let released = Mutex::new(released);
            let book = Arc::new(AddressBook::with_resolver(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Blocks until the test releases it.
                let _end = released.lock().expect("no panic").recv();
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(vec![ADDRESS.parse().expect("an address")])
            }));
            let waiting = look_up_together(&book, callers, names);
            let expected = usize::from(names).min(MAX_LOOK_UPS);
            while running.load(Ordering::SeqCst) < expected {
                thread::yield_now();
            }
            let threads = threads_called("justcall-resolv");
            assert!((expected..=MAX_LOOK_UPS + 2).contains(&threads), "{threads} threads");
            drop(release);
            for caller in waiting {
                caller.join().expect("it got its addresses");
            }
            assert_eq!(look_ups.load(Ordering::SeqCst), usize::from(names), "one look-up a name");
            assert_eq!(most.load(Ordering::SeqCst), expected);
            let call = CurrentCall::begin(CallContext::default());
            book.addresses("0.test", 1, &call).expect("known");
            assert_eq!(look_ups.load(Ordering::SeqCst), usize::from(names), "the control: known for a while");
            book.forget("0.test");
            book.addresses("0.test", 1, &call).expect("found again");
            assert_eq!(look_ups.load(Ordering::SeqCst), usize::from(names) + 1);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_blocks_signals_on_the_threads_of_look_ups() {
        let (masks, mask) = mpsc::channel();
        let masks = Mutex::new(masks);
        let book = Arc::new(AddressBook::with_resolver(move |_| {
            let status = std::fs::read_to_string("/proc/thread-self/status")?;
            let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:").map(str::to_owned));
            masks.lock().expect("no panic").send(line.expect("a mask")).expect("awaited");
            Ok(vec![ADDRESS.parse().expect("an address")])
        }));
        look_up_together(&book, 1, 1).remove(0).join().expect("found");
        let mask = u64::from_str_radix(mask.recv().expect("sent").trim(), 16).expect("hexadecimal");
        // SIGINT, SIGTERM, SIGALRM, SIGCHLD.
        for signal in [2, 15, 14, 17] {
            assert!(mask & (1 << (signal - 1)) != 0, "{signal}");
        }
    }

    #[test]
    fn it_reports_a_failed_look_up_and_repeats_it_for_the_next_call() {
        let look_ups = Arc::new(AtomicUsize::new(0));
        let counted = look_ups.clone();
        let book =
            Arc::new(AddressBook::with_resolver(move |host| match counted.fetch_add(1, Ordering::SeqCst) {
                0 => Err(io::Error::other("failed to lookup address information: No such name")),
                1 => Ok(Vec::new()),
                2 => panic!("canary of {host}"),
                _ => Ok(vec![ADDRESS.parse().expect("an address")]),
            }));
        for why in ["No such name", "it has no address", "the look-up panicked"] {
            let call = CurrentCall::begin(CallContext::default());
            book.addresses("host.test", 1, &call).expect_err(why);
            let error = call.failure().expect("the call stores the error");
            let expected = format!("The host host.test could not be found: {why}.");
            assert_eq!((error.kind(), error.message()), (ErrorKind::ConnectionFailed, expected.as_str()));
        }
        let call = CurrentCall::begin(CallContext::default());
        assert_eq!(book.addresses("host.test", 7, &call).expect("found")[0].port(), 7);
    }
}
