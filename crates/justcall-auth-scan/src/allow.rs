//! Findings that the owner of a text allows, with a comment on the line or with a baseline of fingerprints.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use justcall_auth::{Error, ErrorKind};

use crate::finding::{Fingerprint, ScanFinding};

/// The comment that allows findings on its line and on the next one.
pub(crate) const COMMENT: &[u8] = b"justcall-auth: allow";

/// The fingerprints of findings that are allowed.
#[derive(Debug, Default)]
pub struct Baseline(HashSet<Fingerprint>);

impl Baseline {
    /// Reads a file of lines that begin with a fingerprint. Ignores the rest of a line, and lines that begin with `#`.
    ///
    /// # Errors
    /// `invalid_argument` if the file cannot be read or a line does not begin with a fingerprint.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("The baseline {name} cannot be read: {error}.");
            Error::with_message(ErrorKind::InvalidArgument, message)
                .with_hint("Create the baseline with --write-baseline PATH, or leave out --baseline.")
        })?;
        let mut fingerprints = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            let Some(first) = line.split_whitespace().next().filter(|word| !word.starts_with('#')) else {
                continue;
            };
            let fingerprint = Fingerprint::parse(first).ok_or_else(|| {
                let message =
                    format!("Line {} of the baseline {name} does not begin with a fingerprint.", index + 1);
                Error::with_message(ErrorKind::InvalidArgument, message).with_hint(
                    "Start each line with a fingerprint of 16 hexadecimal digits, as `scan` prints it. A remark may follow.",
                )
            })?;
            fingerprints.insert(fingerprint);
        }
        Ok(Self(fingerprints))
    }

    pub(crate) fn allows(&self, fingerprint: &Fingerprint) -> bool {
        self.0.contains(fingerprint)
    }
}

/// Returns the text of a baseline that allows `findings`.
pub fn baseline_of(findings: &[ScanFinding]) -> String {
    let mut text = String::from(
        "# `justcall-auth scan --baseline` allows these findings. A fingerprint does not reveal the secret.\n\
         # To report a finding again, remove its line. A baseline never allows your own live pair.\n",
    );
    let mut seen = HashSet::new();
    for finding in findings {
        if seen.insert(&finding.fingerprint) {
            let ScanFinding { fingerprint, code, location, line, .. } = finding;
            writeln!(text, "{fingerprint}  {} {}:{line}", code.name(), location.path)
                .expect("writing to a String cannot fail");
        }
    }
    text
}

/// Finds the lines of a text that have the comment. Searches a line only once, even if it has many findings.
pub(crate) struct Comments<'a> {
    text: &'a [u8],
    /// The line that was searched last, and whether it or the line before it has the comment.
    last: Option<(Range<usize>, bool)>,
}

impl<'a> Comments<'a> {
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, last: None }
    }

    /// Whether the line of `at`, or the one before it, has the comment.
    pub fn allow(&mut self, at: usize) -> bool {
        if let Some((_, is_commented)) = self.last.as_ref().filter(|(line, _)| line.contains(&at)) {
            return *is_commented;
        }
        let begin_of = |at: usize| memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |at| at + 1);
        let begin = begin_of(at);
        let end = memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |length| at + length);
        let before = begin_of(begin.saturating_sub(1));
        let is_commented = memchr::memmem::find(&self.text[before..end], COMMENT).is_some();
        self.last = Some((begin..end, is_commented));
        is_commented
    }
}
