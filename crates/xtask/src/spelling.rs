//! The spelling of everything that git tracks, checked by codespell.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::python::Venv;
use crate::run;

/// Words that codespell would correct and that are right here: names, pieces of words, and the slips that tests make.
const EXCEPTIONS: &str = "tests/spelling-exceptions.txt";
/// Pictures, hashes that look like words, and inputs that a fuzzer made.
const LEFT_OUT: [&str; 5] = ["*.png", "*.svg", "*.lock", "fuzz/corpus", "docs/evidence/mutants.txt"];
/// What codespell must find.
const CONTROL: &[u8] = b"It is recieved.\n"; // codespell:ignore

/// Fails if a word is misspelt, or if codespell does not find one that is planted.
pub fn check(root: &Path, venv: &Venv) -> Result<()> {
    let mut list = run::command(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    list.args(["--", "."]).args(LEFT_OUT.map(|pattern| format!(":(exclude){pattern}")));
    let listed = run::output(&mut list)?;
    // A file that was removed stays in the list until the removal is staged.
    let files: Vec<&str> = listed.lines().filter(|file| root.join(file).is_file()).collect();
    ensure!(files.len() > 100, "git lists only {} files: this check reads nothing", files.len());
    let codespell = || venv.command(root, "codespell", &["--ignore-words", EXCEPTIONS]);
    run::succeed(codespell().args(&files)).with_context(|| {
        format!("correct the words, or add those that are right to {EXCEPTIONS}, in small letters")
    })?;
    let mut control = codespell();
    let mut control = control.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    control.stdin.take().context("codespell has no standard input")?.write_all(CONTROL)?;
    ensure!(!control.wait()?.success(), "codespell does not find a word that is misspelt on purpose");
    Ok(())
}
