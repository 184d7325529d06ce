//! Where a process reads its pair: a file that is replaced, or a folder whose version is swapped.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// How the pair is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `file:`, replaced by renaming another onto it.
    File,
    /// `dir:`, its `..data` swapped as Kubernetes does.
    Dir,
}

/// A source of its own for one process.
pub struct Place {
    kind: Kind,
    folder: TempDir,
    version: u32,
}

impl Place {
    /// A source that gives this pair.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make(kind: Kind, key: &str, secret: &str) -> Result<Self> {
        let folder = TempDir::new().context("a folder for a source")?;
        let mut place = Self { kind, folder, version: 0 };
        place.prepare(key, secret)?;
        place.publish()?;
        if kind == Kind::Dir {
            for name in ["api_key", "api_secret"] {
                symlink(format!("..data/{name}"), place.folder.path().join(name))?;
            }
        }
        Ok(place)
    }

    /// Writes this pair beside the one that is given.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn prepare(&mut self, key: &str, secret: &str) -> Result<()> {
        self.version += 1;
        let folder = self.folder.path();
        match self.kind {
            Kind::File => fs::write(folder.join("next"), format!("{key}:{secret}\n"))?,
            Kind::Dir => {
                let version = self.version_folder();
                fs::create_dir(&version)?;
                fs::write(version.join("api_key"), key)?;
                fs::write(version.join("api_secret"), secret)?;
                symlink(format!("..{}", self.version), folder.join("..next"))?;
            }
        }
        Ok(())
    }

    /// Gives what was prepared, from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(&self) -> Result<()> {
        let folder = self.folder.path();
        let given = if self.kind == Kind::File { ("next", "pair") } else { ("..next", "..data") };
        Ok(fs::rename(folder.join(given.0), folder.join(given.1))?)
    }

    /// How a client is told of it.
    pub fn spelling(&self) -> String {
        match self.kind {
            Kind::File => format!("file:{}", self.folder.path().join("pair").display()),
            Kind::Dir => format!("dir:{}", self.folder.path().display()),
        }
    }

    /// The folder in which something is opened when the source is read, as it was prepared last, and the name of what every
    /// read opens once.
    pub fn read_at(&self) -> (PathBuf, &'static str) {
        match self.kind {
            Kind::File => (self.folder.path().to_owned(), "pair"),
            Kind::Dir => (self.version_folder(), "api_secret"),
        }
    }

    fn version_folder(&self) -> PathBuf {
        self.folder.path().join(format!("..{}", self.version))
    }
}
