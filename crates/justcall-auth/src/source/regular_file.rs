//! Reads a regular file that may contain a pair.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use justcall_auth_secret::WipedBuffer;

/// The largest accepted file, in bytes.
pub(super) const MAX_FILE: usize = 64 * 1024;

/// Reads the whole file into memory that is wiped.
pub(super) fn read(path: &Path) -> io::Result<WipedBuffer> {
    // Check the type first: opening a pipe without a writer would block for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = File::open(path)?;
    let mut buffer = WipedBuffer::try_with_capacity(MAX_FILE + 1)?;
    loop {
        match file.read(buffer.spare()) {
            Ok(0) if buffer.spare().is_empty() => return Err(io::Error::other("it is larger than 64 KiB")),
            Ok(0) => return Ok(buffer),
            Ok(count) => buffer.advance(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn it_fails_where_a_file_that_was_opened_cannot_be_read() {
        // No memory is mapped at the address 0.
        let error = read(Path::new("/proc/self/mem")).expect_err("it cannot be read");
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::IO.raw_os_error()), "{error}");
    }
}
