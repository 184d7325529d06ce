//! The baseline of the ABI: every type and function of the header, as libabigail describes them.
//!
//! The description is that of a library in C which has the prototypes of the header and nothing else. The real library has no
//! C types: its debug information describes Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{output, succeed};

use crate::{shared_library, symbols};

/// The file with the baseline.
const BASELINE: &str = "packaging/abi/baseline.abi";

/// Writes the baseline of this checkout.
pub fn write(root: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let model = model(root, &root.join("include"), work.path())?;
    let mut abidw = Command::new("abidw");
    // No paths: the baseline is the same on every machine.
    abidw.args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"]);
    succeed(abidw.arg("--out-file").arg(root.join(BASELINE)).arg(model))
}

/// Compares the header in `include` with the baseline. Returns libabigail's report, which is empty if nothing changed.
pub fn changes(root: &Path, include: &Path) -> Result<String> {
    let work = tempfile::tempdir()?;
    let model = model(root, include, work.path())?;
    let mut abidiff = Command::new("abidiff");
    let compared = abidiff.arg(root.join(BASELINE)).arg(&model).output().context("cannot start abidiff")?;
    // The status is a sum: 1 and 2 are failures of abidiff itself, 4 and 8 are changes.
    let status = compared.status.code().unwrap_or(1);
    let report = String::from_utf8_lossy(&compared.stdout).into_owned();
    ensure!(status % 4 == 0, "abidiff failed: {report}{}", String::from_utf8_lossy(&compared.stderr));
    Ok(if status == 0 { String::new() } else { report })
}

/// Compiles a library from the header's prototypes, with the symbol versions and the soname of the real one.
fn model(root: &Path, include: &Path, folder: &Path) -> Result<PathBuf> {
    let header = include.join("justcall_auth.h");
    let mut cpp = Command::new("cc");
    let preprocessed =
        output(cpp.args(["-E", "-P", "-DJUSTCALL_NODISCARD=", "-DJUSTCALL_DEPRECATED="]).arg(&header))?;
    let (source, script) = (folder.join("model.c"), folder.join("versions"));
    fs::write(&source, with_bodies(&preprocessed))?;
    fs::write(&script, symbols::version_script(&symbols::nodes(root)?)?)?;
    let library = folder.join(shared_library::soname(root)?);
    let mut cc = Command::new("cc");
    cc.args(["-g", "-shared", "-fPIC", "-Wno-return-type", "-o"]).arg(&library).arg(&source);
    cc.arg(format!("-Wl,-soname,{}", shared_library::soname(root)?));
    cc.arg(format!("-ffile-prefix-map={}=.", folder.display()));
    succeed(cc.arg(format!("-Wl,--version-script={}", script.display())))?;
    Ok(library)
}

/// Turns each prototype of our functions into a definition.
fn with_bodies(preprocessed: &str) -> String {
    let mut text = String::new();
    for statement in preprocessed.split_inclusive(';') {
        let words = statement.trim_start();
        let is_ours = words.split_once('(').is_some_and(|(before, _)| {
            before
                .rsplit(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .next()
                .is_some_and(|name| name.starts_with("justcall_"))
        });
        if is_ours && !words.starts_with("typedef") {
            text.push_str(statement.trim_end_matches(';'));
            text.push_str(" { __builtin_trap(); }");
        } else {
            text.push_str(statement);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_bodies;

    #[test]
    fn it_defines_functions_and_leaves_types_as_they_are() {
        let types =
            "typedef void (*justcall_free_fn)(void *context);\ntypedef struct justcall_x justcall_x;\n";
        let text = format!("{types}const char *justcall_name(int status);\nint printf(const char *, ...);\n");
        let expected = format!(
            "{types}const char *justcall_name(int status) {{ __builtin_trap(); }}\nint printf(const char *, ...);\n"
        );
        assert_eq!(with_bodies(&text), expected);
    }
}
