//! A file that is replaced in one step: whoever reads it, or finds it after a power failure, sees the old text or the new
//! one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use tempfile::{Builder, NamedTempFile};

use super::folder::{Folder, PREFIX};
use super::rights::Rights;

/// Puts `text` in place of the file called `name` in `folder`; owner, group, mode and ACL stay as they are.
pub(super) fn replace(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let path = folder.path().join(name);
    let rights = Rights::of(&unlinked(&path)?)?;
    let mut new = temporary(folder.path())?;
    new.write_all(text)?;
    // Last, so that until then its owner alone may open it.
    rights.give(new.as_file())?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|refused| refused.error)?;
    folder.sync()
}

/// Tries all that [`replace`] does but for the text and the replacing: what it would be refused is refused here.
pub(super) fn rehearse(folder: &Folder, name: &Path) -> io::Result<()> {
    let rights = Rights::of(&unlinked(&folder.path().join(name))?)?;
    rights.give(temporary(folder.path())?.as_file())
}

/// Puts a file with `text` that its owner alone may open where there is none yet.
pub(super) fn create(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = temporary(folder.path())?;
    new.write_all(text)?;
    new.as_file().sync_all()?;
    // Unlike a rename it never replaces what another program put there in the meantime.
    new.persist_noclobber(folder.path().join(name)).map_err(|refused| refused.error)?;
    folder.sync()
}

/// The file at `path` itself: not what a link that was put there leads to.
pub(super) fn unlinked(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?.into())
}

/// An empty file that nobody but its owner may open; gone when it is dropped.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    // The crate creates it with mode 0600, exclusively, under a name that cannot be guessed.
    Builder::new().prefix(PREFIX).tempfile_in(folder)
}
