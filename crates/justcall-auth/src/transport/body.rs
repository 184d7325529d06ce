//! Reads a body of unknown length. `Read::read_to_end` would abort the process if memory is short for its first growth.

use std::io::{self, Read};

/// The most bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// Appends everything that `reader` returns to `bytes`.
///
/// # Errors
/// Fails as `reader` does, or with `OutOfMemory`. Then `bytes` holds what was read before.
pub(super) fn read_to_end(reader: &mut dyn Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    loop {
        if bytes.len() == bytes.capacity() {
            bytes.try_reserve(PIECE)?;
        }
        let used = bytes.len();
        bytes.resize(used + (bytes.capacity() - used).min(PIECE), 0);
        let result = reader.read(&mut bytes[used..]);
        bytes.truncate(used + result.as_ref().map_or(0, |count| *count));
        match result {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte in each call, and is interrupted before each.
    struct Slow<'a> {
        rest: &'a [u8],
        is_interrupted: bool,
        end: fn() -> io::Result<usize>,
    }

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.is_interrupted = !self.is_interrupted;
            if self.is_interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.rest.split_first() {
                None => (self.end)(),
                Some((first, rest)) => {
                    (buffer[0], self.rest) = (*first, rest);
                    Ok(1)
                }
            }
        }
    }

    #[test]
    fn it_reads_everything_at_any_capacity() {
        let body: Vec<u8> = (0..=250).cycle().take(200_000).collect();
        for capacity in [0, 1, 64, body.len(), body.len() + 64] {
            let mut bytes = Vec::with_capacity(capacity);
            read_to_end(&mut body.as_slice(), &mut bytes).expect("a slice can be read");
            assert_eq!(bytes, body);
        }
        let mut bytes = Vec::new();
        let mut slow = Slow { rest: &body[..1000], is_interrupted: false, end: || Ok(0) };
        read_to_end(&mut slow, &mut bytes).expect("it ends");
        assert_eq!(bytes, &body[..1000]);
    }

    #[test]
    fn it_keeps_what_it_read_before_a_failure() {
        let end = || Err(io::ErrorKind::ConnectionReset.into());
        let mut bytes = b"ab".to_vec();
        let mut slow = Slow { rest: b"cd", is_interrupted: false, end };
        let error = read_to_end(&mut slow, &mut bytes).expect_err("it fails");
        assert_eq!((error.kind(), bytes.as_slice()), (io::ErrorKind::ConnectionReset, &b"abcd"[..]));
    }
}
