//! A pair of the sandbox's, in files that only the target reads.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

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
        register(sandbox, &key, &secret)?;
        let folder = TempDir::new().context("a folder for the pair")?;
        write(folder.path(), &key, &secret)?;
        let needles = Needles::new(key.as_bytes(), secret.as_bytes())?;
        Ok(Self { needles, key, folder })
    }

    /// The service rejects it from now on, and the files hold another, which the service knows or does not. Both are looked
    /// for.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub fn reset(&mut self, sandbox: &Sandbox, is_known: bool) -> Result<()> {
        let (key, secret) = (random_text(40)?, Zeroizing::new(random_text(40)?));
        if is_known {
            // Of the same account: a client that knows the account of its pair refuses a pair of another one.
            let new = json!({"api_key": self.key, "new_api_key": key, "new_api_secret": *secret});
            sandbox.control("POST", "reset", &new)?;
        } else {
            self.revoke(sandbox)?;
        }
        write(self.folder.path(), &key, &secret)?;
        self.needles.add_pair(key.as_bytes(), secret.as_bytes())?;
        self.key = key;
        Ok(())
    }

    /// Its key, by which the sandbox knows whose webhooks to sign.
    pub fn key(&self) -> &str {
        &self.key
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

fn register(sandbox: &Sandbox, key: &str, secret: &str) -> Result<()> {
    sandbox.control("POST", "pairs", &json!({"api_key": key, "api_secret": secret})).map(drop)
}

/// Every form of a file that a source reads, each whole at every moment.
fn write(folder: &Path, key: &str, secret: &str) -> Result<()> {
    let line = Zeroizing::new(format!("{key}:{secret}\n"));
    let json = Zeroizing::new(format!("{{\"api_key\": \"{key}\", \"api_secret\": \"{secret}\"}}"));
    for (name, text) in
        [("pair", line.as_str()), ("pair.json", json.as_str()), ("api_key", key), ("api_secret", secret)]
    {
        fs::write(folder.join("new"), text)?;
        fs::rename(folder.join("new"), folder.join(name))?;
    }
    Ok(())
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
