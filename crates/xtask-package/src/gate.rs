//! What must be true of every binary before it is packaged.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::binary::{self, Stripped};
use crate::build::Built;
use crate::compile::paths_of_this_machine;
use crate::standard_library::Notice;
use crate::target::{GLIBC, Target};
use crate::workspace::graph;
use crate::{notices, report};

/// The shared libraries that the shared library needs, beside the dynamic linker. With glibc 2.34 or later, `libdl` and
/// `libpthread` are empty: docs/evidence/packages.md lists the functions that are needed from each.
pub const NEEDED: [&str; 5] = ["libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0"];

/// What `justcall-auth` needs. Programs contain their unwinder.
const NEEDED_BY_COMMAND: [&str; 4] = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/// What `justcall-auth-sandbox` needs.
const NEEDED_BY_SANDBOX: [&str; 3] = ["libc.so.6", "libdl.so.2", "libpthread.so.0"];

/// What the Python module needs. It contains its unwinder, and the interpreter has loaded the C library.
const NEEDED_BY_MODULE: [&str; 4] = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/// Fails if a binary has a path of this machine, needs another library or a newer C library than promised, or contains a
/// crate whose licence is not in the notices.
pub fn check(root: &Path, target: &Target, built: &Built, added: &[Notice]) -> Result<()> {
    let paths = paths_of_this_machine(root)?;
    let graph = graph(root, target.triple)?;
    let notices_of = |packages: &[&str]| notices::text(&notices::dependencies(&graph, packages)?, added);
    let (notices, notices_of_wheel) = (notices_of(&notices::SHIPPED)?, notices_of(&notices::WHEEL)?);
    let binaries = [
        (&built.library.shared, &NEEDED[..], &notices),
        (&built.programs.command, &NEEDED_BY_COMMAND, &notices),
        (&built.programs.sandbox, &NEEDED_BY_SANDBOX, &notices),
        (&built.module, &NEEDED_BY_MODULE, &notices_of_wheel),
    ];
    for (binary, needed, notices) in binaries {
        has_no_path(binary, &paths)?;
        needs(&binary.path, needed)?;
        names_licences(binary, notices)?;
    }
    Ok(())
}

fn has_no_path(Stripped { path, debug }: &Stripped, paths: &[String]) -> Result<()> {
    for file in std::iter::once(path).chain(debug) {
        if let Some(found) = binary::first_contained(file, paths)? {
            anyhow::bail!("{} contains the path {found}.", file.display());
        }
    }
    Ok(())
}

/// Fails if the binary needs other libraries than `expected`, or symbols of a newer C library than promised.
pub fn needs(path: &Path, expected: &[&str]) -> Result<()> {
    let mut needed = binary::needed(path)?;
    needed.retain(|name| !name.starts_with("ld-linux"));
    ensure!(needed.iter().eq(expected), "{} needs {needed:?}, and not {expected:?}.", path.display());
    let floor: Vec<u32> = GLIBC.split('.').map(str::parse).collect::<Result<_, _>>()?;
    let highest = binary::highest_glibc(path)?;
    ensure!(highest <= floor, "{} needs glibc {highest:?}, which is newer than {GLIBC}.", path.display());
    Ok(())
}

fn names_licences(Stripped { path, debug }: &Stripped, notices: &str) -> Result<()> {
    let Some(debug) = debug else { return Ok(()) };
    let crates = report::crates(debug)?;
    let unnamed = notices::unnamed(&crates, notices);
    ensure!(
        unnamed.is_empty(),
        "{} contains {}, whose licence is not in the notices.",
        path.display(),
        unnamed.join(", ")
    );
    Ok(())
}
