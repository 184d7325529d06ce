//! Which crates are compiled into a binary, according to cargo.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::Value;

/// The crates that cargo's metadata lists, and what each of them needs.
#[derive(Debug)]
pub struct Graph {
    packages: BTreeMap<String, Value>,
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Returns the graph of cargo's `metadata`.
    pub fn new(metadata: &Value) -> Self {
        let packages =
            list(&metadata["packages"]).map(|package| (text(&package["id"]), package.clone())).collect();
        let needs =
            list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), compiled_in(node))).collect();
        Self { packages, needs }
    }

    /// Returns the ids of the packages `names` and of everything that is compiled into them: no build scripts, no tests.
    pub fn compiled_into(&self, names: &[&str]) -> Result<BTreeSet<String>> {
        let is_named = |package: &Value| names.contains(&package["name"].as_str().unwrap_or_default());
        let mut waiting: Vec<&String> =
            self.packages.iter().filter(|(_, package)| is_named(package)).map(|(id, _)| id).collect();
        ensure!(waiting.len() == names.len(), "cargo metadata does not list {}", names.join(" and "));
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.insert(id.clone()) {
                waiting.extend(self.needs(id));
            }
        }
        Ok(seen)
    }

    /// Returns cargo's description of a package.
    pub fn package(&self, id: &str) -> &Value {
        self.packages.get(id).unwrap_or(&Value::Null)
    }

    /// Returns the ids of what a package needs directly.
    pub fn needs(&self, id: &str) -> impl Iterator<Item = &String> {
        self.needs.get(id).into_iter().flatten()
    }
}

/// Returns a string of cargo's metadata.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns the dependencies of a node whose code is part of the binary.
fn compiled_in(node: &Value) -> BTreeSet<String> {
    let is_normal = |dependency: &&Value| list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
    list(&node["deps"]).filter(is_normal).map(|dependency| text(&dependency["pkg"])).collect()
}
