//! The manual pages and shell completions of the command, from its definition of arguments.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap_complete::{Shell, generate_to};

/// Where a shell looks for completions, below the prefix.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "share/bash-completion/completions", "justcall-auth"),
    (Shell::Zsh, "share/zsh/site-functions", "_justcall-auth"),
    (Shell::Fish, "share/fish/vendor_completions.d", "justcall-auth.fish"),
];

/// Writes the pages and the completions into `folder`. Returns each with its place below the prefix.
pub fn write(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let pages = folder.join("man");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(justcall_auth_cli::command(), &pages)
        .context("cannot write the manual pages")?;
    for entry in fs::read_dir(&pages)? {
        let path = entry?.path();
        let name = path.file_name().context("it is a file")?.to_string_lossy().into_owned();
        files.push((path, format!("share/man/man1/{name}")));
    }
    for (shell, place, name) in COMPLETIONS {
        let path = generate_to(shell, &mut justcall_auth_cli::command(), "justcall-auth", folder)?;
        files.push((path, format!("{place}/{name}")));
    }
    files.sort();
    Ok(files)
}
