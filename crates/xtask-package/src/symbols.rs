//! The exported symbols and their versions.
//!
//! `include/justcall_auth.symbols` is generated from the sources of the C ABI. Each file `packaging/abi/NODE.symbols` lists
//! the symbols that the version `NODE` added. A released file never changes: a program that was linked with a symbol of
//! `JUSTCALL_AUTH_0.1` asks the dynamic linker for that name in that version.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

const LIST: &str = "include/justcall_auth.symbols";
const NODES: &str = "packaging/abi";

/// A version of the ABI, and the symbols that it added.
#[derive(Debug)]
pub struct Node {
    /// The name, such as `JUSTCALL_AUTH_0.1`.
    pub name: String,
    /// The symbols.
    pub symbols: BTreeSet<String>,
}

/// Returns the path of the list of symbols.
pub fn list(root: &Path) -> PathBuf {
    root.join(LIST)
}

/// Returns the symbols of the library in this checkout.
pub fn exported(root: &Path) -> Result<BTreeSet<String>> {
    lines(&list(root))
}

/// Returns the versions, oldest first. Fails if they do not have exactly the exported symbols.
pub fn nodes(root: &Path) -> Result<Vec<Node>> {
    let nodes = read(root)?;
    let mut listed = BTreeSet::new();
    for symbol in nodes.iter().flat_map(|node| &node.symbols) {
        ensure!(listed.insert(symbol.clone()), "{symbol} is in two files of {NODES}.");
    }
    let exported = exported(root)?;
    let missing: Vec<&str> = exported.difference(&listed).map(String::as_str).collect();
    ensure!(
        missing.is_empty(),
        "{NODES} does not list {}; run: cargo xtask package --write-abi",
        missing.join(", ")
    );
    let removed: Vec<&str> = listed.difference(&exported).map(String::as_str).collect();
    ensure!(
        removed.is_empty(),
        "The library no longer exports {}. Before the first release, run: cargo xtask package --write-abi. Afterwards, \
         programs need them: the change needs another ABI number, as packaging/abi/README.md explains.",
        removed.join(", ")
    );
    Ok(nodes)
}

/// Writes the newest file: everything that older files do not list.
pub fn write(root: &Path) -> Result<()> {
    let mut nodes = read(root)?;
    let newest = nodes.pop().with_context(|| format!("{NODES} lists no version"))?;
    let mut symbols = exported(root)?;
    for symbol in nodes.iter().flat_map(|node| &node.symbols) {
        symbols.remove(symbol);
    }
    let text = symbols.into_iter().fold(String::new(), |text, symbol| text + &symbol + "\n");
    Ok(fs::write(root.join(NODES).join(format!("{}.symbols", newest.name)), text)?)
}

/// Returns the linker's version script.
pub fn version_script(nodes: &[Node]) -> Result<String> {
    let mut script = String::new();
    let mut previous = String::new();
    for (index, Node { name, symbols }) in nodes.iter().enumerate() {
        writeln!(script, "{name} {{\n  global:")?;
        for symbol in symbols {
            writeln!(script, "    {symbol};")?;
        }
        if index == 0 {
            script.push_str("  local:\n    *;\n");
        }
        writeln!(script, "}}{previous};")?;
        previous = format!(" {name}");
    }
    Ok(script)
}

fn read(root: &Path) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir(root.join(NODES)).with_context(|| format!("cannot list {NODES}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "symbols") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            nodes.push(Node { name, symbols: lines(&path)? });
        }
    }
    nodes.sort_by_key(|node| order(&node.name));
    Ok(nodes)
}

/// Returns the numbers of a version, so that 0.10 comes after 0.9.
fn order(name: &str) -> Vec<u32> {
    name.split(|character: char| !character.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn lines(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{Node, order, version_script};

    fn node(name: &str, symbols: &[&str]) -> Node {
        Node { name: name.to_owned(), symbols: symbols.iter().map(|&symbol| symbol.to_owned()).collect() }
    }

    #[test]
    fn it_lets_each_version_inherit_the_one_before() {
        let nodes = [node("JUSTCALL_AUTH_0.1", &["justcall_a"]), node("JUSTCALL_AUTH_0.2", &["justcall_b"])];
        assert_eq!(
            version_script(&nodes).expect("text"),
            "JUSTCALL_AUTH_0.1 {\n  global:\n    justcall_a;\n  local:\n    *;\n};\n\
             JUSTCALL_AUTH_0.2 {\n  global:\n    justcall_b;\n} JUSTCALL_AUTH_0.1;\n"
        );
    }

    #[test]
    fn it_sorts_versions_by_their_numbers() {
        assert!(order("JUSTCALL_AUTH_0.9") < order("JUSTCALL_AUTH_0.10"));
        assert!(order("JUSTCALL_AUTH_0.10") < order("JUSTCALL_AUTH_1.0"));
    }
}
