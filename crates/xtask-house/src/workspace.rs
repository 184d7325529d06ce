//! Reads the crates of a workspace and the files that git tracks in it.

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

/// A text file.
#[derive(Clone)]
pub struct File {
    /// The path from the root.
    pub name: String,
    pub text: String,
}

/// A package of the workspace.
pub struct Crate {
    pub name: String,
    /// The folder of the manifest, from the root, with a slash at its end.
    folder: String,
    /// The root files of the library and the programs, from the workspace's root.
    pub roots: Vec<String>,
    /// The Rust files.
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

    /// Returns the text files.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Returns the crates, sorted by name.
    pub fn crates(&self) -> &[Crate] {
        &self.crates
    }
}

/// Returns the text files that git tracks or would add.
fn tracked(root: &Path) -> Result<Vec<File>> {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = run::output(&mut run::command(root, "git", &listed))?;
    let names = names.split('\0').filter(|name| !name.is_empty());
    // Files that are not text, and deleted files whose deletion is not yet committed, are omitted.
    let read = |name: &str| {
        Some(File { name: name.to_owned(), text: std::fs::read_to_string(root.join(name)).ok()? })
    };
    Ok(names.filter_map(read).collect())
}

impl Crate {
    /// Reads a package of cargo's metadata. Returns `None` if it compiles the sources of another one, which would count twice.
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

    /// Returns the files of the library and the programs.
    pub fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| self.is_source(&file.name))
    }

    /// Returns the files of tests, benches and examples.
    pub fn tests(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| !self.is_source(&file.name))
    }

    fn is_source(&self, name: &str) -> bool {
        name[self.folder.len()..].starts_with("src/")
    }
}

/// Whether a file's name has this extension.
pub fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}
