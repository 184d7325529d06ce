//! Encryption of secrets in locked memory, as OpenSSH shields its keys. The key is derived from a large random prekey:
//! an attacker who reads memory through a side channel needs every byte of the prekey without an error.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use crate::buffer::WipedBuffer;
use crate::memory::Slot;

/// The length of the prekey. A longer prekey resists side channels better, but slows down every call: deriving the key
/// is most of the cost of reading a secret.
pub(crate) const PREKEY: usize = 512;
/// The additional length of an encrypted secret: the nonce before it and the authentication tag after it.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG;
const TAG: usize = 16;

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

    /// Decrypts `sealed` into a new buffer that is wiped on drop. Returns `None` if `sealed` is not a result of
    /// [`Shield::seal`].
    pub fn open(&self, sealed: &[u8]) -> Option<WipedBuffer> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = WipedBuffer::with_capacity(rest.len());
        plain.push(rest);
        let length = self.key().open_in_place(nonce, Aad::empty(), plain.as_mut()).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    fn key(&self) -> LessSafeKey {
        let key = digest::digest(&digest::SHA256, &self.prekey.bytes()[..PREKEY]);
        LessSafeKey::new(
            UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).expect("SHA-256 gives a key of this length"),
        )
    }
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

    #[test]
    fn it_opens_what_it_sealed_and_refuses_any_changed_byte() {
        let shield = shield();
        let mut sealed = sealed(&shield);
        assert_eq!(shield.open(&sealed).expect("sealed by the same shield").as_ref(), PLAIN);
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert!(shield.open(&sealed).is_none(), "byte {at} was changed");
            sealed[at] ^= 1;
        }
        assert!(shield.open(&sealed[..NONCE_LEN - 1]).is_none());
    }

    #[test]
    fn it_opens_nothing_if_any_byte_of_the_prekey_is_wrong() {
        let mut shield = shield();
        let sealed = sealed(&shield);
        for at in 0..PREKEY {
            shield.prekey.bytes_mut()[at] ^= 1;
            assert!(shield.open(&sealed).is_none(), "byte {at} of the prekey has no effect");
            shield.prekey.bytes_mut()[at] ^= 1;
        }
        assert!(shield.open(&sealed).is_some(), "the control");
    }

    #[test]
    fn it_seals_the_same_secret_differently_each_time() {
        let shield = shield();
        let [one, other] = [sealed(&shield), sealed(&shield)];
        assert_ne!(one[..NONCE_LEN], other[..NONCE_LEN]);
        assert_ne!(one[NONCE_LEN..], other[NONCE_LEN..]);
    }
}
