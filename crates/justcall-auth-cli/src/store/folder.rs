//! The folder of a replacement. One writer at a time locks it, and removes the remains of killed writers.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use justcall_auth::folder::{names, remove};
use rustix::fs::{Access, AtFlags, CWD, FlockOperation, accessat, flock};
use rustix::io::Errno;

/// The prefix of temporary names, which distinguishes remains from other files. It starts with two dots, as Kubernetes
/// names files that readers ignore.
pub(super) const PREFIX: &str = "..justcall-auth-";
/// The link to the current version, in a folder whose files are replaced together.
pub(super) const LINK: &str = "..data";

/// Folders that were created for a first pair. Dropping them removes those that are still empty.
#[derive(Debug, Default)]
pub(super) struct CreatedFolders {
    /// The innermost folder comes last.
    paths: Vec<PathBuf>,
}

impl CreatedFolders {
    /// Creates the folder `path`, and its missing parents, with access only for their owner.
    pub fn create(path: &Path) -> io::Result<Self> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
        let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
        let mut created = Self::default();
        for folder in missing.into_iter().rev() {
            match DirBuilder::new().mode(0o700).create(folder) {
                Ok(()) => created.paths.push(folder.to_owned()),
                // Another program has just created it.
                Err(_) if folder.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    /// Keeps the folders, because another writer uses them.
    pub fn keep(mut self) {
        self.paths.clear();
    }
}

impl Drop for CreatedFolders {
    fn drop(&mut self) {
        for folder in self.paths.iter().rev() {
            // Fails if it contains the pair.
            let _used = fs::remove_dir(folder);
        }
    }
}

/// A folder that no other writer of this program uses until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: File,
}

impl Folder {
    /// Locks `path` and removes the remains of killed writers. Returns `None` if another writer has the lock.
    pub fn lock(path: &Path) -> io::Result<Option<Self>> {
        // The check uses the effective user, also if the program has other privileges than its user.
        accessat(CWD, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?;
        let handle = File::open(path)?;
        let folder = Self { path: path.to_owned(), handle };
        match flock(&folder.handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => folder.remove_remains()?,
            Err(Errno::WOULDBLOCK) => return Ok(None),
            // Some network file systems cannot lock a folder. Two writers do not corrupt the file there: the last one
            // wins. Remains stay, because they may belong to a running writer.
            Err(_) => {}
        }
        Ok(Some(folder))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the last renames survive a power failure.
    pub fn sync(&self) -> io::Result<()> {
        match self.handle.sync_all() {
            // Some file systems do not support this call on folders.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            result => result.map_err(|error| {
                let why = "the new content was written, but a power failure may restore the old content";
                io::Error::new(error.kind(), format!("{why} ({error})"))
            }),
        }
    }

    /// Removes the remains of killed writers. While the folder is locked, no running writer owns such names, except for
    /// the current version.
    fn remove_remains(&self) -> io::Result<()> {
        let used = fs::read_link(self.path.join(LINK)).ok();
        for name in names(&self.path)? {
            let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
            if !is_ours || used.as_deref() == Some(Path::new(&name)) {
                continue;
            }
            // A file that cannot be removed belongs to another user, who used the name in a shared folder.
            let path = self.path.join(&name);
            let _gone = if fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir()) {
                remove(&path)
            } else {
                fs::remove_file(&path)
            };
        }
        Ok(())
    }
}
