//! Atomic replacement of a file. A reader sees either the old or the new text, also after a power failure.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use justcall_auth::replace::{Replacement, private_file};
use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open};
use rustix::io::Errno;

use super::folder::{Folder, PREFIX};
use super::rights::Rights;

/// How many bytes a new file needs at most, beside the text of the old file.
const NEW_TEXT: u64 = 4096;

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
    let old = unlinked(&folder.path().join(name))?;
    let rights = Rights::of(&old)?;
    let new = temporary(folder)?;
    reserve(new.made(), old.metadata()?.len() + NEW_TEXT)?;
    rights.apply(new.made())
}

/// Creates a new file with `text` that only its owner can open.
pub(super) fn create(folder: &Folder, name: &Path, text: &[u8]) -> io::Result<()> {
    let new = temporary(folder)?;
    new.made().write_all(text)?;
    new.made().sync_all()?;
    new.move_to_new(&folder.path().join(name))?;
    folder.sync()
}

/// Does everything that [`create`] does for so many files, except for the text and the move. Fails if [`create`] would
/// fail.
pub(super) fn rehearse_new(folder: &Folder, files: u64) -> io::Result<()> {
    reserve(temporary(folder)?.made(), files * NEW_TEXT)
}

/// Fails if the file system has no space for so many bytes.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
        // Some file systems cannot reserve space.
        _ => Ok(()),
    }
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
