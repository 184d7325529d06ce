//! The `Authorization` header, put into the request where it leaves this process and nowhere before.
//!
//! What speaks HTTP for us copies headers and, at its most talkative level, logs what it writes. So it gets a stand-in,
//! which is replaced on the last step before encryption.

use std::cell::Cell;

use http::HeaderValue;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_secret::WipedBuffer;
use memchr::memmem;

/// The line as it is written by what speaks HTTP for us. No header that a caller sets can hold it: none has a line break.
const LINE: &[u8] = b"\r\nauthorization: justcall-auth-puts-the-pair-here\r\n";
/// Where in the line the stand-in begins, and what follows it.
const VALUE_AT: usize = b"\r\nauthorization: ".len();
const LINE_END: usize = b"\r\n".len();

/// What the layers above are given for the value.
pub(super) fn stand_in() -> HeaderValue {
    HeaderValue::from_static("justcall-auth-puts-the-pair-here")
}

/// The pair of one call. No plain copy of it is kept: it is taken out where the request leaves, and once more where an
/// answer could hold it.
pub(super) struct PairHeader {
    credentials: Credentials,
    /// Whether the secret is letters and digits alone; known once the pair was sent.
    is_alphanumeric: Cell<bool>,
}

impl PairHeader {
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, is_alphanumeric: Cell::new(false) }
    }

    /// The length of the secret half.
    pub fn secret_len(&self) -> usize {
        self.credentials.authorization_len() - self.credentials.secret_at()
    }

    /// Whether `byte` may be one of the secret's.
    pub fn may_hold(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || !self.is_alphanumeric.get()
    }

    /// Gives `read` the secret half.
    pub fn expose_secret<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.credentials.expose_authorization(|value| read(&value[self.credentials.secret_at()..]))
    }

    /// `head` with the value in the place of its stand-in; `None` where there is none.
    pub fn put_into(&self, head: &[u8]) -> Option<WipedBuffer> {
        let at = memmem::find(head, LINE)?;
        let mut complete = WipedBuffer::with_capacity(head.len() + self.credentials.authorization_len());
        complete.push(&head[..at + VALUE_AT]);
        self.credentials.expose_authorization(|value| {
            complete.push(value);
            let secret = &value[self.credentials.secret_at()..];
            self.is_alphanumeric.set(secret.iter().all(u8::is_ascii_alphanumeric));
            #[cfg(feature = "test-panic")]
            crate::test_panic::panic_if_told_to();
        });
        complete.push(&head[at + LINE.len() - LINE_END..]);
        Some(complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_puts_the_pair_in_the_place_of_its_stand_in_alone() {
        let header = PairHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let stand_in = stand_in();
        let stand_in = stand_in.to_str().expect("ASCII");
        let head = |value: &str| {
            format!("GET /?{stand_in} HTTP/1.1\r\nx: {stand_in}\r\nauthorization: {value}\r\nhost: h\r\n\r\n")
        };
        let complete = header.put_into(head(stand_in).as_bytes()).expect("a stand-in");
        assert_eq!(complete.as_ref(), head("abc123def456:sec789xyz000").as_bytes());
        assert!(header.put_into(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").is_none());
        assert!(header.expose_secret(|secret| secret == b"sec789xyz000") && header.secret_len() == 12);
    }
}
