//! Properties that hold for every input: hostile, very long, or combined from mistakes.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Code, Finding, Severity, pair, text};
use crate::credentials::Credentials;

/// Parts of the mistakes that people make.
const PIECES: &[&str] = &[
    ":",
    "=",
    "==",
    "\"",
    "'",
    "`",
    "{",
    "}",
    "[",
    "<",
    ">",
    "$",
    "%",
    "%3A",
    "%3a",
    ",",
    "=>",
    "#",
    "*",
    "xxx",
    "-",
    "_",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "\u{b}",
    "\u{7f}",
    "\u{feff}",
    "\u{200b}",
    "\u{a0}",
    "“",
    "”",
    "ä",
    "Authorization",
    "authorization",
    "Proxy-",
    "Authorization: ",
    "-H ",
    "-H",
    "--header ",
    "--header=",
    "-u ",
    "-u",
    "--user ",
    "curl ",
    "curl",
    "Bearer ",
    "Basic ",
    "token\t",
    "Bearer",
    "api_key",
    "api_secret",
    "JUSTCALL_API_KEY",
    "JUSTCALL_API_SECRET",
    "MY_NAME",
    "export ",
    "set ",
    "$env:",
    "your",
    "{api_key}",
    "{\"",
    "\":\"",
    "\"}",
    "k",
    "s",
    "canary7f",
    "abc123def456",
    "sec789xyz000",
    "YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA==",
];

fn is_refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity() == Severity::Error)
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
        1 => (any::<u8>(), 500_usize..520).prop_map(|(byte, count)| vec![byte; count]),
    ];
    let once = proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat());
    (once, proptest::bool::weighted(0.2)).prop_map(|(text, twice)| if twice { text.repeat(2) } else { text })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_reports_an_error_exactly_if_the_pair_would_be_refused(pasted in pieces()) {
        let findings = text(&pasted, Some(b"canary7f"));
        prop_assert_eq!(is_refused(&findings), Credentials::parse(&pasted).is_err(), "{:?}", findings);
    }

    #[test]
    fn it_sorts_findings_and_repeats_none(key in pieces(), secret in pieces()) {
        for findings in [pair(&key, &secret), text(&key, Some(&secret))] {
            prop_assert!(findings.is_sorted_by_key(|finding| (finding.severity(), finding.code())));
            for (index, finding) in findings.iter().enumerate() {
                prop_assert!(!findings[index + 1..].contains(finding), "{:?}", findings);
                let is_safe = !["{}", "canary7f"].iter().any(|text| finding.message().contains(text));
                prop_assert!(is_safe, "{:?}", finding);
            }
        }
    }

    /// The row `credentials_malformed` of the error table names the exceptions.
    #[test]
    fn it_refuses_legal_bytes_only_for_the_listed_mistakes(key in "[!-9;-~]{1,512}", secret in "[!-~]{1,512}") {
        for finding in pair(key.as_bytes(), secret.as_bytes()) {
            let listed = [Code::Placeholder, Code::JsonPasted, Code::Quotes, Code::SchemePrefix, Code::HeaderName, Code::HalvesEqual];
            prop_assert!(finding.severity() != Severity::Error || listed.contains(&finding.code()), "{:?}", finding);
        }
    }
}

#[test]
fn it_takes_linear_time_for_a_mebibyte_of_any_input() {
    const SIZE: usize = 1 << 20;
    const STARTS: [&[u8]; 8] = [b"", b"curl ", b"Bearer ", b"{\"", b"k:", b"\"", b"#", b"k%3A"];
    let hostile = [b"\xff".as_slice(), b"\xf0\x9f", b"Authorization :", b" -u", b"k:s\n"];
    let pieces = PIECES.iter().map(|piece| piece.as_bytes()).chain(hostile);
    for (piece, start) in
        pieces.zip(STARTS.into_iter().cycle()).chain(STARTS.map(|start| (b"a".as_slice(), start)))
    {
        let mut pasted = start.to_vec();
        pasted.extend(piece.iter().copied().cycle().take(SIZE));
        let began = Instant::now();
        assert!(is_refused(&text(&pasted, Some(&pasted))), "{piece:?}");
        assert!(is_refused(&pair(&pasted, &pasted)), "{piece:?}");
        // Quadratic time would take hours. A debug build on a loaded machine takes a fraction of a second.
        assert!(began.elapsed() < Duration::from_secs(10), "{start:?} {piece:?}: {:?}", began.elapsed());
    }
}
