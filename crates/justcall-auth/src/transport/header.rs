//! The `Authorization` header and its placeholder, which the module documentation of [`transport`](super) explains.

use std::cell::Cell;

use http::HeaderValue;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_secret::WipedBuffer;
use memchr::memmem;

/// The header line as ureq writes it. No header of a caller can contain it, because header values have no line breaks.
const LINE: &[u8] = b"\r\nauthorization: justcall-auth-puts-the-pair-here\r\n";
/// The position of the placeholder in the line, and the length of the rest.
const VALUE_AT: usize = b"\r\nauthorization: ".len();
const LINE_END: usize = b"\r\n".len();

/// Returns the header value that ureq gets.
pub(super) fn placeholder() -> HeaderValue {
    HeaderValue::from_static("justcall-auth-puts-the-pair-here")
}

/// The pair of one call. No plain copy is kept: the pair is exposed when the request is sent, and again if a response
/// could contain it.
pub(super) struct PairHeader {
    credentials: Credentials,
    /// True if the secret has only letters and digits. Set when the pair is sent.
    is_alphanumeric: Cell<bool>,
}

impl PairHeader {
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, is_alphanumeric: Cell::new(false) }
    }

    /// Returns the length of the secret.
    pub fn secret_len(&self) -> usize {
        self.credentials.authorization_len() - self.credentials.secret_at()
    }

    /// Returns true if the secret may contain `byte`.
    pub fn may_hold(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || !self.is_alphanumeric.get()
    }

    /// Passes the secret to `read`.
    pub fn expose_secret<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.credentials.expose_authorization(|value| read(&value[self.credentials.secret_at()..]))
    }

    /// Returns `head` with the pair instead of the placeholder, or `None` if it has no placeholder.
    pub fn insert_into(&self, head: &[u8]) -> Option<WipedBuffer> {
        let at = memmem::find(head, LINE)?;
        let mut complete = WipedBuffer::with_capacity(head.len() + self.credentials.authorization_len());
        complete.push(&head[..at + VALUE_AT]);
        self.credentials.expose_authorization(|value| {
            complete.push(value);
            let secret = &value[self.credentials.secret_at()..];
            self.is_alphanumeric.set(secret.iter().all(u8::is_ascii_alphanumeric));
            #[cfg(feature = "test-panic")]
            crate::test_panic::panic_if_requested();
        });
        complete.push(&head[at + LINE.len() - LINE_END..]);
        Some(complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_replaces_only_the_placeholder_of_the_header_by_the_pair() {
        let header = PairHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let placeholder = placeholder();
        let placeholder = placeholder.to_str().expect("ASCII");
        let head = |value: &str| {
            format!(
                "GET /?{placeholder} HTTP/1.1\r\nx: {placeholder}\r\nauthorization: {value}\r\nhost: h\r\n\r\n"
            )
        };
        let complete = header.insert_into(head(placeholder).as_bytes()).expect("a placeholder");
        assert_eq!(complete.as_ref(), head("abc123def456:sec789xyz000").as_bytes());
        assert!(header.insert_into(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").is_none());
        assert!(header.expose_secret(|secret| secret == b"sec789xyz000") && header.secret_len() == 12);
    }
}
