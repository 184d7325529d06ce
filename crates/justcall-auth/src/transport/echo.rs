//! Detection of a secret that the service sends back. Buffers that contain it must not survive.

use std::io::{self, Read};

use justcall_auth_secret::WipedBuffer;
use memchr::{memchr, memmem};

use super::call::CallState;
use super::header::PairHeader;

/// The replacement of each byte of an echoed secret.
const MASK: u8 = b'*';

/// The length of the shortest secret that is masked, in bytes. A shorter one may be in a response by chance, and the
/// response must arrive unchanged. The secrets of the service have 40 bytes.
const SHORTEST: usize = 8;

/// Searches the data of a connection for the secret, piece by piece.
///
/// The secret itself is exposed only if a response has a run of bytes that could be the secret. With a secret in a usual
/// alphabet, most responses have none, because their runs are shorter.
#[derive(Default)]
pub(super) struct EchoFilter {
    /// The end of the previous data, if it could be the start of the secret, which may arrive in pieces.
    before: Option<WipedBuffer>,
}

impl EchoFilter {
    /// Masks the secret in `piece` with a text of the same length, so that no layer above logs or keeps it. Returns
    /// true if the secret was in the piece or ended there.
    pub fn feed(&mut self, piece: &mut [u8], sent: &PairHeader) -> bool {
        let length = sent.secret_len();
        if length < SHORTEST {
            return false;
        }
        let before = self.before.take();
        let before = before.as_ref().map_or(&[][..], AsRef::as_ref);
        let may_hold = |byte: &u8| sent.may_hold(*byte);
        let first_run = piece.iter().take(length).take_while(|byte| may_hold(byte)).count();
        let may_cross = !before.is_empty() && before.len() + first_run >= length;
        let may_be = may_cross || has_run(piece, length, may_hold);
        let is_there = may_be && sent.expose_secret(|secret| mask(before, piece, secret));
        self.before = end_of(before, piece, length - 1, may_hold);
        is_there
    }

    /// Forgets the end of the data, so that nothing of a response stays while the connection is idle.
    pub fn rest(&mut self) {
        self.before = None;
    }
}

/// A body after framing and decompression, either of which may have hidden the secret. It is filtered before its end,
/// so before its connection can be reused.
pub(super) struct FilteredBody<'a, R> {
    body: R,
    call: &'a CallState,
    filter: EchoFilter,
}

impl<'a, R> FilteredBody<'a, R> {
    pub fn new(body: R, call: &'a CallState) -> Self {
        Self { body, call, filter: EchoFilter::default() }
    }
}

impl<R: Read> Read for FilteredBody<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        if let Some(sent) = self.call.header() {
            if self.filter.feed(&mut buffer[..count], sent) {
                self.call.mark_echoed();
            }
        }
        Ok(count)
    }
}

/// Masks the start of a secret that came in pieces: it was passed on before the rest arrived.
pub(super) fn mask_beginnings(text: &mut [u8], secret: &[u8]) {
    let mut from = 0;
    while let Some(at) = memchr(secret[0], &text[from..]).map(|at| from + at) {
        let rest = &mut text[at..];
        let begun = rest.iter().zip(secret).take_while(|(byte, own)| byte == own).count();
        if rest.len() >= secret.len() && rest[begun..secret.len()].iter().all(|byte| *byte == MASK) {
            rest[..begun].fill(MASK);
        }
        from = at + 1;
    }
}

/// Masks a start of the secret at the end of `text`, which was cut there.
pub(super) fn mask_end(text: &mut [u8], secret: &[u8]) {
    let is_at_end = |begun: &usize| text.ends_with(&secret[..*begun]);
    if let Some(begun) = (SHORTEST..=secret.len()).rev().find(is_at_end) {
        let at = text.len() - begun;
        text[at..].fill(MASK);
    }
}

/// Returns true if `piece` has `length` bytes in a row that `may_hold` accepts. Starts at the possible ends of such a
/// run, so most bytes of a response are skipped.
fn has_run(piece: &[u8], length: usize, may_hold: impl Fn(&u8) -> bool) -> bool {
    let mut last = length - 1;
    while last < piece.len() {
        let run = piece[..=last].iter().rev().take(length).take_while(|byte| may_hold(byte)).count();
        if run == length {
            return true;
        }
        last += length - run;
    }
    false
}

/// Masks the secret in `piece`, also if it started in `before`. Returns true if it was found.
fn mask(before: &[u8], piece: &mut [u8], secret: &[u8]) -> bool {
    let mut found = false;
    let mut seam = WipedBuffer::with_capacity(before.len() + secret.len());
    seam.push(before);
    seam.push(&piece[..piece.len().min(secret.len() - 1)]);
    if let Some(at) = memmem::find(seam.as_ref(), secret).filter(|at| *at < before.len()) {
        // The layers above already have its first part, which `mask_beginnings` masks.
        piece[..at + secret.len() - before.len()].fill(MASK);
        found = true;
    }
    let finder = memmem::Finder::new(secret);
    let mut from = 0;
    while let Some(at) = finder.find(&piece[from..]) {
        piece[from + at..from + at + secret.len()].fill(MASK);
        from += at + secret.len();
        found = true;
    }
    found
}

/// Returns the last bytes of both, at most `most` and only while `may_hold` accepts them.
fn end_of(before: &[u8], piece: &[u8], most: usize, may_hold: impl Fn(&u8) -> bool) -> Option<WipedBuffer> {
    let run = piece.iter().rev().take(most).take_while(|byte| may_hold(byte)).count();
    let kept = if run == piece.len() { before.len().min(most - run) } else { 0 };
    (run + kept > 0).then(|| {
        let mut end = WipedBuffer::with_capacity(run + kept);
        end.push(&before[before.len() - kept..]);
        end.push(&piece[piece.len() - run..]);
        end
    })
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::credentials::Credentials;

    use super::super::call::{CurrentCall, Peer};
    use super::*;
    use crate::context::CallContext;

    const SECRET: &str = "sec789xyz000";

    fn sent_with(secret: &str) -> PairHeader {
        let sent = PairHeader::new(Credentials::new(b"abc123def456", secret.as_bytes()).expect("good"));
        let head = b"GET / HTTP/1.1\r\nauthorization: justcall-auth-puts-the-pair-here\r\n\r\n";
        assert!(sent.send_with_pair(head, |_| Ok(())).expect("nothing fails"), "a placeholder");
        sent
    }

    fn sent() -> PairHeader {
        sent_with(SECRET)
    }

    fn filtered(pieces: &[&str]) -> (String, bool) {
        filtered_by(&sent(), pieces)
    }

    /// Returns the text for the layers above, and whether the secret was found.
    fn filtered_by(sent: &PairHeader, pieces: &[&str]) -> (String, bool) {
        let mut filter = EchoFilter::default();
        let (mut passed, mut found) = (String::new(), false);
        for piece in pieces {
            let mut piece = piece.as_bytes().to_vec();
            found |= filter.feed(&mut piece, sent);
            passed.push_str(std::str::from_utf8(&piece).expect("ASCII"));
        }
        (passed, found)
    }

    #[test]
    fn it_masks_the_secret_whole_or_in_any_pieces() {
        // A secret with a colon may be anywhere in a response.
        for secret in [SECRET, "sec-89_xyz00", "sec:89_xyz00"] {
            let sent = sent_with(secret);
            let answer = format!("{{\"message\": \"you sent {secret}, twice: {secret}{secret}\"}}");
            let masked = answer.replace(secret, "************");
            assert_eq!(filtered_by(&sent, &[&answer]), (masked, true));
            assert_eq!(filtered_by(&sent, &[secret]), ("************".into(), true));
            for at in 1..answer.len() {
                let (passed, found) = filtered_by(&sent, &[&answer[..at], &answer[at..]]);
                assert!(
                    found && passed.len() == answer.len() && !passed.contains(secret),
                    "cut at {at}: {passed}"
                );
            }
            for size in 1..secret.len() {
                let pieces: Vec<&str> = answer
                    .as_bytes()
                    .chunks(size)
                    .map(|piece| str::from_utf8(piece).expect("ASCII"))
                    .collect();
                let (passed, found) = filtered_by(&sent, &pieces);
                assert!(
                    found && passed.len() == answer.len() && !passed.contains(secret),
                    "by {size}: {passed}"
                );
            }
        }
    }

    #[test]
    fn it_exposes_the_secret_only_if_a_run_could_be_one() {
        let digits = |byte: &u8| byte.is_ascii_digit();
        for (piece, length, has) in [
            ("12345678", 8, true),
            ("1234567", 8, false),
            ("x12345678", 8, true),
            ("1234567x1234567x1234567", 8, false),
            ("1234567x12345678", 8, true),
            ("xxxxxxxxxxxx123456789x", 8, true),
            ("", 8, false),
        ] {
            assert_eq!(has_run(piece.as_bytes(), length, digits), has, "{piece}");
        }
    }

    #[test]
    fn it_leaves_other_responses_unchanged() {
        let pieces = [
            "{\"key\": \"abc123def456\"}",
            "sec789xyz00",
            "1",
            "",
            "sec789",
            " xyz000",
            "sec789xyz00",
            ".",
            "0",
        ];
        assert_eq!(filtered(&pieces), (pieces.concat(), false));
        assert_eq!(filtered(&[]), (String::new(), false));
    }

    #[test]
    fn it_forgets_the_end_of_a_response_at_rest() {
        let mut filter = EchoFilter::default();
        filter.feed(&mut b"sec789".to_vec(), &sent());
        filter.rest();
        assert!(
            !filter.feed(&mut b"xyz000".to_vec(), &sent()),
            "the second part belongs to another response"
        );
    }

    /// Checks what `mask` makes of each text.
    fn check_masks(mask: fn(&mut [u8], &[u8]), cases: &[(&str, &str)]) {
        for (text, masked) in cases {
            let mut bytes = text.as_bytes().to_vec();
            mask(&mut bytes, SECRET.as_bytes());
            assert_eq!(str::from_utf8(&bytes), Ok(*masked), "{text}");
        }
    }

    #[test]
    fn it_masks_the_start_of_a_secret_whose_rest_is_masked() {
        check_masks(
            mask_beginnings,
            &[
                ("a sec7******** b", "a ************ b"),
                ("ssec7********", "s************"),
                ("s***********", "************"),
                ("sec7*******", "sec7*******"),
                ("sec7abcdefgh", "sec7abcdefgh"),
                ("sec7*******h", "sec7*******h"),
                ("a sec", "a sec"),
                ("", ""),
            ],
        );
    }

    #[test]
    fn it_masks_a_start_of_the_secret_at_the_end() {
        check_masks(
            mask_end,
            &[
                ("a sec789xy", "a ********"),
                ("a sec789xyz000", "a ************"),
                ("sec789xyz000", "************"),
                ("a sec789x", "a sec789x"),
                ("a sec789xy b", "a sec789xy b"),
                ("", ""),
            ],
        );
    }

    #[test]
    fn it_filters_a_body_while_it_is_read() {
        let header = sent();
        let body = format!("you sent {SECRET}!");
        let call = CurrentCall::begin_with(CallContext::default(), Peer::Service, Some(header), 0);
        let mut passed = String::new();
        let count = FilteredBody::new(body.as_bytes(), &call).read_to_string(&mut passed).expect("memory");
        assert_eq!((passed.as_str(), count), ("you sent ************!", body.len()));
        assert!(call.was_echoed());
    }
}
