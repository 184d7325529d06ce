//! A pair of the sandbox's, in files that only the target reads.

use std::fs::{self, File};
use std::io::Read as _;

use anyhow::{Context as _, Result};
use serde_json::json;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::needles::Needles;
use crate::sandbox::Sandbox;

/// An account's pair.
pub struct Pair {
    /// What to look for.
    pub needles: Needles,
    key: String,
    folder: TempDir,
}

impl Pair {
    /// Makes an account with a pair that no other text looks like.
    ///
    /// # Errors
    /// When the sandbox refuses it.
    pub fn make(sandbox: &Sandbox) -> Result<Self> {
        let (key, secret) = (random_text(40)?, Zeroizing::new(random_text(40)?));
        sandbox.control("POST", "pairs", &json!({"api_key": key, "api_secret": *secret}))?;
        let folder = TempDir::new().context("a folder for the pair")?;
        let text = Zeroizing::new(format!("{key}:{}\n", *secret));
        fs::write(folder.path().join("pair"), text.as_bytes())?;
        let json = Zeroizing::new(format!("{{\"api_key\": \"{key}\", \"api_secret\": \"{}\"}}", *secret));
        fs::write(folder.path().join("pair.json"), json.as_bytes())?;
        fs::write(folder.path().join("api_key"), &key)?;
        fs::write(folder.path().join("api_secret"), secret.as_bytes())?;
        let needles = Needles::new(key.as_bytes(), secret.as_bytes())?;
        Ok(Self { needles, key, folder })
    }

    /// The file with `key:secret`.
    pub fn file(&self) -> String {
        self.folder.path().join("pair").display().to_string()
    }

    /// The source that is a folder with a file for each half.
    pub fn folder_source(&self) -> String {
        format!("dir:{}", self.folder.path().display())
    }

    /// The source that is a program which prints JSON.
    pub fn command_source(&self) -> String {
        format!("command:cat {}", self.folder.path().join("pair.json").display())
    }

    /// The service rejects it from now on.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub fn revoke(&self, sandbox: &Sandbox) -> Result<()> {
        sandbox.control("POST", &format!("pairs/{}/revoke", self.key), &json!({})).map(drop)
    }
}

/// Letters and digits: 8 of them have 47 bits, so none occurs by chance.
fn random_text(length: usize) -> Result<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = File::open("/dev/urandom")?;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0];
        random.read_exact(&mut byte)?;
        if let Some(letter) = LETTERS.get(usize::from(byte[0] & 63)) {
            text.push(char::from(*letter));
        }
    }
    Ok(text)
}
