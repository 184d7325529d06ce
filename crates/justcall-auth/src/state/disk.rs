//! The state file on its disk: one writer at a time, replaced in one step, and for its owner alone.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::replace::Replacement;

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_millis(500);

/// A file to be read. A pipe in its place is not waited for: a call may be under way.
pub(super) fn readable(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    let file = open(path, rustix::fs::OFlags::RDONLY)?;
    #[cfg(not(unix))]
    let file = File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

/// A file for its owner alone, to be written. Its name is this program's own: a link there is somebody else's, and would
/// have another file emptied.
fn private(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::PermissionsExt as _;
        let file = open(path, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW)?;
        // It may be left from a process that was killed, and from one with another idea of modes.
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

/// Waits until no other process writes. The lock ends with the file that is given back, or with the process.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let until = crate::clock::monotonic() + PATIENCE;
    loop {
        match try_lock(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && crate::clock::monotonic() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// `WouldBlock` where another process has it.
#[cfg(unix)]
fn try_lock(path: &Path) -> io::Result<File> {
    let file = private(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// `WouldBlock` where another process has it: nobody else can open it meanwhile.
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

/// Puts a file with `text` in the place of `path`, in one step. Under the lock, so the name beside it is nobody else's.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = Replacement::at(path.with_extension("new"), private)?;
    new.made().write_all(text)?;
    new.made().sync_all()?;
    new.put(path)
}
