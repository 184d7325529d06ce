//! The programs that must be installed. They are looked for before anything is built.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::target::Target;

/// A program, and the Debian package that has it.
pub type Tool = (&'static str, &'static str);

/// What `cargo xtask install` starts, beside cargo.
pub const INSTALL: [Tool; 5] =
    [("rustc", "rustc"), ("cc", "gcc"), ("ld", "binutils"), ("objcopy", "binutils"), ("ar", "binutils")];

/// What `cargo xtask package` starts, beside cargo and the tools of a target.
pub const PACKAGE: [Tool; 17] = [
    ("rustc", "rustc"),
    ("git", "git"),
    ("python3", "python3"),
    ("cc", "gcc"),
    ("abidiff", "abigail-tools"),
    ("readelf", "binutils"),
    ("nm", "binutils"),
    ("doxygen", "doxygen"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
    ("gzip", "gzip"),
    ("dpkg-deb", "dpkg"),
    ("md5sum", "coreutils"),
    ("sha256sum", "coreutils"),
    ("date", "coreutils"),
    ("id", "coreutils"),
    ("dpkg-query", "dpkg"),
];

/// The tools of GCC and binutils whose names start with that of a target.
pub const TARGET: [&str; 4] = ["gcc", "ld", "objcopy", "ar"];

/// Fails if one of `tools` is not on the path.
pub fn require(tools: &[Tool]) -> Result<()> {
    for (name, package) in tools {
        require_named(name, package)?;
    }
    Ok(())
}

/// Fails if a tool of GCC or binutils for `target` is not on the path.
pub fn require_for(target: &Target) -> Result<()> {
    for name in TARGET {
        let package = if name == "gcc" { "gcc" } else { "binutils" };
        let package = format!("{package}-{}", target.tools.trim_end_matches('-').replace('_', "-"));
        require_named(&target.tool(name), &package)?;
    }
    Ok(())
}

fn require_named(name: &str, package: &str) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    ensure!(
        env::split_paths(&path).any(|folder| is_program(&folder.join(name))),
        "The program {name} is missing (Debian package {package})."
    );
    Ok(())
}
