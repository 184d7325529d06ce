//! Scans a text of any length through a window that moves over it.

use std::cell::OnceCell;
use std::io::{self, Read};

use crate::allow::Comments;
use crate::code::ScanCode;
use crate::decode::Decoder;
use crate::exposure::Exposure;
use crate::finding::{Fingerprint, Hit, Location, ScanFinding};
use crate::wide::{Wide, is_binary};
use crate::{Report, Subject};

/// The length of the window, in bytes. Most files fit into it, and it fits into a processor's cache.
const WINDOW: usize = 512 * 1024;
/// The byte order mark of UTF-8, which is not part of the text.
const UTF8_MARK: &[u8] = "\u{feff}".as_bytes();
/// The number of bytes at the start that are examined to distinguish text from binary data.
const HEAD: usize = 8 * 1024;

/// The memory of the window, reused for every text.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    used: usize,
}

/// The kind of data in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextKind {
    Text,
    Binary,
}

/// Counts the bytes of a text as they are read, before they are decoded.
struct Counted<R> {
    reader: R,
    bytes: u64,
}

/// The position of the window's first byte in the text.
#[derive(Debug, Default, Clone, Copy)]
struct Position {
    lines: usize,
    columns: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: vec![0; WINDOW], used: 0 }
    }
}

impl Buffer {
    /// Scans the text from `reader` and adds the findings to `report`.
    pub(crate) fn read_through(
        &mut self,
        subject: &Subject,
        reader: &mut impl Read,
        report: &mut Report,
    ) -> io::Result<()> {
        let mut counted = Counted { reader, bytes: 0 };
        let outcome = self.read_text(subject, &mut counted, report);
        report.bytes += counted.bytes;
        outcome
    }

    /// Detects the encoding of the text, and searches it as UTF-8.
    fn read_text(
        &mut self,
        subject: &Subject,
        reader: &mut impl Read,
        report: &mut Report,
    ) -> io::Result<()> {
        self.used = 0;
        let is_at_end = self.fill(reader)?;
        if self.bytes[..self.used].starts_with(UTF8_MARK) {
            self.drop_first(UTF8_MARK.len());
        }
        let head = &self.bytes[..self.used];
        let wide = Wide::of(head);
        if wide.is_none() && is_binary(&head[..head.len().min(HEAD)]) {
            return self.search(subject, reader, is_at_end, TextKind::Binary, report);
        }
        if wide.is_none() && memchr::memchr(0, head).is_none() {
            let mut decoder = Decoder::after(head, reader);
            return self.search(subject, &mut decoder, is_at_end, TextKind::Text, report);
        }
        let mut decoder = Decoder::new(wide, head, reader);
        self.used = 0;
        let is_at_end = self.fill(&mut decoder)?;
        self.search(subject, &mut decoder, is_at_end, TextKind::Text, report)
    }

    /// Searches the contents of the window, and then the rest of `reader`.
    fn search(
        &mut self,
        subject: &Subject,
        reader: &mut impl Read,
        mut is_at_end: bool,
        kind: TextKind,
        report: &mut Report,
    ) -> io::Result<()> {
        let margin = subject.scanner.reach();
        let mut position = Position::default();
        // Hits before this offset were reported from the previous window.
        let mut reported = 0;
        loop {
            let text = &self.bytes[..self.used];
            let until = if is_at_end { self.used } else { self.used.saturating_sub(margin) };
            let hits = subject.scanner.hits(subject.name, text, kind == TextKind::Binary);
            add_findings(
                subject,
                text,
                hits.into_iter().filter(|hit| (reported..until).contains(&hit.at)),
                position,
                report,
            );
            if is_at_end {
                return Ok(());
            }
            let dropped = until.saturating_sub(margin);
            position.advance(&text[..dropped]);
            self.drop_first(dropped);
            reported = until - dropped;
            is_at_end = self.fill(reader)?;
        }
    }

    /// Reads until the window is full. Returns true if the text ends within it.
    fn fill(&mut self, reader: &mut impl Read) -> io::Result<bool> {
        while self.used < self.bytes.len() {
            match reader.read(&mut self.bytes[self.used..]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.used += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn drop_first(&mut self, count: usize) {
        self.bytes.copy_within(count..self.used, 0);
        self.used -= count;
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl Position {
    /// Moves over `text`.
    fn advance(&mut self, text: &[u8]) {
        self.lines += memchr::memchr_iter(b'\n', text).count();
        match memchr::memrchr(b'\n', text) {
            Some(at) => self.columns = characters(&text[at + 1..]),
            None => self.columns += characters(text),
        }
    }
}

fn characters(text: &[u8]) -> usize {
    // Counts every byte except those that continue a character of UTF-8.
    text.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count()
}

/// Adds hits, in their order, to the report, except those that the owner of the text allows. `position` is that of the first
/// byte of the text.
fn add_findings(
    subject: &Subject,
    text: &[u8],
    hits: impl Iterator<Item = Hit>,
    mut position: Position,
    report: &mut Report,
) {
    let Subject { scanner, location, name } = subject;
    let mut passed = 0;
    // Computed only if there is a finding.
    let exposure = OnceCell::new();
    let mut comments = Comments::of(text);
    for hit in hits {
        position.advance(&text[passed..hit.at]);
        passed = hit.at;
        let fingerprint = Fingerprint::of(&hit.secret);
        let may_be_allowed = hit.code != ScanCode::OwnSecret;
        if may_be_allowed && (comments.allow(hit.at) || scanner.baseline.allows(&fingerprint)) {
            report.allowed += 1;
            continue;
        }
        if let Ok(secret) = std::str::from_utf8(&hit.secret) {
            report.secrets.entry(fingerprint.clone()).or_insert_with(|| secret.to_owned().into());
        }
        report.findings.push(ScanFinding {
            location: Location { path: scanner.mask(&location.path), commit: location.commit.clone() },
            line: position.lines + 1,
            column: position.columns + 1,
            code: hit.code,
            form: hit.form,
            key_hint: hit.key_hint,
            fingerprint,
            is_shipped: exposure.get_or_init(|| Exposure::of(name, text)).reaches(hit.at),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Known, Scanner};

    const KEY: &str = "8f1c0b5ad93e47a2c6f0d81b35e79a4c2d60f8b1";
    const SECRET: &str = "84dbf4398ab9480836b3918f41b9398a3a02068d";

    /// Returns few bytes per read, like a pipe.
    struct SlowReader<'a>(&'a [u8]);

    impl Read for SlowReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(10_007);
            self.0.read(&mut buffer[..some])
        }
    }

    fn scan(scanner: &Scanner, text: &[u8]) -> Report {
        let location = Location { path: "notes.txt".into(), commit: None };
        let mut report = Report::default();
        scanner
            .scan(&location, "notes.txt", &mut SlowReader(text), &mut Buffer::default(), &mut report)
            .expect("memory can be read");
        report.settle();
        report
    }

    #[test]
    fn it_reports_each_secret_once_wherever_the_window_ends() {
        let pair =
            justcall_auth::Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("the pair is valid");
        let own = Scanner { known: Known::new(&pair), ..Scanner::default() };
        let shaped = Scanner::default();
        let leak = format!("justcall_api_key={KEY}\njustcall_api_secret={SECRET}\n");
        for offset in [0, 1, 97, 8191, 8192, 8193, 16384, 20000] {
            for end in [WINDOW, 2 * WINDOW, 3 * WINDOW] {
                let before = "line\n".repeat((end - offset.min(end)) / 5);
                let text = [&before, &leak, &"more\n".repeat(20_000)].map(String::as_bytes).concat();
                for (scanner, code) in [(&own, ScanCode::OwnSecret), (&shaped, ScanCode::LeakedPair)] {
                    let found = scan(scanner, &text).findings;
                    let [finding] = &found[..] else { panic!("{offset} {end}: {found:?}") };
                    let line = before.lines().count() + 2;
                    assert_eq!((finding.code, finding.line, finding.column), (code, line, 21));
                }
            }
        }
    }

    #[test]
    fn it_counts_columns_in_characters_on_a_line_of_any_length() {
        let before = "é ".repeat(WINDOW);
        let text = format!("{before}justcall_api_secret={SECRET}");
        let found = scan(&Scanner::default(), text.as_bytes()).findings;
        assert_eq!((found[0].line, found[0].column), (1, before.chars().count() + 21));
    }

    #[test]
    fn it_searches_binary_data_only_for_the_users_own_pair() {
        let text = format!("\0justcall_api_secret={SECRET}");
        assert_eq!(scan(&Scanner::default(), text.as_bytes()).findings, []);
        let pair =
            justcall_auth::Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("the pair is valid");
        let own = Scanner { known: Known::new(&pair), ..Scanner::default() };
        assert_eq!(scan(&own, text.as_bytes()).findings.len(), 1);
    }

    #[test]
    fn it_obeys_a_comment_except_for_the_users_own_pair() {
        let text = format!("# justcall-auth: allow\nJUSTCALL_API_SECRET={SECRET}\n");
        let report = scan(&Scanner::default(), text.as_bytes());
        assert_eq!((report.findings.len(), report.allowed), (0, 1));
        let pair =
            justcall_auth::Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("the pair is valid");
        let own = Scanner { known: Known::new(&pair), ..Scanner::default() };
        assert_eq!(scan(&own, text.as_bytes()).findings.len(), 1);
    }
}
