//! Hexadecimal, base64 and percent-encoding.
//!
//! Encoded and decoded secrets are written only to a [`WipedBuffer`]. Dependencies write them only to slices that are
//! wiped, because memory that a dependency allocates is not wiped when it is freed.

use std::collections::TryReserveError;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use justcall_auth_secret::{WipedBuffer, Zeroizing};
pub use percent_encoding::AsciiSet;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// Writes `bytes` to `digits` as lower-case hexadecimal digits.
///
/// # Panics
/// If there are not twice as many digits as bytes.
pub fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    assert!(digits.len() == 2 * bytes.len(), "two digits per byte");
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// Returns `bytes` as lower-case hexadecimal digits. Not for secrets: the result is not wiped.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    write_hex(bytes, &mut digits);
    String::from_utf8(digits).expect("digits are ASCII")
}

/// The value of each byte as a hexadecimal digit of either case, or 0xff.
const HEX_VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// Reads hexadecimal digits of either case. Returns `None` if `digits` contains anything else, or if its length is not
/// twice `N`. Not for secrets: the digits choose which memory is read.
pub fn read_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (HEX_VALUES[usize::from(pair[0])], HEX_VALUES[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | low & 15;
    }
    (all <= 15).then_some(bytes)
}

/// Returns `bytes` in base64 with the standard alphabet and padding (RFC 4648).
pub fn base64(bytes: &[u8]) -> WipedBuffer {
    let length = base64::encoded_len(bytes.len(), true).expect("the length fits into memory");
    let mut encoded = WipedBuffer::with_capacity(length);
    let written = STANDARD.encode_slice(bytes, encoded.spare()).expect("the buffer has the encoded length");
    encoded.advance(written);
    encoded
}

/// Accepts missing padding and non-zero trailing bits.
static LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 and calls `take` with each byte. Accepts the standard and the URL-safe alphabet, with or without
/// padding and line breaks. No more than three decoded bytes exist at a time.
///
/// Returns the number of decoded bytes. Returns `None` if `text` is not base64, or as soon as `take` returns false.
pub fn read_base64(text: &[u8], mut take: impl FnMut(u8) -> bool) -> Option<usize> {
    let is_symbol = |byte: &&u8| !byte.is_ascii_whitespace();
    let end = text.iter().rposition(|byte| *byte != b'=' && is_symbol(&byte)).map_or(0, |at| at + 1);
    let (text, padding) = text.split_at(end);
    if padding.iter().filter(is_symbol).count() > 2 {
        return None;
    }
    let mut symbols = text.iter().filter(is_symbol).map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        // Padding ends a text and has been cut off, so this `=` is invalid.
        b'=' => 0,
        other => *other,
    });
    let (mut group, mut bytes) = (Zeroizing::new([0; 4]), Zeroizing::new([0; 3]));
    let mut total = 0;
    loop {
        let mut length = 0;
        for (place, symbol) in group.iter_mut().zip(&mut symbols) {
            *place = symbol;
            length += 1;
        }
        let decoded = LENIENT.decode_slice(&group[..length], &mut bytes[..]).ok()?;
        if !bytes[..decoded].iter().all(|byte| take(*byte)) {
            return None;
        }
        total += decoded;
        if length < group.len() {
            return Some(total);
        }
    }
}

/// Returns the set of characters to encode: all except letters, digits and the ASCII characters `kept`.
pub const fn all_but(kept: &[u8]) -> AsciiSet {
    let mut set = NON_ALPHANUMERIC.remove(kept[0]);
    let mut next = 1;
    while next < kept.len() {
        set = set.remove(kept[next]);
        next += 1;
    }
    set
}

/// Appends `text` to `out`, percent-encoded.
pub fn push_percent_encoded(text: &str, encoded: &'static AsciiSet, out: &mut String) {
    out.extend(utf8_percent_encode(text, encoded));
}

/// Returns `text`, percent-encoded, without spare capacity.
///
/// # Errors
/// Fails if memory is short.
pub fn percent_encoded(text: &str, encoded: &'static AsciiSet) -> Result<String, TryReserveError> {
    let parts = || utf8_percent_encode(text, encoded);
    let mut out = String::new();
    out.try_reserve_exact(parts().map(str::len).sum())?;
    out.extend(parts());
    Ok(out)
}

/// Returns `text`, percent-decoded. A `%` without two hexadecimal digits after it is kept.
pub fn percent_decoded(text: &str) -> WipedBuffer {
    let mut decoded = WipedBuffer::with_capacity(text.len());
    for byte in percent_decode(text.as_bytes()) {
        decoded.push(&[byte]);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &[u8] = b"56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";

    #[test]
    fn it_reads_exactly_the_expected_number_of_hexadecimal_digits() {
        let with = |at: usize, byte: u8| {
            let mut text = PUBLISHED.to_vec();
            text[at] = byte;
            read_hex::<32>(&text)
        };
        for byte in 0..=u8::MAX {
            for at in [0, 1, 62, 63] {
                assert_eq!(with(at, byte).is_some(), byte.is_ascii_hexdigit(), "{byte} at {at}");
            }
        }
        assert!(read_hex::<32>(&PUBLISHED[1..]).is_none() && read_hex::<32>(b"").is_none());
        assert!(read_hex::<32>(&[PUBLISHED, b"0"].concat()).is_none());
        assert_eq!(read_hex::<1>(b"zz"), None, "two wrong digits");
        assert_eq!(read_hex(b"007fA0ff"), Some([0, 0x7f, 0xa0, 0xff]));
        assert_eq!(
            hex(&read_hex::<32>(&PUBLISHED.to_ascii_uppercase()).expect("digits")).as_bytes(),
            PUBLISHED
        );
    }

    #[test]
    fn it_encodes_and_decodes_the_examples_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()).as_ref(), encoded.as_bytes());
            let mut decoded = Vec::new();
            let take = |byte| {
                decoded.push(byte);
                true
            };
            assert_eq!(read_base64(encoded.as_bytes(), take), Some(plain.len()), "{encoded}");
            assert_eq!(decoded, plain.as_bytes());
        }
    }

    #[test]
    fn it_accepts_base64_in_every_spelling_and_nothing_else() {
        for text in ["fn5-fn4", "fn5+fn4=", "fn5+\r\nfn 5+", "fn5_fn5_", "fn5/fn4==", "Zh", "fn5= ="] {
            assert!(read_base64(text.as_bytes(), |_| true).is_some(), "{text}");
        }
        for text in ["Z", "fn5+f", "fn5=fn5+", "fn5+===", "fn5+\0n5+", "fn5\u{fc}fn5+"] {
            assert_eq!(read_base64(text.as_bytes(), |_| true), None, "{text}");
        }
        let mut taken = 0;
        let two = |_| {
            taken += 1;
            taken < 2
        };
        assert_eq!(read_base64(b"Zm9vYmFy", two), None);
        assert_eq!(taken, 2, "it stops when take returns false");
    }

    #[test]
    fn it_percent_encodes_all_but_the_kept_characters() {
        static KEPT: AsciiSet = all_but(b"-._~");
        let mut out = "?".to_owned();
        push_percent_encoded("a/\u{e4}~\0", &KEPT, &mut out);
        assert_eq!(out, "?a%2F%C3%A4~%00");
        let exact = percent_encoded("a/\u{e4}~\0", &KEPT).expect("memory");
        assert_eq!((exact.as_str(), exact.capacity()), ("a%2F%C3%A4~%00", 14));
    }

    #[test]
    fn it_percent_decodes_only_before_two_digits() {
        for (text, decoded) in
            [("a%2Fb%zz%", "a/b%zz%"), ("%e4", "\u{e4}"), ("%%41%4", "%A%4"), ("a+b", "a+b")]
        {
            let expected: Vec<u8> = decoded.chars().map(|c| u8::try_from(c).expect("Latin")).collect();
            assert_eq!(percent_decoded(text).as_ref(), expected, "{text}");
        }
    }
}
