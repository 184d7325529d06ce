//! Input from a file, or from standard input (`-`).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use justcall_auth::source::shown;
use justcall_auth::{Error, ErrorKind};

/// Reads at most `limit` bytes of `path`. `what` describes the file in messages.
pub(crate) fn read(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let (place, result) = if path == Path::new("-") {
        ("Standard input".to_owned(), io::stdin().lock().take(limit).read_to_end(&mut bytes))
    } else {
        let result = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        (format!("The {what} file {}", shown(path)), result)
    };
    result.map_err(|error| {
        if error.kind() == io::ErrorKind::OutOfMemory {
            let message = format!("{place} is larger than the available memory.");
            return Error::with_message(ErrorKind::OutOfMemory, message)
                .with_hint("Nothing was sent. Send less at once, or raise the memory limit (ulimit -v).");
        }
        Error::invalid_argument(format!("{place} cannot be read: {error}."))
            .with_hint("Check the path. Nothing was sent.")
    })?;
    Ok(bytes)
}
