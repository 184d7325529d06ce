//! `cargo xtask verify-release`: builds the commit that a file names, and compares the file with what was built.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use xtask_demo::run::{self, cargo_program, command, step, succeed};

use crate::sbom::{self, Origin};

/// Verifies `files`: builds the commit that they name, or uses the `dist` that was built from it elsewhere.
pub fn run(root: &Path, files: &[PathBuf], dist: Option<&Path>) -> Result<()> {
    let mut named: Option<Origin> = None;
    for file in files {
        let origin = origin(file)?;
        ensure!(
            named.as_ref().is_none_or(|named| *named == origin),
            "{} is from another commit or compiler than the file before it.",
            file.display()
        );
        named = Some(origin);
    }
    let origin = named.context("Name a file of a release.")?;
    let compare_all = |dist: &Path| -> Result<()> {
        for file in files {
            compare(file, dist, &origin.commit)?;
            println!("✓ {} is what commit {} builds", name(file), origin.commit);
        }
        Ok(())
    };
    if let Some(dist) = dist {
        return compare_all(dist);
    }
    let checkout = rebuild(root, &origin)?;
    // The checkout remains if a file differs, so that the reason can be found.
    let dist = checkout.join("dist");
    compare_all(&dist)
        .map_err(|difference| anyhow!("{difference} What was built is in {}.", dist.display()))?;
    let mut git = command(root, "git", &["worktree", "remove", "--force"]);
    succeed(git.arg(checkout))
}

/// Returns from what `file` was built: its bill of materials states it, or the one beside it.
pub fn origin(file: &Path) -> Result<Origin> {
    ensure!(file.is_file(), "There is no file {}.", file.display());
    let work = tempfile::tempdir()?;
    // A damaged file is compared too.
    let inside = unpack(file, work.path()).and_then(|()| bill_below(work.path())).ok().flatten();
    let beside = file.parent().unwrap_or(Path::new("")).join(sbom::FILE);
    let bill = inside.or_else(|| beside.is_file().then_some(beside));
    let bill = bill.with_context(|| {
        format!("{} has no bill of materials, and there is no {} beside it.", name(file), sbom::FILE)
    })?;
    Origin::stated(&fs::read_to_string(&bill)?)
}

/// Builds the packages of `origin` in a separate checkout. Returns its folder.
fn rebuild(root: &Path, origin: &Origin) -> Result<PathBuf> {
    let Origin { commit, target, rustc } = origin;
    let here = sbom::rustc(root)?;
    ensure!(
        here == *rustc,
        "The files were built with {rustc}, and this is {here}; install that version first."
    );
    let is_known = command(root, "git", &["cat-file", "-e", &format!("{commit}^{{commit}}")]).output()?;
    ensure!(
        is_known.status.success(),
        "This repository has no commit {commit}; run: git fetch origin {commit}"
    );
    let checkout = run::target_dir(root).join("verify").join(commit);
    if !checkout.exists() {
        let mut git = command(root, "git", &["worktree", "add", "--quiet", "--detach"]);
        succeed(git.arg(&checkout).arg(commit))?;
    }
    step(&format!("the packages of commit {commit}"), || {
        let mut package = command(&checkout, cargo_program(), &["xtask", "package", "--target", target]);
        // The other checkout must not use the target folder of this one, nor what cargo sets for this program.
        for (variable, _) in std::env::vars_os() {
            let is_of_cargo =
                variable.to_str().is_some_and(|name| name.starts_with("CARGO") && name != "CARGO_HOME");
            if is_of_cargo {
                package.env_remove(variable);
            }
        }
        succeed(&mut package)
    })?;
    Ok(checkout)
}

/// Fails if `file` and the file with its name in `dist` differ. Names the first difference.
pub fn compare(file: &Path, dist: &Path, commit: &str) -> Result<()> {
    let built = dist.join(name(file));
    ensure!(built.is_file(), "Commit {commit} builds no file {}.", name(file));
    if fs::read(file)? == fs::read(&built)? {
        return Ok(());
    }
    let [ours, theirs] = [tempfile::tempdir()?, tempfile::tempdir()?];
    let is_readable = unpack(file, ours.path()).and_then(|()| unpack(&built, theirs.path())).is_ok();
    let mut diff = command(ours.path(), "diff", &["--recursive", "--brief", "--no-dereference", "."]);
    let differences = diff.arg(theirs.path()).output().context("cannot start diff")?.stdout;
    let place = match first_difference(&String::from_utf8_lossy(&differences)) {
        Some(inner) => format!("in {inner}"),
        None if is_readable => {
            "in no file that it contains: in its own order, times or compression".to_owned()
        }
        None => "and cannot be unpacked".to_owned(),
    };
    bail!("{} differs from the file that commit {commit} builds, {place}.", name(file))
}

/// Returns the first file that diff names: `Files ./X and /tmp/Y/X differ`, or `Only in ./X: Y`.
fn first_difference(printed: &str) -> Option<String> {
    let line = printed.lines().next()?;
    let inner = match line.strip_prefix("Files ./") {
        Some(rest) => rest.split(" and ").next()?.to_owned(),
        None => line.rsplit_once(": ")?.1.to_owned(),
    };
    Some(inner)
}

/// Unpacks an archive, a Debian package or a wheel into `folder`. Another file is copied.
fn unpack(file: &Path, folder: &Path) -> Result<()> {
    let path = file.canonicalize()?;
    let command = match path.extension().and_then(OsStr::to_str) {
        Some("deb") => Command::new("dpkg-deb").arg("--raw-extract").arg(path).arg(folder).output(),
        Some("whl") => {
            Command::new("python3").args(["-m", "zipfile", "--extract"]).arg(path).arg(folder).output()
        }
        Some("xz" | "gz") => Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(path)
            .arg("--directory")
            .arg(folder)
            .output(),
        _ => return Ok(fs::copy(&path, folder.join(name(file))).map(|_| ())?),
    };
    let output = command.with_context(|| format!("cannot unpack {}", name(file)))?;
    ensure!(output.status.success(), "{} cannot be unpacked.", name(file));
    Ok(())
}

/// Returns the first bill of materials below `folder`, in the order of names.
fn bill_below(folder: &Path) -> Result<Option<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if let Some(found) = bill_below(&path)? {
                return Ok(Some(found));
            }
        } else if path.ends_with(sbom::FILE) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
