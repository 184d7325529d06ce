//! The licences of the crates that the binaries contain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::graph::{self, Graph};
use crate::standard_library::Notice;

/// The crates in the archives and the Debian packages. What they depend on ships with them.
pub const SHIPPED: [&str; 3] = ["justcall-auth-ffi", "justcall-auth-cli", "justcall-auth-sandbox"];

/// The crates in the wheel.
pub const WHEEL: [&str; 2] = ["justcall-auth-python", "justcall-auth-cli"];

/// Crates that were published without a licence file, each with a crate of the same repository that has it.
const SAME_REPOSITORY: [(&str, &str); 1] = [("asn1-rs-impl", "asn1-rs")];

/// A crate from a registry that binaries contain.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The licence, as an SPDX expression.
    pub licence: String,
    /// The folder with its sources.
    pub folder: std::path::PathBuf,
}

/// Returns what the packages `shipped` depend on, build scripts and tests excluded.
pub fn dependencies(graph: &Graph, shipped: &[&str]) -> Result<Vec<Dependency>> {
    let mut found = Vec::new();
    for id in graph.compiled_into(shipped)? {
        let package = graph.package(&id);
        if package["source"].is_null() {
            continue;
        }
        let manifest = graph::text(&package["manifest_path"]);
        found.push(Dependency {
            name: graph::text(&package["name"]),
            version: graph::text(&package["version"]),
            licence: graph::text(&package["license"]),
            folder: Path::new(&manifest).parent().context("a manifest is in a folder")?.to_owned(),
        });
    }
    found.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    Ok(found)
}

/// Returns the notices: each text once, below the names of the crates that it belongs to. Fails if a crate has no text.
/// `added` has those of the code that compilers add.
pub fn text(dependencies: &[Dependency], added: &[Notice]) -> Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for dependency in dependencies {
        for licence in licences(with_licence(dependency, dependencies))? {
            let Dependency { name, version, licence: expression, .. } = dependency;
            texts.entry(licence).or_default().push(format!("{name} {version} ({expression})"));
        }
    }
    for Notice { title, texts: licences } in added {
        for licence in licences {
            texts.entry(licence.clone()).or_default().push(title.clone());
        }
    }
    let mut sections: Vec<(Vec<String>, String)> =
        texts.into_iter().map(|(text, names)| (names, text)).collect();
    sections.sort();
    let mut notices = String::from(
        "The binaries of justcall-auth contain these crates, and parts of Rust's standard library, under these licences.\n",
    );
    for (names, text) in sections {
        write!(notices, "\n{}\n\n{}\n\n{}\n", "=".repeat(80), names.join("\n"), text)?;
    }
    Ok(notices)
}

/// Returns those of `crates` that the notices do not name. `crates` are as symbols name them.
pub fn unnamed<'a>(crates: &'a BTreeSet<String>, notices: &str) -> Vec<&'a str> {
    // Our own, and those of Rust's standard library, which are named as one.
    const OWN: [&str; 8] =
        ["__rustc", "alloc", "compiler_builtins", "core", "panic_unwind", "std", "std_detect", "unwind"];
    let titles: BTreeSet<String> = notices
        .lines()
        .filter(|line| line.ends_with(')'))
        .filter_map(|line| Some(line.split_once(' ')?.0.replace('-', "_")))
        .collect();
    let is_named = |name: &&str| {
        titles.contains(*name)
            || OWN.contains(name)
            || name.starts_with("justcall_auth")
            || (*name == "webpki" && titles.contains("rustls_webpki"))
    };
    crates.iter().map(String::as_str).filter(|name| !is_named(name)).collect()
}

/// Returns the crate with the licence file of `dependency`: itself, or one of the same repository.
fn with_licence<'a>(dependency: &'a Dependency, all: &'a [Dependency]) -> &'a Dependency {
    let same = SAME_REPOSITORY.iter().find(|(name, _)| *name == dependency.name);
    let found = same.and_then(|(_, other)| all.iter().find(|sibling| sibling.name == *other));
    found.unwrap_or(dependency)
}

fn licences(dependency: &Dependency) -> Result<Vec<String>> {
    let Dependency { name, version, folder, .. } = dependency;
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let is_licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"]
            .iter()
            .any(|word| file.starts_with(word));
        if path.is_file() && is_licence {
            let text = fs::read(&path)?;
            texts.push(String::from_utf8_lossy(&text).replace("\r\n", "\n").trim().to_owned());
        }
    }
    ensure!(!texts.is_empty(), "{name} {version} has no licence file, which the notices need.");
    texts.sort();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::{Dependency, text};

    #[test]
    fn it_fails_for_a_crate_without_a_licence_and_lists_a_shared_text_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let dependency = |name: &str| Dependency {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            folder: folder.path().to_owned(),
        };
        let crates = [dependency("one"), dependency("two")];
        let message = text(&crates, &[]).expect_err("no licence").to_string();
        assert!(message.starts_with("one 1.0.0 has no licence file"), "{message}");
        std::fs::write(folder.path().join("LICENSE-MIT"), "Permission is granted.\r\n").expect("a file");
        let notices = text(&crates, &[]).expect("notices");
        assert!(
            notices.contains("one 1.0.0 (MIT)\ntwo 1.0.0 (MIT)\n\nPermission is granted.\n"),
            "{notices}"
        );
        assert_eq!(notices.matches("Permission").count(), 1);
    }
}
