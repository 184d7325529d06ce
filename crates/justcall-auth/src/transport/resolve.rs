//! Names to addresses: a cache with a time to live in front of the system's resolver.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use http::Uri;
use justcall_auth_protocol::error::{Error, ErrorKind};
use ureq::config::Config;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::call::{Phase, State};

/// How long an answer is used. The system's resolver tells no time to live; half a minute follows a move of the
/// service soon, and a failed connection asks again at once.
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// As many addresses as ureq carries for a connection.
const MAX_ADDRESSES: usize = 16;
/// As many names as are kept: a client has one, a test suite has some.
const MAX_NAMES: usize = 64;

/// Addresses by host and port. Thread-safe.
#[derive(Debug, Default)]
pub(super) struct AddressCache {
    known: Mutex<HashMap<(String, u16), Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Vec<SocketAddr>,
    until: Instant,
}

impl AddressCache {
    /// Every address of `host`. A look-up runs on a thread of its own, which the deadline abandons: the system's
    /// resolver cannot be interrupted.
    pub fn addresses(&self, host: &str, port: u16, call: &State) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let name = (host.to_owned(), port);
        let fresh = |known: &&Known| known.until > Instant::now();
        if let Some(known) =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&name).filter(fresh)
        {
            return Ok(known.addresses.clone());
        }
        let asked = name.clone();
        let ask = move || Ok(asked.to_socket_addrs()?.take(MAX_ADDRESSES).collect());
        let addresses = look_up(host, ask, call)?;
        let mut cache = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_NAMES {
            cache.clear();
        }
        cache.insert(name, Known { addresses: addresses.clone(), until: Instant::now() + TIME_TO_LIVE });
        Ok(addresses)
    }

    /// Forgets addresses that could not be reached, so that the next try looks the name up again.
    pub fn forget(&self, host: &str, port: u16) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&(host.to_owned(), port));
    }
}

fn look_up(
    host: &str,
    ask: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    call: &State,
) -> io::Result<Vec<SocketAddr>> {
    let (answer, answers) = mpsc::sync_channel(1);
    thread::Builder::new().name("justcall-resolve".into()).spawn(move || {
        // The call may have given up by now.
        let _abandoned = answer.send(ask());
    })?;
    loop {
        match answers.recv_timeout(call.slice()?) {
            Ok(Ok(found)) if !found.is_empty() => return Ok(found),
            Ok(found) => {
                let why =
                    found.err().map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
                return Err(call.fail(unknown_host(host, &why)));
            }
            Err(RecvTimeoutError::Timeout) => call.check_interrupt()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(call.fail(unknown_host(host, "the look-up died")));
            }
        }
    }
}

fn unknown_host(host: &str, why: &str) -> Error {
    Error::with_message(ErrorKind::ConnectionFailed, format!("The host {host} could not be found: {why}."))
        .reason_is(Phase::Resolve.name())
        .hint_is("Check the base URL, and whether this machine can resolve names (DNS).")
}

/// A resolver for ureq that finds nothing: ureq asks one for every request, also for one on a kept connection. Names
/// are looked up where connections are made.
#[derive(Debug)]
pub(super) struct NoResolver;

impl ureq::unversioned::resolver::Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// The host and port that `uri` names; its scheme's port where it names none.
pub(super) fn host_and_port(uri: &Uri) -> (&str, u16) {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    (uri.host().unwrap_or_default(), port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::patience::Patience;
    use crate::transport::call::Call;

    #[test]
    fn it_ends_a_look_up_that_hangs_when_the_call_is_cancelled() {
        let cancel = Cancel::new();
        let call = Call::begin(Patience::new(vec![cancel.clone()], None));
        let (release, released) = mpsc::channel::<()>();
        let ask = move || {
            cancel.fire();
            // Until the test is over.
            let _over = released.recv();
            Ok(Vec::new())
        };
        let began = Instant::now();
        assert!(look_up("host.test", ask, &call).is_err());
        assert!(began.elapsed() < Duration::from_secs(1), "it went on for {:?}", began.elapsed());
        let error = call.failure().expect("the call knows why");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        drop(release);
    }
}
