//! Notices a service that sends the secret back: what such a connection holds must not stay.

use justcall_auth_secret::WipedBuffer;
use memchr::memmem;

use super::header::PairHeader;

/// What stands in the place of an echoed secret.
const MASK: u8 = b'*';

/// The shortest secret that is looked for, in bytes: a shorter one may stand in an answer by chance, which must arrive as
/// it is. Those of the service are 40.
const SHORTEST: usize = 8;

/// Looks for the secret in what comes over a connection, piece by piece.
#[derive(Default)]
pub(super) struct Listener {
    /// The end of what came before: a secret may arrive in two pieces.
    before: Option<WipedBuffer>,
    heard: bool,
}

impl Listener {
    /// Listens to a piece and masks the secret in it, with a text of the same length: nothing above sees it, whatever
    /// it logs or keeps.
    pub fn hear(&mut self, piece: &mut [u8], sent: &PairHeader) {
        if sent.secret().len() < SHORTEST {
            return;
        }
        let keep = sent.secret().len() - 1;
        if let Some(before) = self.before.take() {
            let mut seam = WipedBuffer::with_capacity(2 * keep);
            seam.push(before.as_ref());
            seam.push(&piece[..piece.len().min(keep)]);
            if let Some(at) = memmem::find(seam.as_ref(), sent.secret()) {
                // Its first part is above already; without the rest it is no secret any more.
                let end = at + sent.secret().len() - before.as_ref().len();
                piece[..end].fill(MASK);
                self.heard = true;
            }
        }
        while let Some(at) = memmem::find(piece, sent.secret()) {
            piece[at..at + sent.secret().len()].fill(MASK);
            self.heard = true;
        }
        let mut end = WipedBuffer::with_capacity(keep);
        end.push(&piece[piece.len().saturating_sub(keep)..]);
        self.before = Some(end);
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
    use justcall_auth_protocol::credentials::Credentials;

    use super::*;

    fn sent() -> PairHeader {
        PairHeader::new(&Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"))
    }

    /// What the layers above get, and whether the secret was heard.
    fn heard(pieces: &[&str]) -> (String, bool) {
        let mut listener = Listener::default();
        let mut passed = String::new();
        for piece in pieces {
            let mut piece = piece.as_bytes().to_vec();
            listener.hear(&mut piece, &sent());
            passed.push_str(std::str::from_utf8(&piece).expect("ASCII"));
        }
        (passed, listener.has_heard())
    }

    #[test]
    fn it_hears_and_masks_the_secret_whole_or_in_any_two_pieces() {
        let answer = "{\"message\": \"you sent sec789xyz000 twice: sec789xyz000\"}";
        assert_eq!(heard(&[answer]), (answer.replace("sec789xyz000", "************"), true));
        for at in 1..answer.len() {
            let (passed, heard) = heard(&[&answer[..at], &answer[at..]]);
            assert!(
                heard && passed.len() == answer.len() && !passed.contains("sec789xyz000"),
                "cut at {at}: {passed}"
            );
        }
    }

    #[test]
    fn it_leaves_other_answers_as_they_are() {
        let pieces = ["{\"key\": \"abc123def456\"}", "sec789xyz00", "1", "", "sec789"];
        assert_eq!(heard(&pieces), (pieces.concat(), false));
        assert_eq!(heard(&[]), (String::new(), false));
    }

    #[test]
    fn it_forgets_the_end_of_an_answer_at_rest() {
        let mut listener = Listener::default();
        listener.hear(&mut b"sec789".to_vec(), &sent());
        listener.rest();
        listener.hear(&mut b"xyz000".to_vec(), &sent());
        assert!(!listener.has_heard(), "of another answer");
    }
}
