//! The local check of a pair: what is wrong with it, found without the service and told without its value.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Cannot work; nothing is sent.
    Error,
    /// Works, but is rarely meant.
    Warning,
    /// Worth knowing when the service rejects the pair.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Builds [`Code`] and its look-ups from the rows; `{}` in a message stands for the half that is meant.
macro_rules! code_table {
    ($($code:ident, $name:literal, $severity:ident, $message:literal, $remedy:literal;)*) => {
        /// What was found: public names, the same in every language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: ", $message)] $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The name, the same in every language.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity),* }
            }

            /// What is the matter; `{}` stands for `API key` or `API secret`.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$code => $message),* }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$code => $remedy),* }
            }
        }
    };
}

code_table! {
    EmptyHalf, "empty_half", Error,
        "The {} is empty.",
        "Give both halves, as key:secret.";
    TooLong, "too_long", Error,
        "The {} is longer than 512 bytes.",
        "Give the pair alone, not the file or command around it.";
    SchemePrefix, "scheme_prefix", Error,
        "The {} starts with an authentication scheme such as Bearer or Basic.",
        "JustCall takes the pair raw: remove the scheme word, and do not encode the pair.";
    Quotes, "quotes", Error,
        "The {} starts or ends with a quotation mark.",
        "Remove the quotes: they were kept from a dotenv file, a shell or JSON.";
    Placeholder, "placeholder", Error,
        "The {} is a placeholder from an example.",
        "Replace it by your own, from JustCall under Settings → API & Webhooks.";
    LeadingWhitespace, "leading_whitespace", Error,
        "The {} starts with a space or line break.",
        "Remove it: it was picked up while copying.";
    TrailingWhitespace, "trailing_whitespace", Error,
        "The {} ends with a space or line break.",
        "Remove it: it was picked up while copying, or added by `echo` (use `printf %s`).";
    InnerWhitespace, "inner_whitespace", Error,
        "The {} has a space or line break inside.",
        "Copy it again: a pair has none.";
    ControlCharacter, "control_character", Error,
        "The {} has a control character inside.",
        "Copy it again as plain text.";
    NotAscii, "not_ascii", Error,
        "The {} has a character outside ASCII, perhaps an invisible one.",
        "Copy it again as plain text, not from a formatted document.";
    ColonInKey, "colon_in_key", Error,
        "The {} has a colon inside.",
        "The first colon separates key and secret: give the key without it.";
    HalvesEqual, "halves_equal", Error,
        "Key and secret are the same.",
        "Copy each from its own field in JustCall under Settings → API & Webhooks.";
    ColonInSecret, "colon_in_secret", Warning,
        "The {} has a colon inside, which is legal but rare.",
        "Check that nothing was pasted twice.";
    UnusualShape, "unusual_shape", Note,
        "The {} is not 40 lower-case hexadecimal digits, as those seen so far are.",
        "Compare it with JustCall under Settings → API & Webhooks.";
}

impl Code {
    /// The code called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// One thing that the check found. Its texts never hold the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    message: String,
}

impl Finding {
    fn new(code: Code, half: Half) -> Self {
        Self { code, message: code.message().replace("{}", half.name()) }
    }

    /// What was found.
    pub fn code(&self) -> Code {
        self.code
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What is the matter, and with which half.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

/// Which half of a pair a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Key,
    Secret,
}

impl Half {
    const fn name(self) -> &'static str {
        match self {
            Self::Key => "API key",
            Self::Secret => "API secret",
        }
    }
}

/// The longest half, in bytes.
pub const MAX_HALF: usize = 512;

/// Checks a pair; the worst findings come first. A pair without a finding of [`Severity::Error`] may be sent.
pub fn pair(key: &[u8], secret: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    check_half(key, Half::Key, &mut found);
    check_half(secret, Half::Secret, &mut found);
    if key == secret && !key.is_empty() {
        found.push(Finding::new(Code::HalvesEqual, Half::Secret));
    }
    found.sort_by_key(Finding::severity);
    found
}

fn check_half(bytes: &[u8], half: Half, found: &mut Vec<Finding>) {
    let first_error = found.len();
    let mut add = |code| found.push(Finding::new(code, half));
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return add(Code::EmptyHalf);
    };
    if bytes.len() > MAX_HALF {
        // What is far too long is no pair at all: further findings would only distract.
        return add(Code::TooLong);
    }
    let trimmed = bytes.trim_ascii();
    if starts_with_scheme(trimmed) {
        return add(Code::SchemePrefix);
    }
    if is_quote(*first) || is_quote(*last) {
        add(Code::Quotes);
    }
    if is_placeholder(trimmed) {
        add(Code::Placeholder);
    }
    if first.is_ascii_whitespace() {
        add(Code::LeadingWhitespace);
    }
    if last.is_ascii_whitespace() {
        add(Code::TrailingWhitespace);
    }
    if trimmed.iter().any(u8::is_ascii_whitespace) {
        add(Code::InnerWhitespace);
    }
    if bytes.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        add(Code::ControlCharacter);
    }
    if !bytes.is_ascii() {
        add(Code::NotAscii);
    }
    if bytes.contains(&b':') {
        add(if half == Half::Key { Code::ColonInKey } else { Code::ColonInSecret });
    }
    let usual = bytes.len() == 40 && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !usual && found.len() == first_error {
        found.push(Finding::new(Code::UnusualShape, half));
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn starts_with_scheme(bytes: &[u8]) -> bool {
    [b"bearer".as_slice(), b"basic", b"token", b"authorization:"].iter().any(|scheme| {
        bytes.len() > scheme.len()
            && bytes[..scheme.len()].eq_ignore_ascii_case(scheme)
            && (scheme.ends_with(b":") || bytes[scheme.len()].is_ascii_whitespace())
    }) || bytes.eq_ignore_ascii_case(b"authorization")
}

/// What stands in examples where the pair belongs: `{api_key}`, `<secret>`, `${JUSTCALL_API_KEY}`, `YOUR_API_KEY`, `xxxx`.
fn is_placeholder(bytes: &[u8]) -> bool {
    const BRACKETS: &[(u8, u8)] = &[(b'{', b'}'), (b'<', b'>'), (b'[', b']'), (b'%', b'%')];
    const WORDS: &[&[u8]] = &[
        b"apikey",
        b"apisecret",
        b"key",
        b"secret",
        b"changeme",
        b"todo",
        b"redacted",
        b"justcallapikey",
        b"justcallapisecret",
    ];
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if bytes.len() > 2 && BRACKETS.contains(&(*first, *last)) || *first == b'$' && bytes.len() > 1 {
        return true;
    }
    if bytes.len() > 2
        && matches!(first, b'x' | b'X' | b'*' | b'.' | b'-')
        && bytes.iter().all(|byte| byte == first)
    {
        return true;
    }
    // At most as long as the longest word with its separators: a longer half is never copied here.
    if bytes.len() > 32 {
        return false;
    }
    let mut plain = [0_u8; 32];
    let mut length = 0;
    for byte in bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        plain[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let plain = &plain[..length];
    WORDS.contains(&plain) || plain.starts_with(b"your") || plain.starts_with(b"myapi")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_half_and_never_the_value() {
        for bad in [
            "canary-7f3a ",
            " canary-7f3a",
            "\"canary-7f3a\"",
            "canary-7f3a\u{7f}",
            "canary-7f3ä",
            "Bearer canary-7f3a",
        ] {
            for (key, secret, half) in [(bad, "sec789xyz000", "API key"), ("abc123def456", bad, "API secret")]
            {
                let found = pair(key.as_bytes(), secret.as_bytes());
                assert_eq!(found[0].severity(), Severity::Error, "{bad:?}");
                assert!(found[0].message().contains(half), "{bad:?}: {found:?}");
                assert!(!format!("{found:?}").contains("canary"), "{bad:?}");
            }
        }
    }

    #[test]
    fn it_finds_nothing_in_a_pair_of_the_usual_shape() {
        let (key, secret) = ("a1".repeat(20), "b2".repeat(20));
        assert_eq!(pair(key.as_bytes(), secret.as_bytes()), []);
    }

    #[test]
    fn it_only_notes_what_may_still_work() {
        let found = pair(b"abc123def456", b"sec789:xyz000");
        let codes: Vec<Code> = found.iter().map(Finding::code).collect();
        assert_eq!(codes, [Code::ColonInSecret, Code::UnusualShape]);
    }

    #[test]
    fn it_names_every_code_once() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(*code));
            assert!(code.message().ends_with('.') && code.remedy().ends_with('.'), "{code:?}");
        }
    }
}
