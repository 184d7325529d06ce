//! The engine of `scan`: finds the user's own secret in any form, and what is shaped like a pair of JustCall's.
//!
//! | module | what |
//! |---|---|
//! | `known`, `spelling` | the user's own pair, exactly, however it is written |
//! | `candidate`, `marks`, `shape` | words that look random, whose they are, and the rule |
//! | `beside`, `tag`, `table`, `readable`, `name` | the name that a text gives a value, and what it says |
//! | `exposure`, `allow` | whether browsers get it; what its owner allows |
//! | `text`, `encoding` | a text of any length through a window, as UTF-8 |
//! | `files`, `history`, `git` | where texts come from; git so that a repository cannot run anything |
//!
//! No finding holds a value: a fingerprint stands for it.

mod allow;
mod beside;
mod candidate;
mod code;
mod encoding;
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

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;

use justcall_auth::Zeroizing;

use crate::unechoed::NOT_SHOWN;

pub(crate) use allow::{Baseline, baseline_of};
pub(crate) use code::Code;
pub(crate) use files::Files;
use finding::Hit;
pub(crate) use finding::{Finding, Fingerprint, Place};
pub(crate) use history::History;
pub(crate) use known::Known;
pub(crate) use text::Buffer;

/// What is looked for.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The user's own pair, where there is one.
    pub known: Option<Known>,
    pub baseline: Baseline,
}

/// What came of a scan. `Debug` is not derived: until all is settled it knows the secrets that were found.
#[derive(Default)]
pub(crate) struct Report {
    pub findings: Vec<Finding>,
    /// How many more a comment or the baseline allows.
    pub allowed: usize,
    /// How many texts were looked at, and their bytes.
    pub texts: u64,
    pub bytes: u64,
    /// What could not be looked at, and why.
    pub unread: Vec<Unread>,
    secrets: BTreeMap<Fingerprint, Zeroizing<String>>,
}

/// A file that could not be looked at.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    pub path: String,
    pub why: String,
}

/// What one text is looked at with.
struct Look<'a> {
    scanner: &'a Scanner,
    place: &'a Place,
    name: &'a str,
}

impl Report {
    /// Takes in what came of another part.
    pub fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.allowed += other.allowed;
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.unread.extend(other.unread);
        self.secrets.extend(other.secrets);
    }

    /// Puts all in order, and each only once, and forgets the secrets: files are named after anything, so their names
    /// are shown without what was found anywhere.
    pub fn settle(&mut self) {
        self.findings.sort();
        self.findings.dedup();
        self.unread.sort();
        let masked = Masked::of(self.secrets.values());
        // In their order, so those of one file stand together.
        let mut last: Option<(String, String)> = None;
        for finding in &mut self.findings {
            let path = &mut finding.place.path;
            if last.as_ref().is_none_or(|(before, _)| before != path) {
                last = Some((path.clone(), masked.without(path)));
            }
            path.clone_from(&last.as_ref().expect("it was just looked at").1);
        }
        for unread in &mut self.unread {
            unread.path = masked.without(&unread.path);
        }
        self.secrets.clear();
    }
}

/// Secrets that names of files are shown without.
struct Masked<'a> {
    secrets: HashSet<&'a str>,
    /// Their lengths, the longest first: there are few, however many secrets there are.
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
    /// Looks at one text from `reader`; what is found goes into `report`. `name` is what of its path may tell what it is:
    /// not the folders above those that were asked for.
    ///
    /// # Errors
    /// When it cannot be read to its end; what was found up to there is in the report.
    pub fn scan(
        &self,
        place: &Place,
        name: &str,
        reader: &mut impl Read,
        buffer: &mut Buffer,
        report: &mut Report,
    ) -> std::io::Result<()> {
        report.texts += 1;
        buffer.read_through(&Look { scanner: self, place, name }, reader, report)
    }

    /// `text` without the user's own pair: names of files may hold anything.
    pub fn mask(&self, text: &str) -> String {
        self.known.as_ref().map_or_else(|| text.to_owned(), |known| known.mask(text))
    }

    /// How far a finding may reach over the bytes that it begins at.
    fn reach(&self) -> usize {
        self.known.as_ref().map_or(0, Known::longest).max(2 * marks::REACH)
    }

    /// What a part of a text gives away. In binary data only the user's own pair is looked for.
    fn hits(&self, name: &str, text: &[u8], is_binary: bool) -> Vec<Hit> {
        let mut hits = self.known.as_ref().map(|known| known.hits(text)).unwrap_or_default();
        if !is_binary {
            let shaped = shape::hits(text, name);
            let own: Vec<Fingerprint> =
                hits.first().map(|hit| Fingerprint::of(&hit.secret)).into_iter().collect();
            // The user's own is told of once, and as such.
            hits.extend(shaped.into_iter().filter(|hit| !own.contains(&Fingerprint::of(&hit.secret))));
        }
        hits.sort_by_key(|hit| hit.at);
        hits
    }
}
