//! The crates of a workspace and the files that git tracks in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run;

/// A checkout.
pub struct Workspace {
    pub root: PathBuf,
    files: Vec<File>,
    crates: Vec<Crate>,
}

/// A file that is text.
#[derive(Clone)]
pub struct File {
    /// Its path from the root.
    pub name: String,
    pub text: String,
}

/// A package of the workspace.
pub struct Crate {
    pub name: String,
    /// The folder of its manifest, from the root, with a slash at its end.
    folder: String,
    /// The root files of its library and its programs, from the workspace's root.
    pub roots: Vec<String>,
    /// Its files of Rust.
    files: Vec<File>,
}

impl Workspace {
    /// Reads the checkout at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let files = tracked(root)?;
        let metadata = run::output(&mut run::cargo(root, &["metadata", "--format-version=1", "--no-deps"]))?;
        let metadata: Value = serde_json::from_str(&metadata).context("cargo's metadata is not JSON")?;
        let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
        let mut crates: Vec<Crate> =
            packages.iter().filter_map(|package| Crate::read(root, package, &files)).collect();
        crates.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { root: root.to_owned(), files, crates })
    }

    /// Every file that is text.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The crates, by name.
    pub fn crates(&self) -> &[Crate] {
        &self.crates
    }
}

fn tracked(root: &Path) -> Result<Vec<File>> {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = run::output(&mut run::command(root, "git", &listed))?;
    let names = names.split('\0').filter(|name| !name.is_empty());
    // Those that are no text, or deleted and not yet committed, are left out.
    let read = |name: &str| {
        Some(File { name: name.to_owned(), text: std::fs::read_to_string(root.join(name)).ok()? })
    };
    Ok(names.filter_map(read).collect())
}

impl Crate {
    /// Nothing for a package that compiles the sources of another one, which would count twice.
    fn read(root: &Path, package: &Value, files: &[File]) -> Option<Self> {
        let inside = |path: &Value| {
            let path = Path::new(path.as_str()?).strip_prefix(root).ok()?.to_str()?;
            // `tests/model/../../crates/…` is the file of another crate.
            (!path.contains("/../")).then(|| path.to_owned())
        };
        let folder = inside(&package["manifest_path"])?.strip_suffix("Cargo.toml")?.to_owned();
        let is_product = |target: &&Value| {
            let kinds = target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str);
            kinds.into_iter().any(|kind| matches!(kind, "lib" | "cdylib" | "staticlib" | "bin"))
        };
        let targets = package["targets"].as_array()?.iter().filter(is_product);
        let roots: Vec<String> = targets.filter_map(|target| inside(&target["src_path"])).collect();
        if roots.is_empty() || !roots.iter().all(|path| path.starts_with(&folder)) {
            return None;
        }
        let is_own = |file: &&File| file.name.starts_with(&folder) && has_extension(&file.name, "rs");
        let files = files.iter().filter(is_own).cloned().collect();
        Some(Self { name: package["name"].as_str()?.to_owned(), folder, roots, files })
    }

    /// The files of the library and the programs.
    pub fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| self.is_source(&file.name))
    }

    /// The files of tests, benches and examples.
    pub fn tests(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| !self.is_source(&file.name))
    }

    fn is_source(&self, name: &str) -> bool {
        name[self.folder.len()..].starts_with("src/")
    }
}

/// Whether a file's name ends so.
pub fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}
