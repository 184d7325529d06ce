//! The header with a secret and its placeholder, which the module documentation of [`transport`](super) explains.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, LazyLock};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::service;
use justcall_auth_secret::{Secret, StackBuffer};
use memchr::memmem;

/// The header value that ureq gets.
const PLACEHOLDER: &str = "justcall-auth-puts-the-pair-here";
/// The header line as ureq writes it. No header of a caller can contain it, because header values have no line breaks.
const LINE: &[u8] = b"\r\nauthorization: justcall-auth-puts-the-pair-here\r\n";
/// The same line for a token of Vault.
const TOKEN_LINE: &[u8] = b"\r\nx-vault-token: justcall-auth-puts-the-pair-here\r\n";
/// The length of the rest of a line after the placeholder.
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

/// Returns the header with the placeholder for a token of Vault.
pub(super) fn token_placeholder() -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("x-vault-token"), HeaderValue::from_static(PLACEHOLDER))
}

/// The value of a header.
enum SentValue {
    /// The pair, for the service.
    Pair(Credentials),
    /// A token of Vault.
    Token(Arc<Secret>),
}

/// The secret of one call. No plain copy is kept: the secret is exposed when the request is sent, and again if a
/// response could contain it.
pub(super) struct SecretHeader {
    value: SentValue,
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

impl SecretHeader {
    pub fn new(credentials: Credentials) -> Self {
        Self { value: SentValue::Pair(credentials), alphabet: Cell::new(Alphabet::Any) }
    }

    pub fn with_token(token: Arc<Secret>) -> Self {
        Self { value: SentValue::Token(token), alphabet: Cell::new(Alphabet::Any) }
    }

    /// Passes the whole value, and the position of the secret in it, to `read`.
    fn expose<R>(&self, read: impl FnOnce(&[u8], usize) -> R) -> R {
        match &self.value {
            SentValue::Pair(pair) => pair.expose_authorization(|value| read(value, pair.secret_at())),
            SentValue::Token(token) => token.expose(|value| read(value, 0)),
        }
    }

    /// Returns the length of the value.
    fn len(&self) -> usize {
        match &self.value {
            SentValue::Pair(pair) => pair.authorization_len(),
            SentValue::Token(token) => token.len(),
        }
    }

    /// Returns the ranges before and after the placeholder in `head`, or `None` if it has none.
    fn around_placeholder<'a>(&self, head: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (at, line) = match &self.value {
            SentValue::Pair(_) => (LINE_FINDER.find(head)?, LINE),
            SentValue::Token(_) => (memmem::find(head, TOKEN_LINE)?, TOKEN_LINE),
        };
        let end = at + line.len() - LINE_END;
        Some((&head[..end - PLACEHOLDER.len()], &head[end..]))
    }

    /// Returns the length of the secret.
    pub fn secret_len(&self) -> usize {
        match &self.value {
            SentValue::Pair(pair) => pair.authorization_len() - pair.secret_at(),
            SentValue::Token(token) => token.len(),
        }
    }

    /// Returns true if the secret may contain `byte`.
    pub fn may_hold(&self, byte: u8) -> bool {
        self.alphabet.get().has(byte)
    }

    /// Passes the secret to `read`.
    pub fn expose_secret<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.expose(|value, secret_at| read(&value[secret_at..]))
    }

    /// Passes `head` to `send`, in one piece if it is short, with the value instead of the placeholder. Returns false if
    /// `head` has no placeholder; then nothing was sent.
    pub fn send_with_value(
        &self,
        head: &[u8],
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let Some((before, after)) = self.around_placeholder(head) else { return Ok(false) };
        let is_short = head.len() <= SHORT_HEAD && self.len() <= MAX_PAIR;
        let mut piece = StackBuffer::<{ SHORT_HEAD + MAX_PAIR }>::new();
        if is_short {
            piece.push(before);
        } else {
            send(before)?;
        }
        self.expose(|value, secret_at| {
            self.alphabet.set(Alphabet::of(&value[secret_at..]));
            #[cfg(feature = "test-panic")]
            crate::test_panic::panic_if_requested();
            if value.len() > MAX_PAIR {
                return send(value);
            }
            piece.push(value);
            Ok(())
        })?;
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
        let header = SecretHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
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
            let has_pair = header.send_with_value(head.as_bytes(), collect).expect("nothing fails");
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
    fn it_replaces_only_the_placeholder_of_its_own_header() {
        let head = format!("GET / HTTP/1.1\r\nx-vault-token: {PLACEHOLDER}\r\nhost: h\r\n\r\n");
        let pair = SecretHeader::new(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        assert!(!pair.send_with_value(head.as_bytes(), |_| Ok(())).expect("nothing fails"));
        for length in [1, 95, MAX_PAIR, MAX_PAIR + 1, 4000] {
            let token = "t".repeat(length);
            let header = SecretHeader::with_token(Arc::new(Secret::copy_from(token.as_bytes())));
            let mut sent = Vec::new();
            let mut collect = |piece: &[u8]| {
                sent.extend_from_slice(piece);
                Ok(())
            };
            assert!(header.send_with_value(head.as_bytes(), &mut collect).expect("nothing fails"));
            assert_eq!(
                String::from_utf8(sent).expect("ASCII"),
                head.replace(PLACEHOLDER, &token),
                "{length}"
            );
        }
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
