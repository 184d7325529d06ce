//! The list of crates inside a binary, in the section and the format of `cargo auditable`: scanners for vulnerabilities read
//! it from the file itself, without a package.
//!
//! `cargo auditable` puts the same list there by wrapping rustc. Here it is added to the finished binary, as part of the step
//! that takes the debug information out.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use xtask_demo::run::succeed;

use crate::compile::Compiler;
use crate::graph::{Graph, text};

/// The section.
pub const SECTION: &str = ".dep-v0";

/// Adds the crates of `package` to `binary`, which was built from it.
pub fn embed(graph: &Graph, package: &str, binary: &Path, compiler: &Compiler) -> Result<()> {
    let work = tempfile::tempdir()?;
    let file = work.path().join("crates");
    let mut compressed = ZlibEncoder::new(fs::File::create(&file)?, Compression::best());
    compressed.write_all(&serde_json::to_vec(&crates(graph, package)?)?)?;
    compressed.finish()?;
    let mut objcopy = compiler.tool("objcopy");
    objcopy.arg(format!("--add-section={SECTION}={}", file.display()));
    objcopy.arg(format!("--set-section-flags={SECTION}=noload,readonly"));
    succeed(objcopy.arg(binary))
}

/// Returns `package` and everything that is compiled into it. The format refers to a crate by its position in the list.
fn crates(graph: &Graph, package: &str) -> Result<Value> {
    let name = |id: &String| (text(&graph.package(id)["name"]), text(&graph.package(id)["version"]));
    let mut sorted: Vec<String> = graph.compiled_into(&[package])?.into_iter().collect();
    sorted.sort_by_key(name);
    let described = sorted.iter().map(|id| {
        let known = graph.package(id);
        let mut described = json!({
            "name": known["name"],
            "version": known["version"],
            "source": if known["source"].is_null() { "local" } else { "crates.io" },
        });
        let mut dependencies: Vec<usize> =
            graph.needs(id).filter_map(|needed| sorted.iter().position(|id| id == needed)).collect();
        dependencies.sort_unstable();
        if !dependencies.is_empty() {
            described["dependencies"] = dependencies.into();
        }
        if known["name"] == package {
            described["root"] = true.into();
        }
        described
    });
    Ok(json!({ "packages": described.collect::<Vec<Value>>() }))
}

#[cfg(test)]
mod tests {
    use super::crates;
    use crate::graph::Graph;
    use serde_json::{Value, json};

    #[test]
    fn it_lists_what_is_compiled_in_and_refers_to_it_by_position() {
        let package = |name: &str, source: Option<&str>| -> Value {
            json!({ "id": name, "name": name, "version": "1.0.0", "source": source })
        };
        let needs = |name: &str, kind: Option<&str>| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let graph = Graph::new(&json!({
            "packages": [package("tool", None), package("ring", Some("registry")), package("cc", Some("registry"))],
            "resolve": { "nodes": [
                { "id": "tool", "deps": [needs("ring", None)] },
                { "id": "ring", "deps": [needs("cc", Some("build"))] },
                { "id": "cc", "deps": [] },
            ] },
        }));
        assert_eq!(
            crates(&graph, "tool").expect("a list"),
            json!({ "packages": [
                { "name": "ring", "version": "1.0.0", "source": "crates.io" },
                { "name": "tool", "version": "1.0.0", "source": "local", "dependencies": [0], "root": true },
            ] })
        );
        let message = crates(&graph, "other").expect_err("unknown").to_string();
        assert_eq!(message, "cargo metadata does not list other");
    }
}
