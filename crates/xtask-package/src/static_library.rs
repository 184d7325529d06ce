//! The static library: one object file in which everything but the exports is local.
//!
//! rustc's archive defines symbols that every other Rust library defines too, such as `rust_eh_personality`, and the C symbols
//! of ring. A program that links two such archives does not link, or silently uses one copy for both.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use xtask_demo::run::succeed;

use crate::compile::Compiler;

/// The name of the file.
pub const FILE: &str = "libjustcall_auth.a";

/// The pointer to Rust's personality function, in a section that linkers merge by name. Another name keeps them from
/// replacing it by that of another Rust library, after which it could not be local.
const PERSONALITY: [&str; 2] = ["DW.ref.rust_eh_personality", "DW.ref.justcall_auth_eh_personality"];

/// Writes the library into `folder`, from rustc's `archive` and the file with the list of `symbols`. Returns its path.
pub fn write(archive: &Path, symbols: &Path, compiler: &Compiler, folder: &Path) -> Result<PathBuf> {
    let work = tempfile::tempdir()?;
    let (linked, object) = (work.path().join("linked.o"), work.path().join("justcall_auth.o"));
    succeed(compiler.tool("ld").args(["-r", "--whole-archive"]).arg(archive).arg("-o").arg(&linked))?;
    let mut objcopy = compiler.tool("objcopy");
    objcopy.arg("--strip-debug").arg(format!("--keep-global-symbols={}", symbols.display()));
    objcopy.arg(format!("--redefine-sym={}={}", PERSONALITY[0], PERSONALITY[1]));
    // LLVM's bitcode of the standard library, which other versions of LLVM cannot read: their linker plugins crash.
    objcopy.args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd"]);
    succeed(objcopy.arg(&linked).arg(&object))?;
    let path = folder.join(FILE);
    if path.exists() {
        fs::remove_file(&path)?;
    }
    // D: no times or users in the archive.
    succeed(compiler.tool("ar").arg("Dcr").arg(&path).arg(&object))?;
    Ok(path)
}
