//! Which mutants a package has.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Mutant;
use super::tree::Tree;
use crate::code;

/// Attributes of functions that are not compiled on Linux on x86-64, without a model checker.
const OTHER_SYSTEMS: [&str; 10] = [
    "#[cfg(windows)]",
    "#[cfg(not(unix))]",
    "#[cfg(not(target_os = \"linux\"))]",
    "#[cfg(not(any(unix",
    "#[cfg(target_arch = \"aarch64\")]",
    "#[cfg(not(any(target_arch",
    "#[cfg(not(all(unix",
    "#[cfg(shuttle)]",
    "#[cfg(target_family = \"wasm\")]",
    "#[cfg(target_vendor = \"apple\")]",
];

/// A source file.
struct Source {
    text: String,
    /// The hash of the code without the tests behind it, which do not change a mutant.
    hash: String,
}

/// Returns the mutants of a package, without those in tests and in functions for other systems: both survive because they are
/// not compiled into what is tested.
pub fn mutants(tree: &Tree, package: &str) -> Result<Vec<Mutant>> {
    let list: Value = serde_json::from_str(&tree.list(package)?)?;
    let mut sources: HashMap<&str, Source> = HashMap::new();
    let mut mutants = Vec::new();
    for mutant in list.as_array().context("a list")? {
        let name = mutant["name"].as_str().context("a mutant has a name")?.to_owned();
        let path = mutant["file"].as_str().context("a mutant has a file")?;
        if !sources.contains_key(path) {
            sources.insert(path, read(tree.folder(), path)?);
        }
        let source = &sources[path];
        let line = mutant["function"]["span"]["start"]["line"].as_u64();
        let line = line.and_then(|line| usize::try_from(line).ok()).unwrap_or_default();
        if !name.contains(" tests::") && !is_for_another_system(&source.text, line) {
            mutants.push(Mutant { name, file: source.hash.clone() });
        }
    }
    Ok(mutants)
}

fn read(folder: &Path, path: &str) -> Result<Source> {
    let text = fs::read_to_string(folder.join(path)).with_context(|| path.to_owned())?;
    Ok(Source { text, hash: code::hash_of_file(folder, path)? })
}

/// Whether the function that starts with its attributes at `line`, or the block around it, is not for Linux on x86-64.
fn is_for_another_system(source: &str, line: usize) -> bool {
    let is_attribute =
        |line: &&str| line.trim_start().starts_with("#[") || line.trim_start().starts_with("//");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = source.lines().collect();
    let (before, from) = lines.split_at(line.saturating_sub(1).min(lines.len()));
    let own = from.iter().copied().take_while(is_attribute);
    let depth = from.first().map_or(0, |first| indent(first));
    // The block around the function is the last line before it that is indented less.
    let block = before.iter().rposition(|line| !line.is_empty() && indent(line) < depth).unwrap_or_default();
    let of_block = before[..block].iter().rev().copied().take_while(is_attribute);
    let mut attributes = own.chain(of_block).map(str::trim_start);
    attributes.any(|line| OTHER_SYSTEMS.iter().any(|attribute| line.starts_with(attribute)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_knows_functions_for_other_systems() {
        let source = "#[cfg(unix)]\nfn a() {}\n\n#[cfg(windows)]\n/// Text.\nfn b() {\n}\nfn c() {}\n";
        assert_eq!(
            [1, 4, 8, 0].map(|line| super::is_for_another_system(source, line)),
            [false, true, false, false]
        );
    }

    #[test]
    fn it_knows_blocks_for_other_systems() {
        let source = "#[cfg(not(unix))]\nimpl A {\n    fn a() {\n    }\n\n    /// Text.\n    fn b() {}\n}\n\nimpl B {\n    fn c() {}\n}\n";
        assert_eq!([3, 6, 11].map(|line| super::is_for_another_system(source, line)), [true, true, false]);
    }
}
