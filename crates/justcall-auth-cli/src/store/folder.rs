//! The folder in which something is replaced: held by one writer at a time, and left without remains.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FlockOperation, accessat, flock};
use rustix::io::Errno;

/// What names of ours begin with, so that remains can be told from what others keep there. With two dots, as Kubernetes
/// names what is not meant for readers.
pub(super) const PREFIX: &str = "..justcall-auth-";
/// The link to the version in use, in a folder whose files are replaced together.
pub(super) const LINK: &str = "..data";

/// A folder that no other writer of ours uses before this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: File,
}

impl Folder {
    /// Holds `path`, and removes what a writer left there that was killed. `None` when another one is at work.
    pub fn hold(path: &Path) -> io::Result<Option<Self>> {
        // Asked for the rights that count, also where this program has others than its user.
        accessat(CWD, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?;
        let handle = File::open(path)?;
        let folder = Self { path: path.to_owned(), handle };
        match flock(&folder.handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => folder.sweep()?,
            Err(Errno::WOULDBLOCK) => return Ok(None),
            // Some network file systems hold no folder. Two writers are safe from each other there too: the last one
            // wins. What a killed one left stays, for it may be another's who is alive.
            Err(_) => {}
        }
        Ok(Some(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what was renamed here last beyond a power failure.
    pub fn sync(&self) -> io::Result<()> {
        match self.handle.sync_all() {
            // A file system that has nothing to do then.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            result => result.map_err(|error| {
                let why = "it was, but after a power failure what was there before may be back";
                io::Error::new(error.kind(), format!("{why} ({error})"))
            }),
        }
    }

    /// While the folder is held, what has such a name belongs to nobody who is alive; but for the version that is in use.
    fn sweep(&self) -> io::Result<()> {
        let used = fs::read_link(self.path.join(LINK)).ok();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
            if !is_ours || used.as_deref() == Some(Path::new(&name)) {
                continue;
            }
            // What cannot be removed is another user's who borrowed the name, in a folder that all may write to.
            let _gone = if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
        }
        Ok(())
    }
}
