//! The paths of the programs under test and of their helpers, and the compilation of the C program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::target::TargetProcess;

/// The kind of a program under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramKind {
    /// A C program with the shared library.
    C,
    /// The same program with a library that panics on demand.
    CWithTestPanic,
    /// Python with the module.
    Python,
    /// The command. It makes one call and exits, so it is not a target that takes commands.
    Cli,
}

impl ProgramKind {
    /// Returns the name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::CWithTestPanic => "C, test-panic",
            Self::Python => "Python",
            Self::Cli => "justcall-auth",
        }
    }
}

/// The paths of the programs, which the environment sets:
///
/// | variable | value | if it is not set |
/// |---|---|---|
/// | `JUSTCALL_LIB_DIR` | the folder with the shared library, the sandbox and the command | cargo builds them |
/// | `JUSTCALL_PANIC_LIB_DIR` | the folder with the library of the feature `test-panic` | its rows fail |
/// | `JUSTCALL_PYTHON` | an interpreter with the module | that of `cargo xtask test` |
/// | `JUSTCALL_TEST_BUFFERS` | set if the library and the module have the feature `test-buffers` | only default buffers |
pub struct TestPrograms {
    folder: TempDir,
    libraries: PathBuf,
    panic_libraries: Option<PathBuf>,
    python: PathBuf,
    /// Whether the size of the transport's buffers can be chosen.
    pub has_buffers: bool,
    /// The text of the C header, which determines the macros of the C program.
    header: String,
}

impl TestPrograms {
    /// Reads the environment, and compiles the C program.
    ///
    /// # Errors
    /// If a folder does not exist, or a build fails.
    pub fn find() -> Result<Self> {
        let folder = |variable: &str| {
            env::var_os(variable).map(|folder| PathBuf::from(folder).canonicalize()).transpose()
        };
        let libraries = match folder("JUSTCALL_LIB_DIR").context("JUSTCALL_LIB_DIR")? {
            Some(folder) => folder,
            None => build()?,
        };
        let header = std::fs::read_to_string(root().join("include/justcall_auth.h"))
            .context("cannot read include/justcall_auth.h")?;
        let programs = Self {
            folder: TempDir::new()?,
            libraries,
            panic_libraries: folder("JUSTCALL_PANIC_LIB_DIR").context("JUSTCALL_PANIC_LIB_DIR")?,
            python: env::var_os("JUSTCALL_PYTHON")
                .map_or_else(|| target_folder().join("venv/bin/python"), PathBuf::from),
            has_buffers: env::var_os("JUSTCALL_TEST_BUFFERS").is_some(),
            header,
        };
        programs.compile(ProgramKind::C, &programs.libraries)?;
        if let Some(libraries) = &programs.panic_libraries {
            programs.compile(ProgramKind::CWithTestPanic, libraries)?;
        }
        Ok(programs)
    }

    /// Returns the path of the sandbox.
    pub fn sandbox(&self) -> PathBuf {
        self.libraries.join("justcall-auth-sandbox")
    }

    /// Returns the path of the command.
    pub fn cli(&self) -> PathBuf {
        self.libraries.join("justcall-auth")
    }

    fn compiled(&self, kind: ProgramKind) -> PathBuf {
        self.folder.path().join(if kind == ProgramKind::C { "target" } else { "target-with-panic" })
    }

    fn compile(&self, kind: ProgramKind, libraries: &Path) -> Result<()> {
        let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args([
            "-std=c11",
            "-D_POSIX_C_SOURCE=200809L",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pthread",
        ]);
        if self.header.contains("justcall_config_set_memory_protection(") {
            compiler.arg("-DHAVE_MEMORY_PROTECTION");
        }
        if kind == ProgramKind::CWithTestPanic {
            compiler.arg("-DHAVE_TEST_PANIC");
        }
        compiler.arg("-I").arg(root().join("include")).arg("-o").arg(self.compiled(kind));
        compiler.arg(here().join("targets/target.c")).arg("-L").arg(libraries).arg("-ljustcall_auth");
        let output = compiler.output().context("cannot run the C compiler")?;
        ensure!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Checks that a program of this kind can be started.
    ///
    /// # Errors
    /// If it cannot. The message names the missing part.
    pub fn require(&self, kind: ProgramKind) -> Result<()> {
        match kind {
            ProgramKind::Python if !self.python.exists() => {
                bail!(
                    "there is no Python with the module: set JUSTCALL_PYTHON, or run `cargo xtask test` once"
                )
            }
            ProgramKind::CWithTestPanic if self.panic_libraries.is_none() => {
                bail!("there is no build with the feature test-panic: set JUSTCALL_PANIC_LIB_DIR")
            }
            _ => Ok(()),
        }
    }

    /// Returns the command that starts a program of this kind. The caller adds the arguments.
    ///
    /// # Errors
    /// If a part of it is missing.
    pub fn command(&self, kind: ProgramKind) -> Result<Command> {
        self.require(kind)?;
        let mut command = match kind {
            ProgramKind::Python => Command::new(&self.python),
            ProgramKind::C | ProgramKind::CWithTestPanic => Command::new(self.compiled(kind)),
            ProgramKind::Cli => Command::new(self.cli()),
        };
        match (kind, &self.panic_libraries) {
            // Without -B the interpreter would leave a `__pycache__` folder beside the script.
            (ProgramKind::Python, _) => command.arg("-B").arg(here().join("targets/target.py")),
            (ProgramKind::CWithTestPanic, Some(libraries)) => command.env("LD_LIBRARY_PATH", libraries),
            _ => command.env("LD_LIBRARY_PATH", &self.libraries),
        };
        Ok(command)
    }

    /// Starts a program of this kind. `arguments` are the pair's file, the base URL and the CA file. `buffers` is the size of
    /// the transport's buffers, or `None` for the default.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        &self,
        kind: ProgramKind,
        arguments: [&str; 3],
        buffers: Option<usize>,
    ) -> Result<TargetProcess> {
        let mut command = self.command(kind)?;
        command.args(arguments);
        // In this process the variable is only a switch. The target must get the size, or nothing.
        match buffers {
            Some(size) => command.env("JUSTCALL_TEST_BUFFERS", size.to_string()),
            None => command.env_remove("JUSTCALL_TEST_BUFFERS"),
        };
        TargetProcess::start(command)
    }
}

/// Builds the shared library, the sandbox and the command. Returns their folder.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "justcall-auth-ffi", "-p", "justcall-auth-sandbox"]);
    cargo.args(["-p", "justcall-auth-cli", "--target-dir"]).arg(target_folder()).current_dir(root());
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "{cargo:?} ended with {status}");
    Ok(target_folder().join("debug"))
}

/// Returns cargo's target folder, which contains this program in `PROFILE/deps` or `PROFILE`.
fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    folder.map_or_else(|| root().join("target"), Path::to_owned)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    here().ancestors().nth(2).expect("the crate is two folders deep in the repository").to_owned()
}
