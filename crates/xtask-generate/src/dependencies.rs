//! `docs/evidence/dependencies.md`: what the product depends on, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::run::{cargo, output};

use crate::unsafe_code::count_unsafe;

/// The page.
pub const PAGE: &str = "docs/evidence/dependencies.md";
/// The crates that ship.
const SHIPPED: [&str; 3] = ["justcall-auth-ffi", "justcall-auth-cli", "justcall-auth-python"];
/// The systems that the product is compiled for.
const SYSTEMS: [(&str, &str); 3] = [
    ("Linux", "x86_64-unknown-linux-gnu"),
    ("macOS", "aarch64-apple-darwin"),
    ("Windows", "x86_64-pc-windows-gnu"),
];

const EXPLANATION: &str = "\
# Dependencies of the product

Written by `cargo xtask docs`: change that, not this file.

The crates that the libraries, the command and the Python module are made of, those of the sandbox and of the tests excluded. A
dependency that a crate of this project names has a reason, from the `Cargo.toml` files. `unsafe` counts the keyword in the Rust
code of a crate's `src`, comments and texts excluded, also in parts that are not compiled here. *C* counts its files of C and
assembly. The authors are those that the crate states itself; many state none, and their repository names the maintainers.
`deny.toml` lists the licences that are allowed, for `cargo deny`.
";

/// A crate that the product depends on.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The licence, as an SPDX expression.
    pub licence: String,
    /// The systems on which the product needs it; Linux, macOS and Windows if it is needed everywhere.
    pub systems: BTreeSet<&'static str>,
    /// True if its code is in the binaries. Otherwise it only runs while they are built.
    pub is_compiled_in: bool,
    /// The crates that need it.
    pub needed_by: BTreeSet<String>,
    authors: String,
    repository: String,
    folder: PathBuf,
}

/// Returns the dependencies of the product on every system.
pub fn dependencies(root: &Path) -> Result<Vec<Dependency>> {
    let mut found: BTreeMap<String, Dependency> = BTreeMap::new();
    for (system, triple) in SYSTEMS {
        let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform", triple];
        let metadata: Value = serde_json::from_str(&output(&mut cargo(root, &arguments))?)?;
        add(&mut found, system, &metadata)?;
    }
    Ok(found.into_values().collect())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn add(found: &mut BTreeMap<String, Dependency>, system: &'static str, metadata: &Value) -> Result<()> {
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let shipped = packages
        .iter()
        .filter(|(_, package)| SHIPPED.contains(&package["name"].as_str().unwrap_or_default()));
    let mut waiting: Vec<(&str, bool)> = shipped.map(|(id, _)| (*id, true)).collect();
    ensure!(waiting.len() == SHIPPED.len(), "cargo metadata does not list {}", SHIPPED.join(" and "));
    let mut seen = BTreeSet::new();
    while let Some((id, is_compiled_in)) = waiting.pop() {
        if !seen.insert((id, is_compiled_in)) {
            continue;
        }
        let node = nodes.get(id).context("a package without a node")?;
        for needed in list(&node["deps"]) {
            let kinds: Vec<&str> =
                list(&needed["dep_kinds"]).map(|kind| kind["kind"].as_str().unwrap_or("normal")).collect();
            let child = needed["pkg"].as_str().context("a dependency without an id")?;
            let package = packages.get(child).context("an unknown dependency")?;
            // A macro runs in the compiler, and so does everything that it needs.
            let is_macro = list(&package["targets"])
                .any(|target| list(&target["kind"]).any(|kind| kind == "proc-macro"));
            if kinds.iter().all(|kind| *kind == "dev") {
                continue;
            }
            let is_in = is_compiled_in && !is_macro && kinds.contains(&"normal");
            waiting.push((child, is_in));
            if !package["source"].is_null() {
                let entry = found.entry(child.to_owned()).or_insert_with(|| dependency(package));
                entry.systems.insert(system);
                entry.is_compiled_in |= is_in;
                entry.needed_by.insert(text(&packages[id]["name"]));
            }
        }
    }
    Ok(())
}

fn dependency(package: &Value) -> Dependency {
    let manifest = text(&package["manifest_path"]);
    // An address of an author is of no use here.
    let authors = list(&package["authors"])
        .map(|author| text(author).split(" <").next().unwrap_or_default().to_owned());
    Dependency {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: text(&package["license"]),
        systems: BTreeSet::new(),
        is_compiled_in: false,
        needed_by: BTreeSet::new(),
        authors: authors.collect::<Vec<_>>().join(", "),
        repository: text(&package["repository"]),
        folder: Path::new(&manifest).parent().map(Path::to_owned).unwrap_or_default(),
    }
}

/// Returns the reasons that the `Cargo.toml` files of the project state above their dependencies.
pub fn reasons(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut reasons = BTreeMap::new();
    let mut manifests = vec![root.join("Cargo.toml"), root.join("bindings/python/Cargo.toml")];
    for entry in fs::read_dir(root.join("crates"))? {
        manifests.push(entry?.path().join("Cargo.toml"));
    }
    // The reason of the workspace's manifest, which is read first, applies to every crate.
    for manifest in manifests {
        for (name, reason) in stated(&fs::read_to_string(&manifest)?) {
            reasons.entry(name).or_insert(reason);
        }
    }
    Ok(reasons)
}

/// The comments directly above the dependencies of a manifest. A comment applies to the lines below it, up to an empty line
/// or to another comment.
fn stated(manifest: &str) -> Vec<(String, String)> {
    let (mut comment, mut is_open, mut found) = (String::new(), false, Vec::new());
    for line in manifest.lines() {
        if let Some(words) = line.strip_prefix('#') {
            if !is_open {
                comment.clear();
            }
            is_open = true;
            write!(comment, " {}", words.trim()).expect("a String takes everything");
            continue;
        }
        is_open = false;
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if line.is_empty() || line.starts_with('[') {
            comment.clear();
        } else if line.contains('=') && !comment.is_empty() {
            found.push((name.to_owned(), comment.trim().to_owned()));
        }
    }
    found
}

/// Returns the page.
pub fn page(root: &Path) -> Result<String> {
    let (dependencies, reasons) = (dependencies(root)?, reasons(root)?);
    let mut page = EXPLANATION.to_owned();
    let sections = [
        (true, "In the binaries", "The code of these crates is in what ships."),
        (
            false,
            "While they are built",
            "Build scripts, macros, and what they need. Their code runs on the machine that compiles.",
        ),
    ];
    for (is_compiled_in, title, about) in sections {
        let chosen: Vec<&Dependency> =
            dependencies.iter().filter(|one| one.is_compiled_in == is_compiled_in).collect();
        let mut rows = String::new();
        let (mut total, mut on_linux, mut crates_on_linux) = (0, 0, 0);
        for dependency in &chosen {
            let code = count(&dependency.folder)?;
            total += code.unsafe_keywords;
            if dependency.systems.contains("Linux") {
                on_linux += code.unsafe_keywords;
                crates_on_linux += 1;
            }
            writeln!(rows, "{}", row(dependency, &code, &reasons))?;
        }
        write!(
            page,
            "\n## {title}\n\n{about} {} crates, {total} times `unsafe`. On Linux {crates_on_linux} crates, {on_linux} times.\n\n",
            chosen.len()
        )?;
        page.push_str("| crate | licence | `unsafe` | C | why | authors | repository |\n|---|---|---|---|---|---|---|\n");
        page.push_str(&rows);
    }
    Ok(page)
}

fn row(dependency: &Dependency, code: &CodeCount, reasons: &BTreeMap<String, String>) -> String {
    let Dependency { name, version, licence, systems, needed_by, authors, repository, .. } = dependency;
    let own: Vec<&String> = needed_by.iter().filter(|name| name.starts_with("justcall-auth")).collect();
    let mut why = match reasons.get(name).filter(|_| !own.is_empty()) {
        Some(reason) => reason.clone(),
        None => format!(
            "needed by {}",
            needed_by.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    if systems.len() < SYSTEMS.len() {
        let systems: Vec<&str> = systems.iter().copied().collect();
        write!(why, " ({} only)", systems.join(" and ")).expect("a String takes everything");
    }
    let c = if code.c_files == 0 { String::new() } else { code.c_files.to_string() };
    let repository = repository.trim_start_matches("https://").trim_end_matches(".git");
    format!(
        "| `{name}` {version} | {licence} | {} | {c} | {why} | {authors} | {repository} |",
        code.unsafe_keywords
    )
    .replace("|  |", "| |")
    .replace("|  |", "| |")
}

/// What was counted in the sources of a crate.
struct CodeCount {
    unsafe_keywords: usize,
    c_files: usize,
}

fn count(folder: &Path) -> Result<CodeCount> {
    let mut counts = CodeCount { unsafe_keywords: 0, c_files: 0 };
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(&inside).with_context(|| format!("cannot list {}", inside.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") if path.starts_with(folder.join("src")) => {
                    let text = fs::read(&path)?;
                    counts.unsafe_keywords += count_unsafe(&String::from_utf8_lossy(&text));
                }
                Some("c" | "S" | "s" | "asm") => counts.c_files += 1,
                _ => {}
            }
        }
    }
    Ok(counts)
}

/// Returns the dependencies that a crate of this project names and for which no `Cargo.toml` states a reason.
pub fn without_reason(dependencies: &[Dependency], reasons: &BTreeMap<String, String>) -> Vec<String> {
    let is_named = |one: &&Dependency| one.needed_by.iter().any(|by| by.starts_with("justcall-auth"));
    let missing = dependencies.iter().filter(is_named).filter(|one| !reasons.contains_key(&one.name));
    missing.map(|one| one.name.clone()).collect()
}

/// Writes the page, or fails if it is not up to date when `check` is set.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let missing = without_reason(&dependencies(root)?, &reasons(root)?);
    ensure!(missing.is_empty(), "no Cargo.toml states the reason for {}", missing.join(", "));
    let page = page(root)?;
    let path = root.join(PAGE);
    if fs::read_to_string(&path).is_ok_and(|written| written == page) {
        return Ok(());
    }
    ensure!(!check, "{PAGE} is not up to date; run: cargo xtask docs");
    fs::write(&path, page)?;
    println!("wrote {PAGE}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_a_dependency_without_a_reason() {
        let mut one = dependency(&Value::Null);
        one.name = "one".to_owned();
        let reasons = BTreeMap::from([("one".to_owned(), "It is needed.".to_owned())]);
        let none = BTreeMap::new();
        assert!(without_reason(&[one.clone()], &none).is_empty(), "only another crate needs it");
        one.needed_by.insert("justcall-auth".to_owned());
        assert_eq!(without_reason(&[one.clone()], &none), ["one"]);
        assert!(without_reason(&[one], &reasons).is_empty());
    }

    #[test]
    fn it_reads_the_comment_above_a_dependency() {
        let manifest = "[dependencies]\n# Two\n# lines.\na = \"1\"\nb.workspace = true\n\nc = \"1\"\n# Other.\nd = { version = \"1\" }\n";
        let own = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
        assert_eq!(stated(manifest), [own("a", "Two lines."), own("b", "Two lines."), own("d", "Other.")]);
    }
}
