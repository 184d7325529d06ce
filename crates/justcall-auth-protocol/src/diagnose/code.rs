//! The one table of what can be found.

use crate::table;

table! {
    /// How bad a finding is.
    pub enum Severity {
        /// `error`, `warning` or `note`.
        name: &'static str,
    }

    /// Cannot work; nothing is sent.
    Error { name: "error" }
    /// Works, but is rarely meant.
    Warning { name: "warning" }
    /// Worth knowing when the service rejects the pair.
    Note { name: "note" }
}

/// What was pasted and what belongs there. The values are made up; `␠` stands for a space, `⏎` for a line break and
/// `⟨U+200B⟩` for the invisible character of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What is found.
    pub bad: &'static str,
    /// What to write instead.
    pub good: &'static str,
}

table! {
    /// What was found: public names, the same in every language. Of one severity, the more telling stand first.
    #[non_exhaustive]
    pub enum Code {
        /// The name, the same in every language.
        name: &'static str,
        /// How bad it is.
        severity: Severity,
        /// What is the matter; `{}` stands for `API key`, `API secret`, `pair` or `value`.
        message: &'static str,
        /// What to do about it.
        remedy: &'static str,
        /// Why it does not work, how it happens, and what to do: a few sentences.
        explanation: &'static str,
        /// The mistake and its remedy, side by side.
        example: Example,
    }

    NothingFound { name: "nothing_found", severity: Severity::Error,
        message: "No pair was found.",
        remedy: "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or set JUSTCALL_CREDENTIALS to another source.",
        explanation: "None of the default sources contains a pair. If JUSTCALL_CREDENTIALS is not set, the default sources are the variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET, systemd's credentials and /run/secrets/justcall. The program does not see a variable that was set in another shell, without `export`, or outside its container.",
        example: Example { bad: "JUSTCALL_API_KEY=1f0e9d8c7b6a; ./program", good: "export JUSTCALL_API_KEY=1f0e9d8c7b6a JUSTCALL_API_SECRET=a9b8c7d6e5f4; ./program" },
    }
    SourceMisspelt { name: "source_misspelt", severity: Severity::Error,
        message: "The text is not a valid source here.",
        remedy: "Write a source such as file:/etc/justcall.json or dir:/run/secrets/justcall, not a pair.",
        explanation: "JUSTCALL_CREDENTIALS contains a source, never the pair itself. The variable accepts the sources env:, file:, dir:, systemd: and vault:. The source command: is accepted only in code or on the command line, so that a variable cannot start programs.",
        example: Example { bad: "JUSTCALL_CREDENTIALS=/etc/justcall.json", good: "JUSTCALL_CREDENTIALS=file:/etc/justcall.json" },
    }
    SourceUnreadable { name: "source_unreadable", severity: Severity::Error,
        message: "The source cannot be read.",
        remedy: "Check that the source exists and that the user that runs the program may read it.",
        explanation: "The source is valid, but the system could not read the file. The file does not exist, belongs to another user, or is not a regular file. A ~ in a path is not expanded.",
        example: Example { bad: "JUSTCALL_CREDENTIALS=file:~/justcall.json", good: "JUSTCALL_CREDENTIALS=file:/home/app/justcall.json" },
    }
    SourceUnparsable { name: "source_unparsable", severity: Severity::Error,
        message: "The content is neither JSON with key and secret, nor dotenv lines, nor key:secret.",
        remedy: "Write one line key:secret into the file, or JSON with api_key and api_secret.",
        explanation: "The file could be read, but it contains no pair. Often the JSON lacks a comma or a quotation mark, or its members are not named api_key and api_secret.",
        example: Example { bad: "{\"key\": \"1f0e9d8c7b6a\", \"secret\": \"a9b8c7d6e5f4\"}", good: "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}" },
    }
    HeaderName { name: "header_name", severity: Severity::Error,
        message: "The {} starts with the name of the header.",
        remedy: "Use only the text after `Authorization:`.",
        explanation: "A header line or a part of a command was pasted instead of the value. The library writes the name of the header itself. If the value also starts with the name, the service receives the name twice, as in `Authorization: Authorization: …`.",
        example: Example { bad: "Authorization: 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    CurlUser { name: "curl_user", severity: Severity::Error,
        message: "The {} contains curl's option -u, which encodes the pair for Basic authentication.",
        remedy: "Replace -u by the header: -H \"Authorization: key:secret\".",
        explanation: "With -u, curl encodes the pair in base64 and sends the result as Basic authentication. JustCall rejects Basic authentication with 401. Older pages recommend -u.",
        example: Example { bad: "curl -u 1f0e9d8c7b6a:a9b8c7d6e5f4 https://api.justcall.io/v2/account", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SchemePrefix { name: "scheme_prefix", severity: Severity::Error,
        message: "The {} starts with an authentication scheme such as Bearer or Basic.",
        remedy: "Remove the scheme word, and do not encode the pair. JustCall expects key:secret unchanged.",
        explanation: "Most services expect a word such as Bearer or Basic before the credentials. JustCall expects no such word, only the key, a colon and the secret. If the header contains such a word, the service answers 401.",
        example: Example { bad: "Bearer 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    BasicEncoded { name: "basic_encoded", severity: Severity::Error,
        message: "The {} is base64-encoded, as for Basic authentication.",
        remedy: "Send key:secret unchanged. JustCall expects the pair without encoding.",
        explanation: "The text is key:secret in base64, as in Basic authentication. HTTP clients create this form from a user name and a password. JustCall compares the header with the plain pair and therefore answers 401.",
        example: Example { bad: "MWYwZTlkOGM3YjZhOmE5YjhjN2Q2ZTVmNA==", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    JsonPasted { name: "json_pasted", severity: Severity::Error,
        message: "The {} is a whole JSON object.",
        remedy: "Use only key:secret, or save the JSON as a file and use the source file:PATH.",
        explanation: "The value is a whole JSON object instead of key:secret. A variable probably holds the complete value of a secret manager. A file source accepts this JSON unchanged.",
        example: Example { bad: "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    AssignmentPasted { name: "assignment_pasted", severity: Severity::Error,
        message: "The {} contains variable names, as in a dotenv file.",
        remedy: "Use only key:secret, or save the lines as a file and use the source file:PATH.",
        explanation: "Lines with names, as in a dotenv file, a shell or YAML, were passed instead of the value. A file source accepts dotenv lines unchanged.",
        example: Example { bad: "JUSTCALL_API_KEY=1f0e9d8c7b6a⏎JUSTCALL_API_SECRET=a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    UrlEncoded { name: "url_encoded", severity: Severity::Error,
        message: "The {} is URL-encoded, because its colon is written %3A.",
        remedy: "Write a plain colon. The value of a header is not URL-encoded.",
        explanation: "In URLs a colon is written %3A. The pair is sent in a header. The service does not decode headers, so it would find no colon between the key and the secret.",
        example: Example { bad: "1f0e9d8c7b6a%3Aa9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    EmptyHalf { name: "empty_half", severity: Severity::Error,
        message: "The {} is empty.",
        remedy: "Write both the key and the secret, as key:secret.",
        explanation: "The key or the secret is empty. A variable is set to nothing, a file was truncated, or the text starts or ends with the colon. The service requires both the key and the secret.",
        example: Example { bad: "1f0e9d8c7b6a:", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    OneHalf { name: "one_half", severity: Severity::Error,
        message: "The colon is missing, so the text is only a key or only a secret.",
        remedy: "Write the key, a colon and the secret, as key:secret.",
        explanation: "JustCall shows the key and the secret in two fields. The service requires the key and the secret, separated by a colon. Only the key or only the secret was passed, or the separator is not a colon.",
        example: Example { bad: "1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    TooLong { name: "too_long", severity: Severity::Error,
        message: "The {} is longer than 512 bytes.",
        remedy: "Use only the pair, without the file or command that contains it.",
        explanation: "A key or secret has at most 512 bytes. All keys and secrets seen so far have 40 bytes. The pasted text is something else, such as a file, a certificate or a token of another service.",
        example: Example { bad: "-----BEGIN CERTIFICATE----- …", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    Placeholder { name: "placeholder", severity: Severity::Error,
        message: "The {} is a placeholder from an example.",
        remedy: "Replace the placeholder with your own pair, from JustCall under Settings → API & Webhooks.",
        explanation: "A placeholder from the documentation was not replaced, or a variable in a template was not expanded. A shell does not expand ${…} in single quotes. In .env files, YAML and systemd units, the rules for ${…} differ.",
        example: Example { bad: "{api_key}:{api_secret}", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    Quotes { name: "quotes", severity: Severity::Error,
        message: "The {} starts or ends with a quotation mark.",
        remedy: "Remove the quotation marks, which are syntax of a dotenv file, a shell or JSON.",
        explanation: "Quotation marks are syntax in shells, JSON and some dotenv readers. In Docker's --env-file and in Kubernetes secrets, quotation marks become part of the value.",
        example: Example { bad: "\"1f0e9d8c7b6a:a9b8c7d6e5f4\"", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SmartQuotes { name: "smart_quotes", severity: Severity::Error,
        message: "The {} contains typographic quotation marks.",
        remedy: "Remove the typographic quotation marks, which a word processor or chat program inserted.",
        explanation: "Word processors, wikis and chat programs turn plain quotation marks into typographic ones. Shells and parsers do not treat typographic quotation marks as syntax, so the marks become part of the value.",
        example: Example { bad: "“1f0e9d8c7b6a:a9b8c7d6e5f4”", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ByteOrderMark { name: "byte_order_mark", severity: Severity::Error,
        message: "The {} starts with an invisible byte order mark.",
        remedy: "Save the file as UTF-8 without a byte order mark (BOM).",
        explanation: "Some editors on Windows, and PowerShell's `>`, write an invisible byte order mark at the start of a file. The mark becomes part of the key. If control characters are found too, the file is in UTF-16.",
        example: Example { bad: "⟨U+FEFF⟩1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ZeroWidth { name: "zero_width", severity: Severity::Error,
        message: "The {} contains an invisible character.",
        remedy: "Retype the value, or copy it as plain text. The invisible character comes from a formatted page.",
        explanation: "Web pages and chat programs insert zero-width characters into long words, so that lines can wrap. These characters are copied with the text, and editors do not show them.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⟨U+200B⟩d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    NoBreakSpace { name: "no_break_space", severity: Severity::Error,
        message: "The {} contains a no-break space or another special space.",
        remedy: "Remove the special space, which looks like a plain space. Web pages and word processors insert special spaces.",
        explanation: "Web pages, word processors and some keyboards (Alt+Space) insert special spaces. Programs that trim plain spaces do not trim special spaces.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4⟨U+00A0⟩", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    LeadingWhitespace { name: "leading_whitespace", severity: Severity::Error,
        message: "The {} starts with a space or line break.",
        remedy: "Remove the space or line break at the start, which was probably copied along.",
        explanation: "A space or line break was copied with the value, or follows the colon or the equals sign. The space would be sent as part of the value, and the service would answer 401.",
        example: Example { bad: "1f0e9d8c7b6a:␠a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    TrailingWhitespace { name: "trailing_whitespace", severity: Severity::Error,
        message: "The {} ends with a space or line break.",
        remedy: "Remove the space or line break at the end, which was probably copied along or added by `echo`. Use `printf %s` instead of `echo`.",
        explanation: "A space or line break was copied with the value. A file or variable may end with one line break, because editors and `echo` add it. A value in code must not end with a line break.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4␠", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    InnerWhitespace { name: "inner_whitespace", severity: Severity::Error,
        message: "The {} contains a space or a line break.",
        remedy: "Copy the value again. A key or secret contains no whitespace.",
        explanation: "A key or secret contains no whitespace. A terminal or mail program wrapped a long line, or more than the value was copied.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⏎d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ControlCharacter { name: "control_character", severity: Severity::Error,
        message: "The {} contains a control character.",
        remedy: "Copy the value again as plain text.",
        explanation: "A control character comes from a terminal (an escape sequence), a binary file, or a file in UTF-16. A header must not contain control characters.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⟨U+001B⟩d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    NotAscii { name: "not_ascii", severity: Severity::Error,
        message: "The {} contains a character outside ASCII.",
        remedy: "Copy the value again as plain text, not from a formatted document.",
        explanation: "A key or secret consists of ASCII letters, digits and punctuation. Accented letters, masking dots (••••), look-alike letters of other alphabets and a full-width colon are not allowed.",
        example: Example { bad: "1f0e9d8c7b6a:••••••••", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ColonInKey { name: "colon_in_key", severity: Severity::Error,
        message: "The {} contains a colon.",
        remedy: "Remove the colon from the key. The first colon separates the key from the secret.",
        explanation: "The service splits the header at the first colon. If the key contained a colon, the service would take the text after that colon as the secret. Often the whole pair was passed as the key.",
        example: Example { bad: "key 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "key 1f0e9d8c7b6a, secret a9b8c7d6e5f4" },
    }
    HalvesEqual { name: "halves_equal", severity: Severity::Error,
        message: "The key and the secret are the same.",
        remedy: "Copy the key and the secret from their separate fields in JustCall under Settings → API & Webhooks.",
        explanation: "The same value was pasted into both fields, but the key and the secret of a pair differ. JustCall shows the secret only once, when the pair is generated.",
        example: Example { bad: "1f0e9d8c7b6a:1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SwappedHalves { name: "swapped_halves", severity: Severity::Warning,
        message: "The {} equals the configured API key, so the key and the secret seem to be swapped.",
        remedy: "Put the key first, as key:secret.",
        explanation: "The text after the colon is the configured API key. The key must come first, and the secret second.",
        example: Example { bad: "a9b8c7d6e5f4:1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ExamplePair { name: "example_pair", severity: Severity::Warning,
        message: "The {} is an example from the documentation and belongs to no account.",
        remedy: "Replace the example with your own pair, from JustCall under Settings → API & Webhooks. All keys and secrets seen so far have 40 lower-case hexadecimal digits.",
        explanation: "The help article uses the key abc123def456 and the secret sec789xyz000 as an example. The example belongs to no account, so the service answers 401.",
        example: Example { bad: "abc123def456:sec789xyz000", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    PastedTwice { name: "pasted_twice", severity: Severity::Warning,
        message: "The {} seems to be pasted twice.",
        remedy: "Remove the second copy.",
        explanation: "The text consists of the same value twice. The pair is sent, but JustCall probably did not generate such a value.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    VariableName { name: "variable_name", severity: Severity::Warning,
        message: "The {} starts with the name of a variable and an equals sign.",
        remedy: "Use only the text after the equals sign.",
        explanation: "A line NAME=value was passed instead of the value, for instance as the content of a Kubernetes secret. The pair is sent, but the service will probably reject it.",
        example: Example { bad: "JUSTCALL_PAIR=1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ColonInSecret { name: "colon_in_secret", severity: Severity::Warning,
        message: "The {} contains a colon, which is allowed but rare.",
        remedy: "Check that nothing was pasted twice.",
        explanation: "The first colon separates the key from the secret, and further colons belong to the secret. A colon in the secret is allowed, but no secret seen so far contains one. Perhaps two values were joined.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7:d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SourcesDisagree { name: "sources_disagree", severity: Severity::Warning,
        message: "These sources contain different pairs. The first source is used.",
        remedy: "Keep the pair in one source only. After a reset, the other sources still contain the old pair, and the service rejects it.",
        explanation: "Several default sources contain different pairs. The first source is used. An account has one pair, so all other pairs are old or belong to other accounts.",
        example: Example { bad: "JUSTCALL_API_KEY=… beside /run/secrets/justcall", good: "/run/secrets/justcall alone" },
    }
    WebhookSecretVariable { name: "webhook_secret_variable", severity: Severity::Warning,
        message: "The variable is set, but JustCall has no separate webhook secret.",
        remedy: "Remove the variable. JustCall signs webhooks with the API secret.",
        explanation: "Many integrations read JUSTCALL_WEBHOOK_SECRET, but JustCall has no separate webhook secret. JustCall signs webhooks with the API secret of the pair. A program that verifies webhooks with another secret refuses every genuine event.",
        example: Example { bad: "JUSTCALL_WEBHOOK_SECRET=…", good: "JUSTCALL_API_SECRET=…" },
    }
    ReadableByOthers { name: "readable_by_others", severity: Severity::Warning,
        message: "Other users of this machine can read the file.",
        remedy: "Restrict the file: chmod 0600.",
        explanation: "The mode of the file allows its group, or every user of the machine, to read the pair. Only the user that runs the program needs access.",
        example: Example { bad: "-rw-r--r-- justcall.json", good: "-rw------- justcall.json" },
    }
    UnusualShape { name: "unusual_shape", severity: Severity::Note,
        message: "The {} does not have the usual form of 40 lower-case hexadecimal digits.",
        remedy: "Compare the value with JustCall under Settings → API & Webhooks.",
        explanation: "Every key and every secret seen so far has 40 lower-case hexadecimal digits. JustCall does not document this form, so a pair of another form is sent too. If the service rejects the pair, check the length of the key and of the secret first, because a character may be missing.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:a9b8c7d6e5f40312213045566778899aabbccdde" },
    }
}

impl Code {
    /// The code called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, pair, text};
    use super::*;

    /// What cannot be seen in a text: it is about places, about the length, or about halves given apart.
    const ELSEWHERE: &[Code] = &[
        Code::NothingFound,
        Code::SourceMisspelt,
        Code::SourceUnreadable,
        Code::SourceUnparsable,
        Code::SourcesDisagree,
        Code::WebhookSecretVariable,
        Code::ReadableByOthers,
        Code::TooLong,
        Code::ColonInKey,
    ];

    fn plain(example: &str) -> String {
        let mut plain = example.replace('␠', " ").replace('⏎', "\n");
        while let Some((before, (number, after))) =
            plain.split_once("⟨U+").and_then(|(before, rest)| Some((before, rest.split_once('⟩')?)))
        {
            let number = u32::from_str_radix(number, 16).expect("a number");
            plain = format!("{before}{}{after}", char::from_u32(number).expect("a character"));
        }
        plain
    }

    #[test]
    fn it_names_every_code_once() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(*code));
            assert!(code.message().ends_with('.') && code.remedy().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn it_lists_the_worst_first() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.severity()));
    }

    #[test]
    fn it_shows_examples_that_the_check_agrees_with() {
        for code in Code::ALL.iter().filter(|code| !ELSEWHERE.contains(code)) {
            let example = code.example();
            let bad = text(plain(example.bad).as_bytes(), Some(b"1f0e9d8c7b6a"));
            assert!(bad.iter().any(|finding| finding.code() == *code), "{code:?}: {bad:?}");
            let good = text(plain(example.good).as_bytes(), None);
            assert!(good.iter().all(|finding| finding.severity() == Severity::Note), "{code:?}: {good:?}");
        }
        let given_apart = pair(b"1f0e9d8c7b6a:a9b8c7d6e5f4", b"");
        assert!(given_apart.iter().map(Finding::code).any(|code| code == Code::ColonInKey));
    }

    #[test]
    fn it_explains_every_code_in_whole_sentences() {
        for code in Code::ALL {
            assert!(code.explanation().ends_with('.') && code.explanation().len() > 80, "{code:?}");
            assert!(code.example().bad != code.example().good, "{code:?}");
        }
    }
}
