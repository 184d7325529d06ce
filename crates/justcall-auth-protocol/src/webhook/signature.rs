//! The signature itself.

use justcall_auth_secret::zeroize_stack;
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::service;

/// The bytes of a signature.
const LENGTH: usize = 32;

/// More stack than the HMAC uses. Key schedule, state and the block under way are as secret as the secret, and lie there.
const STACK: usize = 2048;

/// A signature as it came, decoded.
pub(super) struct Signature([u8; LENGTH]);

impl Signature {
    /// Reads 64 hexadecimal digits, of either case.
    pub fn read(text: &[u8]) -> Option<Self> {
        if text.len() != 2 * LENGTH {
            return None;
        }
        let mut bytes = [0; LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// As 64 lower-case hexadecimal digits.
    pub fn to_text(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|value| char::from(b"0123456789abcdef"[usize::from(value)])).collect()
    }

    /// Whether `secret` signed these parts with this; takes the same time wherever the signatures differ.
    pub fn is_by(&self, secret: &[u8], url: &str, event_type: &str, timestamp: &[u8]) -> bool {
        let is_equal = compare(&self.0, secret, [url.as_bytes(), event_type.as_bytes(), timestamp]);
        zeroize_stack::<STACK>();
        is_equal
    }
}

/// The message begins with the secret, so it is never put together: what is hashed lies on the stack of this function,
/// which is why it must have a frame of its own.
#[inline(never)]
fn compare(signature: &[u8; LENGTH], secret: &[u8], parts: [&[u8]; 3]) -> bool {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(secret);
    for part in parts {
        context.update(service::WEBHOOK_SEPARATOR.as_bytes());
        context.update(part);
    }
    context.sign().as_ref().ct_eq(signature).into()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &[u8] = b"56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";

    fn is_published(signature: &Signature, secret: &[u8]) -> bool {
        let url = "https%3A%2F%2Fwebhook.site%2F3bcea770-370a-4b09-8b66-426f687e08a4";
        signature.is_by(secret, url, "call.completed", b"2024-03-21 17:08:22")
    }

    #[test]
    fn it_agrees_with_the_published_example() {
        let signature = Signature::read(PUBLISHED).expect("hexadecimal");
        assert!(is_published(&signature, b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"));
        assert!(!is_published(&signature, b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fc"));
        assert_eq!(signature.to_text().as_bytes(), PUBLISHED);
        let upper = Signature::read(&PUBLISHED.to_ascii_uppercase()).expect("hexadecimal");
        assert_eq!(upper.to_text().as_bytes(), PUBLISHED);
    }

    #[test]
    fn it_sees_every_bit_of_the_signature() {
        for bit in 0..8 * LENGTH {
            let mut signature = Signature::read(PUBLISHED).expect("hexadecimal");
            signature.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_published(&signature, b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"), "{bit}");
        }
    }

    #[test]
    fn it_reads_64_hexadecimal_digits_and_nothing_else() {
        let with = |at: usize, byte: u8| {
            let mut text = PUBLISHED.to_vec();
            text[at] = byte;
            Signature::read(&text)
        };
        for byte in 0..=u8::MAX {
            for at in [0, 1, 62, 63] {
                assert_eq!(with(at, byte).is_some(), byte.is_ascii_hexdigit(), "{byte} at {at}");
            }
        }
        assert!(Signature::read(&PUBLISHED[1..]).is_none() && Signature::read(b"").is_none());
        assert!(Signature::read(&[PUBLISHED, b"0"].concat()).is_none());
    }
}
