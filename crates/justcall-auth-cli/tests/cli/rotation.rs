//! A service whose pair is reset, and a source with the old one.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{Run, Service, command, feed};

/// The number of the sandbox's first account.
pub const ACCOUNT: &str = "12345";

/// A service, and a folder with sources.
pub struct Rotation {
    pub service: Service,
    pub folder: TempDir,
    /// The pair that the service will accept, as `key:secret`.
    pub new: String,
}

impl Rotation {
    /// Returns a rotation whose new pair already works; the old one does not.
    pub fn after_reset() -> Self {
        let service = Service::start();
        let reset = service.control("POST", "reset", &json!({}));
        let half = |name: &str| reset[name].as_str().expect("text").to_owned();
        let new = format!("{}:{}", half("api_key"), half("api_secret"));
        Self { service, folder: tempfile::tempdir().expect("a folder"), new }
    }

    /// Returns the pair that was reset, as `key:secret`.
    pub fn old(&self) -> String {
        format!("{}:{}", self.service.sandbox.api_key(), self.service.sandbox.api_secret())
    }

    /// Returns the halves of the new pair.
    pub fn new_halves(&self) -> (&str, &str) {
        self.new.split_once(':').expect("a pair")
    }

    /// Writes a file with `text`. Returns its path and its source.
    pub fn file(&self, name: &str, text: &str) -> (PathBuf, String) {
        crate::run::file(self.folder.path(), name, text)
    }

    /// Runs `rotate` for `source`, with the account and with the new pair on standard input.
    pub fn rotate(&self, source: &str, options: &[&str]) -> Run {
        let arguments = [&["rotate", "--source", source, "--expected-account", ACCOUNT], options].concat();
        self.feed(&arguments, &[], &self.new)
    }

    /// Runs the command with `input` on standard input.
    pub fn feed(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Run {
        feed(command(&self.service.arguments(arguments), variables), input)
    }

    /// Runs `verify` with `source`.
    pub fn verify(&self, source: &str) -> Run {
        crate::run::run(&self.service.arguments(&["verify", "--source", source]), &[])
    }

    /// Returns a pair of another account, which works.
    pub fn foreign(&self) -> String {
        let pair = self.service.control("POST", "pairs", &Value::Null);
        let half = |name: &str| pair[name].as_str().expect("text").to_owned();
        format!("{}:{}", half("api_key"), half("api_secret"))
    }

    /// Returns the names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
