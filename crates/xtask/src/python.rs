//! The virtual environment for the tests of the Python module.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

pub use xtask_demo::venv::Venv;

use crate::run;

/// Creates the environment with the pinned tools, unless it exists.
pub fn venv(root: &Path) -> Result<Venv> {
    Venv::ensure(root, "venv", "bindings/python/requirements-dev.txt")
}

/// Builds the module and installs it.
pub fn install_module(root: &Path, venv: &Venv) -> Result<()> {
    let project = root.join("bindings/python");
    let mut maturin = venv.command(&project, "maturin", &["develop", "--quiet"]);
    run::succeed(maturin.env("CARGO_TARGET_DIR", run::target_dir(root)))
}

/// Fails if pytest's `report` lists a skipped test that `tests/allowed-skips.txt` does not list.
pub fn refuse_skips(root: &Path, report: &str) -> Result<()> {
    let allowed =
        std::fs::read_to_string(root.join("tests/allowed-skips.txt")).context("tests/allowed-skips.txt")?;
    let is_allowed = |line: &str| {
        allowed
            .lines()
            .any(|allowed| !allowed.starts_with('#') && !allowed.is_empty() && line.contains(allowed))
    };
    match report.lines().find(|line| line.starts_with("SKIPPED") && !is_allowed(line)) {
        Some(line) => bail!("a test was skipped that tests/allowed-skips.txt does not list: {line}"),
        None => Ok(()),
    }
}
