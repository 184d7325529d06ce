//! Builds the binaries of one target.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xtask_demo::run;

use crate::binary::{self, Stripped};
use crate::compile::{Archive, Compiler};
use crate::symbols::{self, Node};
use crate::target::Target;
use crate::workspace::graph;
use crate::{audit, shared_library, static_library};

/// The libraries.
#[derive(Debug, Clone)]
pub struct Library {
    /// The static library.
    pub archive: PathBuf,
    /// The same as rustc writes it, with every symbol of Rust and ring.
    pub unlocalised: PathBuf,
    /// The libraries of the system that it needs, as rustc names them.
    pub system_libraries: Vec<String>,
    /// The shared library.
    pub shared: Stripped,
}

/// The programs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `justcall-auth`.
    pub command: Stripped,
    /// `justcall-auth-sandbox`.
    pub sandbox: Stripped,
}

/// Everything that packages contain.
#[derive(Debug, Clone)]
pub struct Built {
    /// The libraries.
    pub library: Library,
    /// The programs.
    pub programs: Programs,
    /// The Python module.
    pub module: Stripped,
}

impl Built {
    /// Returns the binaries that are dynamically linked.
    pub fn binaries(&self) -> [&Stripped; 4] {
        [&self.library.shared, &self.programs.command, &self.programs.sandbox, &self.module]
    }
}

/// Builds the binaries of one target from one checkout.
pub struct Builder {
    pub(crate) root: PathBuf,
    pub(crate) compiler: Compiler,
    /// The folder for the finished binaries.
    pub(crate) output: PathBuf,
}

impl Builder {
    /// Prepares a build for packages. Fails if a tool is missing.
    pub fn new(root: &Path, target: &'static Target) -> Result<Self> {
        let folder = run::target_dir(root).join("package");
        let output = folder.join("built").join(target.name);
        Self::with(root, Compiler::portable(root, &folder, target)?, output)
    }

    /// Prepares a build with GCC, for an installation. Fails if a tool is missing.
    pub fn gcc(root: &Path, target: &'static Target) -> Result<Self> {
        let output = run::target_dir(root).join("install").join(target.name);
        Self::with(root, Compiler::gcc(root, target)?, output)
    }

    fn with(root: &Path, compiler: Compiler, output: PathBuf) -> Result<Self> {
        fs::create_dir_all(&output)?;
        Ok(Self { root: root.to_owned(), compiler, output })
    }

    /// Returns the folder of zig, whose code binaries contain.
    pub fn zig(&self) -> Result<PathBuf> {
        self.compiler.zig()
    }

    /// Builds the libraries.
    pub fn library(&self) -> Result<Library> {
        self.link(&self.compiler.library(&[])?, &symbols::nodes(&self.root)?)
    }

    /// Builds libraries that do not ship, with a function that panics. The next [`Self::library`] replaces them.
    pub fn library_that_panics(&self) -> Result<Library> {
        let mut nodes = symbols::nodes(&self.root)?;
        let first = nodes.first_mut().context("there is a version")?;
        first.symbols.insert("justcall_test_panic".to_owned());
        self.link(&self.compiler.library(&["--features", "test-panic"])?, &nodes)
    }

    fn link(&self, archive: &Archive, nodes: &[Node]) -> Result<Library> {
        let shared = shared_library::write(&self.root, &self.compiler, archive, nodes, &self.output)?;
        self.add_crates(&shared, "justcall-auth-ffi")?;
        let list = symbols::list(&self.root);
        let path = static_library::write(&archive.path, &list, &self.compiler, &self.output)?;
        Ok(Library {
            archive: path,
            unlocalised: archive.path.clone(),
            system_libraries: archive.system_libraries.clone(),
            shared,
        })
    }

    /// Builds the programs.
    pub fn programs(&self) -> Result<Programs> {
        Ok(Programs { command: self.command()?, sandbox: self.sandbox()? })
    }

    /// Builds `justcall-auth`.
    pub fn command(&self) -> Result<Stripped> {
        self.program("justcall-auth-cli", "justcall-auth")
    }

    /// Builds `justcall-auth-sandbox`.
    pub fn sandbox(&self) -> Result<Stripped> {
        self.program("justcall-auth-sandbox", "justcall-auth-sandbox")
    }

    fn program(&self, package: &str, name: &str) -> Result<Stripped> {
        self.finish(&self.compiler.program(package, name)?, package)
    }

    /// Takes the debug information out of a binary, and puts the list of the crates of `package` in.
    pub(crate) fn finish(&self, built: &Path, package: &str) -> Result<Stripped> {
        let stripped = binary::strip(&self.compiler, built, &self.output)?;
        self.add_crates(&stripped, package)?;
        Ok(stripped)
    }

    fn add_crates(&self, binary: &Stripped, package: &str) -> Result<()> {
        let graph = graph(&self.root, self.compiler.target().triple)?;
        audit::embed(&graph, package, &binary.path, &self.compiler)
    }
}
