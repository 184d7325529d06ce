//! What takes the place of a file, a link or a folder in one step: whoever reads it, or finds it after a power failure,
//! sees the old one or the new one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use justcall_auth_protocol::encoding::hex;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Something that was made to take a place: gone when it is dropped, unless it was put there.
#[derive(Debug)]
pub struct Replacement<M> {
    made: M,
    path: PathBuf,
    is_placed: bool,
}

impl<M> Replacement<M> {
    /// Makes one at `path`, a name that only one program uses at a time.
    ///
    /// # Errors
    /// What `make` fails with; then there is nothing to remove.
    pub fn at(path: PathBuf, make: impl FnOnce(&Path) -> io::Result<M>) -> io::Result<Self> {
        Ok(Self { made: make(&path)?, path, is_placed: false })
    }

    /// Makes one in `folder`, under a name that begins with `prefix` and cannot be guessed.
    ///
    /// # Errors
    /// What `make` fails with; the system gives no randomness.
    pub fn within(
        folder: &Path,
        prefix: &str,
        make: impl FnOnce(&Path) -> io::Result<M>,
    ) -> io::Result<Self> {
        let mut name = [0; 16];
        SystemRandom::new()
            .fill(&mut name)
            .map_err(|_| io::Error::other("the system gives no randomness"))?;
        Self::at(folder.join(format!("{prefix}{}", hex(&name))), make)
    }

    /// What was made.
    pub fn made(&self) -> &M {
        &self.made
    }

    /// Where it was made.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in the place of what is at `target`, or where there is nothing.
    ///
    /// # Errors
    /// What the system refuses; then `target` is as it was.
    pub fn put(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.keep();
        Ok(())
    }

    /// Puts a file where there is nothing. Unlike [`Replacement::put`] it never replaces what another program put there in
    /// the meantime.
    ///
    /// # Errors
    /// `AlreadyExists`, and what the system refuses.
    pub fn put_new(self, target: &Path) -> io::Result<()> {
        let Some(renamed) = rename_new(&self.path, target) else {
            // The first name goes when this is dropped.
            return fs::hard_link(&self.path, target);
        };
        renamed?;
        self.keep();
        Ok(())
    }

    /// Leaves it where it was made.
    pub fn keep(mut self) {
        self.is_placed = true;
    }
}

impl<M> Drop for Replacement<M> {
    fn drop(&mut self) {
        if !self.is_placed {
            // What cannot be removed is left: the failure that led here is the one to report.
            let _gone = match fs::symlink_metadata(&self.path) {
                Ok(about) if about.is_dir() => fs::remove_dir_all(&self.path),
                _ => fs::remove_file(&self.path),
            };
        }
    }
}

/// Renames unless there is something at `to`; `None` where the kernel or the file system cannot.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => None,
        result => Some(result.map_err(io::Error::from)),
    }
}

/// No other system has it in all its versions.
#[cfg(not(target_os = "linux"))]
fn rename_new(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

/// Makes a new file at `path` that its owner alone may open.
///
/// # Errors
/// There is something already; what the system refuses.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder at `path`, and those above it that are missing, for their owner alone.
///
/// # Errors
/// What the system refuses.
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
    fn it_replaces_a_file_and_is_gone_where_it_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        file_with(folder.path(), "old").put(&path).expect("there is nothing");
        let new = file_with(folder.path(), "new");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "old");
        assert!(names(folder.path())[0].starts_with("..new-"), "the control");
        new.put(&path).expect("a rename");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "new");
        drop(file_with(folder.path(), "dropped"));
        file_with(folder.path(), "refused").put(&folder.path().join("none/pair")).expect_err("no folder");
        assert_eq!(names(folder.path()), ["pair"]);
    }

    #[test]
    fn it_never_replaces_what_is_to_be_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        file_with(folder.path(), "first").put_new(&path).expect("there is nothing");
        let refused = file_with(folder.path(), "second").put_new(&path).expect_err("there is one");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "first");
        assert_eq!(names(folder.path()), ["pair"]);
    }

    #[test]
    fn it_removes_a_folder_with_all_that_is_in_it_unless_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = || Replacement::within(folder.path(), "..new-", private_folder).expect("a folder");
        let new = make();
        private_file(&new.path().join("file")).expect("a file");
        assert_eq!(
            private_file(&new.path().join("file")).expect_err("it is there").kind(),
            io::ErrorKind::AlreadyExists
        );
        drop(new);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        make().keep();
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[test]
    fn it_removes_nothing_that_it_did_not_make() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("another's");
        fs::write(&path, "text").expect("a file");
        Replacement::at(path.clone(), private_file).expect_err("it is there");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "text");
    }
}
