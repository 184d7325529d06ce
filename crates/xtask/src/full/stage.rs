//! What several parts need: the release builds, and the Python module in its environment.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use xtask_demo::run::{self, cargo, step, succeed};

use crate::python::{self, Venv};

/// The feature with which tests choose the size of the transport's buffers.
const BUFFERS: &str = "justcall-auth/test-buffers";

/// The programs of the tests, beside the library.
const PROGRAMS: [&str; 5] = [
    "justcall-auth-cli",
    "justcall-auth-sandbox",
    "justcall-auth-memory-tests",
    "justcall-auth-rotation-tests",
    "justcall-auth-fault-tests",
];

/// Builds each thing when a part first needs it.
pub struct Stage<'a> {
    pub root: &'a Path,
    venv: OnceCell<Venv>,
    libraries: OnceCell<PathBuf>,
    with_panic: OnceCell<PathBuf>,
    module: OnceCell<()>,
}

impl<'a> Stage<'a> {
    pub fn new(root: &'a Path) -> Self {
        let (libraries, with_panic) = (OnceCell::new(), OnceCell::new());
        Self { root, venv: OnceCell::new(), libraries, with_panic, module: OnceCell::new() }
    }

    /// The environment of the Python tests, with the module that was installed last.
    pub fn venv(&self) -> Result<&Venv> {
        once(&self.venv, || python::venv(self.root))
    }

    /// The same environment, with the release build of the module. The next `cargo xtask test` installs the debug build.
    pub fn with_module(&self) -> Result<&Venv> {
        let venv = self.venv()?;
        once(&self.module, || {
            step("the Python module, release build", || {
                let project = self.root.join("bindings/python");
                let mut maturin = venv.command(&project, "maturin", &["develop", "--quiet", "--release"]);
                maturin.args(["--features", BUFFERS]);
                succeed(maturin.env("CARGO_TARGET_DIR", run::target_dir(self.root).join("full")))
            })
        })?;
        Ok(venv)
    }

    /// The folder with the release builds of the library and the programs.
    pub fn libraries(&self) -> Result<&Path> {
        let built = once(&self.libraries, || {
            step("release builds", || {
                let folder = self.library("full", None)?;
                let mut others = cargo(self.root, &["build", "--quiet", "--release"]);
                others.args(PROGRAMS.iter().flat_map(|package| ["-p", package]));
                succeed(others.arg("--target-dir").arg(&folder))?;
                Ok(folder.join("release"))
            })
        });
        Ok(built?)
    }

    /// The folder with the library that panics on demand.
    pub fn with_panic(&self) -> Result<&Path> {
        let built = once(&self.with_panic, || {
            step("the build that panics on demand", || {
                Ok(self.library("full-test-panic", Some("test-panic"))?.join("release"))
            })
        });
        Ok(built?)
    }

    /// Builds the library into a separate folder, because it must not ship.
    fn library(&self, folder: &str, feature: Option<&str>) -> Result<PathBuf> {
        let target = run::target_dir(self.root).join(folder);
        let mut library = cargo(self.root, &["build", "--quiet", "--release", "-p", "justcall-auth-ffi"]);
        library.arg("--target-dir").arg(&target);
        library
            .args(["--features", BUFFERS])
            .args(feature.iter().flat_map(|feature| ["--features", feature]));
        succeed(&mut library)?;
        Ok(target)
    }

    /// Runs the Python tests `tests` with the release build.
    pub fn pytest(&self, tests: &str) -> Result<Command> {
        let arguments = ["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", tests];
        let mut pytest =
            self.with_module()?.command(&self.root.join("bindings/python"), "python", &arguments);
        pytest.env("JUSTCALL_SANDBOX_BIN", self.libraries()?.join("justcall-auth-sandbox"));
        Ok(pytest)
    }
}

/// Returns the value of `cell`. Makes it the first time.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        drop(cell.set(make()?));
    }
    Ok(cell.get().expect("it was set"))
}
