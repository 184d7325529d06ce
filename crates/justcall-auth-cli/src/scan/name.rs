//! What the word beside a value says of it: a secret, a key, a hash; of JustCall, or of another.

use std::ops::Range;

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub role: Role,
    /// Whether it names JustCall itself.
    pub is_ours: bool,
    /// Whether it has a word in it that belongs to something else: `hubspot_secret`.
    pub is_foreign: bool,
}

/// What the value beside a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Secret,
    /// `password`: a secret only where a key stands beside it.
    Password,
    Key,
    /// Both halves in one, or a header.
    Pair,
    /// A hash, an identifier, a path: surely none of the above.
    Other,
}

/// How far before a value its name is looked for, in bytes and in lines.
const REACH: usize = 160;
const LINES: usize = 3;

const OURS: &[&str] = &["justcall", "jc"];
const SECRET: &[&str] = &["secret", "secrets", "apisecret"];
const PASSWORD: &[&str] = &["password", "pass", "pwd"];
const KEY: &[&str] = &["key", "keys", "apikey", "username", "user", "login"];
const PAIR: &[&str] =
    &["authorization", "auth", "token", "credential", "credentials", "creds", "pair", "basic", "bearer"];

/// Words that stand between a name and its value and say nothing.
const FILLERS: &[&str] = &[
    "value",
    "val",
    "string",
    "str",
    "text",
    "set",
    "get",
    "is",
    "was",
    "to",
    "the",
    "a",
    "new",
    "const",
    "default",
    "type",
    "concat",
    "raw",
    "secure",
    "securestring",
    "and",
    "or",
    "as",
    "of",
    "for",
    "in",
    "static",
    "final",
    "private",
    "let",
    "var",
    "readonly",
    "name",
    "export",
    "env",
    "x",
    "h",
    "e",
];

/// Words that may stand in the name of a half without giving it to somebody else.
const GENERIC: &[&str] = &[
    "api",
    "app",
    "client",
    "my",
    "our",
    "the",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "live",
    "local",
    "default",
    "env",
    "environ",
    "environment",
    "config",
    "cfg",
    "conf",
    "setting",
    "settings",
    "option",
    "options",
    "private",
    "public",
    "const",
    "static",
    "var",
    "vite",
    "react",
    "next",
    "nuxt",
    "gatsby",
    "expo",
    "vue",
    "process",
    "this",
    "self",
    "account",
    "access",
    "value",
    "dialer",
    "telephony",
    "phone",
    "call",
    "calls",
    "sms",
    "text",
    "texts",
    "voip",
    "service",
    "services",
    "integration",
    "integrations",
    "provider",
    "webhook",
    "webhooks",
    "hook",
    "new",
    "old",
    "main",
    "base",
    "shared",
    "data",
    "string",
    "header",
    "headers",
    "http",
    "rest",
    "just",
    "import",
    "meta",
    "current",
    "previous",
    "admin",
    "team",
    "crm",
];

/// Words that make a value something else than a half.
const OTHERS: &[&str] = &[
    "sha",
    "sha1",
    "sha256",
    "sha384",
    "sha512",
    "md5",
    "commit",
    "hash",
    "hashes",
    "integrity",
    "checksum",
    "checksums",
    "digest",
    "rev",
    "revision",
    "ref",
    "refs",
    "reference",
    "resolved",
    "etag",
    "uuid",
    "guid",
    "trace",
    "span",
    "signature",
    "csrf",
    "cookie",
    "build",
    "version",
    "release",
    "git",
    "recording",
    "recordings",
    "fingerprint",
    "nonce",
    "salt",
    "iv",
    "svn",
    "blob",
    "tree",
    "parent",
    "pick",
    "fixup",
    "id",
    "ids",
    "arn",
    "path",
    "file",
    "url",
    "uri",
    "count",
    "expiry",
    "ttl",
    "length",
    "field",
    "label",
    "algorithm",
    "hint",
    "placeholder",
    "account_sid",
    "sid",
    "zh",
    "h1",
    "content",
    "dsn",
];

/// What ends the name of a file: such a word names what was hashed.
const EXTENSIONS: &[&str] = &[
    "jar", "js", "mjs", "css", "html", "py", "apk", "exe", "tgz", "gz", "zip", "mp3", "wav", "png", "jpg",
    "svg", "php", "rb", "go", "ts", "json", "yml", "yaml", "lock", "whl", "map", "txt", "md", "deb", "rpm",
    "dll", "so",
];

impl Name {
    /// What `word` says, or nothing where it has no telling word in it.
    pub fn of(word: &str) -> Option<Self> {
        let extension = word.rsplit_once('.').map(|(_, extension)| extension);
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            return Some(Self { role: Role::Other, is_ours: false, is_foreign: true });
        }
        let words = split(word);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let is_ours = has(OURS) || words.windows(2).any(|two| two[0] == "just" && two[1] == "call");
        let is_known = |word: &String| {
            let word = word.as_str();
            [OURS, SECRET, PASSWORD, KEY, PAIR, GENERIC].iter().any(|list| list.contains(&word))
                || word.len() < 2
                || word.bytes().all(|byte| byte.is_ascii_digit())
        };
        let role = match () {
            () if has(OTHERS) => Role::Other,
            // A key to sign with, such as Django's SECRET_KEY.
            () if has(SECRET) && has(KEY) && !is_ours => Role::Other,
            () if has(SECRET) => Role::Secret,
            () if has(PASSWORD) => Role::Password,
            () if has(KEY) => Role::Key,
            () if has(PAIR) => Role::Pair,
            () => return None,
        };
        Some(Self { role, is_ours, is_foreign: !is_ours && !words.iter().all(is_known) })
    }
}

/// The name of the value that begins at `start`: the nearest word before it, after `from`, that is no filler, if it is
/// telling.
pub(super) fn before(text: &[u8], from: usize, start: usize) -> Option<Name> {
    let from = from.max(start.saturating_sub(REACH));
    let mut end = start;
    while let Some(span) = last_word(text, from, end) {
        let lines = memchr::memchr_iter(b'\n', &text[span.end..start]).count();
        if lines > LINES {
            return None;
        }
        let is_tag = [&b"<"[..], b"</"].iter().any(|opener| text[..span.start].ends_with(opener));
        let word = String::from_utf8_lossy(&text[span.clone()]);
        let is_filler = FILLERS.contains(&word.to_ascii_lowercase().trim_matches(['-', '_', '.']));
        end = span.start;
        let is_function = text.get(span.end) == Some(&b'(');
        if !(is_tag || is_filler || is_function && Name::of(&word).is_none()) {
            return Name::of(&word);
        }
    }
    None
}

/// The last word that ends at or before `end`.
fn last_word(text: &[u8], from: usize, end: usize) -> Option<Range<usize>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let last = (from..end).rev().find(|at| text[*at].is_ascii_alphanumeric())? + 1;
    let mut first = (from..last).rev().find(|at| !is_word(text[*at])).map_or(from, |at| at + 1);
    // `\nSECRET`, `%26api_secret`: what is left of an escape.
    match first.checked_sub(1).map(|before| text[before]) {
        Some(b'\\') if last - first > 1 && matches!(text[first], b'n' | b't' | b'r') => first += 1,
        Some(b'%') if last - first > 2 => first += 2,
        Some(b'%') => return last_word(text, from, first - 1),
        _ => {}
    }
    Some(first..last)
}

/// The words of a name, in lower case: at separators, and where lower case or digits turn to upper case.
fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    let letters: Vec<char> = name.chars().collect();
    for (index, letter) in letters.iter().copied().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            before = ' ';
            continue;
        }
        let next_is_lower = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let begins =
            before == ' ' || letter.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_lower);
        match words.last_mut() {
            Some(word) if !begins => word.push(letter.to_ascii_lowercase()),
            _ => words.push(letter.to_ascii_lowercase().into()),
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_names_as_people_write_them() {
        for (name, role, is_ours, is_foreign) in [
            ("JUSTCALL_API_SECRET", Role::Secret, true, false),
            ("justcallApiSecret", Role::Secret, true, false),
            ("JustCallAPISecret", Role::Secret, true, false),
            ("JUST_CALL_KEY", Role::Key, true, false),
            ("NEXT_PUBLIC_JUSTCALL_API_KEY", Role::Key, true, false),
            ("apiSecret", Role::Secret, false, false),
            ("HUBSPOT_CLIENT_SECRET", Role::Secret, false, true),
            ("SECRET_KEY", Role::Other, false, false),
            ("justcall_secret_sha256", Role::Other, true, false),
            ("secret-service.jar", Role::Other, false, true),
            ("Authorization", Role::Pair, false, false),
        ] {
            assert_eq!(Name::of(name), Some(Name { role, is_ours, is_foreign }), "{name}");
        }
        assert_eq!(Name::of("campaign"), None);
    }

    #[test]
    fn it_finds_the_name_before_a_value() {
        for (text, role) in [
            ("apiSecret: String = \"", Some(Role::Secret)),
            ("<key>JustCallApiSecret</key>\n<string>", Some(Role::Secret)),
            ("{\"key\": \"justcall_api_secret\", \"value\": \"", Some(Role::Secret)),
            ("getenv('JC_SECRET') ?? '", Some(Role::Secret)),
            ("public string ApiSecret { get; set; } = \"", Some(Role::Secret)),
            ("the secret is ", Some(Role::Secret)),
            ("secret\ncampaign = ", None),
            ("secret rotation, ", None),
            ("%26api_secret%3D", Some(Role::Secret)),
            ("api_secret = Buffer.from('", Some(Role::Secret)),
            ("JUSTCALL_API_SECRET=\nBUILD_SHA=", Some(Role::Other)),
        ] {
            assert_eq!(before(text.as_bytes(), 0, text.len()).map(|name| name.role), role, "{text}");
        }
    }
}
