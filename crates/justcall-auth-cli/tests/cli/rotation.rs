//! A service whose pair is reset, and a source that holds the old one.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{Run, Service, command, feed};

/// The number of the sandbox's first account.
pub const ACCOUNT: &str = "12345";

/// A service and a folder with sources.
pub struct Rotation {
    pub service: Service,
    pub folder: TempDir,
    /// The pair that the service takes next, as `key:secret`.
    pub new: String,
}

impl Rotation {
    /// With a new pair that works already; the old one does not.
    pub fn after_reset() -> Self {
        let service = Service::start();
        let reset = service.control("POST", "reset", &json!({}));
        let half = |name: &str| reset[name].as_str().expect("text").to_owned();
        let new = format!("{}:{}", half("api_key"), half("api_secret"));
        Self { service, folder: tempfile::tempdir().expect("a folder"), new }
    }

    /// The pair that was reset, as `key:secret`.
    pub fn old(&self) -> String {
        format!("{}:{}", self.service.sandbox.api_key(), self.service.sandbox.api_secret())
    }

    /// The halves of the new pair.
    pub fn new_halves(&self) -> (&str, &str) {
        self.new.split_once(':').expect("a pair")
    }

    /// A file with `text`, and the source that names it.
    pub fn file(&self, name: &str, text: &str) -> (PathBuf, String) {
        crate::run::file(self.folder.path(), name, text)
    }

    /// `rotate` of `source`, with the account named and the new pair on standard input.
    pub fn rotate(&self, source: &str, options: &[&str]) -> Run {
        let arguments = [&["rotate", "--source", source, "--expected-account", ACCOUNT], options].concat();
        self.feed(&arguments, &[], &self.new)
    }

    /// The command with `input` on standard input.
    pub fn feed(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Run {
        feed(command(&self.service.arguments(arguments), variables), input)
    }

    /// What `verify` says with `source`.
    pub fn verify(&self, source: &str) -> Run {
        crate::run::run(&self.service.arguments(&["verify", "--source", source]), &[])
    }

    /// A pair of another account, which works.
    pub fn foreign(&self) -> String {
        let pair = self.service.control("POST", "pairs", &Value::Null);
        let half = |name: &str| pair[name].as_str().expect("text").to_owned();
        format!("{}:{}", half("api_key"), half("api_secret"))
    }

    /// The names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
