//! The signature of a delivery.

use justcall_auth_secret::zeroize_stack;
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::{encoding, service};

/// The length of a signature in bytes.
pub(super) const LENGTH: usize = 32;

/// More stack than the HMAC uses. Its key schedule, state and current block are on the stack and reveal the secret.
const STACK: usize = 2048;

/// A decoded signature.
pub(super) struct Signature(pub(super) [u8; LENGTH]);

impl Signature {
    /// Parses 64 hexadecimal digits of either case. Returns `None` for anything else.
    pub fn read(text: &[u8]) -> Option<Self> {
        encoding::read_hex(text).map(Self)
    }

    /// Returns the signature as 64 lower-case hexadecimal digits.
    pub fn to_text(&self) -> SignatureText {
        let mut digits = [0; 2 * LENGTH];
        encoding::write_hex(&self.0, &mut digits);
        SignatureText(digits)
    }

    /// Returns true if this is the signature of these parts with `secret`. The time does not depend on where signatures
    /// differ.
    pub fn is_by(&self, secret: &[u8], url: &str, event_type: &str, timestamp: &[u8]) -> bool {
        let is_equal = compare(&self.0, secret, [url.as_bytes(), event_type.as_bytes(), timestamp]);
        zeroize_stack::<STACK>();
        is_equal
    }
}

/// Computes the HMAC and compares. The message starts with the secret, so it is never assembled in memory. The hashed
/// data is on the stack of this function, so the function must not be inlined.
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

/// A signature as lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct SignatureText([u8; 2 * LENGTH]);

impl SignatureText {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
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
        assert_eq!(signature.to_text().as_str().as_bytes(), PUBLISHED);
        let upper = Signature::read(&PUBLISHED.to_ascii_uppercase()).expect("hexadecimal");
        assert_eq!(upper.to_text().as_str().as_bytes(), PUBLISHED);
    }

    #[test]
    fn it_compares_every_bit_of_the_signature() {
        for bit in 0..8 * LENGTH {
            let mut signature = Signature::read(PUBLISHED).expect("hexadecimal");
            signature.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_published(&signature, b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"), "{bit}");
        }
    }
}
