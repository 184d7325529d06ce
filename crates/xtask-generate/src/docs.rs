//! Keeps the documentation true: it fills what stands between two markers of a Markdown file from its source.
//!
//! | marker | what is filled in |
//! |---|---|
//! | `<!-- begin: errors -->` | the table of errors |
//! | `<!-- begin: findings -->` | the table of what the local check finds |
//! | `<!-- begin: sources -->` | the table of sources |
//! | `<!-- begin: PATH -->` | the file, or the part of it between `[readme]` and `[/readme]` |

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use justcall_auth::source::SPELLINGS;
use justcall_auth_protocol::diagnose::Code;
use justcall_auth_protocol::error::ErrorKind;

const BEGIN: &str = "<!-- begin: ";
const END: &str = "<!-- end -->";

/// The files that have markers.
const FILES: &[&str] = &["README.md"];

/// Fills every marker, or fails when `check` finds one that is not up to date.
pub fn run(root: &Path, check: bool) -> Result<()> {
    for name in FILES {
        let path = root.join(name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        let filled = fill(root, &text).with_context(|| (*name).to_owned())?;
        if filled == text {
            continue;
        }
        ensure!(!check, "{name} is not up to date; run: cargo xtask docs");
        std::fs::write(&path, filled)?;
        println!("wrote {name}");
    }
    Ok(())
}

fn fill(root: &Path, text: &str) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let (before, from_marker) = rest.split_at(at);
        let marker = from_marker.lines().next().unwrap_or_default();
        let source = marker.strip_prefix(BEGIN).and_then(|name| name.strip_suffix(" -->"));
        let source = source.with_context(|| format!("the marker {marker} is broken"))?;
        let end = from_marker.find(END).with_context(|| format!("{marker} has no {END}"))?;
        write!(filled, "{before}{marker}\n{}{END}", content(root, source)?)?;
        rest = &from_marker[end + END.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn content(root: &Path, source: &str) -> Result<String> {
    match source {
        "errors" => Ok(errors()),
        "findings" => Ok(findings()),
        "sources" => Ok(sources()),
        path => {
            let text =
                std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            let language = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
                Some("rs") => "rust",
                Some("py") => "python",
                Some("txt") => "text",
                Some(extension) => extension,
                None => "sh",
            };
            Ok(format!("```{language}\n{}\n```\n", part(&text, path)?.trim_end()))
        }
    }
}

/// What is between the lines that hold `[readme]` and `[/readme]`, or all of it.
fn part<'a>(text: &'a str, path: &str) -> Result<&'a str> {
    let Some(begin) = text.find("[readme]") else { return Ok(text) };
    let begin = begin + text[begin..].find('\n').context("[readme] ends the file")? + 1;
    let Some(length) = text[begin..].find("[/readme]") else { bail!("{path} has no [/readme]") };
    let end = text[..begin + length].rfind('\n').context("[/readme] begins the file")?;
    Ok(&text[begin..end])
}

fn errors() -> String {
    let mut table = String::from(
        "| number | name | what happened | what to do | retry may help |\n|---|---|---|---|---|\n",
    );
    for kind in ErrorKind::ALL {
        let retry = if kind.retryable() { "yes" } else { "" };
        let row = format!(
            "| {} | `{}` | {} | {} | {retry} |",
            kind.number(),
            kind.name(),
            kind.message(),
            kind.remedy()
        );
        table.push_str(&row.replace("|  |", "| |"));
        table.push('\n');
    }
    table
}

fn findings() -> String {
    let mut table = String::from("| code | severity | what was found | what to do |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let message = code.message().replace("{}", "half");
        let row =
            format!("| `{}` | {} | {message} | {} |\n", code.name(), code.severity().name(), code.remedy());
        table.push_str(&row);
    }
    table
}

fn sources() -> String {
    let mut table = String::from("| source | what |\n|---|---|\n");
    for (spelling, what) in SPELLINGS {
        writeln!(table, "| `{spelling}` | {what} |").expect("a String takes everything");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_replaces_only_what_is_between_markers() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.c"), "top\n/* [readme] */\nint x;\n/* [/readme] */\n")
            .expect("a file");
        let text = "before\n<!-- begin: a.c -->\nstale\n<!-- end -->\nafter\n";
        let filled = fill(folder.path(), text).expect("it fills");
        assert_eq!(filled, "before\n<!-- begin: a.c -->\n```c\nint x;\n```\n<!-- end -->\nafter\n");
        assert_eq!(fill(folder.path(), &filled).expect("it fills"), filled);
    }

    #[test]
    fn it_refuses_a_marker_without_end_or_source() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(fill(folder.path(), "<!-- begin: errors -->\n").is_err());
        assert!(fill(folder.path(), "<!-- begin: absent.c -->\n<!-- end -->\n").is_err());
    }
}
