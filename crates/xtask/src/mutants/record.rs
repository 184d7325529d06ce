//! The results so far, in a file with a line for each. The file is committed, so that a run on another machine goes on.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Mutant;

/// The results of all runs. A line has the hash of the mutated code, the number of the last phase, what became of the mutant,
/// the seconds of builds and tests, and its name. A test that is deleted or weakened changes no hash: delete the lines of the
/// mutants that it detected.
pub const RESULTS: &str = "docs/evidence/mutants.txt";

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
    path: PathBuf,
    file: File,
    last: BTreeMap<Mutant, Record>,
}

impl Records {
    /// Reads the results. `again` forgets those of the survivors.
    pub fn open(path: &Path, again: bool) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| path.display().to_string())?,
        };
        let mut last = BTreeMap::new();
        for record in text.lines().filter_map(parse) {
            last.insert(record.mutant.clone(), record);
        }
        if again {
            last.retain(|_, record| record.outcome != Outcome::Survived);
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).append(true).open(path).with_context(|| path.display().to_string())?;
        // The last line is incomplete if a run was killed.
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Self { path: path.to_owned(), file, last })
    }

    /// Returns the result of the last phase that the mutant met.
    pub fn last(&self, mutant: &Mutant) -> Option<&Record> {
        self.last.get(mutant)
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
            self.file.write_all(line(&record).as_bytes())?;
            self.last.insert(record.mutant.clone(), record);
        }
        Ok(())
    }

    /// Writes the file again: the results of `mutants` in their order, and no others.
    pub fn tidy<'a>(&self, mutants: impl Iterator<Item = &'a Mutant>) -> Result<()> {
        let lines: String = mutants.filter_map(|mutant| self.last(mutant)).map(line).collect();
        let new = self.path.with_extension("new");
        fs::write(&new, lines).with_context(|| new.display().to_string())?;
        fs::rename(&new, &self.path).with_context(|| self.path.display().to_string())
    }
}

fn line(record: &Record) -> String {
    let outcome = match record.outcome {
        Outcome::Caught => "caught",
        Outcome::Survived => "survived",
        Outcome::Unviable => "unviable",
    };
    let Mutant { name, file } = &record.mutant;
    format!("{file} {} {outcome} {:.1} {name}\n", record.phase, record.seconds)
}

fn parse(line: &str) -> Option<Record> {
    let mut fields = line.splitn(5, ' ');
    let file = fields.next()?.to_owned();
    let phase = fields.next()?.parse().ok()?;
    let outcome = match fields.next()? {
        "caught" => Outcome::Caught,
        "survived" => Outcome::Survived,
        "unviable" => Outcome::Unviable,
        _ => return None,
    };
    let seconds = fields.next()?.parse().ok()?;
    let mutant = Mutant { name: fields.next()?.to_owned(), file };
    Some(Record { mutant, outcome, seconds, phase })
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
        let path = &folder.path().join("results.txt");
        let mut records = Records::open(path, false).expect("a file");
        assert!(records.is_waiting(&mutant("1"), 0));
        records.add(0, &[Record::new(&mutant("1"), Outcome::Survived, 2.0)]).expect("it is written");
        let text = std::fs::read_to_string(path).expect("a file");
        std::fs::write(path, format!("{text}{}", &text[..12])).expect("it is written");

        let mut records = Records::open(path, false).expect("a file");
        assert!(!records.is_waiting(&mutant("1"), 0) && records.is_waiting(&mutant("1"), 1));
        assert!(records.is_waiting(&mutant("2"), 0), "the file was changed");
        records.add(1, &[Record::new(&mutant("1"), Outcome::Caught, 3.0)]).expect("it is written");
        assert!(!records.is_waiting(&mutant("1"), 2));
        assert_eq!(records.last(&mutant("1")).map(|record| record.seconds), Some(5.0));
        let records = Records::open(path, false).expect("a file");
        assert!(!records.is_waiting(&mutant("1"), 2), "nothing was appended to half a line");
    }

    #[test]
    fn it_keeps_the_results_of_the_mutants_that_exist() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = &folder.path().join("results.txt");
        let mut records = Records::open(path, false).expect("a file");
        for file in ["1", "2", "3"] {
            records.add(0, &[Record::new(&mutant(file), Outcome::Caught, 2.0)]).expect("it is written");
        }
        records.tidy([mutant("3"), mutant("1")].iter()).expect("it is written");
        let text = std::fs::read_to_string(path).expect("a file");
        let name = "a.rs:1:2: replace + with -";
        assert_eq!(text, format!("3 0 caught 2.0 {name}\n1 0 caught 2.0 {name}\n"));
        let records = Records::open(path, false).expect("a file");
        assert!(!records.is_waiting(&mutant("1"), 1) && records.is_waiting(&mutant("2"), 1));
    }

    #[test]
    fn it_tests_survivors_again_with_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = &folder.path().join("results.txt");
        let mut records = Records::open(path, false).expect("a file");
        records.add(1, &[Record::new(&mutant("1"), Outcome::Survived, 2.0)]).expect("it is written");
        records.add(0, &[Record::new(&mutant("2"), Outcome::Caught, 2.0)]).expect("it is written");
        let records = Records::open(path, true).expect("a file");
        assert!(records.is_waiting(&mutant("1"), 0) && !records.is_waiting(&mutant("2"), 0));
    }
}
