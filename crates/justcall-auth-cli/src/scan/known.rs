//! The user's own pair: its secret in every form in which it gets about.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use justcall_auth::{Credentials, Secret, Zeroizing};
use memchr::memmem;

use super::code::Code;
use super::finding::Hit;

/// A form shorter than this, in bytes, is in every second file by chance.
const SHORTEST: usize = 8;

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The pair, and the forms of its secret, in protected memory.
pub(crate) struct Known {
    credentials: Credentials,
    forms: Vec<(&'static str, Secret)>,
    longest: usize,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Known").field(&self.credentials).finish()
    }
}

impl Known {
    /// Those of `credentials`; nothing where the secret is too short to be told from other text.
    pub fn new(credentials: &Credentials) -> Option<Self> {
        let mut known = Self { credentials: credentials.clone(), forms: Vec::new(), longest: 0 };
        credentials.expose_authorization(|header| known.add_forms(&header[credentials.secret_at()..]));
        (!known.forms.is_empty()).then_some(known)
    }

    /// The length of the longest form, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// `text` without the pair.
    pub fn mask(&self, text: &str) -> String {
        self.credentials.mask(text)
    }

    /// Where the secret is in `bytes`, in any of its forms.
    pub(super) fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut places = Vec::new();
        for (name, form) in &self.forms {
            form.expose(|form| {
                places.extend(memmem::find_iter(bytes, form).map(|at| (at, at + form.len(), *name)));
            });
        }
        places.sort_unstable();
        let mut hits = Vec::new();
        let mut told = 0;
        for (at, end, form) in places {
            // Two forms may fit one place: UTF-16 among zeros has either byte first.
            if at >= told {
                hits.push(self.hit(form, at));
                told = end;
            }
        }
        hits
    }

    fn hit(&self, form: &'static str, at: usize) -> Hit {
        let secret_at = self.credentials.secret_at();
        Hit {
            code: Code::OwnSecret,
            at,
            form,
            key_hint: Some(self.credentials.key_hint().to_owned()),
            secret: self.credentials.expose_authorization(|header| header[secret_at..].to_vec().into()),
        }
    }

    fn add_forms(&mut self, secret: &[u8]) {
        self.add("as it is", &gathered(secret.len(), secret.iter().copied()));
        for before in 0..3 {
            let standard = base64_after(before, secret);
            let url_safe = gathered(
                standard.len(),
                standard.iter().map(|digit| match digit {
                    b'+' => b'-',
                    b'/' => b'_',
                    other => *other,
                }),
            );
            // Of `key:secret` in a Basic header as well: there the secret begins at one of these three places.
            self.add("in base64", &standard);
            self.add("in base64", &url_safe);
        }
        for digits in [LOWER, UPPER] {
            self.add("in hexadecimal", &escaped(secret, |_| true, b"", digits));
            let is_reserved = |byte: u8| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte);
            self.add("URL-encoded", &escaped(secret, is_reserved, b"%", digits));
        }
        self.add("escaped for JSON", &backslashed(secret, b"\"\\"));
        self.add("escaped for JSON", &backslashed(secret, b"\"\\/"));
        self.add("escaped for JSON", &escaped(secret, |byte| b"\"\\&<>'".contains(&byte), b"\\u00", LOWER));
        self.add("as UTF-16", &gathered(secret.len() * 2, secret.iter().flat_map(|byte| [*byte, 0])));
        self.add("as UTF-16", &gathered(secret.len() * 2, secret.iter().flat_map(|byte| [0, *byte])));
    }

    /// Adds a form, unless a search for an earlier one finds it too.
    fn add(&mut self, name: &'static str, form: &[u8]) {
        let is_found =
            self.forms.iter().any(|(_, other)| other.expose(|other| memmem::find(form, other).is_some()));
        if form.len() >= SHORTEST && !is_found {
            self.longest = self.longest.max(form.len());
            self.forms.push((name, Secret::copy_from(form)));
        }
    }
}

/// `bytes` in a buffer that never grows: growing would leave a copy behind, unwiped.
fn gathered(at_most: usize, bytes: impl IntoIterator<Item = u8>) -> Zeroizing<Vec<u8>> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(at_most));
    for byte in bytes {
        assert!(buffer.len() < at_most, "more bytes than were announced");
        buffer.push(byte);
    }
    buffer
}

/// The digits that `secret` alone decides when `before` bytes (of a group of three) precede it.
fn base64_after(before: usize, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let bytes = gathered(before + secret.len(), std::iter::repeat_n(0, before).chain(secret.iter().copied()));
    let digits = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
    let decided = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    digits.as_bytes()[decided].to_vec().into()
}

fn escaped(secret: &[u8], must: impl Fn(u8) -> bool, prefix: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let one = |byte: u8| {
        let escape = must(byte).then(|| {
            let pair = [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]];
            prefix.iter().copied().chain(pair)
        });
        let plain = escape.is_none().then_some(byte);
        escape.into_iter().flatten().chain(plain)
    };
    gathered(secret.len() * (prefix.len() + 2), secret.iter().copied().flat_map(one))
}

fn backslashed(secret: &[u8], which: &[u8]) -> Zeroizing<Vec<u8>> {
    let one = |byte: u8| which.contains(&byte).then_some(b'\\').into_iter().chain([byte]);
    gathered(secret.len() * 2, secret.iter().copied().flat_map(one))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const KEY: &str = "8f1c0b5ad93e47a2c6f0d81b35e79a4c2d60f8b1";

    fn known(secret: &str) -> Known {
        let pair = Credentials::new(KEY.as_bytes(), secret.as_bytes()).expect("a pair");
        Known::new(&pair).expect("it is long enough")
    }

    #[test]
    fn it_finds_every_form_wherever_it_begins() {
        for secret in ["84dbf4398ab9480836b3918f41b9398a3a02068d", "p/q+r\"s\\t&u<v~w%x?y>>>", "12345678"] {
            let known = known(secret);
            let json = serde_json::to_string(secret).expect("JSON");
            let pair = format!("{KEY}:{secret}");
            let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let hex = secret.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            let mut texts = vec![
                secret.to_owned(),
                json.clone(),
                json.replace('/', "\\/"),
                format!("Basic {}", STANDARD.encode(&pair)),
                hex.to_uppercase(),
                hex,
            ];
            for before in ["", "a", "ab", "abc"] {
                texts.push(STANDARD.encode(format!("{before}{secret}")));
                texts.push(URL_SAFE.encode(format!("{before}{secret} and more")));
            }
            for text in texts {
                let hits = known.hits(format!("x = {text}; y").as_bytes());
                // A short secret is the whole of a longer one's base64 in no alignment.
                assert!(!hits.is_empty() || secret.len() < 10, "{secret}: {text}");
                assert!(!format!("{hits:?} {known:?}").contains(secret));
            }
            assert_eq!(known.hits(&utf16).len(), 1);
            assert!(known.hits(KEY.as_bytes()).is_empty(), "the key alone is no leak");
        }
    }

    #[test]
    fn it_does_not_look_for_what_is_everywhere() {
        let pair = Credentials::new(b"abc123def456", b"short").expect("a pair");
        assert!(Known::new(&pair).is_none_or(|known| known.hits(b"cut it short").is_empty()));
    }
}
