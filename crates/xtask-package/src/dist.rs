//! The folder `dist/`: written beside it, and renamed when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use xtask_demo::packages;
use xtask_demo::run::{command, output, step};

use crate::build::{Builder, Library, Programs};
use crate::install::{self, Layout, Part, Tree};
use crate::standard_library::Notice;
use crate::target::Target;
use crate::workspace::{VERSION, commit, commit_time, metadata, require_clean};
use crate::{abi, archive, debian, gate, notices, reference, report, sbom, standard_library, tools};

/// Builds the packages for `target` and replaces `dist/`. Leaves it as it was if anything fails. Writes the report if asked to.
pub fn write(root: &Path, target: &str, allow_dirty: bool, with_report: bool) -> Result<()> {
    let target = Target::named(target)?;
    if !allow_dirty {
        require_clean(root)?;
    }
    packages::ensure(root, packages::PACKAGE)?;
    tools::require(&tools::PACKAGE)?;
    tools::require_for(target)?;
    let builder = Builder::new(root, target)?;
    let changes = abi::changes(root, &root.join("include"))?;
    ensure!(
        changes.is_empty(),
        "The ABI differs from packaging/abi/baseline.abi; its README.md explains what to do."
    );
    let library = step("libraries", || builder.library())?;
    let programs = step("programs", || builder.programs())?;
    let mut added = standard_library::notices(root, target)?;
    added.extend(standard_library::of_zig(&builder.zig()?)?);
    step("what is in the binaries", || gate::check(root, target, &library, &programs, &added))?;
    let (dist, complete) = (root.join("dist"), tempfile::tempdir_in(root.join("target"))?);
    step("packages", || fill(root, target, &library, &programs, &added, complete.path()))?;
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(complete.keep(), &dist).context("cannot rename the finished folder to dist")?;
    fs::set_permissions(&dist, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    if with_report {
        fs::write(root.join("docs/evidence/packages.md"), report::text(root, &library, &programs, &dist)?)?;
    }
    print!("{}", fs::read_to_string(dist.join("SHA256SUMS"))?);
    Ok(())
}

fn fill(
    root: &Path,
    target: &'static Target,
    library: &Library,
    programs: &Programs,
    added: &[Notice],
    dist: &Path,
) -> Result<()> {
    let time = commit_time(root)?;
    let pages = tempfile::tempdir()?;
    let tree = |layout: &Layout| -> Result<Tree> {
        let mut tree = install::libraries(root, library, layout)?;
        tree.extend(install::command(&programs.command, pages.path())?);
        tree.extend(install::sandbox(&programs.sandbox, pages.path())?);
        tree.extend(install::licences(root, target, added)?);
        Ok(tree)
    };
    let crates = notices::dependencies(&metadata(root, target.triple)?, &notices::SHIPPED)?;
    fs::write(dist.join(sbom::FILE), sbom::text(&crates)?)?;
    archives(&tree(&Layout::new(Path::new("/"), Path::new("lib"))?)?, target, dist, time)?;
    debian::write(&tree(&debian::layout(target)?)?, target, dist, time)?;
    c_reference(root, dist, time)?;
    fs::write(dist.join("VERIFY.md"), verify(root, target)?)?;
    sums(dist)
}

/// Writes the archive of the tree, and another one with the debug symbols.
fn archives(tree: &Tree, target: &Target, dist: &Path, time: u64) -> Result<()> {
    let work = tempfile::tempdir()?;
    for (suffix, is_debug) in [("", false), ("-debug", true)] {
        let name = format!("justcall-auth-{VERSION}-{}{suffix}", target.name);
        let mut part = tree.clone();
        part.retain(|_, (part, _)| (*part == Part::Debug) == is_debug);
        install::write(&part, &work.path().join(&name), &Layout::new(Path::new("/"), Path::new("lib"))?)?;
        if !is_debug {
            fs::copy(
                dist.join(sbom::FILE),
                work.path().join(&name).join("share/doc/justcall-auth").join(sbom::FILE),
            )?;
        }
        archive::write(work.path(), &name, &dist.join(format!("{name}.tar.xz")), time)?;
    }
    Ok(())
}

/// Writes the archive with the reference of the C API.
fn c_reference(root: &Path, dist: &Path, time: u64) -> Result<()> {
    let name = format!("justcall-auth-{VERSION}-c-reference");
    let work = tempfile::tempdir()?;
    let folder = work.path().join(&name);
    fs::create_dir(&folder)?;
    let header =
        fs::read_to_string(root.join("include/justcall_auth.h")).context("cannot read the header")?;
    let warnings = reference::write(root, &header, &folder)?;
    ensure!(warnings.is_empty(), "doxygen warns about the header:\n{warnings}");
    archive::write(work.path(), &name, &dist.join(format!("{name}.tar.xz")), time)
}

fn verify(root: &Path, target: &Target) -> Result<String> {
    Ok(include_str!("../../../packaging/VERIFY.md.in")
        .replace("@VERSION@", VERSION)
        .replace("@TARGET@", target.name)
        .replace("@COMMIT@", &commit(root)?)
        .replace("@RUSTC@", output(&mut command(root, "rustc", &["--version"]))?.trim()))
}

/// Writes the hash of every other file into `SHA256SUMS`.
fn sums(dist: &Path) -> Result<()> {
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dist)? {
        names.push(entry?.file_name().into());
    }
    names.sort();
    let sums = output(command(dist, "sha256sum", &[]).args(names))?;
    Ok(fs::write(dist.join("SHA256SUMS"), sums)?)
}
