//! The scan of a text for secrets.

use std::cell::RefCell;
use std::io::{self, Read};

use justcall_auth::encoding::{base64, hex};
use justcall_auth_scan::{Buffer, Known, Location, Report, ScanCode, ScanFinding, Scanner};

use super::{KEY, SECRET, good_pair};
use crate::Target;
use crate::disclosure::{check_hidden, contains};
use crate::input::Input;
use crate::seeds;

pub const TARGET: Target = Target {
    name: "scan",
    about: "The findings of a text do not depend on the pieces in which it is read, name a line and a column of the text, and contain \
            eight bytes of no secret. The user's own secret is found in any text, in every form: plain, in base64, hexadecimal, \
            URL encoding, JSON escapes, and in UTF-16.",
    check,
    seeds: || {
        let mut all = seeds::after(b"\x00.env\0", seeds::source_files());
        let pair = format!("JUSTCALL_API_KEY={KEY}\nJUSTCALL_API_SECRET={SECRET}\n");
        let other = pair.replace("a9b8", "77e1").replace("1f0e", "5bd2");
        all.push(
            format!("\x00src/main.js\0headers: {{\"Authorization\": \"{}\"}}", &other[17..57]).into_bytes(),
        );
        all.push(format!("\x05.env\0{other}").into_bytes());
        all.push(format!("\x00a.html\0<key>{}</key> # justcall-auth: allow", &other[78..118]).into_bytes());
        all.push(
            [&b"\x00w.txt\0\xff\xfe"[..], &pair.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>()]
                .concat(),
        );
        all.extend((0..8).map(|form| [&[1, form], &b"left side\0 right side\n"[..]].concat()));
        all
    },
    tokens: &[
        SECRET,
        KEY,
        "JUSTCALL_API_KEY",
        "JUSTCALL_API_SECRET",
        "api_secret",
        "apiSecret",
        "api.justcall.io",
        "Authorization",
        "Basic ",
        "Bearer ",
        "=",
        ": ",
        "\"",
        "'",
        "\n",
        "\r\n",
        "\t",
        ",",
        "|",
        "<",
        ">",
        "&quot;",
        "%3A",
        "\\u003a",
        "\\n",
        "\0",
        "\u{feff}",
        "\u{fffd}",
        "justcall-auth: allow",
        "AKIA",
        "sk_live_",
        "ghp_",
        "password",
        "5bd29d8c7b6a5948372615041f0e9d8c7b6a5948",
        "77e1c7d6e5f40312213045566778899aabbccdde",
        "curl ",
        "-H ",
        "process.env.",
        "{{",
        "}}",
        "${",
    ],
};

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte() == 1 {
        check_own_secret(&mut input);
    } else {
        input = Input::new(data);
        check_text(&mut input);
    }
}

/// The name of a file and its text.
fn check_text(input: &mut Input) {
    let piece = usize::from(input.byte()) + 1;
    let name = input.text();
    let text = input.rest();
    let report = scan(&name, text, usize::MAX);
    let in_pieces = scan(&name, text, piece);
    assert_eq!(report.findings, in_pieces.findings, "the findings depend on pieces of {piece} bytes");
    assert_eq!((report.texts, report.bytes, report.allowed), (1, text.len() as u64, in_pieces.allowed));
    for finding in &report.findings {
        // UTF-16 has line breaks of two bytes, one of which is that of ASCII.
        assert!((1..=text.split(|byte| *byte == b'\n').count()).contains(&finding.line), "{finding:?}");
        assert!(finding.column >= 1);
    }
    check_hidden(text, |text| {
        let mut findings = scan(&name, text, usize::MAX).findings;
        // The name is no part of the text, and is shown.
        for finding in &mut findings {
            finding.location.path.clear();
        }
        shown(&findings)
    });
    let all = shown(&report.findings);
    assert!(!contains(all.as_bytes(), SECRET.as_bytes()), "{all}");
}

/// The own secret in one of its forms, with any printable text around it.
fn check_own_secret(input: &mut Input) {
    let form = input.byte() % 8;
    let printable = |text: &[u8]| -> Vec<u8> {
        text.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b'\n' { *byte } else { b' ' }).collect()
    };
    let (left, right) = (printable(input.field()), printable(input.rest()));
    let each = |one: fn(u8) -> String| SECRET.bytes().map(one).collect::<String>().into_bytes();
    let inner = match form {
        0 => SECRET.as_bytes().to_vec(),
        1 => base64(SECRET.as_bytes()).as_ref().to_vec(),
        2 => base64(format!("{KEY}:{SECRET}").as_bytes()).as_ref().to_vec(),
        3 => hex(SECRET.as_bytes()).into_bytes(),
        4 => each(|byte| format!("%{byte:02X}")),
        5 => each(|byte| format!("\\u00{byte:02x}")),
        6 => each(|byte| format!("\\x{byte:02x}")),
        _ => SECRET.bytes().flat_map(|byte| [byte, 0]).collect(),
    };
    // UTF-16 after a few bytes of ASCII may be taken for UTF-16 from the first byte on.
    let begin: &[u8] = if form == 7 { b"begins:\n" } else { b"" };
    let text = [begin, &left, &inner, &right].concat();
    let report = scan("notes.txt", &text, usize::MAX);
    let is_found = report.findings.iter().any(|finding| finding.code == ScanCode::OwnSecret);
    assert!(is_found, "form {form} is not found in {:?}", String::from_utf8_lossy(&text));
}

/// Scans a text that is read in pieces of at most `piece` bytes.
fn scan(name: &str, text: &[u8], piece: usize) -> Report {
    thread_local! {
        static SCANNER: Scanner = Scanner { known: Known::new(&good_pair()), ..Scanner::default() };
        static BUFFER: RefCell<Buffer> = RefCell::default();
    }
    let mut report = Report::default();
    let location = Location { path: name.to_owned(), commit: None };
    SCANNER.with(|scanner| {
        BUFFER.with_borrow_mut(|buffer| {
            scanner
                .scan(&location, name, &mut Pieces { text, piece }, buffer, &mut report)
                .expect("a slice can be read");
        });
    });
    report.settle();
    report
}

/// Reads a text in pieces.
struct Pieces<'a> {
    text: &'a [u8],
    piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.text.read(&mut buffer[..length])
    }
}

/// Returns everything that the product shows about findings.
fn shown(findings: &[ScanFinding]) -> String {
    let shown = |finding: &ScanFinding| format!("{finding:?} {}", finding.severity());
    findings.iter().map(shown).collect::<Vec<_>>().join(" ")
}
