//! A report in docs/evidence: how it came about, then its results.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use xtask_demo::run::{command, output};

/// What every report must name, as rows of its first table.
const REQUIRED: [&str; 5] = ["command", "seed", "planted bug", "commit", "duration"];

/// A report whose tests are running.
pub struct Report {
    title: &'static str,
    begun: Instant,
    rows: Vec<(&'static str, String)>,
}

impl Report {
    /// Starts the clock. `command` repeats the tests, `seed` is the start of their random numbers, and `planted` is the bug
    /// that they found.
    pub fn begin(title: &'static str, command: &str, seed: &str, planted: &str) -> Self {
        let rows = vec![
            ("command", format!("`{command}`")),
            ("seed", seed.to_owned()),
            ("planted bug", planted.to_owned()),
        ];
        Self { title, begun: Instant::now(), rows }
    }

    /// Adds a row to the first table.
    pub fn add(&mut self, name: &'static str, value: String) {
        self.rows.push((name, value));
    }

    /// Writes the report `name` with the time since [`Report::begin`].
    pub fn write(mut self, root: &Path, name: &str, results: &str) -> Result<()> {
        let duration = format!("{} s", self.begun.elapsed().as_secs());
        self.rows.extend(machine(root)?);
        self.rows.push(("duration", duration));
        let mut text = format!(
            "# {}\n\nWritten by `cargo xtask test --full`: change that, not this file.\n\n| what | which |\n|---|---|\n",
            self.title
        );
        for (row, value) in &self.rows {
            writeln!(text, "| {row} | {value} |")?;
        }
        write!(text, "\n{}\n", results.trim_end())?;
        Ok(fs::write(path(root, name), text)?)
    }
}

fn path(root: &Path, name: &str) -> PathBuf {
    root.join(format!("docs/evidence/{name}.md"))
}

/// Fails if the report `name` does not say how to repeat it.
pub fn check(root: &Path, name: &str) -> Result<()> {
    let text = fs::read_to_string(path(root, name))?;
    let lacking = lacking(&text);
    ensure!(lacking.is_empty(), "docs/evidence/{name}.md lacks: {}", lacking.join(", "));
    Ok(())
}

/// Returns the required rows that `text` does not have, or whose value is empty.
fn lacking(text: &str) -> Vec<&'static str> {
    let has = |name: &str| {
        text.lines().any(|line| {
            let mut cells = line.split('|').map(str::trim);
            cells.nth(1).is_some_and(|cell| cell == name || cell.starts_with(&format!("{name}: ")))
                && cells.next().is_some_and(|value| !value.is_empty())
        })
    };
    REQUIRED.into_iter().filter(|name| !has(name)).collect()
}

/// Returns the commit that the tests run on: the last one that changed more than reports.
pub fn tested_commit(root: &Path) -> Result<String> {
    let arguments = ["log", "-1", "--format=%h", "--", ".", ":!docs/evidence"];
    Ok(output(&mut command(root, "git", &arguments))?.trim().to_owned())
}

/// Whether a file differs from that commit.
pub fn has_changes(root: &Path) -> Result<bool> {
    let arguments = ["status", "--porcelain", "--", ".", ":!docs/evidence"];
    Ok(!output(&mut command(root, "git", &arguments))?.trim().is_empty())
}

fn machine(root: &Path) -> Result<[(&'static str, String); 5]> {
    let line = |command: &mut Command| output(command).map(|text| text.trim().to_owned());
    let mut commit = tested_commit(root)?;
    if has_changes(root)? {
        commit.push_str(", with changes not committed");
    }
    Ok([
        ("commit", commit),
        ("date", line(Command::new("date").args(["--utc", "+%F %H:%M UTC"]))?),
        ("kernel", line(Command::new("uname").args(["-s", "-r", "-m"]))?),
        ("C library", line(Command::new("getconf").arg("GNU_LIBC_VERSION"))?),
        ("rustc", line(Command::new("rustc").arg("--version"))?),
    ])
}

#[cfg(test)]
mod tests {
    use super::lacking;

    const WHOLE: &str =
        "| command | `a` |\n| seed | 1 |\n| planted bug: found | 3 |\n| commit | b |\n| duration | 2 s |\n";

    #[test]
    fn it_finds_a_report_that_cannot_be_repeated() {
        assert!(lacking(WHOLE).is_empty());
        assert_eq!(lacking(&WHOLE.replace("| seed | 1 |", "| seed | |")), ["seed"]);
        assert_eq!(lacking(&WHOLE.replace("planted bug", "plant")), ["planted bug"]);
        assert_eq!(lacking("").len(), 5);
    }
}
