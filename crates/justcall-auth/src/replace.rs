//! Atomic replacement of a file, a link or a folder. A reader sees either the old or the new one, also after a power
//! failure.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use justcall_auth_protocol::encoding::hex;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::folder;

/// A new file, link or folder. Dropping it removes it, unless it was moved to its target.
#[derive(Debug)]
pub struct Replacement<M> {
    made: M,
    path: PathBuf,
    is_placed: bool,
}

impl<M> Replacement<M> {
    /// Creates one at `path`, a name that only one program uses at a time.
    ///
    /// # Errors
    /// Fails as `make` does; then there is nothing to remove.
    pub fn at(path: PathBuf, make: impl FnOnce(&Path) -> io::Result<M>) -> io::Result<Self> {
        Ok(Self { made: make(&path)?, path, is_placed: false })
    }

    /// Creates one in `folder`, under a name that begins with `prefix` and cannot be guessed.
    ///
    /// # Errors
    /// Fails as `make` does, or if the system provides no randomness.
    pub fn within(
        folder: &Path,
        prefix: &str,
        make: impl FnOnce(&Path) -> io::Result<M>,
    ) -> io::Result<Self> {
        let mut name = [0; 16];
        SystemRandom::new()
            .fill(&mut name)
            .map_err(|_| io::Error::other("the system provides no randomness"))?;
        Self::at(folder.join(format!("{prefix}{}", hex(&name))), make)
    }

    /// Returns what `make` returned.
    pub fn made(&self) -> &M {
        &self.made
    }

    /// Returns the path of the new file, link or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to `target`, which it replaces if it exists.
    ///
    /// # Errors
    /// Fails if the system refuses the move; then `target` is unchanged.
    pub fn move_to(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.keep();
        Ok(())
    }

    /// Moves it to `target`, which must not exist. Unlike [`Replacement::move_to`], it never replaces a file that another
    /// program created in the meantime.
    ///
    /// # Errors
    /// Fails with `AlreadyExists` if `target` exists, or if the system refuses the move.
    pub fn move_to_new(self, target: &Path) -> io::Result<()> {
        let Some(renamed) = rename_new(&self.path, target) else {
            // The drop removes the first name.
            return fs::hard_link(&self.path, target);
        };
        renamed?;
        self.keep();
        Ok(())
    }

    /// Keeps it at its path.
    pub fn keep(mut self) {
        self.is_placed = true;
    }
}

impl<M> Drop for Replacement<M> {
    fn drop(&mut self) {
        if !self.is_placed {
            // A failed removal is ignored, because the failure that led here is the one to report.
            let _gone = match fs::symlink_metadata(&self.path) {
                Ok(about) if about.is_dir() => folder::remove(&self.path),
                _ => fs::remove_file(&self.path),
            };
        }
    }
}

/// Renames `from` if nothing exists at `to`. Returns `None` if the kernel or the file system does not support that.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => None,
        result => Some(result.map_err(io::Error::from)),
    }
}

/// No other system supports it in all its versions.
#[cfg(not(target_os = "linux"))]
fn rename_new(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

/// Creates a new file at `path` that only its owner can open.
///
/// # Errors
/// Fails if the path exists, or if the system refuses.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Creates a folder at `path`, and its missing parents, with access only for their owner.
///
/// # Errors
/// Fails if the system refuses.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    fn file_with(folder: &Path, text: &str) -> Replacement<File> {
        let new = Replacement::within(folder, "..new-", private_file).expect("a file");
        new.made().write_all(text.as_bytes()).expect("written");
        new
    }

    #[test]
    fn it_replaces_a_file_or_removes_the_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        file_with(folder.path(), "old").move_to(&path).expect("there is nothing");
        let new = file_with(folder.path(), "new");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "old");
        assert!(names(folder.path())[0].starts_with("..new-"), "the control");
        new.move_to(&path).expect("a rename");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "new");
        drop(file_with(folder.path(), "dropped"));
        file_with(folder.path(), "refused").move_to(&folder.path().join("none/pair")).expect_err("no folder");
        assert_eq!(names(folder.path()), ["pair"]);
    }

    #[test]
    fn it_never_replaces_an_existing_file_in_move_to_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        file_with(folder.path(), "first").move_to_new(&path).expect("there is nothing");
        let refused = file_with(folder.path(), "second").move_to_new(&path).expect_err("the file exists");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "first");
        assert_eq!(names(folder.path()), ["pair"]);
    }

    #[test]
    fn it_removes_a_folder_with_its_content_unless_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || Replacement::within(folder.path(), "..new-", private_folder).expect("a folder");
        let new = make();
        private_file(&new.path().join("file")).expect("a file");
        assert_eq!(
            private_file(&new.path().join("file")).expect_err("the file exists").kind(),
            io::ErrorKind::AlreadyExists
        );
        drop(new);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        make().keep();
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[test]
    fn it_never_removes_a_file_that_it_did_not_create() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("another's");
        fs::write(&path, "text").expect("a file");
        Replacement::at(path.clone(), private_file).expect_err("the file exists");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "text");
    }
}
