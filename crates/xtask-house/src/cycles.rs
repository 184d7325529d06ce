//! Finds dependency cycles between the files of a crate.
//!
//! A cycle of a parent and its child modules alone is not reported. Imports of `#[cfg(test)]` items do not count, and
//! neither does the root of a crate, which declares the modules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::modules::Modules;
use crate::table::Table;
use crate::workspace::Workspace;

/// A set of files each of which uses all others, directly or through others.
#[derive(Debug, PartialEq, Eq)]
pub struct Cycle {
    pub files: Vec<String>,
    /// How many of them are still in a cycle if the uses of a parent by its child do not count.
    pub core: usize,
}

/// Returns the cycles of every crate, the largest first.
pub fn table(workspace: &Workspace) -> Result<Table> {
    let mut all = Vec::new();
    for package in workspace.crates() {
        for root in &package.roots {
            let found = cycles(&Modules::read(&workspace.root, root)?);
            all.extend(found.into_iter().map(|cycle| (package.name.clone(), cycle)));
        }
    }
    all.sort_by_key(|(_, cycle)| std::cmp::Reverse(cycle.files.len()));
    let cores = all.iter().filter(|(_, cycle)| cycle.core > 0).count();
    let note = format!(
        "{} cycles, without those of a parent and its children alone. `core`: the files that are still in a cycle if a \
         child may use its parent; {cores} cycles have a core.",
        all.len()
    );
    let mut table =
        Table::new("Cycles of files within a crate", &["files", "core", "crate", "which"]).with_note(note);
    for (package, Cycle { files, core }) in all {
        let short = |name: &String| name.split_once("src/").map_or(name.clone(), |(_, file)| file.to_owned());
        let names: Vec<String> = files.iter().map(short).collect();
        table.row([files.len().to_string(), core.to_string(), package, names.join(" ")]);
    }
    Ok(table)
}

/// Returns the cycles of a crate.
pub fn cycles(modules: &Modules) -> Vec<Cycle> {
    let is_below = |used: &str| used != modules.root();
    let cores = mutual(modules, |file, used| is_below(used) && !modules.is_parent(used, file));
    let in_cores = |file: &&String| cores.iter().flatten().any(|other| other == *file);
    let sets = mutual(modules, |_, used| is_below(used)).into_iter();
    sets.filter(|files| !is_family(modules, files))
        .map(|files| Cycle { core: files.iter().filter(in_cores).count(), files })
        .collect()
}

/// Whether all uses between these files are between parent and child.
fn is_family(modules: &Modules, files: &[String]) -> bool {
    files.iter().all(|file| {
        let inside = modules.used_by(file).filter(|used| files.contains(used));
        inside.into_iter().all(|used| modules.is_parent(file, used) || modules.is_parent(used, file))
    })
}

/// Returns the sets of two files or more in which each file reaches each other one through the uses that `counts` accepts.
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

/// Returns the files that `file` uses, directly or through others.
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
