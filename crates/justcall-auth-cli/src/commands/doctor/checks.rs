//! The checks. Each asks the library for one fact and describes it.

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

const CLOCK_REMEDY: &str = "Set the clock, preferably by NTP. If the clock is wrong, genuine webhooks are refused as too old, and valid certificates as expired.";

pub(super) fn source(diagnostics: &Diagnostics) -> (Verdict, Result<FoundPair, Error>) {
    let source = diagnostics.source();
    let verdict = match &source {
        Ok(found) if found.passed_over.is_empty() => Verdict::ok(&found.loaded.place),
        Ok(found) => {
            let empty = found.passed_over.join("; ");
            Verdict::ok(format!("{} (no pair before it in: {empty})", found.loaded.place))
        }
        Err(error) if error.kind() == ErrorKind::CredentialsMalformed => {
            Verdict::ok("found, but the content is not a valid pair (see the next check)")
        }
        Err(error) => Verdict::error(error),
    };
    (verdict, source)
}

pub(super) fn pair(source: &Result<FoundPair, Error>) -> Verdict {
    match source {
        Ok(found) => {
            let credentials = &found.loaded.pair.credentials;
            let well = format!("well formed, with the API key {}", credentials.key_hint());
            let (notes, warnings): (Vec<Finding>, Vec<Finding>) =
                credentials.findings().into_iter().partition(|finding| finding.severity() == Severity::Note);
            match notes.first() {
                // A note alone is not a warning.
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
    Verdict::warning(&diagnostics.surroundings(), "no misleading settings")
}

pub(super) fn permissions(found: Option<&FoundPair>) -> Verdict {
    match found {
        None => Verdict::skipped("there is no pair"),
        Some(found) if found.loaded.files.is_empty() => {
            Verdict::skipped("the pair does not come from a file")
        }
        Some(_) if cfg!(not(unix)) => Verdict::skipped("not checked on this system"),
        Some(found) => Verdict::warning(
            &readable_by_others(&found.loaded),
            "no other user can read the file of the pair",
        ),
    }
}

pub(super) fn memory(found: Option<&FoundPair>) -> Verdict {
    let Some(found) = found else { return Verdict::skipped("there is no pair") };
    let credentials = &found.loaded.pair.credentials;
    let obtained = credentials.protection().name();
    match credentials.protection_refused() {
        None => Verdict::ok(format!("the pair is stored in memory of the kind {obtained}")),
        Some(refused) => {
            let detail =
                format!("the pair is stored in memory of the kind {obtained}, not {}", refused.asked.name());
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

/// Describes the named proxy, its origin, and the reason if it is not used.
fn named(proxy: &NamedProxy) -> String {
    let origin = proxy.variable.unwrap_or("--proxy");
    let proxy_there = match proxy.address() {
        Some(address) => format!("{address} from {origin}"),
        None => format!("the proxy from {origin} (not usable)"),
    };
    let why = match &proxy.exception {
        None => return proxy_there,
        Some(ProxyException::PlainHttp) => "it is http://".to_owned(),
        Some(ProxyException::Loopback) => "its host is this machine".to_owned(),
        Some(ProxyException::Entry(entry)) => format!("the entry {entry} of NO_PROXY covers its host"),
        Some(_) => "its host is an exception".to_owned(),
    };
    format!("{proxy_there}, not used for this base URL: {why}")
}

/// Returns the proxy that calls use.
fn used_proxy(route: Option<&Route>) -> Option<&NamedProxy> {
    route.and_then(Route::proxy).filter(|proxy| proxy.exception.is_none())
}

pub(super) fn dns(route: Option<&Route>) -> (Verdict, Option<Vec<SocketAddr>>) {
    let Some(route) = route else { return (Verdict::skipped("the proxy is not usable"), None) };
    match route.resolve() {
        Ok(addresses) if is_address(route.host()) => {
            (Verdict::skipped(format!("{} is an address", route.host())), Some(addresses))
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

/// Also returns true if the connection reaches the service: the tunnel is open, or there is no proxy.
pub(super) fn tunnel(route: Option<&Route>, connection: Option<&mut TcpConnection>) -> (Verdict, bool) {
    let proxy = used_proxy(route);
    let (Some(route), Some(connection)) = (route, connection) else {
        return (Verdict::skipped("there is no connection"), false);
    };
    let Some(proxy) = proxy else { return (Verdict::skipped("no proxy is used"), true) };
    match route.tunnel(connection) {
        Ok(()) => {
            let address = proxy.address().unwrap_or_else(|| "the proxy".to_owned());
            (Verdict::ok(format!("{address} opened a tunnel")), true)
        }
        Err(error) => (Verdict::error(&error), false),
    }
}

/// Also returns true if calls are possible.
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
        write!(text, ", valid for {days} more days").expect("a String takes everything");
    }
    text
}

pub(super) fn clock(diagnostics: &Diagnostics) -> Verdict {
    match diagnostics.clock() {
        Ok(Some(skew)) => {
            let side = if skew.is_ahead { "ahead of" } else { "behind" };
            let detail = format!("{} s {side} the clock of the service", skew.size.as_secs());
            if skew.is_harmful() {
                return Verdict::failed(detail, CLOCK_REMEDY, Exit::Failure);
            }
            Verdict::ok(if skew.size.as_secs() == 0 {
                "equal to the clock of the service".to_owned()
            } else {
                detail
            })
        }
        Ok(None) => Verdict::skipped("the response has no date"),
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
            Ok(account) => Verdict::ok(describe(account)),
            Err(error) => Verdict::error(error),
        }
    });
    (verdict, rate_limit)
}

fn describe(account: &Account) -> String {
    let id = account.id().map(|id| format!("account {id}"));
    let details: Vec<&str> = [id.as_deref(), account.email(), account.plan()].into_iter().flatten().collect();
    if details.is_empty() {
        return format!("the pair is valid, but GET {} does not return its account", account.verified_by());
    }
    format!("the pair is valid: {}", details.join(", "))
}

pub(super) fn rate_limit(limits: Option<RateLimit>) -> Verdict {
    let Some(limits) = limits else { return Verdict::skipped("no request was sent") };
    let windows: Vec<String> = [("", limits.main), ("in the burst window ", limits.burst)]
        .into_iter()
        .filter_map(|(name, window)| Some(format!("{name}{}", budget(window)?)))
        .collect();
    if windows.is_empty() {
        return Verdict::skipped("the service did not send it");
    }
    let detail = windows.join("; ");
    if [limits.main, limits.burst].iter().any(|window| window.remaining == Some(0)) {
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
        write!(text, ", reset in {wait} s").expect("a String takes everything");
    }
    Some(text)
}

pub(super) fn local_address(address: Option<SocketAddr>, route: Option<&Route>) -> Verdict {
    let Some(address) = address else { return Verdict::skipped("there is no connection") };
    let ip = address.ip().to_canonical();
    Verdict::ok(if used_proxy(route).is_some() {
        format!(
            "{ip}. The service sees the address of the proxy. If the account has an IP allow-list, add the address of the proxy"
        )
    } else if ip.is_loopback() {
        ip.to_string()
    } else {
        format!(
            "{ip}. Behind a router, the service sees the address of the router. If the account has an IP allow-list, add the address that the service sees"
        )
    })
}
