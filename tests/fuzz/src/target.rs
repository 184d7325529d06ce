//! The list of the targets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::targets::{
    abi, account, errors, exchange, headers, pair, planted, rewrite, scan, sources, urls, webhook,
};

/// One kind of input, and what must hold for it.
#[derive(Debug)]
pub struct Target {
    /// The name, by which commands select it.
    pub name: &'static str,
    /// What must hold, as a list for the report.
    pub about: &'static str,
    /// Panics if something does not hold for these bytes.
    pub check: fn(&[u8]),
    /// Returns inputs to start with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Texts that a mutator inserts.
    pub tokens: &'static [&'static str],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    pair::TARGET,
    sources::TARGET,
    rewrite::TARGET,
    headers::TARGET,
    errors::TARGET,
    account::TARGET,
    exchange::TARGET,
    webhook::TARGET,
    scan::TARGET,
    urls::TARGET,
    abi::TARGET,
];

/// The control: a target that does not hold, so a fuzzer must find an input that fails.
pub const PLANTED: &Target = &planted::TARGET;

impl Target {
    /// Returns the target with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().chain([PLANTED]).find(|target| target.name == name)
    }

    /// Returns the folder with the corpus.
    pub fn corpus_folder(&self) -> PathBuf {
        root().join("fuzz/corpus").join(self.name)
    }

    /// Returns the files of the corpus, in the order of their names.
    ///
    /// # Errors
    /// Fails if the folder exists and cannot be read.
    pub fn corpus(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let folder = self.corpus_folder();
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            files.push((path, bytes));
        }
        files.sort();
        Ok(files)
    }
}

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate is two folders deep")
}
