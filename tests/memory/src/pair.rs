//! A pair of the sandbox, in files that only the target reads.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::needles::Needles;
use crate::sandbox::SandboxProcess;

/// The pair of an account.
pub struct TestPair {
    /// The needles of this pair and of those before it.
    pub needles: Needles,
    key: String,
    folder: TempDir,
}

impl TestPair {
    /// Creates an account with a random pair, which equals no other text.
    ///
    /// # Errors
    /// If the sandbox refuses it.
    pub fn create(sandbox: &SandboxProcess) -> Result<Self> {
        let (key, secret) = (random_text(40)?, Zeroizing::new(random_text(40)?));
        register(sandbox, &key, &secret)?;
        let folder = TempDir::new().context("cannot create a folder for the pair")?;
        write(folder.path(), &key, &secret)?;
        let needles = Needles::new(key.as_bytes(), secret.as_bytes())?;
        Ok(Self { needles, key, folder })
    }

    /// Replaces the pair in the files. The service rejects the old pair, and accepts the new one if `is_known`. The needles
    /// include both.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub fn reset(&mut self, sandbox: &SandboxProcess, is_known: bool) -> Result<()> {
        let (key, secret) = (random_text(40)?, Zeroizing::new(random_text(40)?));
        if is_known {
            // The account stays the same, because a client refuses a pair of another account.
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

    /// Returns the API key, which names the account in control calls.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the path of the file with `key:secret`.
    pub fn file(&self) -> String {
        self.folder.path().join("pair").display().to_string()
    }

    /// Returns the source `dir:`, a folder with one file for the key and one for the secret.
    pub fn folder_source(&self) -> String {
        format!("dir:{}", self.folder.path().display())
    }

    /// Returns the source `command:`, a program that prints JSON.
    pub fn command_source(&self) -> String {
        format!("command:cat {}", self.folder.path().join("pair.json").display())
    }

    /// Returns the members of the pair in JSON.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn members(&self) -> Result<Value> {
        let text = Zeroizing::new(fs::read(self.folder.path().join("pair.json"))?);
        serde_json::from_slice(&text).context("the file of the pair is not JSON")
    }

    /// Writes a login to the file `name`. Returns its path. The needles include the login.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add_login(&mut self, name: &str, login: &str) -> Result<String> {
        self.needles.add_pair(name.as_bytes(), login.as_bytes())?;
        let path = self.folder.path().join(name);
        fs::write(&path, login)?;
        Ok(path.display().to_string())
    }

    /// Revokes the pair at the service.
    ///
    /// # Errors
    /// If the sandbox refuses.
    pub fn revoke(&self, sandbox: &SandboxProcess) -> Result<()> {
        sandbox.control("POST", &format!("pairs/{}/revoke", self.key), &json!({})).map(drop)
    }
}

fn register(sandbox: &SandboxProcess, key: &str, secret: &str) -> Result<()> {
    sandbox.control("POST", "pairs", &json!({"api_key": key, "api_secret": secret})).map(drop)
}

/// Writes the files of every source, each by an atomic rename.
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

/// Returns random letters and digits. Eight of them have 47 bits, so that no window occurs by chance.
pub(crate) fn random_text(length: usize) -> Result<String> {
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
