//! C++ programs of one or more units: compiled without a warning, and run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::succeed;
use crate::support::{library, root};

/// The oldest standard that the header is valid in, which programs run in.
pub(crate) const OLDEST: &str = "c++17";

/// All that it must be valid in.
pub(crate) const STANDARDS: [&str; 3] = [OLDEST, "c++20", "c++23"];

/// As a project without exceptions compiles.
pub(crate) const NO_EXCEPTIONS: [&str; 2] = ["-fno-exceptions", "-fno-rtti"];

/// The compiler with every warning as an error.
pub(crate) fn compiler(standard: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
    command.arg(format!("-std={standard}"));
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-g", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("tests/c"));
    command
}

/// A source among the tests.
pub(crate) fn source(name: &str) -> PathBuf {
    root().join("tests/cpp").join(name)
}

/// A program that was compiled.
pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    /// Checks `source` in every standard, and makes a program of it in the oldest.
    pub(crate) fn of_tests(name: &str, options: &[&str]) -> Self {
        let source = source(name);
        for standard in &STANDARDS[1..] {
            succeed(compiler(standard).args(options).arg("-fsyntax-only").arg(&source));
        }
        Self::compile(&source, OLDEST, options)
    }

    /// Compiles `source` in a standard and links it.
    pub(crate) fn compile(source: &Path, standard: &str, options: &[&str]) -> Self {
        let path = place(source, standard, options, "program");
        succeed(compiler(standard).args(options).arg(source).arg("-o").arg(&path).args(linking()));
        Self { path }
    }

    /// Links units that were compiled.
    pub(crate) fn link(units: &[PathBuf], standard: &str) -> Self {
        let name: Vec<_> =
            units.iter().map(|unit| unit.file_name().expect("a name").to_string_lossy()).collect();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.join("+"));
        succeed(compiler(standard).args(units).arg("-o").arg(&path).args(linking()));
        Self { path }
    }

    /// A command that runs it, without a pair in the environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.path);
        prepare(command.args(arguments));
        command
    }

    /// A command that runs it under valgrind, as the C programs are run; `options` are further ones of valgrind.
    pub(crate) fn valgrind<A: AsRef<OsStr>>(&self, options: &[&str], arguments: &[A]) -> Command {
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=1", "--leak-check=full"]);
        command.args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]);
        prepare(command.args(options).arg(&self.path).args(arguments));
        command
    }
}

/// Compiles `source` for linking.
pub(crate) fn unit(source: &Path, standard: &str, options: &[&str]) -> PathBuf {
    let path = place(source, standard, options, "o");
    succeed(compiler(standard).args(options).arg("-c").arg(source).arg("-o").arg(&path));
    path
}

/// Where what is made of `source` goes: a place for each way to compile it, as tests run at once.
fn place(source: &Path, standard: &str, options: &[&str], kind: &str) -> PathBuf {
    let stem = source.file_stem().expect("a source has a name").to_string_lossy();
    let name = format!("hpp-{stem}-{standard}{}.{kind}", options.concat());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn linking() -> [std::ffi::OsString; 3] {
    ["-L".into(), library::folder().into(), "-ljustcall_auth".into()]
}

/// Cargo puts folders with other builds of the library into the search path.
fn prepare(command: &mut Command) {
    command.env("LD_LIBRARY_PATH", library::folder()).env("DYLD_LIBRARY_PATH", library::folder());
    command.env_remove("JUSTCALL_API_KEY").env_remove("JUSTCALL_API_SECRET");
}
