//! Atomic replacement of a file. A reader sees either the old or the new text, also after a power failure.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use justcall_auth::replace::{Replacement, private_file};
use rustix::fs::{Mode, OFlags, open};

use super::folder::{Folder, PREFIX};
use super::rights::Rights;

/// Replaces the file `name` in `folder` by one with `text`. Owner, group, mode and ACL stay unchanged.
pub(super) fn replace(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let path = folder.path().join(name);
    let rights = Rights::of(&unlinked(&path)?)?;
    let new = temporary(folder)?;
    new.made().write_all(text)?;
    // The permissions come last, so that until then only the owner can open the file.
    rights.apply(new.made())?;
    new.made().sync_all()?;
    new.move_to(&path)?;
    folder.sync()
}

/// Does everything that [`replace`] does, except for the text and the replacement. Fails if [`replace`] would fail.
pub(super) fn rehearse(folder: &Folder, name: &Path) -> io::Result<()> {
    let rights = Rights::of(&unlinked(&folder.path().join(name))?)?;
    rights.apply(temporary(folder)?.made())
}

/// Creates a new file with `text` that only its owner can open.
pub(super) fn create(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let new = temporary(folder)?;
    new.made().write_all(text)?;
    new.made().sync_all()?;
    new.move_to_new(&folder.path().join(name))?;
    folder.sync()
}

/// Opens the file at `path`. Fails for a symbolic link.
pub(super) fn unlinked(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?.into())
}

/// Creates an empty file that only its owner can open. Dropping it removes it.
fn temporary(folder: &Folder) -> io::Result<Replacement<File>> {
    Replacement::within(folder.path(), PREFIX, private_file)
}
