//! The long form of every code, for people in a hurry: why it does not work, how it happens, what to write instead.

use super::code::Code;

/// What was pasted and what belongs there. The values are made up; `␠` stands for a space, `⏎` for a line break and
/// `⟨U+200B⟩` for the invisible character of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What is found.
    pub bad: &'static str,
    /// What to write instead.
    pub good: &'static str,
}

macro_rules! explanations {
    ($($code:ident, $explanation:literal, $bad:literal => $good:literal;)*) => {
        impl Code {
            /// Why it does not work, how it happens, and what to do: a few sentences.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$code => $explanation),* }
            }

            /// The mistake and its remedy, side by side.
            pub const fn example(self) -> Example {
                match self { $(Self::$code => Example { bad: $bad, good: $good }),* }
            }
        }
    };
}

explanations! {
    NothingFound,
        "No place that is looked at holds a pair. Without JUSTCALL_CREDENTIALS these are the variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET, systemd's credentials and /run/secrets/justcall. A variable set in another shell, without `export`, or outside the container is not seen.",
        "JUSTCALL_API_KEY=1f0e9d8c7b6a; ./program" => "export JUSTCALL_API_KEY=1f0e9d8c7b6a JUSTCALL_API_SECRET=a9b8c7d6e5f4; ./program";
    SourceMisspelt,
        "JUSTCALL_CREDENTIALS names where the pair is, never the pair itself. It takes env:, file:, dir: and systemd:; a program (command:) may be named in code or on the command line alone, since whoever sets a variable must not run programs by it.",
        "JUSTCALL_CREDENTIALS=/etc/justcall.json" => "JUSTCALL_CREDENTIALS=file:/etc/justcall.json";
    SourceUnreadable,
        "The source is named correctly, but the system did not let it be read: it does not exist, belongs to another user, or is no regular file. Paths are taken as they are: a ~ is not expanded.",
        "JUSTCALL_CREDENTIALS=file:~/justcall.json" => "JUSTCALL_CREDENTIALS=file:/home/app/justcall.json";
    SourceUnparsable,
        "The file could be read, but no pair could be made out in it. Often a comma or a quote is missing in its JSON, or a member is called otherwise than api_key and api_secret.",
        "{\"key\": \"1f0e9d8c7b6a\", \"secret\": \"a9b8c7d6e5f4\"}" => "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}";
    HeaderName,
        "A header line or a piece of a command was pasted where its value belongs. The library writes the header's name itself; with the name inside, the service would see `Authorization: Authorization: …`.",
        "Authorization: 1f0e9d8c7b6a:a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    CurlUser,
        "With -u, curl encodes the pair in base64 and sends it as Basic, which JustCall answers with 401. Older pages recommend it; it is where most of the confusion comes from.",
        "curl -u 1f0e9d8c7b6a:a9b8c7d6e5f4 https://api.justcall.io/v2/account" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    SchemePrefix,
        "Most services want a word such as Bearer or Basic before the credentials. JustCall does not: the header's value is the key, a colon and the secret, and nothing else. With the word in front the answer is 401.",
        "Bearer 1f0e9d8c7b6a:a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    BasicEncoded,
        "The text is the base64 of key:secret, as Basic authentication has it. HTTP clients make it by themselves when they are given a user and a password. JustCall compares the header's value with the plain pair, so that it answers 401.",
        "MWYwZTlkOGM3YjZhOmE5YjhjN2Q2ZTVmNA==" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    JsonPasted,
        "The pair is kept as JSON, and the whole object was given where key:secret belongs: a secret manager's value in one variable, for instance. As a file it would be read as it is.",
        "{\"api_key\": \"1f0e9d8c7b6a\", \"api_secret\": \"a9b8c7d6e5f4\"}" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    AssignmentPasted,
        "Lines with names, as of a dotenv file, a shell or YAML, were given where the value alone belongs. As a file, dotenv lines would be read as they are.",
        "JUSTCALL_API_KEY=1f0e9d8c7b6a⏎JUSTCALL_API_SECRET=a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    UrlEncoded,
        "In URLs a colon is written %3A. The pair travels in a header, where nothing is decoded: the service would find no colon in it.",
        "1f0e9d8c7b6a%3Aa9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    EmptyHalf,
        "One half is there, the other is not: a variable that is set to nothing, a file that was truncated, or text that starts or ends with the colon. The service needs both.",
        "1f0e9d8c7b6a:" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    OneHalf,
        "JustCall shows key and secret as two fields, and it needs both: the key, a colon and the secret. One of them was given alone, or with something else than a colon between them.",
        "1f0e9d8c7b6a" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    TooLong,
        "A half has at most 512 bytes; those seen so far have 40. Something else was pasted: a file, a certificate, a token of another service.",
        "-----BEGIN CERTIFICATE----- …" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    Placeholder,
        "What documentation writes where your own value belongs was left in, or a variable in a template was not filled in. In single quotes a shell does not expand ${…}; .env files, YAML and systemd units each have rules of their own.",
        "{api_key}:{api_secret}" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    Quotes,
        "Quotation marks are syntax in shells, JSON and some dotenv readers, but not in Docker's --env-file and not in Kubernetes secrets: there they become part of the value.",
        "\"1f0e9d8c7b6a:a9b8c7d6e5f4\"" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    SmartQuotes,
        "Word processors, wikis and chat programs turn plain quotation marks into typographic ones, which no shell and no parser takes for quotes: they become part of the value.",
        "“1f0e9d8c7b6a:a9b8c7d6e5f4”" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ByteOrderMark,
        "Some editors on Windows, and PowerShell's `>`, start a file with an invisible mark that tells its encoding (UTF-16 if control characters are found as well). It becomes part of the key.",
        "⟨U+FEFF⟩1f0e9d8c7b6a:a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ZeroWidth,
        "Web pages and chat programs put characters without width into long words, so that they can be wrapped. They are copied along, and no editor shows them.",
        "1f0e9d8c7b6a:a9b8c7⟨U+200B⟩d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    NoBreakSpace,
        "A space that is none to programs: web pages, word processors and some keyboards (Alt+Space) make it. It is not trimmed as a plain space would be.",
        "1f0e9d8c7b6a:a9b8c7d6e5f4⟨U+00A0⟩" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    LeadingWhitespace,
        "A space or line break was copied along, or stands after the colon or the equals sign because it is written so elsewhere. It would be sent, and the service would answer 401.",
        "1f0e9d8c7b6a:␠a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    TrailingWhitespace,
        "A space or line break was copied along. A file or variable may end with one line break, as editors and `echo` leave it; in a value given in code, nothing is forgiven.",
        "1f0e9d8c7b6a:a9b8c7d6e5f4␠" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    InnerWhitespace,
        "Key and secret are one word each. A terminal or mail program wrapped a long line, or more than the value was copied.",
        "1f0e9d8c7b6a:a9b8c7⏎d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ControlCharacter,
        "A character that is no text: from a terminal (an escape sequence), a binary file, or a file in UTF-16. A header must not hold one.",
        "1f0e9d8c7b6a:a9b8c7⟨U+001B⟩d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    NotAscii,
        "Key and secret consist of plain letters, digits and signs. Letters with accents, dots in place of hidden letters, look-alikes of other alphabets and a full-width colon are none.",
        "1f0e9d8c7b6a:••••••••" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ColonInKey,
        "The service splits the header at the first colon, so that what stands after a colon in the key would count as secret. Often the whole pair was given as the key.",
        "key 1f0e9d8c7b6a:a9b8c7d6e5f4" => "key 1f0e9d8c7b6a, secret a9b8c7d6e5f4";
    HalvesEqual,
        "The same value was pasted into both fields. They are different: JustCall shows the secret only once, when the pair is generated.",
        "1f0e9d8c7b6a:1f0e9d8c7b6a" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    SwappedHalves,
        "What stands after the colon is the API key that is configured here. The key comes first, the secret second.",
        "a9b8c7d6e5f4:1f0e9d8c7b6a" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ExamplePair,
        "abc123def456 and sec789xyz000 are what the help article shows to explain the header. They belong to no account: the service answers 401.",
        "abc123def456:sec789xyz000" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    PastedTwice,
        "The text consists of the same twice. It can be sent, but is hardly what JustCall generated.",
        "1f0e9d8c7b6a:a9b8c7d6e5f4a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    VariableName,
        "A line NAME=value was given where the value alone belongs, for instance as the content of a Kubernetes secret. It can be sent, but the service will hardly know it.",
        "JUSTCALL_PAIR=1f0e9d8c7b6a:a9b8c7d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    ColonInSecret,
        "The first colon separates key and secret; further ones belong to the secret. That is legal, but those seen so far have none: perhaps two values were joined.",
        "1f0e9d8c7b6a:a9b8c7:d6e5f4" => "1f0e9d8c7b6a:a9b8c7d6e5f4";
    SourcesDisagree,
        "More than one of the usual places holds a pair, and they are not the same. The first that is looked at is used. An account has one pair, so that one of them is old, or belongs to another account.",
        "JUSTCALL_API_KEY=… beside /run/secrets/justcall" => "/run/secrets/justcall alone";
    WebhookSecretVariable,
        "Many integrations read JUSTCALL_WEBHOOK_SECRET, but JustCall gives out no such secret: it signs webhooks with the API secret of the pair. A check against anything else refuses every genuine event.",
        "JUSTCALL_WEBHOOK_SECRET=…" => "JUSTCALL_API_SECRET=…";
    ReadableByOthers,
        "The file's mode lets its group or every user of the machine read it, and with it the pair. Only the user that runs the program needs to.",
        "-rw-r--r-- justcall.json" => "-rw------- justcall.json";
    UnusualShape,
        "Every pair seen so far is 40 lower-case hexadecimal digits, a colon and 40 more. That is no rule, so the pair is sent; but when the service rejects it, look here first: a letter may be missing.",
        "1f0e9d8c7b6a:a9b8c7d6e5f4" => "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:a9b8c7d6e5f40312213045566778899aabbccdde";
}

#[cfg(test)]
mod tests {
    use super::super::{Finding, Severity, pair, text};
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
