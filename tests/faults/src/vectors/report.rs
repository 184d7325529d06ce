//! Runs every vector in every language.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::caller::{CallerProgram, Language};
use super::certificates::Certificates;
use super::network;
use super::run::{self, Outcome};
use super::server::ServerKind;
use super::storm::{Storm, storm};
use super::vector::{self, Expect, Step, Vector};
use crate::programs::Programs;

/// Runs vectors.
pub struct Runner {
    certificates: Certificates,
    programs: Programs,
}

/// A vector in one language, and its outcome.
pub type Finished = (Vector, Language, Result<Outcome>);

impl Runner {
    /// Creates the certificates and finds the programs.
    ///
    /// # Errors
    /// If either is not possible.
    pub fn new() -> Result<Self> {
        Ok(Self { certificates: Certificates::create()?, programs: Programs::find()? })
    }

    /// Runs a vector, in its network if it has one.
    ///
    /// # Errors
    /// If a row is not the expected one, or a part cannot be started.
    pub fn run(&self, vector: &Vector, language: Language) -> Result<Outcome> {
        let program = self.program(language);
        let certificates = self.certificates.folder();
        match vector.network {
            Some(_) => network::run_apart(&self.programs.runner(), vector, &program, certificates),
            None => run::run_here(vector, &program, certificates),
        }
    }

    /// Returns the program of a language.
    pub fn program(&self, language: Language) -> CallerProgram {
        CallerProgram {
            words: self.programs.caller(language),
            libraries: self.programs.libraries().to_owned(),
        }
    }

    /// Runs each vector in its language, several at a time.
    pub fn run_all(&self, works: &[(Vector, Language)]) -> Vec<Finished> {
        /// Most vectors wait for a process or a timeout.
        const WORKERS: usize = 4;
        let (next, finished) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some((vector, language)) = works.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let result = self.run(vector, *language);
                        let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
                        finished.push((vector.clone(), *language, result));
                    }
                });
            }
        });
        let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
        finished.sort_by_key(|(vector, language, _)| (vector.file.clone(), vector.number, language.name()));
        finished
    }

    /// Calls in each language while each server that records requests reloads. Returns what happened.
    ///
    /// # Errors
    /// If a call ends in a row that does not fit what the server received.
    pub fn storms(&self) -> Result<Vec<(ServerKind, Language, Storm)>> {
        let mut storms = Vec::new();
        for kind in [ServerKind::Nginx, ServerKind::Haproxy] {
            for language in Language::ALL {
                let storm = storm(kind, &self.program(language), self.certificates.folder());
                let context = || format!("{}, {}", kind.program(), language.name());
                storms.push((kind, language, storm.with_context(context)?));
            }
        }
        Ok(storms)
    }

    /// Plants a wrong expectation of each kind into a vector, and checks that each is noticed. Returns their names.
    ///
    /// # Errors
    /// If one is not noticed.
    pub fn check_planted(&self, vector: &Vector) -> Result<Vec<&'static str>> {
        type Change = fn(&mut Expect);
        let changes: [(&str, Change); 5] = [
            ("name", |expect| "forbidden".clone_into(&mut expect.name)),
            ("http_status", |expect| expect.http_status = 599),
            ("request_sent", |expect| expect.request_sent = expect.request_sent.map(|sent| !sent)),
            ("retry_after_ms", |expect| expect.retry_after_ms = Some(1)),
            ("received", |expect| expect.received = Some(0)),
        ];
        self.run(vector, Language::Rust)?;
        for (name, change) in changes {
            let mut wrong = vector.clone();
            for step in &mut wrong.steps {
                if let Step::Call { expect, .. } = step {
                    change(expect);
                }
            }
            ensure!(self.run(&wrong, Language::Rust).is_err(), "a wrong {name} is not noticed");
        }
        Ok(changes.map(|(name, _)| name).to_vec())
    }
}

/// Returns the vector of the servers with this text in its title.
///
/// # Errors
/// If there is none.
pub fn named(text: &str) -> Result<Vector> {
    let mut vectors = vector::all()?.into_iter();
    vectors.find(|vector| vector.title().contains(text)).ok_or_else(|| anyhow!("no vector {text:?}"))
}

/// Returns a line for each row that is not the expected one.
pub fn failures(finished: &[Finished]) -> Vec<String> {
    let failure = |(vector, language, result): &Finished| {
        let error = result.as_ref().err()?;
        Some(format!("{} ({}): {error:#}", vector.title(), language.name()))
    };
    finished.iter().filter_map(failure).collect()
}

/// Returns every vector in every language.
pub fn in_every_language(vectors: &[Vector]) -> Vec<(Vector, Language)> {
    vectors.iter().flat_map(|vector| Language::ALL.map(|language| (vector.clone(), language))).collect()
}

/// Returns every vector in one language, each in the next one.
pub fn in_one_language_each(vectors: &[Vector]) -> Vec<(Vector, Language)> {
    vectors.iter().cloned().zip(Language::ALL.into_iter().cycle()).collect()
}

/// Returns the storms as Markdown.
pub fn storm_table(storms: &[(ServerKind, Language, Storm)]) -> String {
    let mut text = String::from(
        "| server | language | calls | failed | reloads | connections |\n|---|---|---|---|---|---|\n",
    );
    for (kind, language, storm) in storms {
        let Storm { calls, failed, reloads, connections } = storm;
        let (server, language) = (kind.program(), language.name());
        let _infallible =
            writeln!(text, "| {server} | {language} | {calls} | {failed} | {reloads} | {connections} |");
    }
    text
}

/// Returns the outcomes as Markdown: a table for each file.
pub fn tables(finished: &[Finished]) -> String {
    let mut files: BTreeMap<&str, BTreeMap<usize, Vec<&Finished>>> = BTreeMap::new();
    for one in finished {
        files.entry(&one.0.file).or_default().entry(one.0.number).or_default().push(one);
    }
    let mut text = String::new();
    for (file, vectors) in files {
        let _infallible =
            write!(text, "\n## `{file}.json`\n\n| fault | calls, in turn | languages |\n|---|---|---|\n");
        for same in vectors.values() {
            let rows = same[0].2.as_ref().map_or_else(|_| "failed".to_owned(), Outcome::print);
            let is_same = |one: &&&Finished| one.2.as_ref().is_ok_and(|outcome| outcome.print() == rows);
            let languages: Vec<&str> = same.iter().filter(is_same).map(|one| one.1.name()).collect();
            let _infallible = writeln!(text, "| {} | {rows} | {} |", same[0].0.about, languages.join(", "));
        }
    }
    text
}
