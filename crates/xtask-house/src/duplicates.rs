//! Finds duplicate blocks with jscpd.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run;

use crate::table::Table;
use crate::workspace::Workspace;

/// The last version that only needs Node.
const JSCPD: &str = "jscpd@4.0.5";
const FOLDERS: [&str; 7] = ["bench", "bindings", "crates", "examples", "fuzz", "include", "tests"];
const TITLE: &str = "Duplicate blocks";

/// Two places with the same lines.
struct Duplicate {
    lines: u64,
    first: String,
    second: String,
}

impl Duplicate {
    fn is_of_tests(&self) -> bool {
        let in_tests = |place: &str| {
            place.split('/').any(|part| part.starts_with("test")) || place.contains("_tests.rs")
        };
        in_tests(&self.first) || in_tests(&self.second)
    }
}

/// Returns the number of duplicate blocks, and the longest ones outside tests. Returns a note if npx cannot run jscpd.
pub fn tables(workspace: &Workspace, top: usize) -> Result<Vec<Table>> {
    let output = tempfile::tempdir()?;
    if let Err(error) = find(&workspace.root, output.path()) {
        return Ok(vec![Table::skipped(
            TITLE,
            &format!("Omitted, because npx cannot run {JSCPD}: {error:#}"),
        )]);
    }
    let report = std::fs::read_to_string(output.path().join("jscpd-report.json"))?;
    let pairs = read(&report)?;
    let (of_tests, mut others): (Vec<Duplicate>, Vec<Duplicate>) =
        pairs.into_iter().partition(Duplicate::is_of_tests);
    let lines = |pairs: &[Duplicate]| pairs.iter().map(|pair| pair.lines).sum::<u64>().to_string();
    let mut counts = Table::new(TITLE, &["blocks", "lines", "where"])
        .with_note(format!("{JSCPD}: six lines and 50 tokens or more; Rust, C, C++ and Python."));
    counts.row([others.len().to_string(), lines(&others), "outside tests".to_owned()]);
    counts.row([of_tests.len().to_string(), lines(&of_tests), "tests".to_owned()]);
    others.sort_by(|one, other| other.lines.cmp(&one.lines).then_with(|| one.first.cmp(&other.first)));
    let mut longest = Table::new("Longest duplicate blocks outside tests", &["lines", "one", "other"]);
    for pair in others.into_iter().take(top) {
        longest.row([pair.lines.to_string(), pair.first, pair.second]);
    }
    Ok(vec![counts, longest])
}

fn find(root: &Path, output: &Path) -> Result<()> {
    let mut jscpd = run::command(root, "npx", &["--yes", JSCPD, "--silent", "--reporters", "json"]);
    jscpd.args([
        "--min-lines",
        "6",
        "--min-tokens",
        "50",
        "--format",
        "rust,c,c-header,cpp,cpp-header,python",
        "--gitignore",
    ]);
    jscpd.arg("--output").arg(output).args(FOLDERS.iter().filter(|folder| root.join(folder).is_dir()));
    run::output(&mut jscpd).map(drop)
}

fn read(report: &str) -> Result<Vec<Duplicate>> {
    let report: Value = serde_json::from_str(report).context("jscpd's report is not JSON")?;
    let pairs = report["duplicates"].as_array().context("jscpd's report has no duplicates")?;
    let place = |file: &Value| Some(format!("{}:{}", file["name"].as_str()?, file["start"].as_u64()?));
    pairs
        .iter()
        .map(|pair| {
            let first = place(&pair["firstFile"]).context("a duplicate without a place")?;
            let second = place(&pair["secondFile"]).context("a duplicate without a place")?;
            Ok(Duplicate {
                lines: pair["lines"].as_u64().context("a duplicate without lines")?,
                first,
                second,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_distinguishes_duplicates_of_tests_from_others() {
        let report = r#"{"duplicates": [
            {"lines": 8, "firstFile": {"name": "crates/a/src/b.rs", "start": 3}, "secondFile": {"name": "crates/a/src/c.rs", "start": 4}},
            {"lines": 9, "firstFile": {"name": "crates/a/src/b.rs", "start": 3}, "secondFile": {"name": "crates/a/tests/c.rs", "start": 4}}
        ]}"#;
        let pairs = read(report).expect("the report is read");
        let of_tests: Vec<(u64, bool)> = pairs.iter().map(|pair| (pair.lines, pair.is_of_tests())).collect();
        assert_eq!(of_tests, [(8, false), (9, true)]);
        assert_eq!(pairs[0].second, "crates/a/src/c.rs:4");
    }
}
