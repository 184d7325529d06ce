//! Finds JustCall API secrets in files and in git history: the engine of `justcall-auth scan`.
//!
//! [`Files`] and [`History`] scan texts with a [`Scanner`] and return a [`Report`]. The scanner finds the user's own secret
//! in any form, and what has the shape of a JustCall pair. No finding holds a secret: a [`Fingerprint`] identifies it.
//!
//! | module | contents |
//! |---|---|
//! | `known`, `spelling` | the user's own pair, exactly, in every form |
//! | `candidate`, `marks`, `shape` | words that seem random, the service that they belong to, and the rule |
//! | `beside`, `tag`, `table`, `readable`, `name` | the name that a text gives a value, and its meaning |
//! | `exposure`, `allow` | whether a text ships to browsers; what its owner allows |
//! | `text`, `decode`, `wide` | a text of any length through a window, as UTF-8; its encoding |
//! | `files`, `history`, `git` | where texts come from; git so that a repository cannot run anything |

#![forbid(unsafe_code)]

mod allow;
mod beside;
mod candidate;
mod code;
mod decode;
mod exposure;
mod files;
mod finding;
mod git;
mod history;
mod known;
mod marks;
mod name;
mod readable;
mod shape;
mod spelling;
mod table;
mod tag;
mod text;
mod wide;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;

use justcall_auth::Zeroizing;

pub use allow::{Baseline, baseline_of};
pub use code::ScanCode;
pub use files::Files;
use finding::Hit;
pub use finding::{Fingerprint, Location, ScanFinding};
pub use history::History;
pub use known::Known;
pub use text::Buffer;

/// Stands for a secret in the name of a file.
pub const NOT_SHOWN: &str = "[not shown]";

/// Finds secrets in texts.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The user's own pair, if a source gives one.
    pub known: Option<Known>,
    /// The findings that are allowed, except those of the user's own pair.
    pub baseline: Baseline,
}

/// The result of a scan. It does not implement `Debug`: until [`Report::settle`] it holds the secrets that were found.
#[derive(Default)]
pub struct Report {
    /// The secrets that were found.
    pub findings: Vec<ScanFinding>,
    /// How many more findings a comment or the baseline allows.
    pub allowed: usize,
    /// How many texts were scanned.
    pub texts: u64,
    /// How many bytes were scanned.
    pub bytes: u64,
    /// The texts that could not be scanned.
    pub unread: Vec<Unread>,
    secrets: BTreeMap<Fingerprint, Zeroizing<String>>,
}

/// A text that could not be scanned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The path of the text.
    pub path: String,
    /// The reason.
    pub why: String,
}

/// A text to scan.
struct Subject<'a> {
    scanner: &'a Scanner,
    location: &'a Location,
    name: &'a str,
}

impl Report {
    /// Adds the report of another part.
    pub(crate) fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.allowed += other.allowed;
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.unread.extend(other.unread);
        self.secrets.extend(other.secrets);
    }

    /// Sorts the findings, removes duplicates, masks in the names of files every secret that was found anywhere, and forgets
    /// the secrets.
    pub fn settle(&mut self) {
        self.findings.sort();
        self.findings.dedup();
        self.unread.sort();
        let masked = Masked::of(self.secrets.values());
        // The findings of one file follow each other.
        let mut last: Option<(String, String)> = None;
        for finding in &mut self.findings {
            let path = &mut finding.location.path;
            if last.as_ref().is_none_or(|(before, _)| before != path) {
                last = Some((path.clone(), masked.without(path)));
            }
            path.clone_from(&last.as_ref().expect("it was set above").1);
        }
        for unread in &mut self.unread {
            unread.path = masked.without(&unread.path);
        }
        self.secrets.clear();
    }
}

/// Secrets to mask in the names of files.
struct Masked<'a> {
    secrets: HashSet<&'a str>,
    /// Their lengths, the longest first: there are few lengths, even of many secrets.
    lengths: BTreeSet<Reverse<usize>>,
}

impl<'a> Masked<'a> {
    fn of(secrets: impl Iterator<Item = &'a Zeroizing<String>>) -> Self {
        let secrets: HashSet<&str> =
            secrets.map(|secret| secret.as_str()).filter(|secret| !secret.is_empty()).collect();
        let lengths = secrets.iter().map(|secret| Reverse(secret.len())).collect();
        Self { secrets, lengths }
    }

    fn without(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for Reverse(length) in &self.lengths {
            let mut from = 0;
            while let Some(part) = path.as_bytes().get(from..from + length) {
                let is_secret = std::str::from_utf8(part).is_ok_and(|part| self.secrets.contains(part));
                if is_secret {
                    path.replace_range(from..from + length, NOT_SHOWN);
                }
                from += if is_secret { NOT_SHOWN.len() } else { 1 };
            }
        }
        path
    }
}

impl Scanner {
    /// Scans the text from `reader` and adds the findings to `report`. `name` is the part of the path that may describe the
    /// text: without the folders above those that the user named.
    ///
    /// # Errors
    /// If the text cannot be read to its end. The report then has the findings up to that point.
    pub fn scan(
        &self,
        location: &Location,
        name: &str,
        reader: &mut impl Read,
        buffer: &mut Buffer,
        report: &mut Report,
    ) -> std::io::Result<()> {
        report.texts += 1;
        buffer.read_through(&Subject { scanner: self, location, name }, reader, report)
    }

    /// Returns `text` without the user's own pair: names of files may contain it.
    pub fn mask(&self, text: &str) -> String {
        self.known.as_ref().map_or_else(|| text.to_owned(), |known| known.mask(text))
    }

    /// Returns the length of the longest text that decides about one finding, in bytes.
    fn reach(&self) -> usize {
        self.known.as_ref().map_or(0, Known::longest).max(2 * marks::REACH)
    }

    /// Returns the hits in a part of a text. Binary data is searched for the user's own pair only.
    fn hits(&self, name: &str, text: &[u8], is_binary: bool) -> Vec<Hit> {
        let mut hits = self.known.as_ref().map(|known| known.hits(text)).unwrap_or_default();
        if !is_binary {
            let shaped = shape::hits(text, name);
            let own: Vec<Fingerprint> =
                hits.first().map(|hit| Fingerprint::of(&hit.secret)).into_iter().collect();
            // The user's own secret is reported once, as such.
            hits.extend(shaped.into_iter().filter(|hit| !own.contains(&Fingerprint::of(&hit.secret))));
        }
        hits.sort_by_key(|hit| hit.at);
        hits
    }
}
