//! Builds the product with one run of cargo, and compiles the examples with it as a user does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::run::{self, cargo, command, output, succeed};

/// The interpreter that runs the Python example.
pub struct Python {
    program: OsString,
    /// The folder of the package, if it is not installed.
    path: Option<PathBuf>,
}

impl Python {
    /// Returns an interpreter that has the package installed.
    pub fn with_package(program: PathBuf) -> Self {
        Self { program: program.into(), path: None }
    }

    /// Returns the command that runs the interpreter, with the package in its path.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(path) = &self.path {
            command.env("PYTHONPATH", path).env_remove("PYTHONHOME");
        }
        command
    }

    /// Returns the interpreter in the variable `PYTHON`, or `python3`. Fails if it is older than 3.9.
    pub fn found() -> Result<Self> {
        let program = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let is_new =
            output(Command::new(&program).args(["-c", "import sys; print(sys.version_info >= (3, 9))"]));
        let needed = "Python 3.9 or newer is needed (Debian: python3)";
        ensure!(is_new.context(needed)?.trim() == "True", needed);
        Ok(Self { program, path: None })
    }
}

/// Builds the library, the command, the sandbox and the Python module. Returns their folder.
pub fn product(root: &Path) -> Result<PathBuf> {
    let parts = ["", "-ffi", "-cli", "-sandbox", "-python"].map(|part| format!("justcall-auth{part}"));
    let mut build = cargo(root, &["build", "--profile", "demo"]);
    for part in &parts {
        build.args(["--package", part]);
    }
    // Like maturin: the interpreter that loads the module provides Python's symbols.
    succeed(build.env("PYO3_BUILD_EXTENSION_MODULE", "1").env("PYO3_NO_PYTHON", "1"))?;
    Ok(run::target_dir(root).join("demo"))
}

/// Assembles the Python package like a wheel, from its files and the module in `binaries`.
pub fn package(root: &Path, binaries: &Path, python: Python) -> Result<Python> {
    let path = binaries.join("python");
    let package = path.join("justcall_auth");
    if package.exists() {
        std::fs::remove_dir_all(&package)?;
    }
    std::fs::create_dir_all(&package)?;
    for entry in std::fs::read_dir(root.join("bindings/python/python/justcall_auth"))? {
        let file = entry?.path();
        let name = file.file_name().context("a folder entry has no name")?;
        if file.extension().is_some_and(|extension| extension == "py") {
            std::fs::copy(&file, package.join(name))?;
        }
    }
    std::fs::copy(binaries.join("libjustcall_auth_python.so"), package.join("_native.abi3.so"))?;
    Ok(Python { path: Some(path), ..python })
}

/// Compiles an example in C or C++ with the library in `binaries`. Returns its path.
pub fn with_c_library(root: &Path, compiler: &str, source: &str, binaries: &Path) -> Result<PathBuf> {
    let program = program(root, source)?;
    let mut command = command(root, compiler, &["-O2", "-Wall", "-Wextra", "-Iinclude", source, "-o"]);
    let library = binaries.display();
    command.arg(&program).arg(format!("-L{library}")).arg("-ljustcall_auth");
    succeed(command.arg(format!("-Wl,-rpath,{library}")))?;
    Ok(program)
}

/// Compiles an example in Rust with the library in `binaries`. Returns its path. Cargo would also compile the dependencies of
/// the library's tests.
pub fn with_rust_library(root: &Path, source: &str, binaries: &Path) -> Result<PathBuf> {
    let program = program(root, source)?;
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = command(root, compiler, &["--edition=2024", source, "-o"]);
    command.arg(&program).arg("--extern");
    command.arg(format!("justcall_auth={}", binaries.join("libjustcall_auth.rlib").display()));
    succeed(command.arg("-L").arg(format!("dependency={}", binaries.join("deps").display())))?;
    Ok(program)
}

/// Returns the path of an example's program: `verify-c` for `verify.c`.
fn program(root: &Path, source: &str) -> Result<PathBuf> {
    let folder = run::target_dir(root).join("demo").join("examples");
    std::fs::create_dir_all(&folder)?;
    let file = source.rsplit('/').next().expect("rsplit returns at least one part");
    Ok(folder.join(file.replace('.', "-")))
}
