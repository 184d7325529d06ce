//! Finds the secret of the user's own pair, in every form in which it leaks.

use justcall_auth::encoding::{base64, write_hex};
use justcall_auth::{Credentials, Secret, Zeroizing};

use crate::code::ScanCode;
use crate::finding::Hit;
use crate::spelling::Writing;

/// The length of the shortest secret that is searched for, in bytes. Many files contain a shorter one by chance.
const SHORTEST: usize = 8;

const AS_IT_IS: &str = "as it is";

/// The user's own pair and the forms of its secret, in protected memory.
pub struct Known {
    credentials: Credentials,
    forms: Vec<SecretForm>,
}

struct SecretForm {
    name: &'static str,
    text: Secret,
    writing: Writing,
}

/// The case of hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Known").field(&self.credentials).finish()
    }
}

impl Known {
    /// Prepares the search for the secret of `credentials`. Returns `None` if the secret is too short to be distinguished
    /// from other text.
    pub fn new(credentials: &Credentials) -> Option<Self> {
        let mut known = Self { credentials: credentials.clone(), forms: Vec::new() };
        credentials.expose_authorization(|header| {
            let secret = &header[credentials.secret_at()..];
            if secret.len() >= SHORTEST {
                known.add_forms(secret);
            }
        });
        (!known.forms.is_empty()).then_some(known)
    }

    /// Returns the length of the longest form of the secret, in bytes.
    pub(crate) fn longest(&self) -> usize {
        let longest = |form: &SecretForm| form.text.len() * form.writing.longest();
        self.forms.iter().map(longest).max().unwrap_or_default()
    }

    /// Returns `text` without the pair.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.credentials.mask(text)
    }

    /// Finds the secret in `bytes`, in any of its forms.
    pub(crate) fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut places = Vec::new();
        for form in &self.forms {
            form.text.expose(|text| {
                for place in form.writing.places(bytes, text) {
                    let name = if form.writing == Writing::Escaped {
                        escape_form(&bytes[place.clone()], text)
                    } else {
                        form.name
                    };
                    places.push((place.start, place.end, name));
                }
            });
        }
        places.sort_unstable();
        let mut hits = Vec::new();
        let mut end_of_last = 0;
        for (at, end, form) in places {
            // Two forms may match at one place: UTF-16 among zeros matches in either byte order.
            if at >= end_of_last {
                hits.push(self.hit(form, at));
                end_of_last = end;
            }
        }
        hits
    }

    fn hit(&self, form: &'static str, at: usize) -> Hit {
        let secret_at = self.credentials.secret_at();
        Hit {
            code: ScanCode::OwnSecret,
            at,
            form,
            key_hint: Some(self.credentials.key_hint().to_owned()),
            secret: self.credentials.expose_authorization(|header| header[secret_at..].to_vec().into()),
        }
    }

    fn add_forms(&mut self, secret: &[u8]) {
        self.add(AS_IT_IS, Writing::Escaped, &gathered(secret.len(), secret.iter().copied()));
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
            // These digits also occur in the base64 of `key:secret`, which a Basic header contains.
            self.add("in base64", Writing::Wrapped, &standard);
            self.add("in base64", Writing::Wrapped, &url_safe);
        }
        for case in [Case::Lower, Case::Upper] {
            self.add("in hexadecimal", Writing::Plain, &escaped(secret, b"", case));
            // `Writing::Escaped` does not find these, because it needs some bytes that are not escaped.
            self.add("URL-encoded", Writing::Plain, &escaped(secret, b"%", case));
            self.add("escaped", Writing::Plain, &escaped(secret, b"\\x", case));
            self.add("escaped for JSON", Writing::Plain, &escaped(secret, b"\\u00", case));
        }
        let utf16 =
            |unit: fn(u8) -> [u8; 2]| gathered(secret.len() * 2, secret.iter().copied().flat_map(unit));
        self.add("as UTF-16", Writing::Plain, &utf16(|byte| [byte, 0]));
        self.add("as UTF-16", Writing::Plain, &utf16(|byte| [0, byte]));
    }

    /// Adds a form unless it exists: decimal digits have no case.
    fn add(&mut self, name: &'static str, writing: Writing, text: &[u8]) {
        if !self.forms.iter().any(|form| form.text.expose(|known| known == text)) {
            self.forms.push(SecretForm { name, writing, text: Secret::copy_from(text) });
        }
    }
}

/// Returns how `text` escapes `secret`, by the first byte that differs.
fn escape_form(text: &[u8], secret: &[u8]) -> &'static str {
    let first = text.iter().zip(secret).find(|(there, byte)| there != byte);
    match first.map(|(there, _)| there).or_else(|| text.get(secret.len())) {
        None => AS_IT_IS,
        Some(b'%') => "URL-encoded",
        Some(b'&') => "escaped for HTML",
        Some(_) => "escaped for JSON",
    }
}

/// Collects `bytes` in a buffer of `at_most` bytes, which never grows: growing would leave an unwiped copy behind.
fn gathered(at_most: usize, bytes: impl IntoIterator<Item = u8>) -> Zeroizing<Vec<u8>> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(at_most));
    for byte in bytes {
        assert!(buffer.len() < at_most, "there are more bytes than the buffer has room for");
        buffer.push(byte);
    }
    buffer
}

/// Returns the base64 digits that depend only on `secret` if `before` bytes of a group of three precede it.
fn base64_after(before: usize, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let bytes = gathered(before + secret.len(), std::iter::repeat_n(0, before).chain(secret.iter().copied()));
    let digits = base64(&bytes);
    let decided = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    digits.as_ref()[decided].to_vec().into()
}

/// Returns each byte as `prefix` and two hexadecimal digits.
fn escaped(secret: &[u8], prefix: &[u8], case: Case) -> Zeroizing<Vec<u8>> {
    let one = |byte: u8| {
        let mut digits = [0; 2];
        write_hex(&[byte], &mut digits);
        if case == Case::Upper {
            digits.make_ascii_uppercase();
        }
        prefix.iter().copied().chain(digits)
    };
    gathered(secret.len() * (prefix.len() + 2), secret.iter().copied().flat_map(one))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const KEY: &str = "8f1c0b5ad93e47a2c6f0d81b35e79a4c2d60f8b1";

    fn known(secret: &str) -> Known {
        let pair = Credentials::new(KEY.as_bytes(), secret.as_bytes()).expect("the pair is valid");
        Known::new(&pair).expect("the secret is long enough")
    }

    #[test]
    fn it_finds_every_form_at_every_alignment() {
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
                // At some alignments, the base64 of a short secret has too few digits that depend only on it.
                assert!(!hits.is_empty() || secret.len() < 10, "{secret}: {text}");
                assert!(!format!("{hits:?} {known:?}").contains(secret));
            }
            assert_eq!(known.hits(&utf16).len(), 1);
            assert!(known.hits(KEY.as_bytes()).is_empty(), "the key alone is not a leak");
        }
    }

    #[test]
    fn it_finds_a_secret_of_which_encoders_escape_some_bytes() {
        let known = known("Ab3/x+Y=z\"q\\w&e<r>t'y!u*i(o)p~1-2_3.4");
        for (text, form) in [
            // encodeURIComponent, encodeURI, and encoders of forms in Java and PHP.
            ("Ab3%2Fx%2BY%3Dz%22q%5Cw%26e%3Cr%3Et'y!u*i(o)p~1-2_3.4", "URL-encoded"),
            ("Ab3/x+Y=z%22q%5Cw&e%3Cr%3Et'y!u*i(o)p~1-2_3.4", "URL-encoded"),
            ("Ab3%2fx%2bY%3dz%22q%5cw%26e%3cr%3et%27y%21u*i%28o%29p%7e1-2_3.4", "URL-encoded"),
            // Go, .NET, PHP with all flags, and HTML.
            (r#"Ab3/x+Y=z\"q\\w\u0026e\u003cr\u003et'y!u*i(o)p~1-2_3.4"#, "escaped for JSON"),
            (r"Ab3/x\u002BY=z\u0022q\\w\u0026e\u003Cr\u003Et\u0027y!u*i(o)p~1-2_3.4", "escaped for JSON"),
            (r"Ab3\/x+Y=z\u0022q\\w\u0026e\u003Cr\u003Et\u0027y!u*i(o)p~1-2_3.4", "escaped for JSON"),
            ("Ab3/x+Y=z&quot;q\\w&amp;e&lt;r&gt;t&#x27;y!u*i(o)p~1-2_3.4", "escaped for HTML"),
        ] {
            let hits = known.hits(format!("x={text}&y").as_bytes());
            let [hit] = &hits[..] else { panic!("{text}: {hits:?}") };
            assert_eq!((hit.at, hit.form), (2, form), "{text}");
        }
        let another = r"Ab3/x+Y=z%22q%5Cw&e%3Cr%3Et'y!u*i(o)p~1-2_3.5";
        assert!(known.hits(another.as_bytes()).is_empty(), "the last byte differs");
    }

    #[test]
    fn it_finds_a_secret_of_which_every_byte_is_escaped() {
        let secret = "84dbf4398ab9480836b3918f41b9398a3a02068d";
        for (prefix, form) in [("%", "URL-encoded"), ("\\u00", "escaped for JSON"), ("\\x", "escaped")] {
            let text: String =
                secret.bytes().fold(String::new(), |text, byte| format!("{text}{prefix}{byte:02x}"));
            let hits = known(secret).hits(text.as_bytes());
            assert_eq!(hits.iter().map(|hit| (hit.at, hit.form)).collect::<Vec<_>>(), [(0, form)], "{text}");
        }
    }

    /// The command `base64` breaks lines after 76 digits, openssl after 64, Ruby after 60.
    #[test]
    fn it_finds_base64_that_is_broken_into_lines() {
        let secret = "84dbf4398ab9480836b3918f41b9398a3a02068d";
        for secret in [secret.to_owned(), "p/q+r\"s~>>?".to_owned(), "Zq7".repeat(170)] {
            let known = known(&secret);
            for (width, end) in [(60, "\\n"), (64, "\r\n"), (76, "\n        "), (76, "\n")] {
                for before in (0..60).step_by(7) {
                    let digits = STANDARD.encode(format!("{}{secret} and more", "x".repeat(before)));
                    let lines = digits.as_bytes().chunks(width).collect::<Vec<_>>().join(end.as_bytes());
                    let hits = known.hits(&lines);
                    assert_eq!(hits.len(), 1, "{secret} {width} {before} {end:?}: {hits:?}");
                }
            }
        }
    }

    #[test]
    fn it_does_not_search_for_secrets_that_are_too_short() {
        for secret in ["s", "short", "7 bytes".replace(' ', "_").as_str()] {
            let pair = Credentials::new(b"abc123def456", secret.as_bytes()).expect("the pair is valid");
            assert!(Known::new(&pair).is_none(), "{secret}: it is too short to search for");
        }
    }
}
