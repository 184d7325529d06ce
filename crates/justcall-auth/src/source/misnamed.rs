//! Lines that name a half in an unsupported way: YAML, INI files, other shells, names without `JUSTCALL_`.

use justcall_auth_protocol::diagnose::half_name;
use justcall_auth_protocol::error::Error;

use super::dotenv::{Dotenv, is_ours, names_ours};
use super::failure::{refused, unparsable};

/// Words before a name in other languages.
const WORDS: &[&[u8]] =
    &[b"export ", b"declare -x ", b"set ", b"setenv ", b"$env:", b"- ", b"const ", b"let "];

/// Refuses the first line of `lines` that seems to name a half.
///
/// # Errors
/// Fails with `credentials_malformed`. The error names the invisible characters in the name, or the line.
pub(super) fn refuse(lines: &Dotenv) -> Result<(), Error> {
    let assigned = lines
        .assignments
        .iter()
        .filter(|line| !is_ours(line.name))
        .filter_map(|line| Some((line.line, half_name(line.name)?)));
    let unread = lines.unread.iter().filter_map(|line| {
        let named = half_name(name(line.text)).or_else(|| names_ours(line.text).then(Vec::new));
        Some((line.line, named?))
    });
    match assigned.chain(unread).min_by_key(|(line, _)| *line) {
        None => Ok(()),
        Some((line, findings)) if findings.is_empty() => Err(unparsable(
            line,
            "it seems to name the key or secret, but not as JUSTCALL_API_KEY=… or JUSTCALL_API_SECRET=…",
        )),
        Some((_, findings)) => Err(refused(findings)),
    }
}

/// Returns the name that `line` seems to contain: the text before the first colon or equals sign, else the first word.
fn name(line: &[u8]) -> &[u8] {
    let bare = WORDS.iter().find_map(|word| line.strip_prefix(*word)).unwrap_or(line);
    let is_separator = |byte: &u8| matches!(byte, b':' | b'=');
    let end = bare.iter().position(is_separator).or_else(|| bare.iter().position(u8::is_ascii_whitespace));
    bare[..end.unwrap_or(0)].trim_ascii()
}
