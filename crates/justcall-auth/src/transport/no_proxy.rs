//! `NO_PROXY`: the hosts that are reached without the proxy. There is no standard; an entry counts if curl 8, Go or
//! Python's requests would honour it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::resolve::without_brackets;

/// Returns the first entry of `list` that covers the service at `host` and `port`.
pub(super) fn matching<'a>(list: &'a str, host: &str, port: u16) -> Option<&'a str> {
    let host = Host::read(host);
    let is_separator = |character: char| character == ',' || character.is_ascii_whitespace();
    list.split(is_separator).find(|entry| covers(entry, &host, port))
}

enum Host {
    Address(IpAddr),
    /// In lower case, without a final dot.
    Name(String),
}

impl Host {
    fn read(text: &str) -> Self {
        match without_brackets(text).parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(text.trim_end_matches('.').to_ascii_lowercase()),
        }
    }
}

fn covers(entry: &str, host: &Host, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return matches!(host, Host::Address(address) if is_in(*address, network, bits));
    }
    let Some((covered, only_port)) = split_port(entry) else { return false };
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    match (host, Host::read(covered)) {
        (Host::Address(address), Host::Address(covered)) => *address == covered,
        (Host::Address(IpAddr::V4(address)), Host::Name(covered)) => is_below(&address.to_string(), &covered),
        (Host::Name(name), Host::Name(covered)) => is_below(name, &covered),
        _ => false,
    }
}

/// Splits `host:port`, `[v6]:port` or a host without a port. Returns `None` if the port is not a number.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    if entry.parse::<Ipv6Addr>().is_ok() || entry.ends_with(']') {
        return Some((entry, None));
    }
    match entry.rsplit_once(':') {
        None => Some((entry, None)),
        Some((host, port)) => Some((host, Some(number(port)?))),
    }
}

/// Returns true if `host` is `domain` or a subdomain. `example.com`, `.example.com` and `*.example.com` are equivalent.
fn is_below(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches("*.").trim_start_matches('.');
    let rest = host.strip_suffix(domain).filter(|_| !domain.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns true if `address` is in the network `network/bits`.
fn is_in(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Some(bits)) = (network.parse::<IpAddr>(), number::<u32>(bits)) else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => is_in_v4(address, network, bits),
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        // A network of IPv4 in the notation of IPv6.
        (IpAddr::V4(address), IpAddr::V6(network)) => network
            .to_ipv4_mapped()
            .zip(bits.checked_sub(96))
            .is_some_and(|(network, bits)| is_in_v4(address, network, bits)),
        _ => false,
    }
}

fn is_in_v4(address: Ipv4Addr, network: Ipv4Addr, bits: u32) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    bits <= 32 && differing.checked_shr(32 - bits).unwrap_or(0) == 0
}

/// Parses a number that consists only of digits. Rust's parser also accepts a sign.
fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entry, host, port, and whether the entry covers the host. docs/guide/calls.md describes this table.
    const TABLE: &[(&str, &str, u16, bool)] = &[
        ("*", "api.justcall.io", 443, true),
        ("a.example, *", "api.justcall.io", 443, true),
        // Names.
        ("justcall.io", "api.justcall.io", 443, true),
        ("api.justcall.io", "API.JustCall.IO", 443, true),
        (".justcall.io", "justcall.io", 443, true),
        ("*.justcall.io", "api.justcall.io", 443, true),
        ("stcall.io", "api.justcall.io", 443, false),
        ("v2.api.justcall.io", "api.justcall.io", 443, false),
        // Dots at an end.
        ("api.justcall.io.", "api.justcall.io", 443, true),
        ("api.justcall.io", "api.justcall.io.", 443, true),
        (".justcall.io.", "api.justcall.io.", 443, true),
        // Blanks between entries.
        ("a.example justcall.io", "api.justcall.io", 443, true),
        ("a.example\tjustcall.io ,b.example", "api.justcall.io", 443, true),
        (" , ,justcall.io", "api.justcall.io", 443, true),
        // Ports.
        ("api.justcall.io:443", "api.justcall.io", 443, true),
        ("justcall.io:443", "api.justcall.io", 443, true),
        ("*.justcall.io:8443", "api.justcall.io", 8443, true),
        ("api.justcall.io:8443", "api.justcall.io", 443, false),
        ("api.justcall.io:", "api.justcall.io", 443, false),
        ("api.justcall.io:+443", "api.justcall.io", 443, false),
        ("api.justcall.io:65979", "api.justcall.io", 443, false),
        ("10.1.2.3:443", "10.1.2.3", 443, true),
        ("10.1.2.3:80", "10.1.2.3", 443, false),
        ("[fd00::1]:443", "[fd00::1]", 443, true),
        ("[fd00::1]:80", "[fd00::1]", 443, false),
        // Addresses.
        ("10.1.2.3", "10.1.2.3", 443, true),
        ("10.1.2.3", "110.1.2.3", 443, false),
        ("10.1.2.3", "api.justcall.io", 443, false),
        ("[fd00::1]", "[fd00::1]", 443, true),
        ("fd00:0::1", "[fd00::1]", 443, true),
        ("FD00::1", "[fd00:0:0::1]", 443, true),
        ("fd00::2", "[fd00::1]", 443, false),
        ("10.1.2.3", "[::ffff:10.1.2.3]", 443, true),
        ("::ffff:10.1.2.3", "10.1.2.3", 443, true),
        // Networks.
        ("10.0.0.0/8", "10.1.2.3", 443, true),
        ("10.9.9.9/8", "10.1.2.3", 443, true),
        ("10.0.0.0/8", "11.1.2.3", 443, false),
        ("10.1.2.0/23", "10.1.3.255", 443, true),
        ("10.1.2.3/32", "10.1.2.3", 443, true),
        ("10.1.2.3/32", "10.1.2.2", 443, false),
        ("0.0.0.0/0", "10.1.2.3", 443, true),
        ("0.0.0.0/0", "[fd00::1]", 443, false),
        ("10.0.0.0/33", "10.1.2.3", 443, false),
        ("10.0.0.0/-8", "10.1.2.3", 443, false),
        ("10.0.0.0/", "10.1.2.3", 443, false),
        ("10.0.0.0/8", "10.example", 443, false),
        ("fd00::/8", "[fd12::1]", 443, true),
        ("fd00::/8", "[fe80::1]", 443, false),
        ("fd00::1/128", "[fd00::1]", 443, true),
        ("::/0", "[fd00::1]", 443, true),
        ("::/0", "10.1.2.3", 443, false),
        ("fd00::/129", "[fd00::1]", 443, false),
        ("::ffff:10.0.0.0/104", "10.1.2.3", 443, true),
        // Entries that cover nothing.
        ("", "api.justcall.io", 443, false),
        (".", "api.justcall.io", 443, false),
        ("*.", "api.justcall.io.", 443, false),
        (":443", "api.justcall.io", 443, false),
        ("https://api.justcall.io", "api.justcall.io", 443, false),
        ("*:443", "api.justcall.io", 443, false),
    ];

    #[test]
    fn it_honours_every_entry_that_other_clients_honour() {
        for (list, host, port, covers) in TABLE {
            assert_eq!(matching(list, host, *port).is_some(), *covers, "{list:?} and {host}:{port}");
        }
        let list = "a.example, 10.0.0.0/8 justcall.io";
        assert_eq!(matching(list, "10.1.2.3", 443), Some("10.0.0.0/8"));
        assert_eq!(matching(list, "api.justcall.io", 443), Some("justcall.io"));
    }
}
