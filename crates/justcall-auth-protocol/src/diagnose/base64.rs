//! Recognises `key:secret` in base64 without decoding it anywhere.

use crate::encoding;

/// Fewer decoded bytes than this are no pair: by chance, short words decode to anything.
const MIN_BYTES: usize = 9;

/// Whether `bytes` is the base64 of `key:secret`, perhaps with the line break that `echo` adds, in any spelling that
/// [`encoding::read_base64`] takes.
pub(super) fn encodes_a_pair(bytes: &[u8]) -> bool {
    let mut pair = Pair::default();
    let length = encoding::read_base64(bytes, |byte| pair.accepts(byte));
    length.is_some_and(|length| length >= MIN_BYTES) && pair.is_whole()
}

/// What was seen of the decoded text.
#[derive(Default)]
struct Pair {
    key_len: usize,
    secret_len: usize,
    has_colon: bool,
    has_ended: bool,
}

impl Pair {
    /// Takes the next byte, or says that no pair has it there.
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

    fn is_whole(&self) -> bool {
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
        ] {
            assert!(encodes_a_pair(encoded.as_bytes()), "{encoded}");
        }
    }

    #[test]
    fn it_takes_nothing_else_for_one() {
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
        ] {
            assert!(!encodes_a_pair(other.as_bytes()), "{other}");
        }
    }
}
