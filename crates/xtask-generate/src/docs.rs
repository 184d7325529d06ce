//! Keeps the documentation true: it fills what stands between two markers of a Markdown file from its source.
//!
//! | marker | what is filled in |
//! |---|---|
//! | `<!-- begin: errors -->` | the table of errors |
//! | `<!-- begin: findings -->` | the table of what the local check finds |
//! | `<!-- begin: sources -->` | the table of sources |
//! | `<!-- begin: figures -->` | the figures of the tests |
//! | `<!-- begin: PATH -->` | the file, or the part of it between `[snippet]` and `[/snippet]` |
//! | `<!-- begin: PATH#NAME -->` | the part of the file between `[snippet NAME]` and `[/snippet NAME]` |
//!
//! A program on a page is always the text of a tested file: a block of code in one of [`PROGRAMS`] without a marker is an
//! error.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use justcall_auth::source::SPELLINGS;
use justcall_auth_protocol::diagnose::Code;
use justcall_auth_protocol::error::ErrorKind;

use crate::figures;

const BEGIN: &str = "<!-- begin: ";
const END: &str = "<!-- end -->";

/// The pages, and the folders whose pages may have markers.
const PAGES: [&str; 3] = ["README.md", "docs/guide", "docs/testing.md"];

/// The languages of programs.
const PROGRAMS: [&str; 10] = ["c", "cpp", "cs", "go", "java", "js", "php", "python", "rb", "rust"];

/// Fills every marker, or fails when `check` finds one that is not up to date.
pub fn run(root: &Path, check: bool) -> Result<()> {
    for name in pages(root)? {
        let path = root.join(&name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        refuse_untested_programs(&text).with_context(|| name.clone())?;
        let filled = fill(root, &text).with_context(|| name.clone())?;
        if filled == text {
            continue;
        }
        ensure!(!check, "{name} is not up to date; run: cargo xtask docs");
        std::fs::write(&path, filled)?;
        println!("wrote {name}");
    }
    Ok(())
}

/// The paths of the pages, relative to `root`.
fn pages(root: &Path) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    for name in PAGES {
        if root.join(name).is_file() {
            pages.push(name.to_owned());
            continue;
        }
        for entry in std::fs::read_dir(root.join(name)).with_context(|| format!("cannot read {name}"))? {
            let page = entry?.file_name().into_string().ok().context("a page with an odd name")?;
            pages.push(format!("{name}/{page}"));
        }
    }
    pages.sort();
    Ok(pages)
}

/// Fails if a program stands outside the markers: nothing would test it.
fn refuse_untested_programs(text: &str) -> Result<()> {
    let mut is_marked = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with(BEGIN) {
            is_marked = true;
        } else if line == END {
            is_marked = false;
        }
        let language = line.trim_start().strip_prefix("```").unwrap_or_default();
        ensure!(
            is_marked || !PROGRAMS.contains(&language),
            "line {}: a program that is not the text of a tested file",
            number + 1
        );
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
        "figures" => figures::table(root),
        source => {
            let (path, name) = source.split_once('#').unwrap_or((source, ""));
            let text =
                std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            let language = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
                Some("rs") => "rust",
                Some("py") => "python",
                Some("txt") => "text",
                Some(extension) => extension,
                None => "sh",
            };
            Ok(format!("```{language}\n{}\n```\n", snippet(&text, path, name)?.trim_end()))
        }
    }
}

/// The lines between the markers of `name`, or all of them if `name` is empty and there are no markers. Indentation that all
/// lines share is removed, and so are the markers of other snippets.
fn snippet(text: &str, path: &str, name: &str) -> Result<String> {
    let marker = |slash: &str| {
        if name.is_empty() { format!("[{slash}snippet]") } else { format!("[{slash}snippet {name}]") }
    };
    let lines: Vec<&str> = text.lines().collect();
    let line_of = |marker: &str| lines.iter().position(|line| line.contains(marker));
    let range = match (line_of(&marker("")), line_of(&marker("/"))) {
        (Some(begin), Some(end)) if begin < end => begin + 1..end,
        (None, None) if name.is_empty() => 0..lines.len(),
        _ => bail!("{path} has no {} with its end", marker("")),
    };
    let is_marker = |line: &&str| line.contains("[snippet") || line.contains("[/snippet");
    let lines: Vec<&str> = lines[range].iter().copied().filter(|line| !is_marker(line)).collect();
    let indentation = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let shared = lines.iter().filter(|line| !line.is_empty()).map(indentation).min().unwrap_or_default();
    Ok(lines.iter().map(|line| line.get(shared..).unwrap_or_default()).collect::<Vec<_>>().join("\n"))
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
        let message = code.message().replace("{}", "API key or secret");
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

    fn filled_from(source: &str, marker: &str) -> Result<String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.c"), source).expect("a file");
        fill(folder.path(), &format!("before\n<!-- begin: {marker} -->\nstale\n<!-- end -->\nafter\n"))
    }

    #[test]
    fn it_replaces_only_what_is_between_markers() {
        let source = "top\n/* [snippet] */\nint x;\n/* [/snippet] */\n";
        let filled = filled_from(source, "a.c").expect("it fills");
        assert_eq!(filled, "before\n<!-- begin: a.c -->\n```c\nint x;\n```\n<!-- end -->\nafter\n");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.c"), source).expect("a file");
        assert_eq!(fill(folder.path(), &filled).expect("it fills"), filled);
    }

    #[test]
    fn it_takes_a_named_part_without_its_indentation() {
        let source =
            "[snippet]\nf() {\n    [snippet x]\n    if (a)\n        b();\n    [/snippet x]\n}\n[/snippet]\n";
        let named = filled_from(source, "a.c#x").expect("it fills");
        assert!(named.contains("```c\nif (a)\n    b();\n```\n"), "{named}");
        let whole = filled_from(source, "a.c").expect("it fills");
        assert!(whole.contains("```c\nf() {\n    if (a)\n        b();\n}\n```\n"), "{whole}");
    }

    #[test]
    fn it_refuses_a_marker_without_end_or_source() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(fill(folder.path(), "<!-- begin: errors -->\n").is_err());
        assert!(fill(folder.path(), "<!-- begin: absent.c -->\n<!-- end -->\n").is_err());
        assert!(filled_from("int x;\n", "a.c#absent").is_err());
        assert!(filled_from("[snippet]\nint x;\n", "a.c").is_err());
    }

    #[test]
    fn it_finds_a_snippet_that_differs_from_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("docs/guide")).expect("a folder");
        std::fs::write(folder.path().join("docs/testing.md"), "").expect("a page");
        std::fs::write(folder.path().join("a.c"), "int x;\n").expect("a file");
        let page = folder.path().join("README.md");
        std::fs::write(&page, "<!-- begin: a.c -->\n```c\nint x;\n```\n<!-- end -->\n").expect("a page");
        run(folder.path(), true).expect("the page has the text of the file");
        std::fs::write(folder.path().join("a.c"), "int y;\n").expect("a file");
        let refused = run(folder.path(), true).expect_err("they differ");
        assert!(refused.to_string().contains("README.md is not up to date"), "{refused}");
        run(folder.path(), false).expect("it is filled");
        run(folder.path(), true).expect("the page has the text of the file again");
    }

    #[test]
    fn it_refuses_a_program_that_nothing_tests() {
        let marked = "<!-- begin: a.c -->\n```c\nint x;\n```\n<!-- end -->\n```sh\nls\n```\n";
        refuse_untested_programs(marked).expect("the text of a file, and commands");
        let refused = refuse_untested_programs(&format!("{marked}\n```python\nimport os\n```\n"));
        assert!(refused.expect_err("no file has it").to_string().starts_with("line 10: "));
    }
}
