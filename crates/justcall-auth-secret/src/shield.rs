//! Encryption of secrets in locked memory, as OpenSSH shields its keys. The key is derived from a large random prekey:
//! an attacker who reads memory through a side channel needs every byte of the prekey without an error.
//!
//! # The derivation
//!
//! OpenSSH hashes the prekey. SHA-256 of 512 bytes costs 28,000 instructions on a processor that has no instructions for
//! it, at every use of a secret. One pass of ChaCha20-Poly1305 costs a tenth of that on every processor:
//!
//! - The first 32 bytes of the prekey are a key of ChaCha20-Poly1305. The other 480 bytes are its additional data.
//! - 16 bytes of its keystream are the first half of the key that encrypts secrets. The tag over the additional data and
//!   these bytes is the second half.
//!
//! An attacker who misses bits of the prekey must try the candidates one by one, as with a hash. A bit that is missing
//! in the first 32 bytes changes the keystream, and the point and the mask of Poly1305, which are all outputs of
//! `ChaCha20`. A bit that is missing in the other bytes changes the tag: two candidates have the same tag with a
//! probability below 2^-98, because they differ in a polynomial of degree 31 over 106 bits of the point. So m missing
//! bits leave min(2^m, 2^128) keys at least. A hash leaves min(2^m, 2^256), and neither 2^128 nor 2^256 can be tried.
//! Keystream and tag never leave this module.
//!
//! Not covered: the key types of ring do not wipe themselves, so a derived key stays on the stack of its thread until later
//! calls overwrite it.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::arena::LONGEST;
use crate::memory::Slot;
use crate::stack_buffer::StackBuffer;

/// The length of the prekey. A longer prekey resists side channels better, but slows down every call.
pub(crate) const PREKEY: usize = 512;
/// The additional length of an encrypted secret: the nonce before it and the authentication tag after it.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG;
const TAG: usize = 16;
/// The length of a key of the cipher: that of the first part of the prekey, and of a piece of keystream and a tag.
const KEY: usize = 32;

/// A prekey in a slot, which is wiped on drop.
pub(crate) struct Shield {
    prekey: Slot,
}

impl Shield {
    /// Fills `slot` with random bytes. Returns `None` if the system gives no randomness.
    pub fn new(mut slot: Slot) -> Option<Self> {
        SystemRandom::new().fill(&mut slot.bytes_mut()[..PREKEY]).ok()?;
        Some(Self { prekey: slot })
    }

    /// Encrypts `plain` into `sealed`, which is longer by [`OVERHEAD`]. Returns false if the system gives no
    /// randomness.
    pub fn seal(&self, plain: &[u8], sealed: &mut [u8]) -> bool {
        let (nonce, rest) = sealed.split_at_mut(NONCE_LEN);
        let (body, tag) = rest.split_at_mut(plain.len());
        if SystemRandom::new().fill(nonce).is_err() {
            return false;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("of the length NONCE_LEN");
        body.copy_from_slice(plain);
        let sealed_tag = self.key().seal_in_place_separate_tag(nonce, Aad::empty(), body);
        tag.copy_from_slice(sealed_tag.expect("a secret is far shorter than the cipher's limit").as_ref());
        true
    }

    /// Decrypts `sealed` on the stack and calls `read` with the result, which is wiped afterwards. Returns `None` if
    /// `sealed` is not a result of [`Shield::seal`].
    pub fn open<R>(&self, sealed: &[u8], read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = StackBuffer::<LONGEST>::new();
        buffer.push(rest);
        let plain = self.key().open_in_place(nonce, Aad::empty(), buffer.as_mut()).ok()?;
        Some(read(plain))
    }

    /// Derives the key, as the module's documentation describes.
    fn key(&self) -> LessSafeKey {
        let (first, rest) = self.prekey.bytes()[..PREKEY].split_at(KEY);
        let mut key = Zeroizing::new([0; KEY]);
        let (stream, half) = key.split_at_mut(KEY - TAG);
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = cipher(first).seal_in_place_separate_tag(nonce, Aad::from(rest), stream);
        half.copy_from_slice(tag.expect("the prekey is far shorter than the limit").as_ref());
        cipher(&*key)
    }
}

fn cipher(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of the cipher has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Region, RegionKind};

    const PLAIN: &[u8] = b"sec789xyz000";

    fn shield() -> Shield {
        let region = Region::map(RegionKind::Locked, PREKEY, PREKEY).expect("a page can be locked");
        Shield::new(region.take().expect("a slot")).expect("randomness")
    }

    fn sealed(shield: &Shield) -> Vec<u8> {
        let mut sealed = vec![0; PLAIN.len() + OVERHEAD];
        assert!(shield.seal(PLAIN, &mut sealed));
        sealed
    }

    fn opened(shield: &Shield, sealed: &[u8]) -> Option<Vec<u8>> {
        shield.open(sealed, <[u8]>::to_vec)
    }

    #[test]
    fn it_opens_what_it_sealed_and_refuses_any_changed_byte() {
        let shield = shield();
        let mut sealed = sealed(&shield);
        assert_eq!(opened(&shield, &sealed).expect("sealed by the same shield"), PLAIN);
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert!(opened(&shield, &sealed).is_none(), "byte {at} was changed");
            sealed[at] ^= 1;
        }
        assert!(opened(&shield, &sealed[..NONCE_LEN - 1]).is_none());
    }

    #[test]
    fn it_opens_nothing_if_any_byte_of_the_prekey_is_wrong() {
        let mut shield = shield();
        let sealed = sealed(&shield);
        for at in 0..PREKEY {
            shield.prekey.bytes_mut()[at] ^= 1;
            assert!(opened(&shield, &sealed).is_none(), "byte {at} of the prekey has no effect");
            shield.prekey.bytes_mut()[at] ^= 1;
        }
        assert!(opened(&shield, &sealed).is_some(), "the control");
    }

    #[test]
    fn it_derives_another_key_if_any_bit_of_the_prekey_changes() {
        let mut shield = shield();
        let nonce = || Nonce::assume_unique_for_key([7; NONCE_LEN]);
        // The keystream shows the key: equal keys give equal streams.
        let stream = |shield: &Shield| {
            let mut zeros = [0; 64];
            let _tag =
                shield.key().seal_in_place_separate_tag(nonce(), Aad::empty(), &mut zeros).expect("short");
            zeros
        };
        let mut seen = std::collections::HashSet::from([stream(&shield)]);
        assert!(!seen.insert(stream(&shield)), "the control: the key is the same each time");
        for bit in 0..PREKEY * 8 {
            shield.prekey.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(stream(&shield)), "bit {bit} has no effect");
            shield.prekey.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn it_seals_the_same_secret_differently_each_time() {
        let shield = shield();
        let [one, other] = [sealed(&shield), sealed(&shield)];
        assert_ne!(one[..NONCE_LEN], other[..NONCE_LEN]);
        assert_ne!(one[NONCE_LEN..], other[NONCE_LEN..]);
    }
}
