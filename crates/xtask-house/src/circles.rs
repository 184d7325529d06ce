//! Circles: files of a crate that use each other.
//!
//! A parent and its child module may know each other; nothing else should. Imports of `#[cfg(test)]` items do not count, nor
//! does the root of a crate, which declares the modules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::modules::Modules;
use crate::table::Table;
use crate::workspace::Workspace;

/// Files of which each uses each other one, directly or through others.
#[derive(Debug, PartialEq, Eq)]
pub struct Circle {
    pub files: Vec<String>,
    /// How many of them are still in a circle if what a child uses of its parent does not count.
    pub core: usize,
}

/// The circles of every crate, the largest first.
pub fn table(workspace: &Workspace) -> Result<Table> {
    let mut all = Vec::new();
    for package in workspace.crates() {
        for root in &package.roots {
            let found = circles(&Modules::read(&workspace.root, root)?);
            all.extend(found.into_iter().map(|circle| (package.name.clone(), circle)));
        }
    }
    all.sort_by_key(|(_, circle)| std::cmp::Reverse(circle.files.len()));
    let cores = all.iter().filter(|(_, circle)| circle.core > 0).count();
    let note = format!(
        "{} circles, parents with their children alone left out. `core`: the files that stay in a circle if a child may \
         use its parent; {cores} circles have one.",
        all.len()
    );
    let mut table =
        Table::new("Circles of files within a crate", &["files", "core", "crate", "which"]).with_note(note);
    for (package, Circle { files, core }) in all {
        let short = |name: &String| name.split_once("src/").map_or(name.clone(), |(_, file)| file.to_owned());
        let names: Vec<String> = files.iter().map(short).collect();
        table.row([files.len().to_string(), core.to_string(), package, names.join(" ")]);
    }
    Ok(table)
}

/// The circles of a crate.
pub fn circles(modules: &Modules) -> Vec<Circle> {
    let is_below = |used: &str| used != modules.root();
    let cores = mutual(modules, |file, used| is_below(used) && !modules.is_parent(used, file));
    let in_cores = |file: &&String| cores.iter().flatten().any(|other| other == *file);
    let sets = mutual(modules, |_, used| is_below(used)).into_iter();
    sets.filter(|files| !is_family(modules, files))
        .map(|files| Circle { core: files.iter().filter(in_cores).count(), files })
        .collect()
}

/// Whether all that these files use of each other is between parent and child.
fn is_family(modules: &Modules, files: &[String]) -> bool {
    files.iter().all(|file| {
        let inside = modules.used_by(file).filter(|used| files.contains(used));
        inside.into_iter().all(|used| modules.is_parent(file, used) || modules.is_parent(used, file))
    })
}

/// The sets of two files or more in which each is reached from each other one by uses that count.
fn mutual(modules: &Modules, counts: impl Fn(&str, &str) -> bool) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        modules.files().map(|file| (file, reach(modules, file, &counts))).collect();
    let mut sets: Vec<Vec<String>> = Vec::new();
    for (file, from_here) in &reached {
        let is_mutual = |other: &&&String| from_here.contains(**other) && reached[**other].contains(file);
        let set: Vec<String> = reached.keys().filter(is_mutual).map(|other| (*other).clone()).collect();
        if set.len() > 1 && !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

/// The files that `file` uses, and those that they use.
fn reach<'a>(
    modules: &'a Modules,
    file: &'a String,
    counts: &impl Fn(&str, &str) -> bool,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        for used in modules.used_by(file) {
            if counts(file, used) && reached.insert(used) {
                open.push(used);
            }
        }
    }
    reached
}
