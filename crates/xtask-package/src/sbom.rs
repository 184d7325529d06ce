//! The bill of materials: which crates the binaries contain, and from what they were built, in `CycloneDX` 1.5.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use xtask_demo::run::output;

use crate::graph::Graph;
use crate::notices::{self, Dependency};
use crate::target::Target;
use crate::workspace::{HOMEPAGE, SUMMARY, VERSION, commit};

/// The name of the file.
pub const FILE: &str = "sbom.cdx.json";

/// The names of properties that `CycloneDX` does not define.
const TARGET: &str = "justcall-auth:target";
const RUSTC: &str = "justcall-auth:rustc";

/// From what binaries were built. The same origin gives the same binaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The commit.
    pub commit: String,
    /// The name of the target.
    pub target: String,
    /// What `rustc --version` prints.
    pub rustc: String,
}

impl Origin {
    /// Returns the origin of what is built now, for `target`.
    pub fn now(root: &Path, target: &Target) -> Result<Self> {
        Ok(Self { commit: commit(root)?, target: target.name.to_owned(), rustc: rustc(root)? })
    }

    /// Returns the origin that a bill of materials states.
    pub fn stated(bill: &str) -> Result<Self> {
        let bill: Value = serde_json::from_str(bill).context("The bill of materials is not JSON.")?;
        let component = &bill["metadata"]["component"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let property = |name: &str| {
            let properties = component["properties"].as_array()?;
            text(&properties.iter().find(|property| property["name"] == name)?["value"])
        };
        let commit = text(&component["pedigree"]["commits"][0]["uid"]);
        let all = commit.zip(property(TARGET)).zip(property(RUSTC));
        let ((commit, target), rustc) = all.context("The bill of materials names no commit.")?;
        Ok(Self { commit, target, rustc })
    }
}

/// Returns the version of the compiler that cargo uses in `root`.
pub fn rustc(root: &Path) -> Result<String> {
    Ok(output(Command::new("rustc").arg("--version").current_dir(root))?.trim().to_owned())
}

/// Writes the bills of materials of one build.
pub struct Bills<'a> {
    /// The crates and their dependencies.
    pub graph: &'a Graph,
    /// From what they are built.
    pub origin: Origin,
}

impl Bills<'_> {
    /// Returns the bill of what contains `packages`.
    pub fn of(&self, packages: &[&str]) -> Result<String> {
        text(&notices::dependencies(self.graph, packages)?, &self.origin)
    }
}

/// Returns the text of the file, the same for the same dependencies and the same origin.
fn text(dependencies: &[Dependency], origin: &Origin) -> Result<String> {
    let component = |name: &str, version: &str, licence: &str| {
        json!({
            "type": "library",
            "bom-ref": purl(name, version),
            "name": name,
            "version": version,
            "purl": purl(name, version),
            "licenses": [{ "expression": licence.replace('/', " OR ") }],
        })
    };
    let components: Vec<Value> = dependencies
        .iter()
        .map(|dependency| component(&dependency.name, &dependency.version, &dependency.licence))
        .collect();
    let mut product = component("justcall-auth", VERSION, env!("CARGO_PKG_LICENSE"));
    product["description"] = SUMMARY.into();
    product["externalReferences"] = json!([{ "type": "vcs", "url": HOMEPAGE }]);
    product["pedigree"] = json!({ "commits": [{ "uid": origin.commit }] });
    product["properties"] =
        json!([{ "name": TARGET, "value": origin.target }, { "name": RUSTC, "value": origin.rustc }]);
    let references: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": product },
        "components": components,
        "dependencies": [{ "ref": purl("justcall-auth", VERSION), "dependsOn": references }],
    });
    Ok(serde_json::to_string_pretty(&bom)? + "\n")
}

fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

#[cfg(test)]
mod tests {
    use super::{Origin, text};
    use crate::notices::Dependency;

    fn origin() -> Origin {
        Origin {
            commit: "0123abcd".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
        }
    }

    #[test]
    fn it_names_each_crate_with_its_version_and_licence() {
        let ring = Dependency {
            name: "ring".to_owned(),
            version: "0.17.14".to_owned(),
            licence: "Apache-2.0/ISC".to_owned(),
            folder: "/".into(),
        };
        let text = text(&[ring], &origin()).expect("text");
        let bom: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(bom["components"][0]["purl"], "pkg:cargo/ring@0.17.14");
        assert_eq!(bom["components"][0]["licenses"][0]["expression"], "Apache-2.0 OR ISC");
        assert_eq!(bom["dependencies"][0]["dependsOn"][0], bom["components"][0]["bom-ref"]);
    }

    #[test]
    fn it_states_the_origin_and_reads_it_back() {
        assert_eq!(Origin::stated(&text(&[], &origin()).expect("text")).expect("an origin"), origin());
        let message = Origin::stated("{}").expect_err("no commit").to_string();
        assert_eq!(message, "The bill of materials names no commit.");
    }
}
