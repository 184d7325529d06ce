//! The `Authorization` header and its placeholder, which the module documentation of [`transport`](super) explains.

use std::cell::Cell;
use std::io;
use std::sync::LazyLock;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::service;
use justcall_auth_secret::StackBuffer;
use memchr::memmem;

/// The header value that ureq gets.
const PLACEHOLDER: &str = "justcall-auth-puts-the-pair-here";
/// The header line as ureq writes it. No header of a caller can contain it, because header values have no line breaks.
const LINE: &[u8] = b"\r\nauthorization: justcall-auth-puts-the-pair-here\r\n";
/// The position of the placeholder in the line, and the length of the rest.
const VALUE_AT: usize = b"\r\nauthorization: ".len();
const LINE_END: usize = b"\r\n".len();
/// Finds the line. Creating the finder costs more than its search of a head.
static LINE_FINDER: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(LINE));

/// The longest head that is sent in one piece with the pair, in bytes. A usual head has 350.
const SHORT_HEAD: usize = 1024;
/// The length of the longest pair with its colon, in bytes.
const MAX_PAIR: usize = 1025;

/// Returns the headers of every request, with the placeholder. `Host` is first, as RFC 9110 (section 7.2) recommends, and
/// empty. ureq puts only the length of a body before it.
pub(super) fn defaults() -> HeaderMap {
    // Not in a call, during which another thread may fork.
    LazyLock::force(&LINE_FINDER);
    let own = [("host", ""), ("accept-encoding", "gzip"), ("authorization", PLACEHOLDER)];
    let all = own.iter().chain(service::HEADERS);
    all.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// The pair of one call. No plain copy is kept: the pair is exposed when the request is sent, and again if a response
/// could contain it.
pub(super) struct PairHeader {
    credentials: Credentials,
    /// The characters that the secret may have. Set when the pair is sent.
    alphabet: Cell<Alphabet>,
}

/// The usual alphabets of secrets, the smallest first. The alphabet says nothing else about a secret.
#[derive(Clone, Copy)]
enum Alphabet {
    LettersAndDigits,
    /// Base64 for URLs, which has `-` and `_` too.
    UrlSafe,
    Any,
}

impl Alphabet {
    /// Returns the smallest alphabet that `secret` is written in.
    fn of(secret: &[u8]) -> Self {
        let smaller = [Self::LettersAndDigits, Self::UrlSafe];
        smaller.into_iter().find(|it| secret.iter().all(|byte| it.has(*byte))).unwrap_or(Self::Any)
    }

    fn has(self, byte: u8) -> bool {
        match self {
            Self::LettersAndDigits => byte.is_ascii_alphanumeric(),
            Self::UrlSafe => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Any => true,
        }
    }
}

impl PairHeader {
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, alphabet: Cell::new(Alphabet::Any) }
    }

    /// Returns the length of the secret.
    pub fn secret_len(&self) -> usize {
        self.credentials.authorization_len() - self.credentials.secret_at()
    }

    /// Returns true if the secret may contain `byte`.
    pub fn may_hold(&self, byte: u8) -> bool {
        self.alphabet.get().has(byte)
    }

    /// Passes the secret to `read`.
    pub fn expose_secret<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.credentials.expose_authorization(|value| read(&value[self.credentials.secret_at()..]))
    }

    /// Passes `head` to `send`, in one piece if it is short, with the pair instead of the placeholder. Returns false if
    /// `head` has no placeholder; then nothing was sent.
    pub fn send_with_pair(
        &self,
        head: &[u8],
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let Some(at) = LINE_FINDER.find(head) else { return Ok(false) };
        let (before, after) = (&head[..at + VALUE_AT], &head[at + LINE.len() - LINE_END..]);
        let is_short = head.len() <= SHORT_HEAD;
        let mut piece = StackBuffer::<{ SHORT_HEAD + MAX_PAIR }>::new();
        if is_short {
            piece.push(before);
        } else {
            send(before)?;
        }
        self.credentials.expose_authorization(|value| {
            piece.push(value);
            let secret = &value[self.credentials.secret_at()..];
            self.alphabet.set(Alphabet::of(secret));
            #[cfg(feature = "test-panic")]
            crate::test_panic::panic_if_requested();
        });
        if is_short {
            piece.push(after);
        }
        send(piece.as_ref())?;
        if !is_short {
            send(after)?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_replaces_only_the_placeholder_of_the_header_by_the_pair() {
        let header = PairHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        let placeholder = PLACEHOLDER;
        let head = |value: &str| {
            format!(
                "GET /?{placeholder} HTTP/1.1\r\nx: {placeholder}\r\nauthorization: {value}\r\nhost: h\r\n\r\n"
            )
        };
        let sent = |head: &str| {
            let (mut sent, mut pieces) = (Vec::new(), 0);
            let collect = |piece: &[u8]| {
                sent.extend_from_slice(piece);
                pieces += 1;
                Ok(())
            };
            let has_pair = header.send_with_pair(head.as_bytes(), collect).expect("nothing fails");
            (has_pair, pieces, String::from_utf8(sent).expect("ASCII"))
        };
        let complete = head("abc123def456:sec789xyz000");
        assert_eq!(sent(&head(placeholder)), (true, 1, complete.clone()));
        let long = format!("GET / HTTP/1.1\r\ny: {}", "y".repeat(SHORT_HEAD));
        assert_eq!(sent(&(long.clone() + &head(placeholder))), (true, 3, long + &complete), "a long head");
        assert_eq!(sent("GET / HTTP/1.1\r\nhost: h\r\n\r\n"), (false, 0, String::new()));
        assert!(header.expose_secret(|secret| secret == b"sec789xyz000") && header.secret_len() == 12);
    }

    #[test]
    fn it_sends_host_first_and_the_placeholder_once() {
        let headers = defaults();
        assert_eq!(headers.keys().next().map(HeaderName::as_str), Some("host"));
        assert_eq!(headers.len(), service::HEADERS.len() + 3);
        assert_eq!(headers.values().filter(|value| *value == PLACEHOLDER).count(), 1);
    }

    #[test]
    fn it_knows_the_smallest_alphabet_of_a_secret() {
        for (secret, digit, dash, colon) in [
            ("sec789xyz000", true, false, false),
            ("sec789-xyz_0", true, true, false),
            ("sec789:xyz_0", true, true, true),
            ("sec789/xyz+0", true, true, true),
        ] {
            let alphabet = Alphabet::of(secret.as_bytes());
            let has = [b'7', b'-', b':'].map(|byte| alphabet.has(byte));
            assert_eq!(has, [digit, dash, colon], "{secret}");
        }
    }
}
