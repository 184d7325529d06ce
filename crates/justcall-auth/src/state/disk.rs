//! Access to the state file: one writer at a time, atomic replacement, access only for its owner.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::replace::Replacement;

/// How long to wait for another process that writes.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// Opens a file for reading. Fails for a pipe instead of waiting for its writer, because a call may be in progress.
pub(super) fn readable(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    let file = open(path, rustix::fs::OFlags::RDONLY)?;
    #[cfg(not(unix))]
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Opens a file for writing, with access only for its owner. Refuses a symbolic link, because another user may have
/// created it to have another file emptied.
fn private(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::PermissionsExt as _;
        let file = open(path, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW)?;
        // The file may be left from a killed process, with another mode.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    File::options().write(true).create(true).truncate(true).open(path)
}

#[cfg(unix)]
fn open(path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?))
}

/// Waits until no other process writes. The lock ends when the returned file is dropped, or with the process.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let until = crate::clock::monotonic() + LOCK_TIMEOUT;
    loop {
        match try_lock(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && crate::clock::monotonic() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Fails with `WouldBlock` if another process holds the lock.
#[cfg(unix)]
fn try_lock(path: &Path) -> io::Result<File> {
    let file = private(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Fails with `WouldBlock` if another process holds the lock, because the file cannot be opened twice.
#[cfg(windows)]
fn try_lock(path: &Path) -> io::Result<File> {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let mut options = File::options();
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
    options.write(true).create(true).truncate(true).open(path).map_err(|error| match error.raw_os_error() {
        Some(ERROR_SHARING_VIOLATION) => io::ErrorKind::WouldBlock.into(),
        _ => error,
    })
}

/// Replaces the file at `path` atomically by one with `text`. The caller holds the lock, so no other process uses the
/// temporary name.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = Replacement::at(path.with_extension("new"), private)?;
    new.made().write_all(text)?;
    new.made().sync_all()?;
    new.move_to(path)
}
