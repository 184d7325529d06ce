//! Compiles C++ programs of one or more translation units with warnings as errors.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{Program, succeed};
use crate::support::{library, root, sanitizer};

/// The oldest standard that the header supports. Programs run in this one.
pub(crate) const OLDEST: &str = "c++17";

/// All standards that the header supports. `c++2b` is C++23, also for older compilers.
pub(crate) const STANDARDS: [&str; 3] = [OLDEST, "c++20", "c++2b"];

/// The options of a project without exceptions.
pub(crate) const NO_EXCEPTIONS: [&str; 2] = ["-fno-exceptions", "-fno-rtti"];

/// Returns a command for the compiler with warnings as errors.
pub(crate) fn compiler(standard: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
    command.arg(format!("-std={standard}"));
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-g", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("tests/c"));
    command
}

/// Returns the path of a source in `tests/cpp`.
pub(crate) fn source(name: &str) -> PathBuf {
    root().join("tests/cpp").join(name)
}

/// Checks a source of `tests/cpp` in every standard, and compiles a program in the oldest.
pub(crate) fn program_of_tests(name: &str, options: &[&str]) -> Program {
    let source = source(name);
    for standard in &STANDARDS[1..] {
        succeed(compiler(standard).args(options).arg("-fsyntax-only").arg(&source));
    }
    program(&source, OLDEST, options)
}

/// Compiles `source` in a standard and links it.
pub(crate) fn program(source: &Path, standard: &str, options: &[&str]) -> Program {
    let path = output_path(source, standard, options, "program");
    succeed(compiler(standard).args(options).arg(source).arg("-o").arg(&path).args(linking()));
    Program { path, library: library::folder().to_owned() }
}

/// Links compiled translation units.
pub(crate) fn link(units: &[PathBuf], standard: &str) -> Program {
    let name: Vec<_> = units.iter().map(|unit| unit.file_name().expect("a name").to_string_lossy()).collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.join("+"));
    succeed(compiler(standard).args(units).arg("-o").arg(&path).args(linking()));
    Program { path, library: library::folder().to_owned() }
}

/// Compiles `source` for linking.
pub(crate) fn unit(source: &Path, standard: &str, options: &[&str]) -> PathBuf {
    let path = output_path(source, standard, options, "o");
    succeed(compiler(standard).args(options).arg("-c").arg(source).arg("-o").arg(&path));
    path
}

/// Returns the output path for `source`. Each combination has its own, because tests run in parallel.
fn output_path(source: &Path, standard: &str, options: &[&str], kind: &str) -> PathBuf {
    let stem = source.file_stem().expect("a source has a name").to_string_lossy();
    let sanitizer = sanitizer::name().unwrap_or_default();
    let name = format!("hpp-{stem}-{standard}{}{sanitizer}.{kind}", options.concat());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn linking() -> Vec<std::ffi::OsString> {
    let library = ["-L".into(), library::folder().into(), "-ljustcall_auth".into()];
    library.into_iter().chain(sanitizer::options().iter().map(Into::into)).collect()
}
