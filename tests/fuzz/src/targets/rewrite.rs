//! The replacement of the pair in the text of a source, as `rotate` and `setup` do it.

use justcall_auth::source::{Content, read_text};
use justcall_auth::{Credentials, ErrorKind};
use serde_json::Value;

use crate::Target;
use crate::disclosure::check_hidden;
use crate::input::Input;
use crate::seeds;

pub const TARGET: Target = Target {
    name: "rewrite",
    about: "A text is refused, or its pair is replaced: the new text has the new pair, every line and every member that is \
            not the pair's stays, a second replacement changes nothing, and the old pair can be put back. A refusal contains \
            eight bytes of neither the text nor the new pair.",
    check,
    seeds: || {
        let mut all = Vec::new();
        for flags in 0..4_u8 {
            let secret = [b"newsecret123".as_slice(), b"new'secret#1", b"new\"secret\\2", b"$HOME`3`;abc"]
                [usize::from(flags)];
            let first = [&[flags], secret, b"\0"].concat();
            all.extend(
                seeds::after(&first, seeds::source_files()).into_iter().skip(usize::from(flags)).step_by(4),
            );
        }
        all
    },
    tokens: &[
        "JUSTCALL_API_KEY=",
        "JUSTCALL_API_SECRET=",
        "JUSTCALL_PREVIOUS_COMPROMISED=",
        "export ",
        "\n",
        "\r\n",
        "\r",
        "#",
        " # ",
        "'",
        "\"",
        "\\",
        "$(",
        "`",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"api_key\":",
        "\"api_secret\":",
        "\"created_at\":",
        "\"previous_compromised\":",
        "\"api\\u005fkey\":",
        "true",
        "null",
        "1e9",
        "\u{feff}",
        "abc123def456:sec789xyz000",
        "A=1\n",
        "A=\"x\n",
        "https://",
        "op://a/b/c",
        "<<END\n",
    ],
};

const NEW_KEY: &str = "newkey123456";
const CREATED_AT: &str = "2026-11-24T16:10:00Z";

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let previous_compromised = input.byte() % 2 == 1;
    let Ok(credentials) = Credentials::new(NEW_KEY.as_bytes(), input.field()) else { return };
    let old = input.rest();
    let content = Content { credentials: &credentials, created_at: CREATED_AT, previous_compromised };
    let rewritten = content.rewrite(old).map(|new| new.as_ref().to_vec());
    match &rewritten {
        Ok(new) => check_rewritten(&content, old, new),
        Err(error) => {
            let is_refused = Content::check(old).is_err();
            let expected =
                if is_refused { ErrorKind::CredentialsMalformed } else { ErrorKind::InvalidArgument };
            assert_eq!(error.kind(), expected, "{error:?}");
        }
    }
    if rewritten.is_err() {
        check_hidden(old, |old| match content.rewrite(old) {
            Ok(_) => String::new(),
            Err(error) => format!("{error} {error:?} {}", error.hint()),
        });
        let error = rewritten.err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
        credentials.expose_authorization(|pair| check_hidden(pair, |_| error.clone()));
    }
}

fn check_rewritten(content: &Content, old: &[u8], new: &[u8]) {
    Content::check(old).expect("it was rewritten");
    let read = read_text(new).expect("a text that was written is read");
    assert!(read.same_pair(content.credentials), "another pair");
    if old.trim_ascii_start().starts_with(b"{") {
        assert_eq!(other_members(old), other_members(new));
    } else if !content.credentials.expose_authorization(|pair| new.trim_ascii_end() == pair) {
        assert_eq!(other_lines(old), other_lines(new));
    }
    let again = content.rewrite(new).expect("a text that was written is understood");
    assert!(again.as_ref() == new, "a second replacement changes the text");
    let Ok(before) = read_text(old) else { return };
    // Every form that stored the old pair can store it again, but perhaps with other quotation marks.
    let back = Content { credentials: &before, ..*content };
    match back.rewrite(new) {
        Ok(text) => assert!(read_text(text.as_ref()).expect("it was written").same_pair(&before)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error:?}"),
    }
}

/// Returns the members that are not the pair's, with their values, in the order of the text.
fn other_members(text: &[u8]) -> Vec<(String, Value)> {
    const OURS: [&str; 4] = ["api_key", "api_secret", "created_at", "previous_compromised"];
    let json: serde_json::Map<String, Value> = serde_json::from_slice(text).expect("it was accepted as JSON");
    json.into_iter().filter(|(name, _)| !OURS.contains(&name.as_str())).collect()
}

/// Returns the lines that do not set the pair.
fn other_lines(text: &[u8]) -> Vec<&[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_ours = |line: &&[u8]| line.windows(9).any(|window| window == b"JUSTCALL_");
    lines.filter(|line| !line.is_empty() && !is_ours(line)).collect()
}
