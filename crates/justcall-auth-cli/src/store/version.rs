//! A folder whose files are replaced together, as Kubernetes does: `..data` is a link to the folder that holds one version
//! of them all, and is swapped in one step.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

use super::file::unlinked;
use super::folder::{Folder, PREFIX};
use super::rights::Rights;

/// The link that is swapped.
pub(super) const LINK: &str = "..data";
/// The largest file that is carried over into the next version.
const MAX_FILE: u64 = 1024 * 1024;

/// A file of the next version, by name; `None`: it has none.
pub(super) type Change<'a> = (&'a str, Option<&'a [u8]>);

/// Makes a version that differs from the one in use by `changes`, and swaps the link. Every file and the folder keep
/// owner, group, mode and ACL; a file that is new gets those of the first one that was there before.
pub(super) fn swap(folder: &Folder, changes: &[Change]) -> io::Result<()> {
    let old = used(folder.path())?;
    let new = prepare(folder, &old, changes)?;
    point(folder, new)?;
    folder.sync()?;
    if old.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}

/// Tries all that [`swap`] does but for the swap: what it would be refused is refused here.
pub(super) fn rehearse(folder: &Folder) -> io::Result<()> {
    prepare(folder, &used(folder.path())?, &[]).map(drop)
}

/// Lays out a folder of this kind where there is none yet, with `files`; their owner alone may read them.
pub(super) fn create(folder: &Folder, files: &[(&str, &[u8])]) -> io::Result<()> {
    let new = temporary(folder)?;
    for (name, text) in files {
        write(&new.path().join(name), text, None)?;
        // They lead nowhere until the link is there.
        lead(&folder.path().join(name), &Path::new(LINK).join(name))?;
    }
    File::open(new.path())?.sync_all()?;
    point(folder, new)?;
    folder.sync()
}

/// Whether `path` is laid out so that its files can be replaced together.
pub(super) fn is_versioned(path: &Path) -> bool {
    used(path).is_ok()
}

/// The folder with the version in use.
fn used(path: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(path.join(LINK))?;
    let is_inside = target.components().count() == 1 && target.file_name().is_some();
    if is_inside {
        Ok(path.join(target))
    } else {
        Err(io::Error::other("its ..data leads out of the folder"))
    }
}

fn prepare(folder: &Folder, old: &Path, changes: &[Change]) -> io::Result<TempDir> {
    let new = temporary(folder)?;
    let mut usual = None;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let name = entry.file_name();
        let file = unlinked(&entry.path())?;
        if !file.metadata()?.is_file() || file.metadata()?.len() > MAX_FILE {
            return Err(io::Error::other(format!("its {} is no small file", name.to_string_lossy())));
        }
        let rights = Rights::of(&file)?;
        match changes.iter().find(|(changed, _)| OsStr::new(changed) == name) {
            None => carry(&entry.path(), &new.path().join(&name), &rights)?,
            Some((_, Some(text))) => write(&new.path().join(&name), text, Some(&rights))?,
            Some((_, None)) => {}
        }
        usual.get_or_insert(rights);
    }
    for (name, text) in changes {
        let path = new.path().join(name);
        if let Some(text) = text.filter(|_| !path.exists()) {
            write(&path, text, usual.as_ref())?;
        }
    }
    let handle = File::open(new.path())?;
    Rights::of(&File::open(old)?)?.give(&handle)?;
    handle.sync_all()?;
    Ok(new)
}

/// Copies a file of the version before, which may hold a secret as well.
fn carry(old: &Path, new: &Path, rights: &Rights) -> io::Result<()> {
    let mut from = unlinked(old)?;
    let mut to = private(new)?;
    io::copy(&mut from, &mut to)?;
    rights.give(&to)?;
    to.sync_all()
}

fn write(path: &Path, text: &[u8], rights: Option<&Rights>) -> io::Result<()> {
    let mut file = private(path)?;
    file.write_all(text)?;
    if let Some(rights) = rights {
        rights.give(&file)?;
    }
    file.sync_all()
}

/// A new file that nobody but its owner may open.
fn private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// An empty folder that nobody but its owner may open; gone when it is dropped.
fn temporary(folder: &Folder) -> io::Result<TempDir> {
    Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(folder.path())
}

/// A link to `target`, unless it is there from a time before that was cut short.
fn lead(link: &Path, target: &Path) -> io::Result<()> {
    match symlink(target, link) {
        Err(error) if fs::read_link(link).ok().as_deref() != Some(target) => Err(error),
        _ => Ok(()),
    }
}

/// Lets the link lead to `version`, in one step. From then on it is in use, and stays whatever happens.
fn point(folder: &Folder, version: TempDir) -> io::Result<()> {
    let name = version.path().file_name().expect("it was made with a name");
    let link = Builder::new().prefix(PREFIX).make_in(folder.path(), |path| symlink(name, path))?;
    link.persist(folder.path().join(LINK)).map_err(|refused| refused.error)?;
    let _in_use = version.keep();
    Ok(())
}
