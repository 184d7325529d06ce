//! The programs under test and those that help: where they are, and how they are made.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::target::Target;

/// Which program uses the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A C program on the shared library.
    C,
    /// The same on a build that panics when told to.
    CWithTestPanic,
    /// Python with the module.
    Python,
    /// The command, which does one thing and ends: no target that could be told what to do.
    Cli,
}

impl Kind {
    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::CWithTestPanic => "C, test-panic",
            Self::Python => "Python",
            Self::Cli => "justcall-auth",
        }
    }
}

/// Where everything is. Found by the environment, so that it is what was just built:
///
/// | variable | what | without it |
/// |---|---|---|
/// | `JUSTCALL_LIB_DIR` | the folder with the shared library, the sandbox and the command | cargo builds them |
/// | `JUSTCALL_PANIC_LIB_DIR` | the library with the feature `test-panic` | its rows cannot be run |
/// | `JUSTCALL_PYTHON` | an interpreter with the module | that of `cargo xtask test` |
/// | `JUSTCALL_TEST_BUFFERS` | set if the library and the module have the feature `test-buffers` | default buffers alone |
pub struct Programs {
    folder: TempDir,
    libraries: PathBuf,
    panic_libraries: Option<PathBuf>,
    python: PathBuf,
    /// Whether the transport's buffers can be chosen.
    pub has_buffers: bool,
    /// What the header has, by which the C program is compiled.
    header: String,
}

impl Programs {
    /// Finds what is there and compiles the C program.
    ///
    /// # Errors
    /// When something is missing; the text says how to make it.
    pub fn find() -> Result<Self> {
        let folder = |variable: &str| {
            env::var_os(variable).map(|folder| PathBuf::from(folder).canonicalize()).transpose()
        };
        let libraries = match folder("JUSTCALL_LIB_DIR").context("JUSTCALL_LIB_DIR")? {
            Some(folder) => folder,
            None => build()?,
        };
        let header = std::fs::read_to_string(root().join("include/justcall_auth.h")).context("the header")?;
        let programs = Self {
            folder: TempDir::new()?,
            libraries,
            panic_libraries: folder("JUSTCALL_PANIC_LIB_DIR").context("JUSTCALL_PANIC_LIB_DIR")?,
            python: env::var_os("JUSTCALL_PYTHON")
                .map_or_else(|| target_folder().join("venv/bin/python"), PathBuf::from),
            has_buffers: env::var_os("JUSTCALL_TEST_BUFFERS").is_some(),
            header,
        };
        programs.compile(Kind::C, &programs.libraries)?;
        if let Some(libraries) = &programs.panic_libraries {
            programs.compile(Kind::CWithTestPanic, libraries)?;
        }
        Ok(programs)
    }

    /// Where the sandbox is.
    pub fn sandbox(&self) -> PathBuf {
        self.libraries.join("justcall-auth-sandbox")
    }

    /// Where the command is.
    pub fn cli(&self) -> PathBuf {
        self.libraries.join("justcall-auth")
    }

    fn compiled(&self, kind: Kind) -> PathBuf {
        self.folder.path().join(if kind == Kind::C { "target" } else { "target-with-panic" })
    }

    fn compile(&self, kind: Kind, libraries: &Path) -> Result<()> {
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
        if kind == Kind::CWithTestPanic {
            compiler.arg("-DHAVE_TEST_PANIC");
        }
        compiler.arg("-I").arg(root().join("include")).arg("-o").arg(self.compiled(kind));
        compiler.arg(here().join("targets/target.c")).arg("-L").arg(libraries).arg("-ljustcall_auth");
        let output = compiler.output().context("there is no C compiler")?;
        ensure!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Whether that program can be started, and if not, what is missing.
    ///
    /// # Errors
    /// When it cannot.
    pub fn has(&self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Python if !self.python.exists() => {
                bail!(
                    "there is no Python with the module: set JUSTCALL_PYTHON, or run `cargo xtask test` once"
                )
            }
            Kind::CWithTestPanic if self.panic_libraries.is_none() => {
                bail!("there is no build with the feature test-panic: set JUSTCALL_PANIC_LIB_DIR")
            }
            _ => Ok(()),
        }
    }

    /// The command that starts that program, to be given its arguments.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn command(&self, kind: Kind) -> Result<Command> {
        self.has(kind)?;
        let mut command = match kind {
            Kind::Python => Command::new(&self.python),
            Kind::C | Kind::CWithTestPanic => Command::new(self.compiled(kind)),
            Kind::Cli => Command::new(self.cli()),
        };
        match (kind, &self.panic_libraries) {
            // Without -B the interpreter would leave a folder beside the script.
            (Kind::Python, _) => command.arg("-B").arg(here().join("targets/target.py")),
            (Kind::CWithTestPanic, Some(libraries)) => command.env("LD_LIBRARY_PATH", libraries),
            _ => command.env("LD_LIBRARY_PATH", &self.libraries),
        };
        Ok(command)
    }

    /// Starts that program for the pair in `pair_file` and the service at `url`, with transport buffers of `buffers` bytes if that
    /// is not the default.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, kind: Kind, arguments: [&str; 3], buffers: Option<usize>) -> Result<Target> {
        let mut command = self.command(kind)?;
        command.args(arguments);
        // What this program has in the variable says only that it is understood.
        match buffers {
            Some(size) => command.env("JUSTCALL_TEST_BUFFERS", size.to_string()),
            None => command.env_remove("JUSTCALL_TEST_BUFFERS"),
        };
        Target::start(command)
    }
}

/// The shared library, the sandbox and the command, made by cargo beside this program.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "justcall-auth-ffi", "-p", "justcall-auth-sandbox"]);
    cargo.args(["-p", "justcall-auth-cli", "--target-dir"]).arg(target_folder()).current_dir(root());
    let status = cargo.status().context("cargo is not there")?;
    ensure!(status.success(), "{cargo:?} ended with {status}");
    Ok(target_folder().join("debug"))
}

/// Cargo's folder for what it builds, in which this program is: `PROFILE/deps` or `PROFILE` of it.
fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    folder.map_or_else(|| root().join("target"), Path::to_owned)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    here().ancestors().nth(2).expect("two folders deep in the repository").to_owned()
}
