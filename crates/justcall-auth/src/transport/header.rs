//! The `Authorization` header and its placeholder, which the module documentation of [`transport`](super) explains.

use std::cell::Cell;

use http::HeaderValue;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_secret::WipedBuffer;
use memchr::memmem;

/// The line as ureq writes it. No header that a caller sets can hold it: none has a line break.
const LINE: &[u8] = b"\r\nauthorization: justcall-auth-puts-the-pair-here\r\n";
/// Where in the line the placeholder begins, and what follows it.
const VALUE_AT: usize = b"\r\nauthorization: ".len();
const LINE_END: usize = b"\r\n".len();

/// The value that ureq gets.
pub(super) fn placeholder() -> HeaderValue {
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

    /// `head` with the value in the place of its placeholder; `None` where there is none.
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
    fn it_puts_the_pair_in_the_place_of_its_placeholder_alone() {
        let header = PairHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let placeholder = placeholder();
        let placeholder = placeholder.to_str().expect("ASCII");
        let head = |value: &str| {
            format!(
                "GET /?{placeholder} HTTP/1.1\r\nx: {placeholder}\r\nauthorization: {value}\r\nhost: h\r\n\r\n"
            )
        };
        let complete = header.put_into(head(placeholder).as_bytes()).expect("a placeholder");
        assert_eq!(complete.as_ref(), head("abc123def456:sec789xyz000").as_bytes());
        assert!(header.put_into(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").is_none());
        assert!(header.expose_secret(|secret| secret == b"sec789xyz000") && header.secret_len() == 12);
    }
}
