//! Builds the targets with libFuzzer, and the list of the targets on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use xtask_demo::run::{self, cargo, command, package, succeed};

use super::Named;

/// The version of cargo-fuzz, which knows the flags of the compiler that libFuzzer needs.
const CARGO_FUZZ: &str = "cargo-fuzz@0.13.1";

/// Builds the programs. Returns the folder with them.
pub fn programs(root: &Path) -> Result<PathBuf> {
    let target = run::target_dir(root);
    let home = target.join("cargo-fuzz");
    let cargo_fuzz = home.join("bin/cargo-fuzz");
    if !cargo_fuzz.exists() {
        succeed(cargo(root, &["install", "--locked", "--quiet", CARGO_FUZZ, "--root"]).arg(&home))?;
    }
    // The same versions of the dependencies as in the product.
    fs::copy(root.join("Cargo.lock"), root.join("fuzz/Cargo.lock"))?;
    let programs = target.join("fuzz");
    let mut build = command(&root.join("fuzz"), &cargo_fuzz, &["fuzz", "build", "--target-dir"]);
    build.arg(&programs).env("RUSTUP_TOOLCHAIN", "nightly");
    // It must not find the stable cargo that runs this program.
    build.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTDOC");
    succeed(&mut build)?;
    Ok(programs.join(host()?).join("release"))
}

/// Returns the name of the platform, which cargo-fuzz adds to the folder.
fn host() -> Result<String> {
    let version = run::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc prints no host")
}

/// Writes the seeds of all targets into `seeds`. Returns the targets.
pub fn targets(root: &Path, seeds: &Path) -> Result<Vec<Named>> {
    let list = run::output(package("justcall-auth-fuzz-targets", &["--list"]).current_dir(root))?;
    let targets: Vec<Named> = serde_json::from_str(&list)?;
    let mut write = package("justcall-auth-fuzz-targets", &["--write-seeds"]);
    write.current_dir(root).arg(seeds).args(targets.iter().map(|(name, _)| name));
    succeed(&mut write)?;
    Ok(targets)
}
