//! The local check of a pair, and of what people paste.

use justcall_auth::diagnose::{self, Code, Finding, Severity};
use justcall_auth::{Credentials, ErrorKind};

use crate::Target;
use crate::disclosure::{check_hidden, contains};
use crate::seeds;

pub const TARGET: Target = Target {
    name: "pair",
    about: "The check of a text has an error exactly if the text is refused as a pair. An accepted pair has only bytes that \
            a header may contain, and is sent unchanged. No finding, error or `Debug` contains eight bytes of the text.",
    check,
    seeds: || seeds::texts(&seeds::vectors("diagnose"), "/text"),
    tokens: &[
        ":",
        "%3a",
        "%3A",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\"",
        "'",
        "`",
        "{",
        "}",
        "<",
        ">",
        "[",
        "]",
        "$",
        "=",
        "\u{feff}",
        "\u{200b}",
        "\u{a0}",
        "Basic ",
        "Bearer ",
        "Authorization: ",
        "authorization:",
        "-H ",
        "--header ",
        "-u ",
        "curl ",
        "api_key",
        "api_secret",
        "JUSTCALL_API_KEY=",
        "JUSTCALL_API_SECRET=",
        "export ",
        "your_",
        "xxxx",
        "{\"api_key\":\"",
        "YWJj",
        "\u{201c}",
        "\\n",
        "abc123def456:sec789xyz000",
    ],
};

fn check(data: &[u8]) {
    let (key, secret) = halves(data);
    let parsed = Credentials::parse(data);
    let found = diagnose::text(data, None);
    for found in [&found, &diagnose::pair(key, secret)] {
        assert_eq!(has_error(found), parsed.is_err(), "{found:?}");
        assert!(found.is_sorted_by_key(Finding::severity), "{found:?}");
    }
    // A key from another source reveals only swapped halves.
    let known = diagnose::text(data, Some(secret));
    assert!(known.iter().all(|finding| found.contains(finding) || finding.code() == Code::SwappedHalves));
    match &parsed {
        Ok(credentials) => check_accepted(credentials, data),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
            assert!(has_error(error.findings()) && error.reason().and_then(Code::from_name).is_some());
            assert!(error.message().len() < 400, "{}", error.message().len());
        }
    }
    check_hidden(data, shown);
}

fn check_accepted(credentials: &Credentials, data: &[u8]) {
    let (key, secret) = halves(data);
    for half in [key, secret] {
        assert!((1..=512).contains(&half.len()) && half.iter().all(u8::is_ascii_graphic));
    }
    assert!(credentials.expose_authorization(|header| header == data));
    assert_eq!((credentials.authorization_len(), credentials.secret_at()), (data.len(), key.len() + 1));
    assert!(credentials.same_pair(&Credentials::new(key, secret).expect("the same halves")));
    assert_eq!(credentials.findings(), diagnose::pair(key, secret));
    let text = String::from_utf8_lossy(data);
    let masked = credentials.mask(&format!("before {text} after"));
    let is_whole = |half: &[u8]| half.len() >= 8 && contains(masked.as_bytes(), half);
    // A half may be a part of the mask itself, such as `redacted`.
    assert!(!is_whole(secret) || contains(b"before [redacted]:[redacted] after", secret), "{masked}");
}

/// Returns the key and the secret as a pair is split.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let colon = data.iter().position(|byte| *byte == b':').unwrap_or(data.len());
    (&data[..colon], data.get(colon + 1..).unwrap_or_default())
}

fn has_error(found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.severity() == Severity::Error)
}

/// Returns everything that the product shows about a text.
fn shown(data: &[u8]) -> String {
    let (key, secret) = halves(data);
    let parsed = Credentials::parse(data);
    let hint = parsed.as_ref().err().map(|error| format!("{error} {}", error.hint())).unwrap_or_default();
    format!("{parsed:?} {hint} {:?} {:?}", diagnose::text(data, None), diagnose::text(data, Some(key)))
        + &format!("{:?}", diagnose::pair(key, secret))
}
