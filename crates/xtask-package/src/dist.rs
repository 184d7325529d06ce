//! The folder `dist/`: written beside it, and renamed when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use xtask_demo::packages;
use xtask_demo::run::{command, output, step};

use crate::build::{Builder, Built};
use crate::install::{self, Content, Layout, Part, Tree};
use crate::sbom::{Bills, Origin};
use crate::standard_library::Notice;
use crate::target::Target;
use crate::workspace::{VERSION, commit_time, graph, require_clean};
use crate::{abi, archive, debian, gate, notices, reference, report, sbom, source, standard_library, tools};

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
    let module = step("Python module", || builder.module())?;
    let built = Built { library, programs, module };
    let mut added = standard_library::notices(root, target)?;
    added.extend(standard_library::of_zig(&builder.zig()?)?);
    step("what is in the binaries", || gate::check(root, target, &built, &added))?;
    let (dist, complete) = (root.join("dist"), tempfile::tempdir_in(root.join("target"))?);
    let folder = complete.path();
    step("packages", || fill(root, target, &builder, &built, &added, folder))?;
    step("sources", || {
        builder.source_distribution(folder)?;
        source::write(root, folder, commit_time(root)?)?;
        sums(folder)
    })?;
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::rename(complete.keep(), &dist).context("cannot rename the finished folder to dist")?;
    fs::set_permissions(&dist, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    if with_report {
        fs::write(root.join("docs/evidence/packages.md"), report::text(root, &built, &dist)?)?;
    }
    print!("{}", fs::read_to_string(dist.join("SHA256SUMS"))?);
    Ok(())
}

fn fill(
    root: &Path,
    target: &'static Target,
    builder: &Builder,
    built: &Built,
    added: &[Notice],
    dist: &Path,
) -> Result<()> {
    let time = commit_time(root)?;
    let pages = tempfile::tempdir()?;
    let tree = |layout: &Layout| -> Result<Tree> {
        let mut tree = install::libraries(root, &built.library, layout)?;
        tree.extend(install::command(&built.programs.command, pages.path())?);
        tree.extend(install::sandbox(&built.programs.sandbox, pages.path())?);
        tree.extend(install::licences(root, target, added)?);
        install::add_debug(&mut tree, &built.module)?;
        Ok(tree)
    };
    let graph = graph(root, target.triple)?;
    let bills = Bills { graph: &graph, origin: Origin::now(root, target)? };
    fs::write(dist.join(sbom::FILE), bills.of(&[&notices::SHIPPED[..], &notices::WHEEL[..1]].concat())?)?;
    archives(&tree(&Layout::new(Path::new("/"), Path::new("lib"))?)?, &bills, target, dist, time)?;
    debian::write(&tree(&debian::layout(target)?)?, &bills, target, dist, time)?;
    builder.wheel(built, &bills, added, dist, time)?;
    c_reference(root, dist, time)?;
    Ok(fs::write(dist.join("VERIFY.md"), verify(&bills.origin))?)
}

/// Writes the archive of the tree, and another one with the debug symbols.
fn archives(tree: &Tree, bills: &Bills, target: &Target, dist: &Path, time: u64) -> Result<()> {
    let work = tempfile::tempdir()?;
    for (suffix, is_debug) in [("", false), ("-debug", true)] {
        let name = format!("justcall-auth-{VERSION}-{}{suffix}", target.name);
        let mut part = tree.clone();
        part.retain(|_, (part, _)| (*part == Part::Debug) == is_debug);
        let bill = Content::Text(bills.of(&notices::SHIPPED)?);
        part.insert(format!("share/doc/justcall-auth/{}", sbom::FILE), (Part::Licences, bill));
        install::write(&part, &work.path().join(&name), &Layout::new(Path::new("/"), Path::new("lib"))?)?;
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

fn verify(origin: &Origin) -> String {
    include_str!("../../../packaging/VERIFY.md.in")
        .replace("@VERSION@", VERSION)
        .replace("@TARGET@", &origin.target)
        .replace("@COMMIT@", &origin.commit)
        .replace("@RUSTC@", &origin.rustc)
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
