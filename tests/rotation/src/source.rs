//! The source of a worker's pair: a file that is replaced, or a folder whose version is swapped.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// The kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// `file:`, which is replaced by a rename.
    File,
    /// `dir:`, whose `..data` is swapped as Kubernetes does.
    Dir,
}

/// The source of one process.
pub struct WorkerSource {
    kind: SourceKind,
    folder: TempDir,
    version: u32,
}

impl WorkerSource {
    /// Creates a source with this pair.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(kind: SourceKind, key: &str, secret: &str) -> Result<Self> {
        let folder = TempDir::new().context("cannot create a folder for a source")?;
        let mut source = Self { kind, folder, version: 0 };
        source.prepare(key, secret)?;
        source.publish()?;
        if kind == SourceKind::Dir {
            for name in ["api_key", "api_secret"] {
                symlink(format!("..data/{name}"), source.folder.path().join(name))?;
            }
        }
        Ok(source)
    }

    /// Writes the next pair, which [`Self::publish`] makes current.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn prepare(&mut self, key: &str, secret: &str) -> Result<()> {
        self.version += 1;
        let folder = self.folder.path();
        match self.kind {
            SourceKind::File => fs::write(folder.join("next"), format!("{key}:{secret}\n"))?,
            SourceKind::Dir => {
                let version = self.version_folder();
                fs::create_dir(&version)?;
                fs::write(version.join("api_key"), key)?;
                fs::write(version.join("api_secret"), secret)?;
                symlink(format!("..{}", self.version), folder.join("..next"))?;
            }
        }
        Ok(())
    }

    /// Makes the prepared pair current, atomically.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn publish(&self) -> Result<()> {
        let folder = self.folder.path();
        let (from, to) = if self.kind == SourceKind::File { ("next", "pair") } else { ("..next", "..data") };
        Ok(fs::rename(folder.join(from), folder.join(to))?)
    }

    /// Returns the text that names this source in a configuration.
    pub fn spelling(&self) -> String {
        match self.kind {
            SourceKind::File => format!("file:{}", self.folder.path().join("pair").display()),
            SourceKind::Dir => format!("dir:{}", self.folder.path().display()),
        }
    }

    /// Returns the folder of the pair that was prepared last, and the name of a file in it that every read of the source
    /// opens once.
    pub fn opened_file(&self) -> (PathBuf, &'static str) {
        match self.kind {
            SourceKind::File => (self.folder.path().to_owned(), "pair"),
            SourceKind::Dir => (self.version_folder(), "api_secret"),
        }
    }

    fn version_folder(&self) -> PathBuf {
        self.folder.path().join(format!("..{}", self.version))
    }
}
