//! C and C++ programs: compiled without a warning, and run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Once, PoisonError};

use super::{library, root};

/// A language and the standard of it that a source must be valid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    C99,
    C11,
    Cpp11,
    Cpp20,
}

impl Standard {
    pub(crate) const ALL: [Self; 4] = [Self::C99, Self::C11, Self::Cpp11, Self::Cpp20];

    fn compiler(self) -> Command {
        let (variable, usual, language, standard) = match self {
            Self::C99 => ("CC", "cc", "c", "-std=c99"),
            Self::C11 => ("CC", "cc", "c", "-std=c11"),
            Self::Cpp11 => ("CXX", "c++", "c++", "-std=c++11"),
            Self::Cpp20 => ("CXX", "c++", "c++", "-std=c++20"),
        };
        let mut command = Command::new(std::env::var_os(variable).unwrap_or_else(|| usual.into()));
        command.args(["-x", language, standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"]);
        command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("tests/c"));
        command
    }
}

/// Where cJSON, libcurl and the C library's mathematics are, for programs that steer a sandbox or read vectors.
pub(crate) const RUNNER_LIBRARIES: [&str; 3] = ["-lcjson", "-lcurl", "-lm"];

/// How a program gets the library.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link<'a> {
    Shared(&'a Path),
    Static(&'a Path),
}

/// What the static library needs of the system: `rustc --print native-static-libs` on Linux.
const SYSTEM_LIBRARIES: [&str; 6] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

/// Where a pair, or a remark about one, could come from in the environment of whoever runs the tests.
const PAIR_VARIABLES: [&str; 5] = [
    "JUSTCALL_CREDENTIALS",
    "JUSTCALL_API_KEY",
    "JUSTCALL_API_SECRET",
    "JUSTCALL_WEBHOOK_SECRET",
    "CREDENTIALS_DIRECTORY",
];

/// The programs that are compiled, or being compiled: tests that need the same one must not write to its file at once.
static COMPILED: Mutex<BTreeMap<PathBuf, Arc<Once>>> = Mutex::new(BTreeMap::new());

/// A program that was compiled.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The folder of the library that it runs with.
    pub(crate) library: PathBuf,
}

impl Program {
    /// Compiles `source` and links it, unless a test has done so; `libraries` are further ones, as `-lname`.
    pub(crate) fn compile(source: &Path, standard: Standard, link: Link, libraries: &[&str]) -> Self {
        let (library, kind) = match link {
            Link::Shared(folder) => (folder, "shared"),
            Link::Static(folder) => (folder, "static"),
        };
        let stem = source.file_stem().expect("a source has a name").to_string_lossy();
        let language = source.extension().expect("a source has a language").to_string_lossy();
        let name = format!("{stem}-{language}-{standard:?}-{kind}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let once = compiled.entry(path.clone()).or_insert_with(|| Arc::new(Once::new())).clone();
        drop(compiled);
        once.call_once(|| Self::link(source, standard, link, libraries, &path));
        Self { path, library: library.to_owned() }
    }

    fn link(source: &Path, standard: Standard, link: Link, libraries: &[&str], path: &Path) {
        let mut command = standard.compiler();
        command.arg(source).args(["-x", "none", "-pthread", "-o"]).arg(path);
        match link {
            Link::Shared(folder) => command.arg("-L").arg(folder).arg("-ljustcall_auth"),
            Link::Static(folder) => command.arg(library::archive(folder)).args(SYSTEM_LIBRARIES),
        };
        succeed(command.args(libraries));
    }

    /// A command that runs it, without a pair in the environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// A command that runs it under valgrind, which fails on any misuse of memory and any leak; `options` are further ones
    /// of valgrind.
    ///
    /// Blocks that are "possibly lost" are no leaks: the state that a process keeps to its end hangs on an atomic `Arc` and hash
    /// tables, which point inside their blocks. What is lost for good has no pointer at all, and is an error.
    pub(crate) fn valgrind<A: AsRef<OsStr>>(&self, options: &[&str], arguments: &[A]) -> Command {
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=1", "--leak-check=full"]);
        command.args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]);
        command.args(options).arg(&self.path).args(arguments);
        self.prepare(&mut command);
        command
    }

    /// Cargo puts folders with other builds of the library into the search path.
    fn prepare(&self, command: &mut Command) {
        command.env("LD_LIBRARY_PATH", &self.library).env("DYLD_LIBRARY_PATH", &self.library);
        for variable in PAIR_VARIABLES {
            command.env_remove(variable);
        }
    }
}

/// Compiles `source` without linking it.
pub(crate) fn compile_alone(source: &Path, standard: Standard) {
    succeed(standard.compiler().arg("-fsyntax-only").arg(source));
}

/// Runs a command that must succeed; its output is shown when it does not.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    assert!(output.status.success(), "{command:?} ended with {}:\n{}", output.status, text(&output));
    text(&output)
}

/// Runs a command that must end with `code`.
pub(crate) fn fail(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?} ended with {}:\n{}",
        output.status,
        text(&output)
    );
    text(&output)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
