//! The tree of installed files. Archives and Debian packages contain parts of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::binary::Stripped;
use crate::build::Library;
use crate::standard_library::Notice;
use crate::target::Target;
use crate::workspace::graph;
use crate::{cmake, manual, notices, pkg_config, shared_library, static_library};

/// Where files go.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The folder for everything, such as `/usr/local`.
    pub prefix: PathBuf,
    /// The folder for libraries, relative to the prefix, such as `lib`.
    pub libdir: String,
}

impl Layout {
    /// Returns the layout. `libdir` is relative to `prefix`, or below it.
    pub fn new(prefix: &Path, libdir: &Path) -> Result<Self> {
        let below = if libdir.is_absolute() { libdir.strip_prefix(prefix).ok() } else { Some(libdir) };
        let libdir = below.and_then(Path::to_str).unwrap_or_default().trim_matches('/').to_owned();
        ensure!(
            !libdir.is_empty() && !libdir.contains(".."),
            "The folder for libraries must be below the prefix."
        );
        Ok(Self { prefix: prefix.to_owned(), libdir })
    }

    /// Returns the relative path to the prefix from a folder that is `levels` below the folder for libraries.
    pub fn up_from_libdir(&self, levels: usize) -> String {
        vec![".."; self.libdir.split('/').count() + levels].join("/")
    }
}

/// The Debian package that a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What programs need at run time.
    Library,
    /// What is needed to compile programs.
    Development,
    /// The command.
    Command,
    /// The sandbox.
    Sandbox,
    /// Debug information.
    Debug,
    /// Licences, which every package contains.
    Licences,
}

/// What a file contains.
#[derive(Debug, Clone)]
pub enum Content {
    /// A copy of this file.
    File(PathBuf),
    /// The same, which may be executed.
    Program(PathBuf),
    /// This text.
    Text(String),
    /// A symbolic link to this name in the same folder.
    Link(String),
}

/// The files, by their path relative to the prefix.
pub type Tree = BTreeMap<String, (Part, Content)>;

/// Returns the files of the libraries.
pub fn libraries(root: &Path, library: &Library, layout: &Layout) -> Result<Tree> {
    let libdir = &layout.libdir;
    let (soname, file) = (shared_library::soname(root)?, shared_library::file(root)?);
    let mut tree = Tree::new();
    let mut add = |part, place: String, content| {
        tree.insert(place, (part, content));
    };
    for header in ["justcall_auth.h", "justcall_auth.hpp"] {
        add(Part::Development, format!("include/{header}"), Content::File(root.join("include").join(header)));
    }
    add(Part::Library, format!("{libdir}/{file}"), Content::File(library.shared.path.clone()));
    add(Part::Library, format!("{libdir}/{soname}"), Content::Link(file.clone()));
    add(Part::Development, format!("{libdir}/{}", shared_library::LINK), Content::Link(soname.clone()));
    let archive = Content::File(library.archive.clone());
    add(Part::Development, format!("{libdir}/{}", static_library::FILE), archive);
    let system = &library.system_libraries;
    for (name, text) in [
        (format!("pkgconfig/{}", pkg_config::SHARED), pkg_config::shared(layout, system)),
        (format!("pkgconfig/{}", pkg_config::STATIC), pkg_config::embedded(layout, system)),
        (format!("cmake/justcall_auth/{}", cmake::CONFIG), cmake::config(layout, &file, &soname, system)),
        (format!("cmake/justcall_auth/{}", cmake::CONFIG_VERSION), cmake::config_version()),
    ] {
        add(Part::Development, format!("{libdir}/{name}"), Content::Text(text));
    }
    add_debug(&mut tree, &library.shared)?;
    Ok(tree)
}

/// Returns the files of the command. Its generated pages are written into `work`.
pub fn command(program: &Stripped, work: &Path) -> Result<Tree> {
    with_pages(Part::Command, "justcall-auth", program, manual::command(work)?)
}

/// Returns the files of the sandbox. Its generated page is written into `work`.
pub fn sandbox(program: &Stripped, work: &Path) -> Result<Tree> {
    with_pages(Part::Sandbox, "justcall-auth-sandbox", program, manual::sandbox(work)?)
}

fn with_pages(part: Part, name: &str, program: &Stripped, pages: Vec<manual::Page>) -> Result<Tree> {
    let mut tree = Tree::new();
    tree.insert(format!("bin/{name}"), (part, Content::Program(program.path.clone())));
    for (path, place) in pages {
        tree.insert(place, (part, Content::File(path)));
    }
    add_debug(&mut tree, program)?;
    Ok(tree)
}

/// Returns the licences of the project, of the crates that its binaries contain, and of Rust's standard library.
pub fn licences(root: &Path, target: &Target, standard_library: &[Notice]) -> Result<Tree> {
    let crates = notices::dependencies(&graph(root, target.triple)?, &notices::SHIPPED)?;
    let place = |name: &str| format!("share/doc/justcall-auth/{name}");
    let mut tree = Tree::new();
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"] {
        tree.insert(place(name), (Part::Licences, Content::File(root.join(name))));
    }
    tree.insert(
        place("THIRD-PARTY"),
        (Part::Licences, Content::Text(notices::text(&crates, standard_library)?)),
    );
    Ok(tree)
}

/// Adds the debug information of a binary, if it has any.
pub fn add_debug(tree: &mut Tree, binary: &Stripped) -> Result<()> {
    let Some(debug) = &binary.debug else { return Ok(()) };
    let mut names = debug.iter().rev().take(2).map(|name| name.to_string_lossy().into_owned());
    let (file, folder) = names.next().zip(names.next()).context("debug files are in folders")?;
    tree.insert(
        format!("lib/debug/.build-id/{folder}/{file}"),
        (Part::Debug, Content::File(debug.to_owned())),
    );
    Ok(())
}

/// Returns the prefix below `destination`, if that is not empty.
fn prefix_below(destination: &Path, layout: &Layout) -> PathBuf {
    match layout.prefix.strip_prefix("/") {
        Ok(below) if !destination.as_os_str().is_empty() => destination.join(below),
        _ => layout.prefix.clone(),
    }
}

/// Fails if no file can be written below the prefix: better now than after a build of minutes.
pub fn require_writable(destination: &Path, layout: &Layout) -> Result<()> {
    let prefix = prefix_below(destination, layout);
    let refused =
        || format!("The folder {} is not writable; try sudo, or another --prefix.", prefix.display());
    fs::create_dir_all(&prefix).with_context(refused)?;
    tempfile::tempfile_in(&prefix).map(drop).with_context(refused)
}

/// Writes `tree` below the prefix, which is below `destination` if that is not empty. Returns the prefix.
pub fn write(tree: &Tree, destination: &Path, layout: &Layout) -> Result<PathBuf> {
    let prefix = prefix_below(destination, layout);
    for (place, (_, content)) in tree {
        let path = prefix.join(place);
        put(content, &path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(prefix)
}

fn put(content: &Content, path: &Path) -> Result<()> {
    fs::create_dir_all(path.parent().context("it is in a folder")?)?;
    // A link in the old tree must not lead the new file elsewhere, and a running program keeps its file.
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    match content {
        Content::File(source) | Content::Program(source) => {
            fs::copy(source, path)?;
        }
        Content::Text(text) => fs::write(path, text)?,
        Content::Link(target) => return Ok(std::os::unix::fs::symlink(target, path)?),
    }
    let mode = if matches!(content, Content::Program(_)) { 0o755 } else { 0o644 };
    Ok(fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?)
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use std::path::Path;

    fn layout(prefix: &str, libdir: &str) -> anyhow::Result<Layout> {
        Layout::new(Path::new(prefix), Path::new(libdir))
    }

    #[test]
    fn it_finds_the_way_from_the_libraries_to_the_prefix() {
        assert_eq!(layout("/usr", "lib").expect("below").up_from_libdir(1), "../..");
        let multiarch = layout("/usr", "/usr/lib/x86_64-linux-gnu").expect("below");
        assert_eq!(
            (&*multiarch.libdir, &*multiarch.up_from_libdir(2)),
            ("lib/x86_64-linux-gnu", "../../../..")
        );
    }

    #[test]
    fn it_refuses_a_folder_for_libraries_outside_the_prefix() {
        for libdir in ["/opt/lib", "../lib", "/usr", ""] {
            let message = layout("/usr", libdir).expect_err("outside").to_string();
            assert_eq!(message, "The folder for libraries must be below the prefix.", "{libdir}");
        }
    }
}
