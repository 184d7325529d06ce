//! The manual pages and shell completions of the programs, from their definitions of arguments.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::{Shell, generate_to};

use crate::sandbox::SandboxArguments;

/// Where a shell looks for completions, below the prefix.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "share/bash-completion/completions", "justcall-auth"),
    (Shell::Zsh, "share/zsh/site-functions", "_justcall-auth"),
    (Shell::Fish, "share/fish/vendor_completions.d", "justcall-auth.fish"),
];

/// A generated file, and its place below the prefix.
pub type Page = (PathBuf, String);

/// Writes the pages and the completions of `justcall-auth` into `folder`.
pub fn command(folder: &Path) -> Result<Vec<Page>> {
    let mut files = pages(justcall_auth_cli::command(), &folder.join("command"))?;
    for (shell, place, name) in COMPLETIONS {
        let path = generate_to(shell, &mut justcall_auth_cli::command(), "justcall-auth", folder)?;
        files.push((path, format!("{place}/{name}")));
    }
    files.sort();
    Ok(files)
}

/// Writes the page of `justcall-auth-sandbox` into `folder`.
pub fn sandbox(folder: &Path) -> Result<Vec<Page>> {
    pages(SandboxArguments::command(), &folder.join("sandbox"))
}

/// Writes a page for the program and for each of its subcommands.
fn pages(command: clap::Command, folder: &Path) -> Result<Vec<Page>> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder).context("cannot write the manual pages")?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().context("it is a file")?.to_string_lossy().into_owned();
        files.push((path, format!("share/man/man1/{name}")));
    }
    Ok(files)
}
