//! The results so far, in a file with a line of JSON for each.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Mutant;

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A test failed, or did not end.
    Caught,
    Survived,
    /// The mutant does not compile.
    Unviable,
}

/// The result of a mutant in one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub mutant: Mutant,
    pub outcome: Outcome,
    pub seconds: f64,
    phase: usize,
}

impl Record {
    pub fn new(mutant: &Mutant, outcome: Outcome, seconds: f64) -> Self {
        Self { mutant: mutant.clone(), outcome, seconds, phase: 0 }
    }
}

/// The results of all runs.
pub struct Records {
    file: File,
    last: HashMap<(String, String), Record>,
}

impl Records {
    /// Reads the results. `again` forgets those of the survivors.
    pub fn open(folder: &Path, again: bool) -> Result<Self> {
        let path = folder.join("results.jsonl");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| path.display().to_string())?,
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| path.display().to_string())?;
        let mut records = Self { file, last: HashMap::new() };
        // The last line is incomplete if a run was killed.
        if !text.is_empty() && !text.ends_with('\n') {
            records.file.write_all(b"\n")?;
        }
        for record in text.lines().filter_map(parse) {
            records.insert(record);
        }
        if again {
            records.last.retain(|_, record| record.outcome != Outcome::Survived);
        }
        Ok(records)
    }

    /// Returns the result of the last phase that the mutant met.
    pub fn last(&self, mutant: &Mutant) -> Option<&Record> {
        self.last.get(&key(mutant))
    }

    /// Whether `mutant` must meet the tests of the phase with this number.
    pub fn is_waiting(&self, mutant: &Mutant, phase: usize) -> bool {
        self.last(mutant).is_none_or(|record| record.outcome == Outcome::Survived && record.phase < phase)
    }

    /// Adds the results of a phase.
    pub fn add(&mut self, phase: usize, found: &[Record]) -> Result<()> {
        for record in found {
            let mut record = record.clone();
            record.phase = phase;
            record.seconds += self.last(&record.mutant).map_or(0.0, |earlier| earlier.seconds);
            self.file.write_all(format!("{}\n", line(&record)).as_bytes())?;
            self.insert(record);
        }
        Ok(())
    }

    fn insert(&mut self, record: Record) {
        self.last.insert(key(&record.mutant), record);
    }
}

fn key(mutant: &Mutant) -> (String, String) {
    (mutant.name.clone(), mutant.file.clone())
}

fn line(record: &Record) -> Value {
    let outcome = match record.outcome {
        Outcome::Caught => "caught",
        Outcome::Survived => "survived",
        Outcome::Unviable => "unviable",
    };
    json!({
        "name": record.mutant.name, "file": record.mutant.file,
        "phase": record.phase, "outcome": outcome, "seconds": record.seconds,
    })
}

fn parse(line: &str) -> Option<Record> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let outcome = match value["outcome"].as_str()? {
        "caught" => Outcome::Caught,
        "survived" => Outcome::Survived,
        "unviable" => Outcome::Unviable,
        _ => return None,
    };
    let phase = usize::try_from(value["phase"].as_u64()?).ok()?;
    let mutant = Mutant { name: text("name")?, file: text("file")? };
    Some(Record { mutant, outcome, seconds: value["seconds"].as_f64()?, phase })
}

#[cfg(test)]
mod tests {
    use super::{Mutant, Outcome, Record, Records};

    fn mutant(file: &str) -> Mutant {
        Mutant { name: "a.rs:1:2: replace + with -".to_owned(), file: file.to_owned() }
    }

    #[test]
    fn it_goes_on_where_a_killed_run_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut records = Records::open(folder.path(), false).expect("a file");
        assert!(records.is_waiting(&mutant("1"), 0));
        records.add(0, &[Record::new(&mutant("1"), Outcome::Survived, 2.0)]).expect("it is written");
        let path = folder.path().join("results.jsonl");
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(&path, format!("{text}{}", &text[..30])).expect("it is written");

        let mut records = Records::open(folder.path(), false).expect("a file");
        assert!(!records.is_waiting(&mutant("1"), 0) && records.is_waiting(&mutant("1"), 1));
        assert!(records.is_waiting(&mutant("2"), 0), "the file was changed");
        records.add(1, &[Record::new(&mutant("1"), Outcome::Caught, 3.0)]).expect("it is written");
        assert!(!records.is_waiting(&mutant("1"), 2));
        assert_eq!(records.last(&mutant("1")).map(|record| record.seconds), Some(5.0));
        let records = Records::open(folder.path(), false).expect("a file");
        assert!(!records.is_waiting(&mutant("1"), 2), "nothing was appended to half a line");
    }

    #[test]
    fn it_tests_survivors_again_with_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut records = Records::open(folder.path(), false).expect("a file");
        records.add(1, &[Record::new(&mutant("1"), Outcome::Survived, 2.0)]).expect("it is written");
        records.add(0, &[Record::new(&mutant("2"), Outcome::Caught, 2.0)]).expect("it is written");
        let records = Records::open(folder.path(), true).expect("a file");
        assert!(records.is_waiting(&mutant("1"), 0) && !records.is_waiting(&mutant("2"), 0));
    }
}
