//! The bill of materials: which crates the binaries contain, in `CycloneDX` 1.5.

use anyhow::Result;
use serde_json::{Value, json};

use crate::notices::Dependency;
use crate::workspace::{HOMEPAGE, SUMMARY, VERSION};

/// The name of the file.
pub const FILE: &str = "sbom.cdx.json";

/// Returns the text of the file, the same for the same dependencies.
pub fn text(dependencies: &[Dependency]) -> Result<String> {
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
    use super::text;
    use crate::notices::Dependency;

    #[test]
    fn it_names_each_crate_with_its_version_and_licence() {
        let ring = Dependency {
            name: "ring".to_owned(),
            version: "0.17.14".to_owned(),
            licence: "Apache-2.0/ISC".to_owned(),
            folder: "/".into(),
        };
        let bom: serde_json::Value = serde_json::from_str(&text(&[ring]).expect("text")).expect("JSON");
        assert_eq!(bom["components"][0]["purl"], "pkg:cargo/ring@0.17.14");
        assert_eq!(bom["components"][0]["licenses"][0]["expression"], "Apache-2.0 OR ISC");
        assert_eq!(bom["dependencies"][0]["dependsOn"][0], bom["components"][0]["bom-ref"]);
    }
}
