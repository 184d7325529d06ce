//! What is inside an ELF file, as binutils print it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{output, succeed};

use crate::compile::Compiler;

/// A binary without debug information.
#[derive(Debug, Clone)]
pub struct Stripped {
    /// The binary.
    pub path: PathBuf,
    /// Its debug information, in the file that debuggers look for: `.build-id/xx/yyyy.debug`. Only packages have it.
    pub debug: Option<PathBuf>,
}

/// Writes the binary `path` without debug information into `folder`, and for packages that information below `.build-id`.
pub fn strip(compiler: &Compiler, path: &Path, folder: &Path) -> Result<Stripped> {
    let debug = if compiler.is_portable() { Some(debug_file(compiler, path, folder)?) } else { None };
    let stripped = folder.join(path.file_name().context("it is a file")?);
    let mut objcopy = compiler.tool("objcopy");
    succeed(objcopy.args(["--strip-all", "--remove-section=.comment"]).arg(path).arg(&stripped))?;
    Ok(Stripped { path: stripped, debug })
}

/// Writes the debug information of `path` into a file below `folder`.
fn debug_file(compiler: &Compiler, path: &Path, folder: &Path) -> Result<PathBuf> {
    let id = build_id(path)?;
    let debug = folder.join(".build-id").join(&id[..2]).join(format!("{}.debug", &id[2..]));
    fs::create_dir_all(debug.parent().context("it is in a folder")?)?;
    succeed(compiler.tool("objcopy").arg("--only-keep-debug").arg(path).arg(&debug))?;
    Ok(debug)
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

/// Returns the symbols that a binary needs of each shared library, if they have a version.
pub fn symbols_of_libraries(path: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let versions = output(Command::new("readelf").args(["--version-info", "--wide"]).arg(path))?;
    let (mut of_versions, mut library) = (BTreeMap::new(), String::new());
    for line in versions.lines() {
        if let Some((_, rest)) = line.split_once("File: ") {
            rest.split_whitespace().next().unwrap_or_default().clone_into(&mut library);
        } else if let Some((_, number)) = line.split_once("Flags: none  Version: ") {
            of_versions.insert(number.trim().to_owned(), library.clone());
        }
    }
    let symbols = output(Command::new("readelf").args(["--dyn-syms", "--wide"]).arg(path))?;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in symbols.lines().filter(|line| line.contains(" UND ")) {
        // `… UND malloc@GLIBC_2.2.5 (3)`: the number is that of the version.
        let Some((symbol, number)) =
            line.trim_end().strip_suffix(')').and_then(|line| line.rsplit_once(" ("))
        else {
            continue;
        };
        let name = symbol.rsplit(' ').next().and_then(|name| name.split('@').next()).unwrap_or_default();
        if let Some(library) = of_versions.get(number) {
            found.entry(library.clone()).or_default().insert(name.to_owned());
        }
    }
    ensure!(!found.is_empty(), "{} needs no symbol with a version", path.display());
    Ok(found)
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
