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
        message: "No pair is there.",
        remedy: "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source in JUSTCALL_CREDENTIALS.",
        explanation: "No place that is looked at holds a pair. Without JUSTCALL_CREDENTIALS these are the variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET, systemd's credentials and /run/secrets/justcall. A variable set in another shell, without `export`, or outside the container is not seen.",
        example: Example { bad: "JUSTCALL_API_KEY=1f0e9d8c7b6a; ./program", good: "export JUSTCALL_API_KEY=1f0e9d8c7b6a JUSTCALL_API_SECRET=a9b8c7d6e5f4; ./program" },
    }
    SourceMisspelt { name: "source_misspelt", severity: Severity::Error,
        message: "It names no source that may be used there.",
        remedy: "Write a source such as file:/etc/justcall.json or dir:/run/secrets/justcall; a pair does not belong there.",
        explanation: "JUSTCALL_CREDENTIALS names where the pair is, never the pair itself. It takes env:, file:, dir: and systemd:; a program (command:) may be named in code or on the command line alone, since whoever sets a variable must not run programs by it.",
        example: Example { bad: "JUSTCALL_CREDENTIALS=/etc/justcall.json", good: "JUSTCALL_CREDENTIALS=file:/etc/justcall.json" },
    }
    SourceUnreadable { name: "source_unreadable", severity: Severity::Error,
        message: "The source cannot be read.",
        remedy: "See that it exists and that the user that runs the program may read it.",
        explanation: "The source is named correctly, but the system did not let it be read: it does not exist, belongs to another user, or is no regular file. Paths are taken as they are: a ~ is not expanded.",
        example: Example { bad: "JUSTCALL_CREDENTIALS=file:~/justcall.json", good: "JUSTCALL_CREDENTIALS=file:/home/app/justcall.json" },
    }
    SourceUnparsable { name: "source_unparsable", severity: Severity::Error,
        message: "What it holds is neither JSON with both halves, nor dotenv lines, nor key:secret.",
        remedy: "Write one line key:secret into it, or JSON with api_key and api_secret.",
        explanation: "The file could be read, but no pair could be made out in it. Often a comma or a quote is missing in its JSON, or a member is called otherwise than api_key and api_secret.",
        example: Example { bad: "{\"key\": \"1f0e9d8c7b6a\", \"secret\": \"a9b8c7d6e5f4\"}", good: "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}" },
    }
    HeaderName { name: "header_name", severity: Severity::Error,
        message: "The {} has the header's name in front.",
        remedy: "Give what stands after `Authorization:` alone.",
        explanation: "A header line or a piece of a command was pasted where its value belongs. The library writes the header's name itself; with the name inside, the service would see `Authorization: Authorization: …`.",
        example: Example { bad: "Authorization: 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    CurlUser { name: "curl_user", severity: Severity::Error,
        message: "The {} is given to curl with -u, which encodes it for Basic.",
        remedy: "Send the header instead: -H \"Authorization: key:secret\".",
        explanation: "With -u, curl encodes the pair in base64 and sends it as Basic, which JustCall answers with 401. Older pages recommend it; it is where most of the confusion comes from.",
        example: Example { bad: "curl -u 1f0e9d8c7b6a:a9b8c7d6e5f4 https://api.justcall.io/v2/account", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SchemePrefix { name: "scheme_prefix", severity: Severity::Error,
        message: "The {} starts with an authentication scheme such as Bearer or Basic.",
        remedy: "JustCall takes the pair raw: remove the scheme word, and do not encode the pair.",
        explanation: "Most services want a word such as Bearer or Basic before the credentials. JustCall does not: the header's value is the key, a colon and the secret, and nothing else. With the word in front the answer is 401.",
        example: Example { bad: "Bearer 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    BasicEncoded { name: "basic_encoded", severity: Severity::Error,
        message: "The {} is encoded in base64, as for Basic authentication.",
        remedy: "JustCall takes the pair raw: send key:secret as it is.",
        explanation: "The text is the base64 of key:secret, as Basic authentication has it. HTTP clients make it by themselves when they are given a user and a password. JustCall compares the header's value with the plain pair, so that it answers 401.",
        example: Example { bad: "MWYwZTlkOGM3YjZhOmE5YjhjN2Q2ZTVmNA==", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    JsonPasted { name: "json_pasted", severity: Severity::Error,
        message: "The {} is a whole JSON object.",
        remedy: "Give key:secret alone, or save the JSON as a file and name it as file:PATH.",
        explanation: "The pair is kept as JSON, and the whole object was given where key:secret belongs: a secret manager's value in one variable, for instance. As a file it would be read as it is.",
        example: Example { bad: "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    AssignmentPasted { name: "assignment_pasted", severity: Severity::Error,
        message: "The {} is given with names, as in a dotenv file.",
        remedy: "Give key:secret alone, or save the lines as a file and name it as file:PATH.",
        explanation: "Lines with names, as of a dotenv file, a shell or YAML, were given where the value alone belongs. As a file, dotenv lines would be read as they are.",
        example: Example { bad: "JUSTCALL_API_KEY=1f0e9d8c7b6a⏎JUSTCALL_API_SECRET=a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    UrlEncoded { name: "url_encoded", severity: Severity::Error,
        message: "The {} is URL-encoded: its colon is written %3A.",
        remedy: "Give it as it is, with a colon: headers are not URL-encoded.",
        explanation: "In URLs a colon is written %3A. The pair travels in a header, where nothing is decoded: the service would find no colon in it.",
        example: Example { bad: "1f0e9d8c7b6a%3Aa9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    EmptyHalf { name: "empty_half", severity: Severity::Error,
        message: "The {} is empty.",
        remedy: "Give both halves, as key:secret.",
        explanation: "One half is there, the other is not: a variable that is set to nothing, a file that was truncated, or text that starts or ends with the colon. The service needs both.",
        example: Example { bad: "1f0e9d8c7b6a:", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    OneHalf { name: "one_half", severity: Severity::Error,
        message: "There is no colon, so there is only one half.",
        remedy: "Give both halves with a colon between them, as key:secret.",
        explanation: "JustCall shows key and secret as two fields, and it needs both: the key, a colon and the secret. One of them was given alone, or with something else than a colon between them.",
        example: Example { bad: "1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    TooLong { name: "too_long", severity: Severity::Error,
        message: "The {} is longer than 512 bytes.",
        remedy: "Give the pair alone, not the file or command around it.",
        explanation: "A half has at most 512 bytes; those seen so far have 40. Something else was pasted: a file, a certificate, a token of another service.",
        example: Example { bad: "-----BEGIN CERTIFICATE----- …", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    Placeholder { name: "placeholder", severity: Severity::Error,
        message: "The {} is a placeholder from an example.",
        remedy: "Replace it by your own, from JustCall under Settings → API & Webhooks.",
        explanation: "What documentation writes where your own value belongs was left in, or a variable in a template was not filled in. In single quotes a shell does not expand ${…}; .env files, YAML and systemd units each have rules of their own.",
        example: Example { bad: "{api_key}:{api_secret}", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    Quotes { name: "quotes", severity: Severity::Error,
        message: "The {} starts or ends with a quotation mark.",
        remedy: "Remove the quotes: they were kept from a dotenv file, a shell or JSON.",
        explanation: "Quotation marks are syntax in shells, JSON and some dotenv readers, but not in Docker's --env-file and not in Kubernetes secrets: there they become part of the value.",
        example: Example { bad: "\"1f0e9d8c7b6a:a9b8c7d6e5f4\"", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SmartQuotes { name: "smart_quotes", severity: Severity::Error,
        message: "The {} has typographic quotation marks.",
        remedy: "Remove them: a word processor or chat program put them there.",
        explanation: "Word processors, wikis and chat programs turn plain quotation marks into typographic ones, which no shell and no parser takes for quotes: they become part of the value.",
        example: Example { bad: "“1f0e9d8c7b6a:a9b8c7d6e5f4”", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ByteOrderMark { name: "byte_order_mark", severity: Severity::Error,
        message: "The {} starts with a byte order mark, which is invisible.",
        remedy: "Save the file as UTF-8 without a byte order mark (BOM).",
        explanation: "Some editors on Windows, and PowerShell's `>`, start a file with an invisible mark that tells its encoding (UTF-16 if control characters are found as well). It becomes part of the key.",
        example: Example { bad: "⟨U+FEFF⟩1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ZeroWidth { name: "zero_width", severity: Severity::Error,
        message: "The {} has an invisible character inside.",
        remedy: "Type it anew or copy it as plain text: the character came from a formatted page.",
        explanation: "Web pages and chat programs put characters without width into long words, so that they can be wrapped. They are copied along, and no editor shows them.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⟨U+200B⟩d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    NoBreakSpace { name: "no_break_space", severity: Severity::Error,
        message: "The {} has a no-break or other special space.",
        remedy: "Remove it: it came from a web page or a word processor, and looks like a plain space.",
        explanation: "A space that is none to programs: web pages, word processors and some keyboards (Alt+Space) make it. It is not trimmed as a plain space would be.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4⟨U+00A0⟩", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    LeadingWhitespace { name: "leading_whitespace", severity: Severity::Error,
        message: "The {} starts with a space or line break.",
        remedy: "Remove it: it was picked up while copying.",
        explanation: "A space or line break was copied along, or stands after the colon or the equals sign because it is written so elsewhere. It would be sent, and the service would answer 401.",
        example: Example { bad: "1f0e9d8c7b6a:␠a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    TrailingWhitespace { name: "trailing_whitespace", severity: Severity::Error,
        message: "The {} ends with a space or line break.",
        remedy: "Remove it: it was picked up while copying, or added by `echo` (use `printf %s`).",
        explanation: "A space or line break was copied along. A file or variable may end with one line break, as editors and `echo` leave it; in a value given in code, nothing is forgiven.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4␠", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    InnerWhitespace { name: "inner_whitespace", severity: Severity::Error,
        message: "The {} has a space or line break inside.",
        remedy: "Copy it again: a pair has none.",
        explanation: "Key and secret are one word each. A terminal or mail program wrapped a long line, or more than the value was copied.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⏎d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ControlCharacter { name: "control_character", severity: Severity::Error,
        message: "The {} has a control character inside.",
        remedy: "Copy it again as plain text.",
        explanation: "A character that is no text: from a terminal (an escape sequence), a binary file, or a file in UTF-16. A header must not hold one.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7⟨U+001B⟩d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    NotAscii { name: "not_ascii", severity: Severity::Error,
        message: "The {} has a character outside ASCII.",
        remedy: "Copy it again as plain text, not from a formatted document.",
        explanation: "Key and secret consist of plain letters, digits and signs. Letters with accents, dots in place of hidden letters, look-alikes of other alphabets and a full-width colon are none.",
        example: Example { bad: "1f0e9d8c7b6a:••••••••", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ColonInKey { name: "colon_in_key", severity: Severity::Error,
        message: "The {} has a colon inside.",
        remedy: "The first colon separates key and secret: give the key without it.",
        explanation: "The service splits the header at the first colon, so that what stands after a colon in the key would count as secret. Often the whole pair was given as the key.",
        example: Example { bad: "key 1f0e9d8c7b6a:a9b8c7d6e5f4", good: "key 1f0e9d8c7b6a, secret a9b8c7d6e5f4" },
    }
    HalvesEqual { name: "halves_equal", severity: Severity::Error,
        message: "Key and secret are the same.",
        remedy: "Copy each from its own field in JustCall under Settings → API & Webhooks.",
        explanation: "The same value was pasted into both fields. They are different: JustCall shows the secret only once, when the pair is generated.",
        example: Example { bad: "1f0e9d8c7b6a:1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SwappedHalves { name: "swapped_halves", severity: Severity::Warning,
        message: "The {} is the API key that is known: the halves seem swapped.",
        remedy: "Put the key first: key:secret.",
        explanation: "What stands after the colon is the API key that is configured here. The key comes first, the secret second.",
        example: Example { bad: "a9b8c7d6e5f4:1f0e9d8c7b6a", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ExamplePair { name: "example_pair", severity: Severity::Warning,
        message: "The {} is the one of the documentation's example, which opens no account.",
        remedy: "Put your own in its place, from JustCall under Settings → API & Webhooks: 40 lower-case hexadecimal digits, as those seen so far are.",
        explanation: "abc123def456 and sec789xyz000 are what the help article shows to explain the header. They belong to no account: the service answers 401.",
        example: Example { bad: "abc123def456:sec789xyz000", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    PastedTwice { name: "pasted_twice", severity: Severity::Warning,
        message: "The {} seems to be pasted twice.",
        remedy: "Keep one of the two.",
        explanation: "The text consists of the same twice. It can be sent, but is hardly what JustCall generated.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7d6e5f4a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    VariableName { name: "variable_name", severity: Severity::Warning,
        message: "The {} starts with a variable's name and an equals sign.",
        remedy: "Give what stands after the equals sign alone.",
        explanation: "A line NAME=value was given where the value alone belongs, for instance as the content of a Kubernetes secret. It can be sent, but the service will hardly know it.",
        example: Example { bad: "JUSTCALL_PAIR=1f0e9d8c7b6a:a9b8c7d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    ColonInSecret { name: "colon_in_secret", severity: Severity::Warning,
        message: "The {} has a colon inside, which is legal but rare.",
        remedy: "Check that nothing was pasted twice.",
        explanation: "The first colon separates key and secret; further ones belong to the secret. That is legal, but those seen so far have none: perhaps two values were joined.",
        example: Example { bad: "1f0e9d8c7b6a:a9b8c7:d6e5f4", good: "1f0e9d8c7b6a:a9b8c7d6e5f4" },
    }
    SourcesDisagree { name: "sources_disagree", severity: Severity::Warning,
        message: "These places hold different pairs; the first is used.",
        remedy: "Keep one: after a reset, an old pair in the other is rejected.",
        explanation: "More than one of the usual places holds a pair, and they are not the same. The first that is looked at is used. An account has one pair, so that one of them is old, or belongs to another account.",
        example: Example { bad: "JUSTCALL_API_KEY=… beside /run/secrets/justcall", good: "/run/secrets/justcall alone" },
    }
    WebhookSecretVariable { name: "webhook_secret_variable", severity: Severity::Warning,
        message: "It is set, but JustCall has no webhook secret.",
        remedy: "Remove it: webhooks are signed with the API secret.",
        explanation: "Many integrations read JUSTCALL_WEBHOOK_SECRET, but JustCall gives out no such secret: it signs webhooks with the API secret of the pair. A check against anything else refuses every genuine event.",
        example: Example { bad: "JUSTCALL_WEBHOOK_SECRET=…", good: "JUSTCALL_API_SECRET=…" },
    }
    ReadableByOthers { name: "readable_by_others", severity: Severity::Warning,
        message: "Other users of this machine can read the file.",
        remedy: "Take the right away: chmod 0600.",
        explanation: "The file's mode lets its group or every user of the machine read it, and with it the pair. Only the user that runs the program needs to.",
        example: Example { bad: "-rw-r--r-- justcall.json", good: "-rw------- justcall.json" },
    }
    UnusualShape { name: "unusual_shape", severity: Severity::Note,
        message: "The {} is not 40 lower-case hexadecimal digits, as those seen so far are.",
        remedy: "Compare it with JustCall under Settings → API & Webhooks.",
        explanation: "Every pair seen so far is 40 lower-case hexadecimal digits, a colon and 40 more. That is no rule, so the pair is sent; but when the service rejects it, look here first: a letter may be missing.",
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
