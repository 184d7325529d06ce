//! What is in locked memory is encrypted while it rests, as OpenSSH shields its keys: under a key that is derived from a
//! large random prekey, so that whoever reads memory by a side channel needs all of it without an error.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use crate::buffer::WipedBuffer;
use crate::memory::Slot;

/// How much the key is derived from. More would be safer against side channels and slower with every call: deriving the
/// key is most of what taking a secret costs.
pub(crate) const PREKEY: usize = 512;
/// What a shielded secret needs beyond its own length: the nonce before it and the authentication tag after it.
pub(crate) const OVERHEAD: usize = NONCE_LEN + TAG;
const TAG: usize = 16;

/// A prekey in memory of its own, which wipes it.
pub(crate) struct Shield {
    prekey: Slot,
}

impl Shield {
    /// Fills `slot` with randomness; `None` when the system gives none.
    pub fn new(mut slot: Slot) -> Option<Self> {
        SystemRandom::new().fill(&mut slot.bytes_mut()[..PREKEY]).ok()?;
        Some(Self { prekey: slot })
    }

    /// Encrypts `plain` into `sealed`, which is longer by [`OVERHEAD`]; false when the system gives no nonce.
    pub fn seal(&self, plain: &[u8], sealed: &mut [u8]) -> bool {
        let (nonce, rest) = sealed.split_at_mut(NONCE_LEN);
        let (body, tag) = rest.split_at_mut(plain.len());
        if SystemRandom::new().fill(nonce).is_err() {
            return false;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("as long as a nonce is");
        body.copy_from_slice(plain);
        let made = self.key().seal_in_place_separate_tag(nonce, Aad::empty(), body);
        tag.copy_from_slice(made.expect("a secret is far shorter than the cipher's limit").as_ref());
        true
    }

    /// Decrypts `sealed` into fresh memory that is wiped; `None` when it is not what was sealed.
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
    use crate::memory::{Kind, Region};

    const PLAIN: &[u8] = b"sec789xyz000";

    fn shield() -> Shield {
        let region = Region::map(Kind::Locked, PREKEY, PREKEY).expect("a page can be locked");
        Shield::new(region.take().expect("a slot")).expect("randomness")
    }

    fn sealed(shield: &Shield) -> Vec<u8> {
        let mut sealed = vec![0; PLAIN.len() + OVERHEAD];
        assert!(shield.seal(PLAIN, &mut sealed));
        sealed
    }

    #[test]
    fn it_opens_what_it_sealed_and_nothing_that_was_changed() {
        let shield = shield();
        let mut sealed = sealed(&shield);
        assert_eq!(shield.open(&sealed).expect("its own").as_ref(), PLAIN);
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert!(shield.open(&sealed).is_none(), "byte {at} is another");
            sealed[at] ^= 1;
        }
        assert!(shield.open(&sealed[..NONCE_LEN - 1]).is_none());
    }

    #[test]
    fn it_opens_nothing_with_an_error_in_any_byte_of_its_prekey() {
        let mut shield = shield();
        let sealed = sealed(&shield);
        for at in 0..PREKEY {
            shield.prekey.bytes_mut()[at] ^= 1;
            assert!(shield.open(&sealed).is_none(), "byte {at} does not count");
            shield.prekey.bytes_mut()[at] ^= 1;
        }
        assert!(shield.open(&sealed).is_some(), "the control");
    }

    #[test]
    fn it_seals_the_same_secret_anew_each_time() {
        let shield = shield();
        let [one, other] = [sealed(&shield), sealed(&shield)];
        assert_ne!(one[..NONCE_LEN], other[..NONCE_LEN]);
        assert_ne!(one[NONCE_LEN..], other[NONCE_LEN..]);
    }
}
