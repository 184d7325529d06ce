//! Determines what a name means for its value: a secret, a key or a hash, of JustCall or of another service.

/// The meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub role: Role,
    /// Whether it names JustCall.
    pub is_ours: bool,
    /// Whether it contains a word of another service: `hubspot_secret`.
    pub is_foreign: bool,
}

/// The kind of value that a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Secret,
    /// `password`: a secret only if a key is near it.
    Password,
    Key,
    /// `key:secret`, or a header.
    Pair,
    /// A hash, an identifier, a path: none of the above.
    Other,
}

const OURS: &[&str] = &["justcall", "jc"];
const SECRET: &[&str] = &["secret", "secrets", "apisecret"];
const PASSWORD: &[&str] = &["password", "pass", "pwd"];
const KEY: &[&str] = &["key", "keys", "apikey", "username", "user", "login"];
const PAIR: &[&str] =
    &["authorization", "auth", "token", "credential", "credentials", "creds", "pair", "basic", "bearer"];

/// Words in the name of a half that do not mean another service.
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

/// Words that may precede another one without a separator: `clientsecret`.
const GLUED: &[&str] = &["api", "app", "client", "access", "account", "auth"];

/// The maximum number of words that a name without separators is split into.
const MOST_PARTS: usize = 5;

/// Words that mean that a value is not a half.
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

/// Extensions of file names. Such a name names a file that was hashed.
const EXTENSIONS: &[&str] = &[
    "jar", "js", "mjs", "css", "html", "py", "apk", "exe", "tgz", "gz", "zip", "mp3", "wav", "png", "jpg",
    "svg", "php", "rb", "go", "ts", "json", "yml", "yaml", "lock", "whl", "map", "txt", "md", "deb", "rpm",
    "dll", "so",
];

impl Name {
    /// Returns the meaning of `word`, or `None` if no part of it has one.
    pub fn of(word: &str) -> Option<Self> {
        let extension = word.rsplit_once('.').map(|(_, extension)| extension);
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            return Some(Self { role: Role::Other, is_ours: false, is_foreign: true });
        }
        let words: Vec<String> = split(word).into_iter().flat_map(unglued).collect();
        let has = |list: &[&str]| words.iter().any(|word| is_in(list, word));
        let is_ours = has(OURS) || words.windows(2).any(|two| two[0] == "just" && two[1] == "call");
        let is_known = |word: &String| {
            [OURS, SECRET, PASSWORD, KEY, PAIR, GENERIC].iter().any(|list| is_in(list, word))
                || word.len() < 2
                || word.bytes().all(|byte| byte.is_ascii_digit())
        };
        let role = match () {
            () if has(OTHERS) => Role::Other,
            // A signing key, such as Django's SECRET_KEY.
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

/// Whether `word` is in `list`, possibly with a number after it: `secret2`.
fn is_in(list: &[&str], word: &str) -> bool {
    let is_there = |word: &str| list.contains(&word);
    // A number after a word of `PAIR` does not count, because Auth0 is a service.
    is_there(word) || list != PAIR && is_there(word.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Splits `word` into known words: `justcallapisecret`. Returns `word` itself if that is not possible.
fn unglued(word: String) -> Vec<String> {
    match parts(&word, MOST_PARTS) {
        Some(parts) => parts.into_iter().map(str::to_owned).collect(),
        None => vec![word],
    }
}

/// Splits `word` into at most `at_most` known words. There may be several ways: `apikey` is one word or two.
fn parts(word: &str, at_most: usize) -> Option<Vec<&str>> {
    if word.is_empty() {
        return Some(Vec::new());
    }
    let rest_at_most = at_most.checked_sub(1)?;
    let known = || [OURS, SECRET, PASSWORD, KEY, GLUED].into_iter().flatten();
    known().filter(|part| word.starts_with(**part)).find_map(|part| {
        let (part, rest) = word.split_at(part.len());
        let mut parts = parts(rest, rest_at_most)?;
        parts.insert(0, part);
        Some(parts)
    })
}

/// Splits a name into its words, in lower case. A word ends at a separator, or where upper case follows lower case or digits.
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
            ("just-call-api-secret", Role::Secret, true, false),
            ("JUSTCALLAPISECRET", Role::Secret, true, false),
            ("justcall_secretkey", Role::Secret, true, false),
            ("jcsecret", Role::Secret, true, false),
            ("clientsecret", Role::Secret, false, false),
            ("JUSTCALL_API_SECRET2", Role::Secret, true, false),
            ("justcallApiKey1", Role::Key, true, false),
            ("AUTH0_CLIENT_SECRET", Role::Secret, false, true),
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
        // The number of ways to split this word doubles with each part, so the limit must end the search.
        assert_eq!(Name::of(&("apikey".repeat(60) + "x")), None);
    }
}
