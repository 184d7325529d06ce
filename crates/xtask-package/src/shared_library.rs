//! The shared library: linked from rustc's static library, because rustc has no option for symbol versions.
//!
//! # The soname
//!
//! The number in `libjustcall_auth.so.0` is the ABI number, `JUSTCALL_ABI_VERSION` of the header. It grows if a program that
//! was built before would no longer work: a function was removed, or a type, a constant or a promise changed. It does not
//! grow if functions were added: they get a new symbol version. `packaging/abi/README.md` has the steps.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use xtask_demo::run::succeed;

use crate::binary::{self, Stripped};
use crate::compile::{Archive, Compiler};
use crate::symbols::{self, Node};
use crate::workspace::VERSION;

/// The name that programs are linked with, `-ljustcall_auth`.
pub const LINK: &str = "libjustcall_auth.so";

/// Returns the name that programs look for at run time.
pub fn soname(root: &Path) -> Result<String> {
    Ok(format!("{LINK}.{}", abi_number(root)?))
}

/// Returns the name of the file: the soname and the version, which starts with the same number before 1.0.
pub fn file(root: &Path) -> Result<String> {
    let (_, after_major) = VERSION.split_once('.').context("a version has dots")?;
    Ok(format!("{}.{after_major}", soname(root)?))
}

/// Returns the ABI number that the header states.
fn abi_number(root: &Path) -> Result<u32> {
    let header =
        fs::read_to_string(root.join("include/justcall_auth.h")).context("cannot read the header")?;
    let number = header.lines().find_map(|line| line.strip_prefix("#define JUSTCALL_ABI_VERSION "));
    number.and_then(|number| number.parse().ok()).context("the header states no JUSTCALL_ABI_VERSION")
}

/// Links the library into `folder`.
pub fn write(
    root: &Path,
    compiler: &Compiler,
    archive: &Archive,
    nodes: &[Node],
    folder: &Path,
) -> Result<Stripped> {
    let work = tempfile::tempdir()?;
    let script = work.path().join("versions");
    fs::write(&script, symbols::version_script(nodes)?)?;
    let linked = work.path().join(file(root)?);
    let mut link = compiler.cc()?;
    link.args(["-shared", "-Wl,--whole-archive"]).arg(&archive.path).arg("-Wl,--no-whole-archive");
    link.arg(format!("-Wl,--version-script={}", script.display()));
    link.arg(format!("-Wl,-soname,{}", soname(root)?));
    link.args([
        "-Wl,--gc-sections",
        "-Wl,--hash-style=gnu",
        "-Wl,--build-id=sha1",
        "-Wl,-z,relro",
        "-Wl,-z,now",
    ]);
    // dlclose() leaves the library in memory: a thread that looks up a name may still run.
    link.arg("-Wl,-z,nodelete");
    link.args(["-lpthread", "-lm", "-ldl"]).arg(compiler.unwinder()?);
    succeed(link.arg("-o").arg(&linked))?;
    binary::strip(compiler, &linked, folder)
}
