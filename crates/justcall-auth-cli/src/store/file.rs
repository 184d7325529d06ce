//! A file that is replaced in one step: whoever reads it, or finds it after a power failure, sees the old text or the new
//! one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use justcall_auth::replace::{Replacement, private_file};
use rustix::fs::{Mode, OFlags, open};

use super::folder::{Folder, PREFIX};
use super::rights::Rights;

/// Puts `text` in place of the file called `name` in `folder`; owner, group, mode and ACL stay as they are.
pub(super) fn replace(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let path = folder.path().join(name);
    let rights = Rights::of(&unlinked(&path)?)?;
    let new = temporary(folder)?;
    new.made().write_all(text)?;
    // Last, so that until then its owner alone may open it.
    rights.give(new.made())?;
    new.made().sync_all()?;
    new.put(&path)?;
    folder.sync()
}

/// Tries all that [`replace`] does but for the text and the replacing: what it would be refused is refused here.
pub(super) fn rehearse(folder: &Folder, name: &Path) -> io::Result<()> {
    let rights = Rights::of(&unlinked(&folder.path().join(name))?)?;
    rights.give(temporary(folder)?.made())
}

/// Puts a file with `text` that its owner alone may open where there is none yet.
pub(super) fn create(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let new = temporary(folder)?;
    new.made().write_all(text)?;
    new.made().sync_all()?;
    new.put_new(&folder.path().join(name))?;
    folder.sync()
}

/// The file at `path` itself: not what a link that was put there leads to.
pub(super) fn unlinked(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?.into())
}

/// An empty file that nobody but its owner may open; gone when it is dropped.
fn temporary(folder: &Folder) -> io::Result<Replacement<File>> {
    Replacement::within(folder.path(), PREFIX, private_file)
}
