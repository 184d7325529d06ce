//! Builds the binaries of one target.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use xtask_demo::run;

use crate::binary::{self, Stripped};
use crate::compile::Compiler;
use crate::target::Target;
use crate::{shared_library, static_library, symbols};

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

/// Builds the binaries of one target from one checkout.
pub struct Builder {
    root: PathBuf,
    target: &'static Target,
    compiler: Compiler,
    /// The folder for the finished binaries.
    output: PathBuf,
}

impl Builder {
    /// Prepares a build. Fails if a tool is missing.
    pub fn new(root: &Path, target: &'static Target) -> Result<Self> {
        let folder = run::target_dir(root).join("package");
        let compiler = Compiler::new(root, &folder, target)?;
        let output = folder.join("built").join(target.name);
        fs::create_dir_all(&output)?;
        Ok(Self { root: root.to_owned(), target, compiler, output })
    }

    /// Builds the libraries.
    pub fn library(&self) -> Result<Library> {
        let nodes = symbols::nodes(&self.root)?;
        let archive = self.compiler.library()?;
        let shared =
            shared_library::write(&self.root, &self.compiler, &archive, &nodes, self.target, &self.output)?;
        let list = symbols::list(&self.root);
        let path = static_library::write(&archive.path, &list, self.target, &self.output)?;
        Ok(Library {
            archive: path,
            unlocalised: archive.path,
            system_libraries: archive.system_libraries,
            shared,
        })
    }

    /// Builds the programs.
    pub fn programs(&self) -> Result<Programs> {
        let program = |package: &str, name: &str| {
            binary::strip(&self.root, &self.compiler.program(package, name)?, self.target, &self.output)
        };
        Ok(Programs {
            command: program("justcall-auth-cli", "justcall-auth")?,
            sandbox: program("justcall-auth-sandbox", "justcall-auth-sandbox")?,
        })
    }
}
