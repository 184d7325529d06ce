//! Compiles C and C++ programs with warnings as errors, and runs them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Once, PoisonError};

use super::{library, root, sanitizer};

/// A language and the standard in which a source must be valid.
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

/// Libraries for programs that control a sandbox or read vectors: cJSON, libcurl and the mathematics of C.
pub(crate) const RUNNER_LIBRARIES: [&str; 3] = ["-lcjson", "-lcurl", "-lm"];

/// How a program is linked with the library.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link<'a> {
    Shared(&'a Path),
    Static(&'a Path),
}

/// The system libraries that the static library needs: `rustc --print native-static-libs` on Linux.
const SYSTEM_LIBRARIES: [&str; 6] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

/// Variables that could provide a pair from the environment of the tests.
const PAIR_VARIABLES: [&str; 5] = [
    "JUSTCALL_CREDENTIALS",
    "JUSTCALL_API_KEY",
    "JUSTCALL_API_SECRET",
    "JUSTCALL_WEBHOOK_SECRET",
    "CREDENTIALS_DIRECTORY",
];

/// The programs that are compiled or being compiled. Tests that need the same program must not compile it concurrently.
static COMPILED: Mutex<BTreeMap<PathBuf, Arc<Once>>> = Mutex::new(BTreeMap::new());

/// A compiled program.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The folder of the library at run time.
    pub(crate) library: PathBuf,
}

impl Program {
    /// Compiles and links `source`, unless another test has done so. `libraries` are additional ones, such as `-lname`.
    pub(crate) fn compile(source: &Path, standard: Standard, link: Link, libraries: &[&str]) -> Self {
        let (library, kind) = match link {
            Link::Shared(folder) => (folder, "shared"),
            Link::Static(folder) => (folder, "static"),
        };
        let stem = source.file_stem().expect("a source has a name").to_string_lossy();
        let language = source.extension().expect("a source has a language").to_string_lossy();
        let name = format!("{stem}-{language}-{standard:?}-{kind}{}", sanitizer::name().unwrap_or_default());
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
        succeed(command.args(libraries).args(sanitizer::options()));
    }

    /// Returns a command that runs the program without a pair in the environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// Returns a command that runs the program under valgrind, which fails on misuse of memory and on leaks. `options` are
    /// additional options of valgrind. A program with a sanitizer runs alone: both replace the allocator.
    ///
    /// "Possibly lost" blocks are not leaks: an atomic `Arc` and hash tables hold the state that a process keeps to its end,
    /// and they point inside their blocks. A leaked block has no pointer to it, and is an error.
    pub(crate) fn valgrind<A: AsRef<OsStr>>(&self, options: &[&str], arguments: &[A]) -> Command {
        if sanitizer::name().is_some() {
            return self.command(arguments);
        }
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=1", "--leak-check=full"]);
        command.args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"]);
        command.args(options).arg(&self.path).args(arguments);
        self.prepare(&mut command);
        command
    }

    /// Sets the search path, because Cargo adds folders with other builds of the library to it.
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

/// Runs a command that must succeed and returns its output. Panics with the output if it fails.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    assert!(output.status.success(), "{command:?} ended with {}:\n{}", output.status, text(&output));
    text(&output)
}

/// Runs a command that must exit with status `code`, and returns its output.
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
