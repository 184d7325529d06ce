//! The single looks: each asks the library for one fact and puts it into words.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use justcall_auth::diagnostics::{
    Certificate, Diagnostics, FoundPair, NamedProxy, ProxyException, Route, TcpConnection, readable_by_others,
};
use justcall_auth::service::{RateLimit, RateWindow};
use justcall_auth::{Account, Error, ErrorKind, Finding, Severity, unix_time};

use super::check::Verdict;
use super::when;
use crate::exit::Exit;
use crate::explanations::Explanation;

const CLOCK_REMEDY: &str = "Set the clock, best by NTP: with a wrong one, signed webhooks are refused as stale and good certificates as out of date.";

pub(super) fn source(diagnostics: &Diagnostics) -> (Verdict, Result<FoundPair, Error>) {
    let source = diagnostics.source();
    let verdict = match &source {
        Ok(found) if found.passed_over.is_empty() => Verdict::ok(&found.loaded.place),
        Ok(found) => {
            let empty = found.passed_over.join("; ");
            Verdict::ok(format!("{} (before it, nothing in: {empty})", found.loaded.place))
        }
        Err(error) if error.kind() == ErrorKind::CredentialsMalformed => {
            Verdict::ok("found, but what is there is no pair: see the next line")
        }
        Err(error) => Verdict::error(error),
    };
    (verdict, source)
}

pub(super) fn pair(source: &Result<FoundPair, Error>) -> Verdict {
    match source {
        Ok(found) => {
            let credentials = &found.loaded.pair.credentials;
            let well = format!("well formed; the API key is {}", credentials.key_hint());
            let (notes, warnings): (Vec<Finding>, Vec<Finding>) =
                credentials.findings().into_iter().partition(|finding| finding.severity() == Severity::Note);
            match notes.first() {
                // A note alone is no reason for alarm.
                Some(note) if warnings.is_empty() => {
                    Verdict::ok(format!("{well}. {}", note.message())).with_remedy(note.remedy())
                }
                _ => Verdict::warning(&warnings, well),
            }
        }
        Err(error) if error.kind() == ErrorKind::CredentialsMalformed => Verdict::error(error),
        Err(_) => Verdict::skipped("there is no pair"),
    }
}

pub(super) fn surroundings(diagnostics: &Diagnostics) -> Verdict {
    Verdict::warning(&diagnostics.surroundings(), "nothing that would mislead")
}

pub(super) fn permissions(found: Option<&FoundPair>) -> Verdict {
    match found {
        None => Verdict::skipped("there is no pair"),
        Some(found) if found.loaded.files.is_empty() => Verdict::skipped("the pair is in no file"),
        Some(_) if cfg!(not(unix)) => Verdict::skipped("not looked at on this system"),
        Some(found) => {
            Verdict::warning(&readable_by_others(&found.loaded), "no other user can read the pair's file")
        }
    }
}

pub(super) fn memory(found: Option<&FoundPair>) -> Verdict {
    let Some(found) = found else { return Verdict::skipped("there is no pair") };
    let credentials = &found.loaded.pair.credentials;
    let obtained = credentials.protection().name();
    match credentials.protection_refused() {
        None => Verdict::ok(format!("the pair is kept in memory of the kind {obtained}")),
        Some(refused) => {
            let detail =
                format!("the pair is kept in memory of the kind {obtained}, not {}", refused.asked.name());
            Verdict::caution(detail, &refused.why)
        }
    }
}

pub(super) fn proxy(diagnostics: &Diagnostics) -> (Verdict, Option<Route>) {
    match diagnostics.route() {
        Ok(route) => {
            let verdict = match route.proxy() {
                None => Verdict::ok("none"),
                Some(proxy) => Verdict::ok(named(proxy)),
            };
            (verdict, Some(route))
        }
        Err(error) => (Verdict::error(&error), None),
    }
}

/// Which proxy is named where, and why it is not used if it is not.
fn named(proxy: &NamedProxy) -> String {
    let origin = proxy.variable.unwrap_or("--proxy");
    let proxy_there = match proxy.address() {
        Some(address) => format!("{address} from {origin}"),
        None => format!("the proxy from {origin}, which could not be used"),
    };
    let why = match &proxy.exception {
        None => return proxy_there,
        Some(ProxyException::PlainHttp) => "it is http://".to_owned(),
        Some(ProxyException::Loopback) => "its host is this machine".to_owned(),
        Some(ProxyException::Entry(entry)) => format!("the entry {entry} of NO_PROXY covers its host"),
        Some(_) => "its host is an exception".to_owned(),
    };
    format!("{proxy_there}, is not used for this base URL: {why}")
}

/// The proxy that calls go through.
fn used_proxy(route: Option<&Route>) -> Option<&NamedProxy> {
    route.and_then(Route::proxy).filter(|proxy| proxy.exception.is_none())
}

pub(super) fn dns(route: Option<&Route>) -> (Verdict, Option<Vec<SocketAddr>>) {
    let Some(route) = route else { return (Verdict::skipped("the proxy cannot be used"), None) };
    match route.resolve() {
        Ok(addresses) if is_address(route.host()) => {
            (Verdict::skipped(format!("{} is an address already", route.host())), Some(addresses))
        }
        Ok(addresses) => {
            let all: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            (Verdict::ok(format!("{}: {}", route.host(), all.join(", "))), Some(addresses))
        }
        Err(error) => (Verdict::error(&error), None),
    }
}

fn is_address(host: &str) -> bool {
    host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

pub(super) fn tcp(
    route: Option<&Route>,
    addresses: Option<Vec<SocketAddr>>,
) -> (Verdict, Option<TcpConnection>) {
    let (Some(route), Some(addresses)) = (route, addresses) else {
        return (Verdict::skipped("there is no address to connect to"), None);
    };
    match route.connect(&addresses) {
        Ok(connection) => (Verdict::ok(format!("connected to {}", connection.peer)), Some(connection)),
        Err(error) => (Verdict::error(&error), None),
    }
}

/// Also tells whether the way is free: it is where there is no proxy to go through.
pub(super) fn tunnel(route: Option<&Route>, connection: Option<&mut TcpConnection>) -> (Verdict, bool) {
    let proxy = used_proxy(route);
    let (Some(route), Some(connection)) = (route, connection) else {
        return (Verdict::skipped("there is no connection"), false);
    };
    let Some(proxy) = proxy else { return (Verdict::skipped("no proxy is used"), true) };
    match route.tunnel(connection) {
        Ok(()) => {
            let address = proxy.address().unwrap_or_else(|| "the proxy".to_owned());
            (Verdict::ok(format!("{address} lets us through")), true)
        }
        Err(error) => (Verdict::error(&error), false),
    }
}

/// Also tells whether a call can be made.
pub(super) fn tls(
    diagnostics: &Diagnostics,
    route: Option<&Route>,
    connection: Option<TcpConnection>,
) -> (Verdict, bool) {
    let (Some(route), Some(connection)) = (route, connection) else {
        return (Verdict::skipped("there is no connection to the service"), false);
    };
    if !diagnostics.is_encrypted() {
        return (Verdict::skipped("the base URL is http:// on this machine"), true);
    }
    match route.secure(connection) {
        Ok(tls_info) => {
            let certificate = tls_info.certificate.as_ref().map(certificate).unwrap_or_default();
            (Verdict::ok(format!("{}{certificate}", tls_info.version)), true)
        }
        Err(error) => (Verdict::error(&error), false),
    }
}

fn certificate(certificate: &Certificate) -> String {
    let mut text = String::new();
    if let Some(subject) = &certificate.subject {
        write!(text, "; certificate of {subject}").expect("a String takes everything");
    }
    if let Some(issuer) = &certificate.issuer {
        write!(text, ", issued by {issuer}").expect("a String takes everything");
    }
    if let Some(expires) = certificate.expires {
        let days = expires.saturating_sub(unix_time()).as_secs() / 86_400;
        write!(text, ", good for {days} more days").expect("a String takes everything");
    }
    text
}

pub(super) fn clock(diagnostics: &Diagnostics) -> Verdict {
    match diagnostics.clock() {
        Ok(Some(skew)) => {
            let side = if skew.is_ahead { "ahead of" } else { "behind" };
            let detail = format!("{} s {side} the service's", skew.size.as_secs());
            if skew.is_harmful() {
                return Verdict::failed(detail, CLOCK_REMEDY, Exit::Failure);
            }
            Verdict::ok(if skew.size.as_secs() == 0 { "as the service's".to_owned() } else { detail })
        }
        Ok(None) => Verdict::skipped("the service does not tell its time"),
        Err(error) => Verdict::error(&error),
    }
}

pub(super) fn verify(
    diagnostics: &Diagnostics,
    found: Option<&FoundPair>,
    is_connected: bool,
) -> (Verdict, Option<RateLimit>) {
    let Some(found) = found else { return (Verdict::skipped("there is no pair to send"), None) };
    let mut rate_limit = None;
    let verdict = when(is_connected, || {
        let verification = diagnostics.verify(&found.loaded.pair.credentials);
        rate_limit = Some(verification.rate_limit);
        match &verification.account {
            Ok(account) => Verdict::ok(whose(account)),
            Err(error) => Verdict::error(error),
        }
    });
    (verdict, rate_limit)
}

fn whose(account: &Account) -> String {
    let id = account.id().map(|id| format!("account {id}"));
    let details: Vec<&str> = [id.as_deref(), account.email(), account.plan()].into_iter().flatten().collect();
    if details.is_empty() {
        return format!("the pair is good; GET {} does not tell whose it is", account.verified_by());
    }
    format!("the pair is good: {}", details.join(", "))
}

pub(super) fn rate_limit(told: Option<RateLimit>) -> Verdict {
    let Some(told) = told else { return Verdict::skipped("the service was not asked") };
    let windows: Vec<String> = [("", told.main), ("in the short window ", told.burst)]
        .into_iter()
        .filter_map(|(name, window)| Some(format!("{name}{}", budget(window)?)))
        .collect();
    if windows.is_empty() {
        return Verdict::skipped("the service does not tell it");
    }
    let detail = windows.join("; ");
    if [told.main, told.burst].iter().any(|window| window.remaining == Some(0)) {
        return Verdict::failed(
            detail,
            ErrorKind::RateLimited.remedy(),
            Explanation::of(ErrorKind::RateLimited).exit,
        );
    }
    Verdict::ok(detail)
}

fn budget(window: RateWindow) -> Option<String> {
    let mut text = match (window.remaining?, window.limit) {
        (left, Some(limit)) => format!("{left} of {limit} requests left"),
        (left, None) => format!("{left} requests left"),
    };
    if let Some(reset) = window.reset {
        let wait = reset.saturating_sub(unix_time()).as_secs();
        write!(text, ", all again in {wait} s").expect("a String takes everything");
    }
    Some(text)
}

pub(super) fn local_address(address: Option<SocketAddr>, route: Option<&Route>) -> Verdict {
    let Some(address) = address else { return Verdict::skipped("there is no connection") };
    let ip = address.ip().to_canonical();
    Verdict::ok(if used_proxy(route).is_some() {
        format!(
            "{ip}; the service sees the proxy's address, which is the one to allow where access is limited to addresses"
        )
    } else if ip.is_loopback() {
        ip.to_string()
    } else {
        format!(
            "{ip}; behind a router the service sees another, which is the one to allow where access is limited to addresses"
        )
    })
}
