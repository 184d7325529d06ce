//! Runs clippy for the complexity of functions, and for items without documentation, private ones included.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run;

use crate::table::Table;
use crate::workspace::Workspace;

/// Functions below this complexity are not listed.
const THRESHOLD: usize = 5;
const COMPLEXITY: &str = "clippy::cognitive_complexity";
const UNDOCUMENTED: &str = "clippy::missing_docs_in_private_items";

/// Returns the most complex functions, and the number of items without documentation by crate.
///
/// Returns a note if clippy cannot compile the workspace.
pub fn tables(workspace: &Workspace, top: usize) -> Result<Vec<Table>> {
    let messages = match clippy(workspace) {
        Ok(messages) => messages,
        Err(error) => {
            let why = format!("Omitted, because clippy failed: {error:#}");
            return Ok(vec![Table::skipped("Complexity and documentation", &why)]);
        }
    };
    let found = ClippyFigures::read(&messages)?;
    let mut complex = Table::new("Most complex functions", &["complexity", "function", "place"])
        .with_note("Clippy's cognitive_complexity, without tests.");
    let mut sorted: Vec<_> = found.complex.iter().collect();
    sorted.sort_by(|(one_place, one), (other_place, other)| {
        other.cmp(one).then_with(|| one_place.cmp(other_place))
    });
    for (place, (complexity, name)) in sorted.into_iter().take(top) {
        complex.row([complexity.to_string(), name.clone(), place.clone()]);
    }
    let total: usize = found.undocumented.values().map(BTreeSet::len).sum();
    let mut undocumented =
        Table::new("Items without documentation, private ones included", &["items", "crate"])
            .with_note(format!("{total} in total. Clippy's missing_docs_in_private_items, without tests."));
    for package in workspace.crates() {
        let items = found.undocumented.get(&package.name).map_or(0, BTreeSet::len);
        undocumented.row([items.to_string(), package.name.clone()]);
    }
    Ok(vec![complex, undocumented])
}

/// Runs clippy. Returns cargo's messages, one per line.
fn clippy(workspace: &Workspace) -> Result<String> {
    let configuration = tempfile::tempdir()?;
    std::fs::write(
        configuration.path().join("clippy.toml"),
        format!("cognitive-complexity-threshold = {THRESHOLD}\n"),
    )?;
    let mut clippy = run::cargo(&workspace.root, &["clippy", "--quiet", "--message-format=json"]);
    clippy.args(workspace.crates().iter().flat_map(|package| ["--package", &package.name]));
    clippy.args(["--", "--warn", COMPLEXITY, "--warn", UNDOCUMENTED]);
    // A checkout of another commit reuses the dependencies that are compiled here.
    clippy.env("CARGO_TARGET_DIR", run::target_dir(&run::root()));
    run::output(clippy.env("CLIPPY_CONF_DIR", configuration.path()))
}

/// The figures in clippy's messages.
#[derive(Debug, Default)]
struct ClippyFigures {
    /// The complexity and name of each function, by its place.
    complex: BTreeMap<String, (usize, String)>,
    /// The places of items without documentation, by crate.
    undocumented: BTreeMap<String, BTreeSet<String>>,
}

impl ClippyFigures {
    fn read(messages: &str) -> Result<Self> {
        let mut found = Self::default();
        for line in messages.lines() {
            let value: Value = serde_json::from_str(line).context("a message of cargo is not JSON")?;
            let message = &value["message"];
            let Some(span) = message["spans"].as_array().and_then(|spans| spans.first()) else { continue };
            let place = format!("{}:{}", span["file_name"].as_str().unwrap_or_default(), span["line_start"]);
            match message["code"]["code"].as_str() {
                Some(COMPLEXITY) => {
                    let text = message["message"].as_str().unwrap_or_default();
                    let complexity = complexity(text).with_context(|| format!("cannot read: {text}"))?;
                    found.complex.insert(place, (complexity, highlighted(span)));
                }
                Some(UNDOCUMENTED) => {
                    let package = package(value["package_id"].as_str().unwrap_or_default());
                    let column = &span["column_start"];
                    found
                        .undocumented
                        .entry(package.to_owned())
                        .or_default()
                        .insert(format!("{place}:{column}"));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Returns the figure in `the function has a cognitive complexity of (12/5)`.
fn complexity(message: &str) -> Option<usize> {
    message.split_once('(')?.1.split_once('/')?.0.parse().ok()
}

/// Returns the text that the span highlights: the name of the function.
fn highlighted(span: &Value) -> String {
    let text = &span["text"][0];
    let column =
        |name: &str| text[name].as_u64().and_then(|column| usize::try_from(column).ok()).unwrap_or(1);
    let line = text["text"].as_str().unwrap_or_default();
    line.chars().take(column("highlight_end") - 1).skip(column("highlight_start") - 1).collect()
}

/// Returns the package's name in `path+file:///folder/name#0.1.0` or `path+file:///folder#name@0.1.0`.
fn package(id: &str) -> &str {
    let (path, version) = id.split_once('#').unwrap_or((id, ""));
    version.split_once('@').map_or_else(|| path.rsplit('/').next().unwrap_or_default(), |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_messages_of_clippy() {
        let message = |code: &str, text: &str, line: u32| {
            format!(
                r#"{{"package_id":"path+file:///a/b#c@0.1.0","message":{{"code":{{"code":"{code}"}},"message":"{text}","spans":
                [{{"file_name":"src/lib.rs","line_start":{line},"column_start":4,"text":[{{"text":"fn name() {{}}","highlight_start":4,"highlight_end":8}}]}}]}}}}"#
            )
            .replace('\n', " ")
        };
        let complex = message(COMPLEXITY, "the function has a cognitive complexity of (12/5)", 7);
        let undocumented = message(UNDOCUMENTED, "missing documentation for a function", 9);
        let other = message("unused_variables", "unused variable", 9);
        let messages = format!(
            "{complex}\n{undocumented}\n{undocumented}\n{other}\n{{\"reason\":\"build-finished\"}}\n"
        );
        let found = ClippyFigures::read(&messages).expect("the messages are read");
        assert_eq!(found.complex["src/lib.rs:7"], (12, "name".to_owned()));
        assert_eq!(found.undocumented["c"].len(), 1);
        assert_eq!(package("path+file:///a/b#0.1.0"), "b");
    }
}
