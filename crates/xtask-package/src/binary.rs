//! What is inside an ELF file, as binutils print it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{self, output, succeed};

use crate::target::Target;

/// A binary without debug information, and that information.
#[derive(Debug, Clone)]
pub struct Stripped {
    /// The binary.
    pub path: PathBuf,
    /// Its debug information, in the file that debuggers look for: `.build-id/xx/yyyy.debug`.
    pub debug: PathBuf,
}

/// Splits the binary `path`, which was built in the checkout `root`: writes it without debug information into `folder`, and that information below `.build-id`.
pub fn strip(root: &Path, path: &Path, target: &Target, folder: &Path) -> Result<Stripped> {
    let work = tempfile::tempdir()?;
    let copy = work.path().join(path.file_name().context("it is a file")?);
    fs::copy(path, &copy)?;
    let path = &copy;
    // The parts of glibc that zig compiles name its folder. The build id is computed again.
    for here in [root, &run::target_dir(root)] {
        let mut debugedit = Command::new("debugedit");
        debugedit.arg("--base-dir").arg(here).args(["--dest-dir", "/usr/src/justcall-auth", "--build-id"]);
        output(debugedit.arg(path))?;
    }
    let id = build_id(path)?;
    let debug = folder.join(".build-id").join(&id[..2]).join(format!("{}.debug", &id[2..]));
    fs::create_dir_all(debug.parent().context("it is in a folder")?)?;
    let objcopy = |arguments: &[&str], from: &Path, to: &Path| {
        succeed(Command::new(target.tool("objcopy")).args(arguments).arg(from).arg(to))
    };
    objcopy(&["--only-keep-debug"], path, &debug)?;
    let stripped = folder.join(path.file_name().context("it is a file")?);
    objcopy(&["--strip-all", "--remove-section=.comment"], path, &stripped)?;
    Ok(Stripped { path: stripped, debug })
}

/// Returns the build id, in hexadecimal.
pub fn build_id(path: &Path) -> Result<String> {
    let notes = output(Command::new("readelf").args(["--notes", "--wide"]).arg(path))?;
    let id = notes.lines().find_map(|line| line.split_once("Build ID: "));
    let id = id.map(|(_, id)| id.trim().to_owned()).unwrap_or_default();
    ensure!(id.len() == 40, "{} has no build id", path.display());
    Ok(id)
}

/// Returns the symbols that a shared library exports, each as `name@@VERSION`.
pub fn exports(path: &Path) -> Result<BTreeSet<String>> {
    let symbols = output(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(path))?;
    // The name of each version is a symbol itself, of type A.
    Ok(symbols.lines().filter(|line| !line.contains(" A ")).filter_map(last_word).collect())
}

/// Returns the global symbols that the objects of a static library define.
pub fn global_symbols(path: &Path) -> Result<BTreeSet<String>> {
    let symbols = output(Command::new("nm").args(["--extern-only", "--defined-only"]).arg(path))?;
    Ok(symbols.lines().filter(|line| line.contains(' ')).filter_map(last_word).collect())
}

/// Returns the shared libraries that a binary needs.
pub fn needed(path: &Path) -> Result<BTreeSet<String>> {
    dynamic(path, "(NEEDED)")
}

/// Returns the soname of a shared library.
pub fn soname(path: &Path) -> Result<String> {
    dynamic(path, "(SONAME)")?.pop_first().with_context(|| format!("{} has no soname", path.display()))
}

fn dynamic(path: &Path, tag: &str) -> Result<BTreeSet<String>> {
    let section = output(Command::new("readelf").args(["--dynamic", "--wide"]).arg(path))?;
    let value = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
    Ok(section.lines().filter(|line| line.contains(tag)).filter_map(value).collect())
}

/// Returns the highest version of glibc whose symbols a binary needs, such as `[2, 17]`.
pub fn highest_glibc(path: &Path) -> Result<Vec<u32>> {
    let versions = output(Command::new("readelf").args(["--version-info", "--wide"]).arg(path))?;
    let parse = |text: &str| text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok();
    let needed = versions.lines().filter_map(|line| {
        let name = line.split_once("Name: GLIBC_")?.1;
        parse(name.split_whitespace().next()?)
    });
    needed.max().with_context(|| format!("{} needs no glibc", path.display()))
}

/// Returns the first of `words` that the bytes of the file contain.
pub fn first_contained<'a>(path: &Path, words: &'a [String]) -> Result<Option<&'a String>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let contains = |word: &String| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    Ok(words.iter().find(|word| contains(word)))
}

fn last_word(line: &str) -> Option<String> {
    line.split_whitespace().last().map(str::to_owned)
}
