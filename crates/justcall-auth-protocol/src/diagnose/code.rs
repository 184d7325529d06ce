//! The one table of what can be found.

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

/// Builds [`Code`] and its look-ups from the rows; `{}` in a message stands for what the finding is about.
macro_rules! code_table {
    ($($code:ident, $name:literal, $severity:ident, $message:literal, $remedy:literal;)*) => {
        /// What was found: public names, the same in every language. Of one severity, the more telling stand first.
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

            /// What is the matter; `{}` stands for `API key`, `API secret`, `pair` or `value`.
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
    NothingFound, "nothing_found", Error,
        "No pair is there.",
        "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source in JUSTCALL_CREDENTIALS.";
    SourceMisspelt, "source_misspelt", Error,
        "It names no source that may be used there.",
        "Write a source such as file:/etc/justcall.json or dir:/run/secrets/justcall; a pair does not belong there.";
    SourceUnreadable, "source_unreadable", Error,
        "The source cannot be read.",
        "See that it exists and that the user that runs the program may read it.";
    SourceUnparsable, "source_unparsable", Error,
        "What it holds is neither JSON with both halves, nor dotenv lines, nor key:secret.",
        "Write one line key:secret into it, or JSON with api_key and api_secret.";
    HeaderName, "header_name", Error,
        "The {} has the header's name in front.",
        "Give what stands after `Authorization:` alone.";
    CurlUser, "curl_user", Error,
        "The {} is given to curl with -u, which encodes it for Basic.",
        "Send the header instead: -H \"Authorization: key:secret\".";
    SchemePrefix, "scheme_prefix", Error,
        "The {} starts with an authentication scheme such as Bearer or Basic.",
        "JustCall takes the pair raw: remove the scheme word, and do not encode the pair.";
    BasicEncoded, "basic_encoded", Error,
        "The {} is encoded in base64, as for Basic authentication.",
        "JustCall takes the pair raw: send key:secret as it is.";
    JsonPasted, "json_pasted", Error,
        "The {} is a whole JSON object.",
        "Give key:secret alone, or save the JSON as a file and name it as file:PATH.";
    AssignmentPasted, "assignment_pasted", Error,
        "The {} is given with names, as in a dotenv file.",
        "Give key:secret alone, or save the lines as a file and name it as file:PATH.";
    UrlEncoded, "url_encoded", Error,
        "The {} is URL-encoded: its colon is written %3A.",
        "Give it as it is, with a colon: headers are not URL-encoded.";
    EmptyHalf, "empty_half", Error,
        "The {} is empty.",
        "Give both halves, as key:secret.";
    OneHalf, "one_half", Error,
        "There is no colon, so there is only one half.",
        "Give both halves with a colon between them, as key:secret.";
    TooLong, "too_long", Error,
        "The {} is longer than 512 bytes.",
        "Give the pair alone, not the file or command around it.";
    Placeholder, "placeholder", Error,
        "The {} is a placeholder from an example.",
        "Replace it by your own, from JustCall under Settings → API & Webhooks.";
    Quotes, "quotes", Error,
        "The {} starts or ends with a quotation mark.",
        "Remove the quotes: they were kept from a dotenv file, a shell or JSON.";
    SmartQuotes, "smart_quotes", Error,
        "The {} has typographic quotation marks.",
        "Remove them: a word processor or chat program put them there.";
    ByteOrderMark, "byte_order_mark", Error,
        "The {} starts with a byte order mark, which is invisible.",
        "Save the file as UTF-8 without a byte order mark (BOM).";
    ZeroWidth, "zero_width", Error,
        "The {} has an invisible character inside.",
        "Type it anew or copy it as plain text: the character came from a formatted page.";
    NoBreakSpace, "no_break_space", Error,
        "The {} has a no-break or other special space.",
        "Remove it: it came from a web page or a word processor, and looks like a plain space.";
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
        "The {} has a character outside ASCII.",
        "Copy it again as plain text, not from a formatted document.";
    ColonInKey, "colon_in_key", Error,
        "The {} has a colon inside.",
        "The first colon separates key and secret: give the key without it.";
    HalvesEqual, "halves_equal", Error,
        "Key and secret are the same.",
        "Copy each from its own field in JustCall under Settings → API & Webhooks.";
    SwappedHalves, "swapped_halves", Warning,
        "The {} is the API key that is known: the halves seem swapped.",
        "Put the key first: key:secret.";
    ExamplePair, "example_pair", Warning,
        "The {} is the one of the documentation's example, which opens no account.",
        "Put your own in its place, from JustCall under Settings → API & Webhooks: 40 lower-case hexadecimal digits, as those seen so far are.";
    PastedTwice, "pasted_twice", Warning,
        "The {} seems to be pasted twice.",
        "Keep one of the two.";
    VariableName, "variable_name", Warning,
        "The {} starts with a variable's name and an equals sign.",
        "Give what stands after the equals sign alone.";
    ColonInSecret, "colon_in_secret", Warning,
        "The {} has a colon inside, which is legal but rare.",
        "Check that nothing was pasted twice.";
    SourcesDisagree, "sources_disagree", Warning,
        "These places hold different pairs; the first is used.",
        "Keep one: after a reset, an old pair in the other is rejected.";
    WebhookSecretVariable, "webhook_secret_variable", Warning,
        "It is set, but JustCall has no webhook secret.",
        "Remove it: webhooks are signed with the API secret.";
    ReadableByOthers, "readable_by_others", Warning,
        "Other users of this machine can read the file.",
        "Take the right away: chmod 0600.";
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
