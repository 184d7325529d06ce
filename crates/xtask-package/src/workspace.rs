//! Facts about the project that packages state.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::run::{cargo, command, output};

use crate::graph::Graph;

/// The version of every crate of the workspace, and of every package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the packages are, in one line.
pub const SUMMARY: &str = "JustCall API authentication for every program";

/// The project's page.
pub const HOMEPAGE: &str = env!("CARGO_PKG_REPOSITORY");

/// Returns the crates of the workspace and their dependencies on the target `triple`.
pub fn graph(root: &Path, triple: &str) -> Result<Graph> {
    let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform", triple];
    let metadata: Value = serde_json::from_str(&output(&mut cargo(root, &arguments))?)
        .context("cargo metadata printed no JSON")?;
    Ok(Graph::new(&metadata))
}

/// Fails if a file that git tracks was changed, or if a new file is not ignored: packages are made of commits.
pub fn require_clean(root: &Path) -> Result<()> {
    let changes = output(&mut command(root, "git", &["status", "--porcelain"]))?;
    let first = changes.lines().next().map(|line| line.get(3..).unwrap_or(line).to_owned());
    ensure!(
        first.is_none(),
        "The tree has changes that are not committed, such as {}; commit them, or pass --allow-dirty.",
        first.unwrap_or_default()
    );
    Ok(())
}

/// Returns the time of the last commit, in seconds since 1970. All files in packages have this time.
pub fn commit_time(root: &Path) -> Result<u64> {
    let text = output(&mut command(root, "git", &["log", "-1", "--format=%ct"]))?;
    text.trim().parse().context("git printed no time")
}

/// Returns the id of the last commit.
pub fn commit(root: &Path) -> Result<String> {
    Ok(output(&mut command(root, "git", &["rev-parse", "HEAD"]))?.trim().to_owned())
}
