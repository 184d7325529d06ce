//! Finds candidates for an API key or secret: words that seem random.

use std::ops::Range;

use justcall_auth::Zeroizing;
use justcall_auth::encoding::read_base64;

/// The lengths of keys and secrets that are searched for, in bytes. The service accepts 1 to 512 and issues 40.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;
/// The length of the shortest key or secret of hexadecimal digits. Shorter words are colours, counters and abbreviated
/// hashes.
const SHORTEST_HEX: usize = 20;

/// Public values. JustCall's documentation signs its example of a webhook with this one.
const PUBLISHED: &[&[u8]] = &[b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"];

/// Parts of names that people choose, which random words do not contain.
const WORDS: &[&[u8]] = &[
    b"secret",
    b"token",
    b"test",
    b"call",
    b"just",
    b"auth",
    b"user",
    b"http",
    b"json",
    b"hash",
    b"demo",
    b"fake",
    b"dummy",
    b"sample",
    b"example",
    b"your",
    b"here",
    b"change",
    b"place",
    b"holder",
    b"passw",
    b"config",
    b"client",
    b"service",
    b"value",
    b"default",
    b"string",
    b"public",
    b"private",
    b"account",
    b"record",
    b"header",
    b"request",
    b"respon",
    b"function",
    b"return",
    b"window",
    b"document",
    b"error",
    b"webpack",
    b"module",
    b"object",
    b"index",
    b"vendor",
    b"number",
    b"message",
    b"contact",
    b"create",
];

/// A word of the text with its decoded value.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// The position in the text.
    pub span: Range<usize>,
    /// A pair, or one half of it.
    pub value: CandidateValue,
    /// Whether it was encoded in base64.
    pub is_base64: bool,
}

/// The decoded value of a word. `Debug` does not print it.
pub(crate) enum CandidateValue {
    /// A key or a secret.
    Half(Zeroizing<Vec<u8>>),
    /// `key:secret`, as in a Basic header.
    Pair { pair: Zeroizing<Vec<u8>>, colon: usize },
}

impl std::fmt::Debug for CandidateValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Half(_) => "Half(…)",
            Self::Pair { .. } => "Pair(…)",
        })
    }
}

/// Returns the candidates of `text` within `range`, in their order.
pub(crate) fn candidates(text: &[u8], range: Range<usize>) -> Vec<Candidate> {
    let mut found = Vec::new();
    // A word that began before the range belongs to the previous range, or to none.
    let is_within_word =
        range.start.checked_sub(1).is_some_and(|before| IS_OF_WORD[usize::from(text[before])]);
    let rest = text[range.start..].iter();
    let mut at = range.start
        + if is_within_word { rest.take_while(|byte| IS_OF_WORD[usize::from(**byte)]).count() } else { 0 };
    while let Some(span) = next_word(text, at, range.end) {
        at = span.end;
        let start = after_escape(text, span.start, span.end);
        // The limit admits a pair of the longest halves in base64. A bundle may be one word of a megabyte.
        if span.end - start <= LENGTHS.end() * 4 {
            found.extend(candidate(text, start..span.end));
        }
    }
    found
}

/// Returns the next word of `text` that is long enough and begins within `from..to`. The search advances in steps of the
/// minimum length: if a step contains a separator, no word that is long enough begins before it.
fn next_word(text: &[u8], from: usize, to: usize) -> Option<Range<usize>> {
    let step = *LENGTHS.start();
    let mut start = from;
    while start < to {
        let ahead = text.get(start..start + step)?;
        let Some(last) = ahead.iter().rposition(|byte| !IS_OF_WORD[usize::from(*byte)]) else {
            let rest = &text[start + step..];
            let more = rest.iter().position(|byte| !IS_OF_WORD[usize::from(*byte)]).unwrap_or(rest.len());
            return Some(start..start + step + more);
        };
        start += last + 1;
    }
    None
}

/// The bytes that a half may contain: letters, digits, dash and underscore.
static IS_OF_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Returns the start of the word at `start` without the rest of an escape before it: `%3D`, `\n`, `\u003d`.
fn after_escape(text: &[u8], start: usize, end: usize) -> usize {
    let skipped = match (start.checked_sub(1).map(|before| text[before]), text[start]) {
        (Some(b'%'), _) => 2,
        (Some(b'\\'), b'n' | b'r' | b't' | b'b' | b'f') => 1,
        (Some(b'\\'), b'x') => 3,
        (Some(b'\\'), b'u') => 5,
        _ => 0,
    };
    (start + skipped).min(end)
}

fn candidate(text: &[u8], span: Range<usize>) -> Option<Candidate> {
    let word = &text[span.clone()];
    if let Some(value) = decoded(word) {
        return Some(Candidate { span, value, is_base64: true });
    }
    let is_half = LENGTHS.contains(&word.len()) && is_random(word);
    is_half.then(|| Candidate { value: CandidateValue::Half(word.to_vec().into()), span, is_base64: false })
}

/// Decodes `word` from base64. Returns `None` if the result is neither a half nor a pair.
fn decoded(word: &[u8]) -> Option<CandidateValue> {
    // The first digit of each four has the upper bits of a byte, which must be ASCII. This check rejects most words.
    let is_ascii =
        |digits: &[u8]| digits.iter().step_by(4).all(|digit| matches!(digit, b'A'..=b'Z' | b'a'..=b'f'));
    if word.len() < 22 || !is_ascii(word) || word.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        return None;
    }
    // The buffer must not grow, because growing would leave an unwiped copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(word.len()));
    read_base64(word, |byte| {
        text.push(byte);
        byte.is_ascii_graphic() || byte == b'\n'
    })?;
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let colon = text.iter().position(|byte| *byte == b':');
    match colon {
        Some(colon) if is_half(&text[..colon]) && is_half(&text[colon + 1..]) => {
            Some(CandidateValue::Pair { pair: text, colon })
        }
        None if is_half(&text) => Some(CandidateValue::Half(text)),
        _ => None,
    }
}

fn is_half(word: &[u8]) -> bool {
    LENGTHS.contains(&word.len()) && word.iter().all(|byte| IS_OF_WORD[usize::from(*byte)]) && is_random(word)
}

/// Whether `word` seems to come from a random generator.
pub(crate) fn is_random(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0
        || PUBLISHED.contains(&word)
        || is_uuid(word)
        || is_periodic(word)
        || longest_series(word) >= 6
    {
        return false;
    }
    let mut seen = [false; 256];
    for byte in word {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    if is_hex(word) {
        return word.len() >= SHORTEST_HEX && distinct >= 8 && digits < word.len();
    }
    let changes = word.windows(2).filter(|two| class(two[0]) != class(two[1])).count();
    distinct >= 9 && changes * 4 >= word.len() && spelt(word) * 3 < word.len() && !has_word(word)
}

fn is_hex(word: &[u8]) -> bool {
    let is_lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let is_upper = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    word.iter().all(is_lower) || word.iter().all(is_upper)
}

fn is_uuid(word: &[u8]) -> bool {
    word.len() == 36 && word.split(|byte| *byte == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}

/// Whether `word` repeats one part: `deadbeefdeadbeef…`, `aaaa…`.
fn is_periodic(word: &[u8]) -> bool {
    (1..=word.len() / 2).any(|period| word.iter().zip(&word[period..]).all(|(left, right)| left == right))
}

/// Returns the length of the longest series such as `1234`, `fedc` or `0000`.
fn longest_series(word: &[u8]) -> usize {
    let step = |two: &[u8]| i16::from(two[1]) - i16::from(two[0]);
    let (mut longest, mut length, mut last) = (1, 1, i16::MAX);
    for two in word.windows(2) {
        let step = step(two);
        length = if step == last {
            length + 1
        } else if step.abs() <= 1 {
            2
        } else {
            1
        };
        last = if step.abs() <= 1 { step } else { i16::MAX };
        longest = longest.max(length);
    }
    longest
}

/// Returns how many bytes of `word` are in parts like those of a name: only letters, in one case.
fn spelt(word: &[u8]) -> usize {
    let is_spelt = |part: &&[u8]| {
        (3..=14).contains(&part.len())
            && (part.iter().all(u8::is_ascii_lowercase) || part.iter().all(u8::is_ascii_uppercase))
    };
    word.split(|byte| matches!(byte, b'_' | b'-')).filter(is_spelt).map(<[u8]>::len).sum()
}

fn has_word(word: &[u8]) -> bool {
    let lower = Zeroizing::new(word.to_ascii_lowercase());
    WORDS.iter().any(|known| memchr::memmem::find(&lower, known).is_some())
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const HALF: &str = "84dbf4398ab9480836b3918f41b9398a3a02068d";

    fn spans(text: &str) -> Vec<Range<usize>> {
        candidates(text.as_bytes(), 0..text.len()).into_iter().map(|candidate| candidate.span).collect()
    }

    #[test]
    fn it_accepts_words_of_random_generators() {
        for word in [HALF, "EA9AzX4evoVYXJteR05EYwXahYwtGTYu", "q7_mV3xKd81-ZtPw0sLrYb5NcHgEuJaFiT2oQ9kXvM4"]
        {
            assert!(is_random(word.as_bytes()), "{word}");
            assert_eq!(spans(word), vec![0..word.len()]);
        }
    }

    #[test]
    fn it_rejects_words_that_people_write() {
        for word in [
            "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            "0000000000000000000000000000000000000000",
            "0123456789abcdef0123456789abcdef01234567",
            "1234567890123456789012345678901234567890",
            "dummy_secret_for_tests_only_1234567890",
            "getJustCallAuthHeaderForUser2",
            "JUSTCALL_API_SECRET_FILE_2",
            "0b5f2b1e-6f0a-4d3e-9f57-2a1c4f7e8d90",
            "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb",
            "15551230000155512300001",
        ] {
            assert!(!is_random(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn it_reads_past_escapes_and_base64() {
        let escaped = format!("api_secret%3D{HALF}%26 \\n{HALF}");
        assert_eq!(spans(&escaped), vec![13..53, 59..99]);
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{HALF}:{HALF}"));
        let found = candidates(encoded.as_bytes(), 0..encoded.len());
        assert!(matches!(
            &found[..],
            [Candidate { value: CandidateValue::Pair { colon: 40, .. }, is_base64: true, .. }]
        ));
        assert!(!format!("{found:?}").contains("84db"));
    }
}
