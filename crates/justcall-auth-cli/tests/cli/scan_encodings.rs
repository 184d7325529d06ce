//! `scan` in texts of UTF-16 and UTF-32, with and without a byte order mark.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::Run;
use crate::scan::{OTHER, PAIR, SECRET, folder, found, run_in, scan_input};
use crate::scan_history::{commit, git, plain_git, repository};

const UTF16_LE: &str = "UTF-16LE";
const UTF16_BE: &str = "UTF-16BE";
const UTF32_LE: &str = "UTF-32LE";
const UTF32_BE: &str = "UTF-32BE";
const WIDE: [&str; 4] = [UTF16_LE, UTF16_BE, UTF32_LE, UTF32_BE];

/// Returns `text` in one of the encodings.
fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        UTF16_LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        UTF16_BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        UTF32_LE => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        _ => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
    }
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    std::fs::write(folder.join(path), bytes).expect("a file");
}

/// Returns the findings as `path:line:column code`.
fn places(run: &Run) -> Vec<String> {
    let report = run.json();
    let columns = report["findings"].as_array().expect("a list").iter().map(|finding| &finding["column"]);
    let with_column = |(place, column): (String, &Value)| {
        let (place, code) = place.rsplit_once(' ').expect("a code");
        format!("{place}:{column} {code}")
    };
    found(run).into_iter().zip(columns).map(with_column).collect()
}

fn scanned(bytes: &[u8]) -> Vec<String> {
    let folder = folder(&[]);
    write(folder.path(), "a.txt", bytes);
    places(&run_in(folder.path(), &["scan", "--json", "."], &[]))
}

#[test]
fn it_finds_a_pair_in_every_wide_encoding_with_and_without_a_mark() {
    for encoding in WIDE {
        for (text, line) in [
            (OTHER.to_owned(), 2),
            (OTHER.trim_end().replace('\n', "\r\n"), 2),
            (format!("# Zugänge für Müller\n\n{OTHER}"), 4),
            (format!("# Доступ к службе\n# Ключ: ниже\n{OTHER}"), 4),
            // U+4E00 and U+3000 have a zero byte in the position of ASCII's letter. U+4E0A contains a line break.
            (format!("# 一一一一一一一上上上\u{3000}一\n# 這是一個秘密的設定檔案上\n{OTHER}"), 4),
            (format!("# 😀😀 \u{10000}\n{OTHER}"), 3),
            (format!("{}\n\0{OTHER}", "# line ".repeat(20)), 3),
        ] {
            for mark in ["", "\u{feff}"] {
                let bytes = encoded(&format!("{mark}{text}"), encoding);
                let expected = [format!("a.txt:{line}:21 leaked_pair")];
                assert_eq!(scanned(&bytes), expected, "{encoding} {mark:?} {text}");
                if !text.ends_with('\n') {
                    // A transfer cut the last byte.
                    assert_eq!(scanned(&bytes[..bytes.len() - 1]), expected, "{encoding} {mark:?} {text}");
                }
            }
        }
    }
}

#[test]
fn it_counts_no_byte_order_mark_as_a_character() {
    let (_, secret) = OTHER.split_once('\n').expect("two lines");
    for encoding in WIDE {
        assert_eq!(scanned(&encoded(&format!("\u{feff}{secret}"), encoding)), ["a.txt:1:21 leaked_secret"]);
    }
    assert_eq!(scanned(format!("\u{feff}{secret}").as_bytes()), ["a.txt:1:21 leaked_secret"]);
}

#[test]
fn it_finds_a_pair_late_in_a_wide_text() {
    for encoding in WIDE {
        for (before, line) in [
            ("是不了人我在有他這中".repeat(1500) + "\n", 3),
            ("привет ".repeat(100_000), 2),
            ("\n".repeat(300_000), 300_002),
        ] {
            let bytes = encoded(&format!("{before}{OTHER}"), encoding);
            assert_eq!(scanned(&bytes), [format!("a.txt:{line}:21 leaked_pair")], "{encoding}");
        }
    }
}

#[test]
fn it_reads_utf_16_of_any_length() {
    let before = encoded("line of text\r\n", UTF16_LE).repeat(2_400_000);
    let bytes = [encoded("\u{feff}", UTF16_LE), before, encoded(OTHER, UTF16_LE)].concat();
    assert!(bytes.len() > 64 * 1024 * 1024);
    assert_eq!(scanned(&bytes), ["a.txt:2400002:21 leaked_pair"]);
}

/// Programs on Windows append to a file in different encodings.
#[test]
fn it_finds_a_pair_in_a_text_of_several_encodings() {
    let ascii = "# settings of the dialer, as the installer wrote them\r\n";
    for encoding in [UTF16_LE, UTF16_BE] {
        for mark in ["", "\u{feff}"] {
            for before in [ascii, "DEBUG=1\n", "X=1\r\n"] {
                let appended = encoded(&format!("{mark}{OTHER}"), encoding);
                let expected = ["a.txt:3:21 leaked_pair"];
                assert_eq!(
                    scanned(&[before.as_bytes(), &appended].concat()),
                    expected,
                    "{encoding} {before}"
                );
            }
            let before = encoded(&format!("{mark}{ascii}"), encoding);
            let text = [&before, OTHER.as_bytes(), &encoded(ascii, encoding)].concat();
            assert_eq!(scanned(&text), ["a.txt:3:21 leaked_pair"], "{encoding} {mark:?}");
        }
    }
}

/// Creates a repository whose last commit adds `a.txt`.
fn with_file(bytes: &[u8]) -> TempDir {
    let repository = repository(&[("empty", "")]);
    let at = repository.path();
    commit(at, "Begin");
    write(at, "a.txt", bytes);
    commit(at, "Add");
    repository
}

#[test]
fn it_finds_a_pair_in_utf_16_in_history_and_on_standard_input() {
    for encoding in [UTF16_LE, UTF16_BE] {
        let bytes = encoded(OTHER, encoding);
        let repository = with_file(&bytes);
        let folder = repository.path();
        let history = run_in(folder, &["scan", "--git", "--json"], &[]);
        assert_eq!(places(&history), ["a.txt:2:21 leaked_pair"], "{encoding}");
        let input = scan_input(&["scan", "-", "--json"], &[], &bytes);
        assert_eq!(places(&input), ["standard input:2:21 leaked_pair"], "{encoding}");
        // git cuts UTF-16 into lines within a character.
        let diff =
            plain_git(folder, &["diff", "--text", "HEAD~1", "HEAD"]).output().expect("git runs").stdout;
        let secret = encoded("=c05b9e27", encoding);
        let at = diff.windows(secret.len()).position(|part| part == secret).expect("the diff contains it");
        let line = diff[..at].split(|byte| *byte == b'\n').count();
        let input = scan_input(&["scan", "-", "--json"], &[], &diff);
        assert_eq!(places(&input), [format!("standard input:{line}:22 leaked_pair")], "{encoding}");
    }
}

/// git itself writes no such message, but programs that write objects do.
#[test]
fn it_finds_a_pair_in_utf_16_in_the_message_of_a_commit() {
    for encoding in [UTF16_LE, UTF16_BE] {
        let repository = with_file(b"clean");
        let at = repository.path();
        let text = git(at, &["cat-file", "commit", "HEAD"]);
        let (head, _) = text.split_once("\n\n").expect("a message");
        write(at, "object", &[head.as_bytes(), b"\n\n", &encoded(OTHER, encoding)].concat());
        let object = git(at, &["hash-object", "-t", "commit", "--literally", "-w", "object"]);
        git(at, &["update-ref", "refs/heads/odd", &object]);
        let run = run_in(at, &["scan", "--git", "--json"], &[]);
        assert_eq!(places(&run), ["message:2:21 leaked_pair"], "{encoding}");
    }
}

/// Strings of a program are not text, so a random value in them is not a finding.
#[test]
fn it_treats_binary_data_with_utf_16_as_binary() {
    for encoding in [UTF16_LE, UTF16_BE] {
        let own = OTHER.lines().nth(1).expect("two lines").split_once('=').expect("a name").1;
        let pair = [("JUSTCALL_API_KEY", PAIR[0].1), ("JUSTCALL_API_SECRET", own)];
        let text = encoded(OTHER, encoding);
        for (before, after) in [
            (&b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"[..], &[0; 64][..]),
            (&[0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0], &[0xC3; 9]),
            (&[0; 10_001], b""),
        ] {
            let program = [before, &text, after].concat();
            assert_eq!(scanned(&program), [] as [&str; 0], "{encoding}");
            let folder = folder(&[]);
            write(folder.path(), "a.exe", &program);
            let run = run_in(folder.path(), &["scan", "--json", "."], &pair);
            assert_eq!(found(&run), ["a.exe:2 own_secret"], "{encoding}");
            assert_eq!(run.json()["findings"][0]["form"], "as UTF-16");
        }
        // The control: the same text without the binary part.
        assert_eq!(scanned(&text), ["a.txt:2:21 leaked_pair"]);
    }
}

#[test]
fn it_finds_the_own_secret_in_text_of_several_encodings() {
    let ascii = "# a comment that is longer than the shortest run of ASCII\n";
    for encoding in [UTF16_LE, UTF16_BE] {
        for text in [
            encoded(&format!("one {SECRET} two"), encoding),
            [ascii.as_bytes(), &encoded(SECRET, encoding)].concat(),
            [&encoded(ascii, encoding), SECRET.as_bytes()].concat(),
        ] {
            let folder = folder(&[]);
            write(folder.path(), "a.txt", &text);
            let run = run_in(folder.path(), &["scan", "--json", "."], &PAIR);
            assert_eq!(found(&run).len(), 1, "{encoding}: {run:?}");
        }
    }
}
