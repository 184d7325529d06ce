//! Lists and removes folders. The standard library panics if the system reports a failure when a folder is closed.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// Returns the names in `folder`.
///
/// # Errors
/// Fails if the system cannot read it.
#[cfg(unix)]
pub fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    names_in(&open(folder)?)
}

/// Removes `folder` and the files and links in it. A folder in it is an error.
///
/// # Errors
/// Fails if the system refuses, or if there is a folder in it. Then a part of its content remains.
#[cfg(unix)]
pub fn remove(folder: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, unlinkat};
    let handle = open(folder)?;
    for name in names_in(&handle)? {
        unlinkat(&handle, &name, AtFlags::empty())?;
    }
    std::fs::remove_dir(folder)
}

#[cfg(unix)]
fn open(folder: &Path) -> io::Result<rustix::fd::OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(unix)]
fn names_in(handle: &rustix::fd::OwnedFd) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt as _;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(handle)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// Returns the names in `folder`.
///
/// # Errors
/// Fails if the system cannot read it.
#[cfg(not(unix))]
pub fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// Removes `folder` with its content.
///
/// # Errors
/// Fails if the system refuses. Then a part of its content remains.
#[cfg(not(unix))]
pub fn remove(folder: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn it_lists_and_removes_files_and_links_but_nothing_behind_a_link() {
        let outer = tempfile::tempdir().expect("a folder");
        let (folder, other) = (outer.path().join("folder"), outer.path().join("other"));
        fs::create_dir(&folder).expect("a folder");
        fs::create_dir(&other).expect("a folder");
        fs::write(other.join("kept"), "").expect("a file");
        fs::write(folder.join("file"), "").expect("a file");
        symlink(&other, folder.join("link")).expect("a link");
        let mut found = names(&folder).expect("it can be read");
        found.sort();
        assert_eq!(found, ["file", "link"]);
        remove(&folder).expect("it can be removed");
        assert!(!folder.exists() && other.join("kept").exists());
    }

    #[test]
    fn it_refuses_a_folder_in_a_folder_and_what_is_none() {
        let outer = tempfile::tempdir().expect("a folder");
        fs::create_dir(outer.path().join("inner")).expect("a folder");
        fs::write(outer.path().join("file"), "").expect("a file");
        assert!(remove(outer.path()).is_err() && outer.path().join("inner").exists());
        assert!(names(&outer.path().join("absent")).is_err());
        assert!(remove(&outer.path().join("inner/..")).is_err());
        fs::write(outer.path().join("file"), "").expect("a file");
        assert!(names(&outer.path().join("file")).is_err() && remove(&outer.path().join("file")).is_err());
        assert!(outer.path().join("file").exists());
    }
}
