//! Checks that a text discloses nothing of a secret.
//!
//! A message may have eight bytes in common with a secret by chance: a mutator tries `JUSTCALL_API_SECRET` as a secret,
//! and messages contain that name. So a match counts only if it follows the secret: if the same text for a disguised
//! secret, with other letters and digits in the same places, contains the disguised bytes.

/// The length of the shortest disclosure, in bytes.
const WINDOW: usize = 8;

/// Words that have a meaning in an input. A disguise keeps them.
const MEANINGS: &[&str] = &[
    "JUSTCALL_PREVIOUS_COMPROMISED",
    "JUSTCALL_API_SECRET",
    "JUSTCALL_API_KEY",
    "previous_compromised",
    "Authorization",
    "created_at",
    "api_secret",
    "webhook_url",
    "service_message",
    "message",
    "errors",
    "error",
    "Bearer",
    "Basic",
    "api_key",
    "export",
    "https",
    "http",
    "true",
    "false",
    "null",
    "data",
];

/// Panics if `shown(input)` contains eight bytes of `input` because they are in the input.
pub fn check_hidden(input: &[u8], shown: impl Fn(&[u8]) -> String) {
    let text = shown(input);
    let suspects = suspects(input, text.as_bytes());
    if suspects.is_empty() {
        return;
    }
    let disguise = disguised(input);
    let other = shown(&disguise);
    let is_disclosed = |at: &&usize| {
        let (before, after) = (&input[**at..**at + WINDOW], &disguise[**at..**at + WINDOW]);
        // Messages have both `secret contains` and `secret ends`, and a hint shows four bytes of a key at each of its ends,
        // beside which an input can have the same quotes. So four bytes that follow say nothing.
        let followed = before.iter().zip(after).filter(|(before, after)| before != after).count();
        // A text that has both whatever the secret is may have found its way into the input.
        let is_always_there = contains(text.as_bytes(), after);
        followed > WINDOW / 2 && !is_always_there && contains(other.as_bytes(), after)
    };
    if let Some(at) = suspects.iter().find(is_disclosed) {
        panic!("the text discloses {:?}: {text}", String::from_utf8_lossy(&input[*at..*at + WINDOW]));
    }
}

/// Returns where eight bytes of `input` begin that `text` contains.
fn suspects(input: &[u8], text: &[u8]) -> Vec<usize> {
    // Few windows of the text have the hash of one of the input, so few are compared.
    let mut hashes = vec![false; 1 << 16];
    let windows = |bytes: &[u8]| -> Vec<u64> {
        let number = |window: &[u8]| u64::from_le_bytes(window.try_into().expect("windows have this length"));
        bytes.windows(WINDOW).map(number).collect()
    };
    let hash =
        |window: u64| usize::try_from(window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48).expect("16 bits");
    let of_input = windows(input);
    for window in &of_input {
        hashes[hash(*window)] = true;
    }
    let likely: Vec<u64> = windows(text).into_iter().filter(|window| hashes[hash(*window)]).collect();
    if likely.is_empty() {
        return Vec::new();
    }
    (0..of_input.len()).filter(|at| likely.contains(&of_input[*at])).collect()
}

/// Returns `input` with other letters and digits. Hexadecimal digits stay hexadecimal digits, and the case stays.
fn disguised(input: &[u8]) -> Vec<u8> {
    let mut disguise = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, after)) = rest.split_first() {
        let meaning = MEANINGS.iter().find(|word| rest.starts_with(word.as_bytes()));
        if let Some(word) = meaning {
            disguise.extend(word.bytes());
            rest = &rest[word.len()..];
        } else {
            disguise.push(other(*first));
            rest = after;
        }
    }
    disguise
}

fn other(byte: u8) -> u8 {
    let turned = |from: u8, count: u8, by: u8| from + (byte - from + by) % count;
    match byte {
        b'0'..=b'9' => turned(b'0', 10, 3),
        b'a'..=b'f' => turned(b'a', 6, 2),
        b'A'..=b'F' => turned(b'A', 6, 2),
        b'g'..=b'z' => turned(b'g', 20, 7),
        b'G'..=b'Z' => turned(b'G', 20, 7),
        other => other,
    }
}

/// Returns true if `text` contains `part`.
pub fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_accepts_a_message_that_only_resembles_the_input() {
        check_hidden(b"JUSTCALL_API_SECRET", |_| "Set JUSTCALL_API_SECRET.".to_owned());
        check_hidden(b"secret that is malformed", |_| {
            "The secret that is malformed was not sent.".to_owned()
        });
    }

    #[test]
    fn it_accepts_four_bytes_of_a_hint_and_a_disguise_that_is_in_every_message() {
        check_hidden(b"408d\"), ", |key| format!("a hint: {}\"), ", String::from_utf8_lossy(&key[..4])));
        let (word, disguise) = ("ALL_APIM", String::from_utf8(disguised(b"ALL_APIM")).expect("ASCII"));
        check_hidden(word.as_bytes(), |_| format!("the file {word} {disguise}"));
    }

    #[test]
    #[should_panic(expected = "discloses")]
    fn it_finds_a_window_of_which_five_bytes_follow() {
        check_hidden(b"sec78=!?", |text| String::from_utf8_lossy(text).into_owned());
    }

    #[test]
    #[should_panic(expected = "discloses")]
    fn it_finds_eight_bytes_of_the_input() {
        check_hidden(b"export JUSTCALL_API_SECRET=sec789xyz000", |text| {
            format!("it ends with {}", String::from_utf8_lossy(&text[text.len() - 8..]))
        });
    }
}
