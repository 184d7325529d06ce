//! The byte sequences to find: the secret in every form that a copy may have. They are held masked.
//!
//! Eight consecutive bytes reveal a good part of a secret, so a search finds every eight-byte window of every form.
//! Adjacent windows are one find, whose extent shows what was found.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};

use zeroize::Zeroizing;

/// The length of a window, in bytes.
const WINDOW: usize = 8;
/// How many bytes of a secret a find must reveal. In an encoded form they are a longer text.
const LEAST: usize = 8;
/// The length of the longest form: the hex digits of the longest header.
pub const LONGEST: usize = 2 * 1025;

/// The forms of one or more pairs, masked with random bytes, so that the scanner's memory has no plain copy.
pub struct Needles {
    mask: u64,
    /// A Bloom filter with one bit for each hash of a window, which rejects most of memory with one access.
    filter: Vec<u64>,
    /// For each masked window the forms that contain it, and the offset in each.
    windows: HashMap<u64, Vec<(usize, usize)>>,
    forms: Vec<NeedleForm>,
}

struct NeedleForm {
    name: &'static str,
    masked: Vec<u8>,
    mask: Vec<u8>,
    /// The position of the secret's bytes in the form.
    secret: std::ops::Range<usize>,
    /// The minimum length of a find.
    least: usize,
}

/// A sequence of bytes that equals a part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// The offset in the searched bytes.
    pub offset: usize,
    /// The number of bytes.
    pub length: usize,
    /// The description of the bytes, without the bytes themselves.
    pub what: String,
}

const FILTER_BITS: u32 = 18;

impl Needles {
    /// Creates the needles of every form of `key:secret`.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(key: &[u8], secret: &[u8]) -> io::Result<Self> {
        let mut mask = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut mask)?;
        let mut needles = Self {
            mask: u64::from_le_bytes(mask),
            filter: vec![0; 1 << (FILTER_BITS - 6)],
            windows: HashMap::new(),
            forms: Vec::new(),
        };
        needles.add_pair(key, secret)?;
        Ok(needles)
    }

    /// Adds every form of another pair.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn add_pair(&mut self, key: &[u8], secret: &[u8]) -> io::Result<()> {
        let mut random = File::open("/dev/urandom")?;
        let header = Zeroizing::new([key, b":", secret].concat());
        let at = key.len() + 1;
        self.add("plain", &header, at..header.len(), LEAST, &mut random)?;
        for (name, alphabet) in [("base64", STANDARD), ("URL-safe base64", URL_SAFE)] {
            for before in 0..3 {
                let (text, secret) = base64(&header, at, before, alphabet);
                self.add(name, &text, secret, (LEAST * 8).div_ceil(6), &mut random)?;
            }
        }
        for (name, digits) in [("hex", b"0123456789abcdef"), ("upper-case hex", b"0123456789ABCDEF")] {
            let digit = |half: u8| digits[usize::from(half)];
            let text: Zeroizing<Vec<u8>> =
                Zeroizing::new(header.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect());
            self.add(name, &text, 2 * at..text.len(), 2 * LEAST, &mut random)?;
        }
        Ok(())
    }

    /// Adds the windows of a form that lie within `secret`.
    fn add(
        &mut self,
        name: &'static str,
        text: &[u8],
        secret: std::ops::Range<usize>,
        least: usize,
        random: &mut File,
    ) -> io::Result<()> {
        let mut mask = vec![0; text.len()];
        random.read_exact(&mut mask)?;
        let masked = text.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect();
        let number = self.forms.len();
        for at in secret.start..(secret.end + 1).saturating_sub(WINDOW) {
            let window = window(text, at) ^ self.mask;
            let bit = hash(window);
            self.filter[bit >> 6] |= 1 << (bit & 63);
            self.windows.entry(window).or_default().push((number, at));
        }
        self.forms.push(NeedleForm { name, masked, mask, secret, least });
        Ok(())
    }

    /// Returns every find in `bytes`, by offset.
    pub fn find(&self, bytes: &[u8]) -> Vec<Find> {
        let mut finds: Vec<Find> = Vec::new();
        // The end of the last find of each form.
        let mut seen = vec![0; self.forms.len()];
        for at in 0..(bytes.len() + 1).saturating_sub(WINDOW) {
            let plain = window(bytes, at);
            let masked = plain ^ self.mask;
            let bit = hash(masked);
            // Most of memory is zero, and no window is.
            if plain == 0 || self.filter[bit >> 6] >> (bit & 63) & 1 == 0 {
                continue;
            }
            for &(number, inner) in self.windows.get(&masked).into_iter().flatten() {
                if at < seen[number] {
                    continue;
                }
                let form = &self.forms[number];
                let (before, after) = form.reach(bytes, at, inner);
                seen[number] = at + after;
                if before + after >= form.least {
                    let what = form.describe(inner - before..inner + after);
                    finds.push(Find { offset: at - before, length: before + after, what });
                }
            }
        }
        // The two alphabets of base64 are almost equal, and its three alignments have common ends, so finds overlap.
        finds.sort_by_key(|find| (find.offset, std::cmp::Reverse(find.length)));
        let mut end = 0;
        finds.retain(|find| {
            let new = find.offset + find.length > end;
            end = end.max(find.offset + find.length);
            new
        });
        finds
    }
}

impl NeedleForm {
    /// Returns how many bytes of the form match before and after `at` in `bytes`, where `inner` is the offset in the form.
    fn reach(&self, bytes: &[u8], at: usize, inner: usize) -> (usize, usize) {
        let is_same = |at: usize, inner: usize| bytes[at] ^ self.mask[inner] == self.masked[inner];
        let before = (1..=at.min(inner)).take_while(|back| is_same(at - back, inner - back)).count();
        let room = (bytes.len() - at).min(self.masked.len() - inner);
        let after = (0..room).take_while(|on| is_same(at + on, inner + on)).count();
        (before, after)
    }

    fn describe(&self, found: std::ops::Range<usize>) -> String {
        let name = self.name;
        if found.start == 0 && found.end == self.masked.len() {
            format!("header, {name}")
        } else if found.start <= self.secret.start && found.end >= self.secret.end {
            format!("secret, {name}")
        } else {
            let from = found.start.max(self.secret.start) - self.secret.start;
            let to = found.end.min(self.secret.end) - self.secret.start;
            format!("bytes {from} to {to} of {} of the secret, {name}", self.secret.len())
        }
    }
}

fn window(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + WINDOW].try_into().expect("the slice has the length of a window"))
}

fn hash(window: u64) -> usize {
    let mixed = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS);
    usize::try_from(mixed).expect("the hash has few bits")
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns the base64 digits of `header` if `before` bytes precede it, without the digits that depend on neighbouring bytes.
/// Also returns the range of digits that depend only on bytes from `at` on.
fn base64(
    header: &[u8],
    at: usize,
    before: usize,
    alphabet: &[u8; 64],
) -> (Zeroizing<Vec<u8>>, std::ops::Range<usize>) {
    let bit = |index: usize| header[index / 8] >> (7 - index % 8) & 1;
    // The first digit that starts within the header.
    let first = (before * 8).div_ceil(6) * 6 - before * 8;
    let digits = (header.len() * 8 - first) / 6;
    let text = (0..digits).map(|digit| {
        let value = (0..6).fold(0, |value, place| value << 1 | bit(first + digit * 6 + place));
        alphabet[usize::from(value)]
    });
    let text = Zeroizing::new(text.collect::<Vec<_>>());
    let secret = (at * 8).saturating_sub(first).div_ceil(6)..text.len();
    (text, secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"abc123def456";
    const SECRET: &[u8] = b"Kx7pQ2mZ9rT4vW8yB3nD6fG1hJ5kL0sAqEwR";

    fn whats(bytes: &[u8]) -> Vec<String> {
        let needles = Needles::new(KEY, SECRET).expect("randomness");
        needles.find(bytes).into_iter().map(|find| find.what).collect()
    }

    fn text(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn it_finds_and_distinguishes_header_and_secret_and_every_window() {
        assert_eq!(whats(&text(&[b"..", KEY, b":", SECRET, b".."])), ["header, plain"]);
        assert_eq!(whats(&text(&[b":", SECRET])), ["secret, plain"]);
        for at in 0..=SECRET.len() - 8 {
            let expected = format!("bytes {at} to {} of 36 of the secret, plain", at + 8);
            assert_eq!(whats(&text(&[b"\0", &SECRET[at..at + 8], b"\0"])), [expected]);
        }
    }

    #[test]
    fn it_finds_each_of_two_pairs() {
        let other = b"zQ8wE3rT6yU1iO4pA7sD";
        let mut needles = Needles::new(KEY, SECRET).expect("randomness");
        assert!(needles.find(other).is_empty());
        needles.add_pair(b"another_key", other).expect("randomness");
        let whats: Vec<_> =
            needles.find(&text(&[SECRET, b" ", other])).into_iter().map(|find| find.what).collect();
        assert_eq!(whats, ["secret, plain", "secret, plain"]);
    }

    #[test]
    fn it_finds_nothing_in_seven_bytes_or_in_other_bytes() {
        assert!(whats(&SECRET[..7]).is_empty());
        assert!(whats(KEY).is_empty());
        assert!(whats(&[0; 100]).is_empty());
        assert!(whats(b"").is_empty());
        assert!(whats(b"0123456789abcdef0123456789ABCDEF").is_empty());
    }

    #[test]
    fn it_finds_base64_at_every_alignment_and_hex_in_both_cases() {
        for before in 0..3 {
            let plain = text(&[&b"{\"\""[..before], KEY, b":", SECRET, b"\"}}}"]);
            let encoded: Vec<u8> = encode(&plain);
            assert!(whats(&encoded).iter().all(|what| what.ends_with("base64")), "{before}");
            assert_eq!(whats(&encoded).len(), 1, "{before}");
            let secret_alone = encode(&text(&[&b"{\"\""[..before], SECRET, b"\"}}}"]));
            assert_eq!(whats(&secret_alone).len(), 1, "{before}");
        }
        let hex = SECRET.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(whats(hex.as_bytes()), ["secret, hex"]);
        assert_eq!(whats(hex.to_uppercase().as_bytes()), ["secret, upper-case hex"]);
    }

    #[test]
    fn it_counts_adjacent_copies() {
        assert_eq!(whats(&text(&[SECRET, SECRET, b" ", SECRET])).len(), 3);
    }

    #[test]
    fn it_holds_no_form_of_the_pair_unmasked() {
        let needles = Needles::new(KEY, SECRET).expect("randomness");
        for form in &needles.forms {
            assert!(needles.find(&form.masked).is_empty() && needles.find(&form.mask).is_empty());
        }
        let windows: Vec<u8> = needles.windows.keys().flat_map(|window| window.to_le_bytes()).collect();
        assert!(needles.find(&windows).is_empty());
    }

    /// Encodes the whole groups of three bytes, and omits the rest.
    fn encode(plain: &[u8]) -> Vec<u8> {
        let group = |three: &[u8]| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| STANDARD[(bits >> shift & 63) as usize])
        };
        plain.chunks_exact(3).flat_map(group).collect()
    }
}
