//! The reference of the Python package, made from its docstrings: `docs/reference/python.md`.
//!
//! A Python program writes it, because only Python reads Python's syntax well.

use std::path::Path;

use anyhow::Result;
use xtask_demo::run;

/// Writes the page under `root`, the workspace's; with `check` only compares.
///
/// # Errors
/// The program cannot run, or with `check`: the page is not what the docstrings say.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let arguments: &[&str] = if check { &["--check"] } else { &[] };
    run::succeed(run::command(root, python, &["bindings/python/reference.py"]).args(arguments))
}
