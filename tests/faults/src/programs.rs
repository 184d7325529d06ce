//! The programs under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::vectors::caller::Language;

/// A program under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// `targets/target.c` with the shared library.
    C,
    /// `targets/target.py` with the module.
    Python,
    /// The command `justcall-auth`.
    Cli,
}

impl Program {
    /// Returns its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Python => "Python",
            Self::Cli => "command",
        }
    }
}

/// The places of the programs. `JUSTCALL_LIB_DIR` is the folder of the shared library, `JUSTCALL_PYTHON` the Python that has
/// the module installed, and `JUSTCALL_CLI` the command, by default the one in the folder of the library.
pub struct Programs {
    folder: TempDir,
    libraries: PathBuf,
    python: PathBuf,
    cli: PathBuf,
}

impl Programs {
    /// Reads the environment and compiles `targets/target.c`.
    ///
    /// # Errors
    /// If a variable is not set, or the program cannot be compiled.
    pub fn find() -> Result<Self> {
        let variable = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .with_context(|| format!("{name} is not set; `cargo xtask test` sets it"))
        };
        let libraries = variable("JUSTCALL_LIB_DIR")?.canonicalize().context("JUSTCALL_LIB_DIR")?;
        let cli = env::var_os("JUSTCALL_CLI")
            .map_or_else(|| libraries.join("justcall-auth"), PathBuf::from)
            .canonicalize()
            .context("the command is not built")?;
        let programs = Self { folder: TempDir::new()?, libraries, python: variable("JUSTCALL_PYTHON")?, cli };
        let root = here().ancestors().nth(2).context("this crate is two folders deep in the repository")?;
        let include = format!("-I{}", root.join("include").display());
        let search = format!("-L{}", programs.libraries.display());
        programs.compile("target.c", &["-pthread", &include, &search], &["-ljustcall_auth"], "target")?;
        programs.compile("caller.c", &[&include, &search], &["-ljustcall_auth"], "caller")?;
        programs.compile("soak.c", &["-pthread", &include, &search], &["-ljustcall_auth"], "soak")?;
        programs.compile("failing_malloc.c", &["-shared", "-fPIC"], &["-ldl"], "failing_malloc.so")?;
        Ok(programs)
    }

    fn compile(&self, source: &str, options: &[&str], libraries: &[&str], output: &str) -> Result<()> {
        let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).args(options);
        compiler.arg(here().join("targets").join(source)).args(libraries);
        let output = compiler.arg("-o").arg(self.folder.path().join(output)).output()?;
        ensure!(output.status.success(), "{compiler:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Returns the words of the command line that starts `program`, without its arguments.
    pub fn words(&self, program: Program) -> Vec<PathBuf> {
        match program {
            Program::C => vec![self.folder.path().join("target")],
            Program::Python => {
                vec![self.python.clone(), "-B".into(), here().join("targets/target.py")]
            }
            Program::Cli => vec![self.cli.clone()],
        }
    }

    /// Returns the words of the command line of a program that makes calls.
    pub fn caller(&self, language: Language) -> Vec<PathBuf> {
        match language {
            Language::Rust => vec![self.libraries.join("caller")],
            Language::C => vec![self.folder.path().join("caller")],
            Language::Python => vec![self.python.clone(), "-B".into(), here().join("targets/caller.py")],
        }
    }

    /// Returns the program that calls without a pause, without its arguments.
    pub fn soak(&self, language: Language) -> Command {
        let mut command = if language == Language::Python {
            let mut python = Command::new(&self.python);
            python.arg("-B").arg(here().join("targets/soak.py"));
            python
        } else {
            Command::new(self.folder.path().join("soak"))
        };
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }

    /// Returns the program that runs a vector in a separate network.
    pub fn runner(&self) -> PathBuf {
        self.libraries.join("servers")
    }

    /// Returns the folder of the shared library.
    pub fn libraries(&self) -> &Path {
        &self.libraries
    }

    /// Returns the library to preload, in which one allocation fails.
    pub fn failing_malloc(&self) -> PathBuf {
        self.folder.path().join("failing_malloc.so")
    }
}

/// Returns the folder of this crate.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
