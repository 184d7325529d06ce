//! Placeholders that examples contain instead of a pair.

/// Names of a half, without separators.
const NAMES: &[&[u8]] =
    &[b"apikey", b"apisecret", b"key", b"secret", b"justcallapikey", b"justcallapisecret"];

/// Other placeholder words.
const WORDS: &[&[u8]] = &[b"changeme", b"todo", b"redacted"];

/// Recognises `{api_key}`, `<secret>`, `${JUSTCALL_API_KEY}`, `YOUR_API_KEY`, `xxxx`, …
pub(super) fn is_placeholder(bytes: &[u8]) -> bool {
    const BRACKETS: &[(u8, u8)] = &[(b'{', b'}'), (b'<', b'>'), (b'[', b']'), (b'%', b'%')];
    let [first, .., last] = bytes else { return false };
    if bytes.len() > 2 && BRACKETS.contains(&(*first, *last)) || *first == b'$' {
        return true;
    }
    let is_filler = matches!(first, b'x' | b'X' | b'*' | b'.' | b'-');
    if bytes.len() > 2 && is_filler && bytes.iter().all(|byte| byte == first) {
        return true;
    }
    // A longer text is a real half that happens to start with the word.
    let starts_with =
        |word: &[u8]| bytes.len() <= 32 && letters(bytes).take(word.len()).eq(word.iter().copied());
    is_name(bytes) || is_one_of(bytes, WORDS) || starts_with(b"your") || starts_with(b"myapi")
}

/// Returns true if `bytes` is a name of a half: `api_key`, `JUSTCALL_API_SECRET`, `API Key`, …
pub(super) fn is_name(bytes: &[u8]) -> bool {
    is_one_of(bytes, NAMES)
}

fn is_one_of(bytes: &[u8], words: &[&[u8]]) -> bool {
    bytes.len() <= 32 && words.iter().any(|word| letters(bytes).eq(word.iter().copied()))
}

/// Returns the letters and digits of `bytes` in lower case.
fn letters(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_recognises_the_placeholders_of_examples() {
        for word in [
            "{api_key}",
            "{{api_secret}}",
            "<your-key>",
            "[KEY]",
            "%KEY%",
            "${JUSTCALL_API_KEY}",
            "$KEY",
            "YOUR_API_KEY",
            "your-justcall-secret",
            "my_api_key",
            "api_key",
            "API-SECRET",
            "JUSTCALL_API_KEY",
            "xxxx",
            "********",
            "...",
            "changeme",
        ] {
            assert!(is_placeholder(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn it_accepts_what_may_be_a_real_half() {
        for word in ["", "k", "abc123def456", "xx", "keyring1", "secret5", "$", "{}", "yo", "Xx9", "myap"] {
            assert!(!is_placeholder(word.as_bytes()), "{word}");
        }
        assert!(!is_placeholder(format!("your{}", "0".repeat(36)).as_bytes()));
    }
}
