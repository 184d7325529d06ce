//! Detection of `key:secret` in base64. The decoded text is not stored.

use crate::encoding;

/// The shortest decoded text that counts as a pair. Shorter words often decode to something by chance.
const MIN_BYTES: usize = 9;

/// Returns true if `bytes` is the base64 of `key:secret`, with an optional trailing line break, as `echo` adds it.
/// Accepts every spelling that [`encoding::read_base64`] accepts.
pub(super) fn encodes_a_pair(bytes: &[u8]) -> bool {
    let mut scanner = PairScanner::default();
    let length = encoding::read_base64(bytes, |byte| scanner.accepts(byte));
    length.is_some_and(|length| length >= MIN_BYTES) && scanner.is_complete()
}

/// The parts of a pair seen so far in the decoded text.
#[derive(Default)]
struct PairScanner {
    key_len: usize,
    secret_len: usize,
    has_colon: bool,
    has_ended: bool,
}

impl PairScanner {
    /// Processes the next byte. Returns false if a pair cannot contain it at this position.
    fn accepts(&mut self, byte: u8) -> bool {
        match byte {
            b'\r' | b'\n' => self.has_ended = true,
            _ if self.has_ended || !byte.is_ascii_graphic() => return false,
            b':' if !self.has_colon => self.has_colon = true,
            _ if self.has_colon => self.secret_len += 1,
            _ => self.key_len += 1,
        }
        true
    }

    fn is_complete(&self) -> bool {
        self.has_colon && self.key_len > 0 && self.secret_len > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_recognises_a_pair_in_every_spelling() {
        for encoded in [
            "YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA==",
            "YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA",
            "YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMAo=",
            "YWJjMTIzZGVmNDU2\nOnNlYzc4OXh5ejAwMA==\n",
            "fn5-fn5-fn46fn5-fn5-",
            "fn5+fn5+fn46fn5+fn5+",
            // A secret of one colon.
            "YWJjZGVmZ2g6Og==",
        ] {
            assert!(encodes_a_pair(encoded.as_bytes()), "{encoded}");
        }
    }

    #[test]
    fn it_recognises_nothing_else_as_a_pair() {
        for other in [
            "",
            "====",
            "abc123def456",
            "sec789xyz000",
            "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
            "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb",
            "bm8gY29sb24gaGVyZQ==",
            "bm9jb2xvbmhlcmVhdGFsbA==",
            "OnNlYzc4OXh5ejAwMA==",
            "YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA===",
            "YWJjMTIz=GVmNDU2OnNlYzc4OXh5ejAwMA==",
            "YTpi",
            // White space and a line break within the secret, and no secret.
            "YWJjMTIzZGVmNDU2OnNlYyA3ODl4eXo=",
            "YWJjMTIzZGVmNDU2OnNlYwo3ODl4eXo=",
            "YWJjZGVmZ2hpOg==",
        ] {
            assert!(!encodes_a_pair(other.as_bytes()), "{other}");
        }
    }
}
