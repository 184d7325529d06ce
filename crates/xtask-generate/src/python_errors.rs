//! The Python exceptions, made from the error table: `bindings/python/python/justcall_auth/_errors.py`.
//!
//! One class a row. The file is formatted as `ruff format` would, so that it can be committed and compared.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use justcall_auth_protocol::ErrorKind;

/// Where the file is, from the root of the workspace.
const PATH: &str = "bindings/python/python/justcall_auth/_errors.py";

/// The longest line, as `pyproject.toml` sets it for `ruff`.
const WIDTH: usize = 110;

const HEADER: &str = r#""""The exceptions, one class for each row of the error table.

Written by `cargo xtask docs` from `crates/justcall-auth-protocol/src/error/table.rs`; changes belong there.
"""

from ._error_base import JustCallError, WebhookError
from ._typing import Final
"#;

/// Writes the file under `root`, the workspace's; with `check` only compares.
///
/// # Errors
/// The file cannot be read or written, or with `check`: it is not what the table says.
pub fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let path = root.join(PATH);
    let wanted = module();
    if !check {
        return std::fs::write(&path, wanted).with_context(|| format!("writing {PATH}"));
    }
    let found = std::fs::read_to_string(&path).with_context(|| format!("reading {PATH}"))?;
    if found.replace("\r\n", "\n") != wanted {
        bail!("{PATH} is not what the error table says: run `cargo xtask docs`");
    }
    Ok(())
}

/// The rows that can occur in Python, which lends no buffers.
fn rows() -> impl Iterator<Item = ErrorKind> {
    ErrorKind::ALL.iter().copied().filter(|kind| *kind != ErrorKind::BufferTooSmall)
}

fn module() -> String {
    let mut text = HEADER.to_owned();
    for kind in rows() {
        text.push_str(&class(kind));
    }
    text.push_str("\n\nBY_CODE: Final[dict[int, type[JustCallError]]] = {\n");
    for kind in rows() {
        line(&mut text, &format!("    {}: {},", kind.number(), class_name(kind)));
    }
    text.push_str("}\n\"\"\"The class of each row, by the row's number.\"\"\"\n");
    text
}

fn class(kind: ErrorKind) -> String {
    let bases = match built_in_base(kind) {
        Some(base) => format!("JustCallError, {base}"),
        None if kind.name().starts_with("webhook_") => "WebhookError".to_owned(),
        None => "JustCallError".to_owned(),
    };
    let mut text = format!("\n\nclass {}({bases}):\n", class_name(kind));
    docstring(&mut text, kind);
    text.push('\n');
    line(&mut text, "    __module__ = \"justcall_auth\"");
    line(&mut text, &format!("    name = {}", literal(kind.name())));
    line(&mut text, &format!("    code = {}", kind.number()));
    line(&mut text, &format!("    retryable = {}", if kind.retryable() { "True" } else { "False" }));
    assignment(&mut text, "_message", kind.message());
    assignment(&mut text, "_hint", kind.remedy());
    text
}

/// The exception that a Python program would expect, beside our own.
fn built_in_base(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::InvalidArgument => Some("ValueError"),
        ErrorKind::OutOfMemory => Some("MemoryError"),
        ErrorKind::Timeout => Some("TimeoutError"),
        ErrorKind::ConnectionFailed => Some("ConnectionError"),
        _ => None,
    }
}

/// `rate_limited` is `RateLimitedError`. Where that would be the name of a built-in exception or of one that every
/// program knows from `asyncio`, or would say `ErrorError`, the name differs.
fn class_name(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::Timeout => "RequestTimeoutError".to_owned(),
        ErrorKind::Cancelled => "CallCancelledError".to_owned(),
        ErrorKind::ServerError => "ServerError".to_owned(),
        _ => kind.name().split('_').map(capitalised).chain(["Error".to_owned()]).collect(),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// The message alone on the first line, the remedy below it.
fn docstring(text: &mut String, kind: ErrorKind) {
    line(text, &format!("    \"\"\"{}", kind.message()));
    text.push('\n');
    for piece in wrap(kind.remedy(), WIDTH - 4) {
        line(text, &format!("    {}", piece.trim_end()));
    }
    text.push_str("    \"\"\"\n");
}

/// `name = "value"`, in parentheses and several pieces when it is too long for a line.
fn assignment(text: &mut String, name: &str, value: &str) {
    let single = format!("    {name} = {}", literal(value));
    if single.chars().count() <= WIDTH {
        return line(text, &single);
    }
    line(text, &format!("    {name} = ("));
    // Eight of indentation and two quotes; an escape counts double.
    for piece in wrap(value, WIDTH - 10 - value.matches(['"', '\\']).count()) {
        line(text, &format!("        {}", literal(&piece)));
    }
    line(text, "    )");
}

/// A string literal as `ruff format` writes it.
fn literal(value: &str) -> String {
    let quote = if value.contains('"') && !value.contains('\'') { '\'' } else { '"' };
    let mut text = String::from(quote);
    for character in value.chars() {
        if character == quote || character == '\\' {
            text.push('\\');
        }
        text.push(character);
    }
    text.push(quote);
    text
}

/// `text` in pieces of at most `width` characters that, joined, are `text` again.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let piece = pieces.last_mut().expect("there is one from the start");
        if !piece.is_empty() && piece.chars().count() + word.chars().count() > width {
            pieces.push(word.to_owned());
        } else {
            piece.push_str(word);
        }
    }
    pieces
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_class_as_the_design_does() {
        let names: Vec<String> = rows().map(class_name).collect();
        for name in ["InvalidArgumentError", "RequestTimeoutError", "ConnectionFailedError", "TlsFailedError"]
        {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for name in ["CallCancelledError", "ServerError", "RateLimitedError", "WebhookWrongUrlError"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for built_in in ["TimeoutError", "ConnectionError", "CancelledError", "ServerErrorError"] {
            assert!(names.iter().all(|known| known != built_in), "{built_in}");
        }
    }

    #[test]
    fn it_loses_nothing_when_it_wraps() {
        for kind in rows() {
            for width in [30, 50, 100] {
                let pieces = wrap(kind.remedy(), width);
                assert_eq!(pieces.concat(), kind.remedy());
                assert!(pieces.iter().all(|piece| piece.chars().count() <= width), "{pieces:?}");
            }
        }
    }

    #[test]
    fn it_writes_literals_as_the_formatter_does() {
        assert_eq!(literal("a"), "\"a\"");
        assert_eq!(literal("say \"a\""), "'say \"a\"'");
        assert_eq!(literal("it's \"a\""), "\"it's \\\"a\\\"\"");
        assert_eq!(literal("a\\b"), "\"a\\\\b\"");
    }

    #[test]
    fn it_keeps_every_line_short_enough() {
        for line in module().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn it_notices_drift_and_says_how_to_mend_it() {
        let root = std::env::temp_dir().join(format!("python-errors-{}", std::process::id()));
        let path = root.join(PATH);
        std::fs::create_dir_all(path.parent().expect("the path has a folder"))
            .expect("a folder for the test");
        run(&root, false).expect("it can be written");
        run(&root, true).expect("it is fresh");
        std::fs::write(&path, module() + "\n").expect("the test's file");
        let error = run(&root, true).expect_err("it drifted").to_string();
        assert!(error.contains(PATH) && error.contains("cargo xtask docs"), "{error}");
        std::fs::remove_dir_all(&root).expect("the test's folder");
    }
}
