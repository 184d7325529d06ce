//! The reference of the C API, as HTML from doxygen: one page for each function, and an example for each type of handle.
//!
//! doxygen does not read the header itself. Its input is the header with three changes: the introduction is the main page,
//! each section is a group, and each type of handle shows a part of a tested example.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::VERSION;

/// The options of doxygen.
const OPTIONS: &str = include_str!("../../../packaging/reference/Doxyfile");

/// The part of an example in `examples/c` that the type of a handle shows. An empty name stands for the part without one.
const EXAMPLES: [(&str, &str, &str); 14] = [
    ("account", "verify.c", ""),
    ("call_options", "handles.c", "call_options"),
    ("cancel", "handles.c", "cancel"),
    ("client", "first.c", ""),
    ("config", "handles.c", "config"),
    ("credentials", "handles.c", "credentials"),
    ("error", "verify.c", ""),
    ("event", "handles.c", "event"),
    ("exchange", "poll_loop.c", ""),
    ("report", "handles.c", "report"),
    ("request", "request.c", ""),
    ("response", "request.c", ""),
    ("webhook", "webhook.c", ""),
    ("webhook_event", "webhook.c", ""),
];

/// Writes the pages into the folder `html` of `folder`. Returns doxygen's warnings, which are empty if there are none.
pub fn write(root: &Path, header: &str, folder: &Path) -> Result<String> {
    let work = tempfile::tempdir()?;
    fs::write(work.path().join("justcall_auth.h"), input(header)?)?;
    for (handle, ..) in EXAMPLES {
        let text = example(handle, &root.join("examples/c"))?;
        fs::write(work.path().join(format!("{handle}.c")), text)?;
    }
    let options = format!(
        "{OPTIONS}INPUT = justcall_auth.h\nEXAMPLE_PATH = .\nPROJECT_NUMBER = {VERSION}\nOUTPUT_DIRECTORY = {}\n",
        folder.display()
    );
    fs::write(work.path().join("Doxyfile"), options)?;
    let mut doxygen = Command::new("doxygen");
    doxygen.arg("Doxyfile").current_dir(work.path()).stdout(Stdio::null());
    let done = doxygen.output().context("cannot start doxygen")?;
    let warnings = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.success(), "doxygen failed:\n{warnings}");
    Ok(warnings)
}

/// Returns the text that doxygen reads.
fn input(header: &str) -> Result<String> {
    let introduction = header.strip_prefix("/*\n").context("the header starts with a comment")?;
    let mut text = String::from("/** @file */\n/**\n * @mainpage The C API\n *\n");
    let mut is_in_group = false;
    let mut lines = introduction.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(title) = section(line) {
            if is_in_group {
                text.push_str("/** @} */\n");
            }
            let id: String = title.chars().filter(char::is_ascii_alphabetic).collect();
            writeln!(text, "/** @defgroup {} {title}\n * @{{ */", id.to_lowercase())?;
            is_in_group = true;
            continue;
        }
        let handle = lines
            .peek()
            .and_then(|next| next.strip_prefix("typedef struct justcall_"))
            .filter(|_| line == " */");
        if let Some((handle, _)) = handle.and_then(|rest| rest.split_once(' ')) {
            write!(text, " *\n * @par Example\n * @include {handle}.c\n")?;
        }
        if is_in_group && line == "#ifdef __cplusplus" {
            text.push_str("/** @} */\n");
            is_in_group = false;
        }
        writeln!(text, "{line}")?;
    }
    Ok(text)
}

/// Returns the title of a section, if `line` is one: `/* Title ---- */`.
fn section(line: &str) -> Option<&str> {
    let (title, _) = line.strip_prefix("/* ")?.strip_suffix("- */")?.split_once(" --")?;
    Some(title)
}

/// Returns the example of a handle.
fn example(handle: &str, folder: &Path) -> Result<String> {
    let found = EXAMPLES.iter().find(|(name, ..)| *name == handle);
    let (_, file, name) = found.with_context(|| format!("the type justcall_{handle} has no example"))?;
    let text = fs::read_to_string(folder.join(file)).with_context(|| format!("cannot read {file}"))?;
    let marker = |slash: &str| {
        format!("[{slash}snippet{}] */", if name.is_empty() { String::new() } else { format!(" {name}") })
    };
    let (begin, end) = (marker(""), marker("/"));
    let Some((part, _)) = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)) else {
        bail!("{file} has no {begin} with its end");
    };
    let lines: Vec<&str> = part.trim_matches('\n').lines().filter(|line| !line.contains("snippet")).collect();
    Ok(lines.join("\n").trim_end_matches(['/', '*', ' ']).trim_end().to_owned() + "\n")
}
