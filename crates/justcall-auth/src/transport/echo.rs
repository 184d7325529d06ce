//! Notices a service that sends the secret back: what such a connection holds must not stay.

use bytes::Bytes;
use justcall_auth_secret::WipedBuffer;
use memchr::memmem;

/// The value of the `Authorization` header while a call is under way, and where in it the secret begins. Cloning shares
/// the one copy.
#[derive(Clone)]
pub(super) struct Sent {
    header: Bytes,
    secret_at: usize,
}

impl Sent {
    pub fn new(header: Bytes, secret_at: usize) -> Self {
        Self { header, secret_at }
    }

    fn secret(&self) -> &[u8] {
        &self.header[self.secret_at..]
    }

    /// Whether `text` holds the secret.
    pub fn is_in(&self, text: &[u8]) -> bool {
        memmem::find(text, self.secret()).is_some()
    }
}

/// Looks for the secret in what comes over a connection, piece by piece.
#[derive(Default)]
pub(super) struct Listener {
    /// The end of what came before: a secret may arrive in two pieces.
    before: Option<WipedBuffer>,
    heard: bool,
}

impl Listener {
    /// Whether the secret came, up to and with `piece`.
    pub fn hear(&mut self, piece: &[u8], sent: &Sent) -> bool {
        let keep = sent.secret().len() - 1;
        if let Some(before) = self.before.take() {
            let mut seam = WipedBuffer::with_capacity(2 * keep);
            seam.push(before.as_ref());
            seam.push(&piece[..piece.len().min(keep)]);
            self.heard |= sent.is_in(seam.as_ref());
        }
        self.heard |= sent.is_in(piece);
        let mut end = WipedBuffer::with_capacity(keep);
        end.push(&piece[piece.len().saturating_sub(keep)..]);
        self.before = Some(end);
        self.heard
    }

    /// Whether the secret came, so far.
    pub fn has_heard(&self) -> bool {
        self.heard
    }

    /// Forgets the end of what came: nothing of an answer stays while a connection is idle.
    pub fn rest(&mut self) {
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Sent {
        Sent::new(Bytes::from_static(b"abc123def456:sec789xyz000"), 13)
    }

    fn hears(pieces: &[&str]) -> bool {
        let mut listener = Listener::default();
        pieces.iter().any(|piece| listener.hear(piece.as_bytes(), &sent()))
    }

    #[test]
    fn it_hears_the_secret_whole_or_in_any_two_pieces() {
        let answer = "{\"message\": \"you sent sec789xyz000\"}";
        assert!(hears(&[answer]));
        for at in 1..answer.len() {
            assert!(hears(&[&answer[..at], &answer[at..]]), "cut at {at}");
        }
    }

    #[test]
    fn it_hears_nothing_in_other_answers() {
        assert!(!hears(&["{\"key\": \"abc123def456\"}", "sec789xyz00", "1", "", "sec789"]));
        assert!(!hears(&[]));
    }

    #[test]
    fn it_forgets_the_end_of_an_answer_at_rest() {
        let mut listener = Listener::default();
        assert!(!listener.hear(b"sec789", &sent()));
        listener.rest();
        assert!(!listener.hear(b"xyz000", &sent()), "of another answer");
    }
}
