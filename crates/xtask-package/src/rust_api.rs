//! The baseline of the Rust API: a line for each public item of the library, as rustdoc describes it.
//!
//! rustdoc prints JSON only on nightly, or with `RUSTC_BOOTSTRAP`. Another version of Rust may print it in another format.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run::{self, cargo, succeed};

use crate::rust_types::{bounds, function, generics, path, type_of};

/// The crate that programs depend on, and those whose items it re-exports.
const CRATES: [&str; 3] = ["justcall-auth", "justcall-auth-protocol", "justcall-auth-secret"];

/// The file with the baseline.
const BASELINE: &str = "packaging/api/justcall-auth.txt";

/// Writes the baseline of this checkout.
pub fn write(root: &Path) -> Result<()> {
    Ok(fs::write(root.join(BASELINE), current(root)?)?)
}

/// Returns the baseline.
pub fn baseline(root: &Path) -> Result<String> {
    fs::read_to_string(root.join(BASELINE)).with_context(|| format!("cannot read {BASELINE}"))
}

/// Returns the public items of the library, each in a line.
pub fn current(root: &Path) -> Result<String> {
    let descriptions = CRATES.iter().map(|name| describe(root, name)).collect::<Result<Vec<_>>>()?;
    Ok(lines(&descriptions))
}

/// Returns rustdoc's description of a crate.
fn describe(root: &Path, name: &str) -> Result<Value> {
    let mut rustdoc = cargo(root, &["rustdoc", "--quiet", "--package", name, "--lib", "--"]);
    rustdoc.args(["-Zunstable-options", "--output-format", "json"]).env("RUSTC_BOOTSTRAP", "1");
    succeed(&mut rustdoc)?;
    let json = run::target_dir(root).join("doc").join(format!("{}.json", name.replace('-', "_")));
    let json = fs::read_to_string(&json).with_context(|| format!("cannot read {}", json.display()))?;
    serde_json::from_str(&json).context("rustdoc wrote no JSON")
}

/// Returns the items of the first crate that rustdoc describes, and those of the others that it re-exports.
pub fn lines(crates: &[Value]) -> String {
    let Some(first) = crates.first() else { return String::new() };
    let mut api = Api { described: first, crates, lines: BTreeSet::new() };
    let root = api.item(&first["root"]);
    api.module(root, text(&root["name"]));
    api.lines.into_iter().fold(String::new(), |text, line| text + &line + "\n")
}

struct Api<'a> {
    /// The crate whose numbers of items are meant.
    described: &'a Value,
    crates: &'a [Value],
    lines: BTreeSet<String>,
}

impl<'a> Api<'a> {
    /// Returns the item with this number, or null if it belongs to another crate.
    fn item(&self, id: &Value) -> &'a Value {
        &self.described["index"][id.to_string()]
    }

    fn items(&self, ids: &'a Value) -> Vec<&'a Value> {
        ids.as_array().into_iter().flatten().map(|id| self.item(id)).collect()
    }

    /// Adds the item `id` of another crate, which programs reach at `place`. Returns false if that crate is not described.
    fn add_from_other(&mut self, id: &Value, place: &str) -> bool {
        let path = &self.described["paths"][id.to_string()]["path"];
        let is_crate = |other: &&Value| other["index"][other["root"].to_string()]["name"] == path[0];
        let Some(described) = self.crates.iter().find(is_crate) else { return false };
        let mut own = described["paths"].as_object().into_iter().flatten();
        let found = own.find(|(_, entry)| entry["crate_id"] == 0 && entry["path"] == *path);
        let Some(item) = found.map(|(id, _)| &described["index"][id]).filter(|item| !item.is_null()) else {
            return false;
        };
        let mut other = Self { described, crates: self.crates, lines: BTreeSet::new() };
        other.add(item, place);
        self.lines.append(&mut other.lines);
        true
    }

    fn module(&mut self, module: &'a Value, place: &str) {
        for item in self.items(&module["inner"]["module"]["items"]) {
            let used = &item["inner"]["use"];
            let target = self.item(&used["id"]);
            let name = if used.is_null() { &item["name"] } else { &used["name"] };
            let (place, source) = (format!("{place}::{}", text(name)), text(&used["source"]));
            if used.is_null() {
                self.add(item, &place);
            } else if !target.is_null() && used["is_glob"] != true {
                self.add(target, &place);
            } else if !self.add_from_other(&used["id"], &place) {
                self.lines.insert(format!("pub use {source} as {place}"));
            }
        }
    }

    /// Adds an item, which programs reach at `place`.
    fn add(&mut self, item: &'a Value, place: &str) {
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else {
            return;
        };
        let attributes = attributes(item);
        let (declared, where_clause) = generics(&inner["generics"]);
        let line = match &**kind {
            "module" => {
                self.module(item, place);
                format!("pub mod {place}")
            }
            "function" => format!("pub {}", function(inner, place)),
            "constant" => {
                format!("pub const {place}: {} = {}", type_of(&inner["type"]), text(&inner["const"]["expr"]))
            }
            "static" => format!("pub static {place}: {}", type_of(&inner["type"])),
            "type_alias" => format!("pub type {place}{declared} = {}", type_of(&inner["type"])),
            "macro" => format!("pub macro {place}"),
            "struct" | "enum" | "union" => {
                self.members(inner, place);
                self.implementations(&inner["impls"], place);
                let is_open = inner["kind"]["plain"]["has_stripped_fields"] == true;
                format!(
                    "pub {kind} {place}{declared}{where_clause}{}",
                    if is_open { " with private fields" } else { "" }
                )
            }
            "trait" => {
                for member in self.items(&inner["items"]) {
                    self.member(member, place);
                }
                let supertraits = bounds(&inner["bounds"]);
                let colon = if supertraits.is_empty() { "" } else { ": " };
                format!("pub trait {place}{declared}{colon}{supertraits}{where_clause}")
            }
            other => format!("pub {other} {place}"),
        };
        self.lines.insert(attributes + &line);
    }

    /// Adds the public fields of a structure, or the variants of an enumeration.
    fn members(&mut self, inner: &'a Value, place: &str) {
        let of_struct = [&inner["kind"]["plain"]["fields"], &inner["kind"]["tuple"], &inner["fields"]];
        let fields: Vec<&Value> = of_struct.into_iter().flat_map(|ids| self.items(ids)).collect();
        for field in fields {
            let field_type = &field["inner"]["struct_field"];
            if !field_type.is_null() && field["visibility"] == "public" {
                self.lines.insert(format!(
                    "pub field {place}::{}: {}",
                    text(&field["name"]),
                    type_of(field_type)
                ));
            }
        }
        for variant in self.items(&inner["variants"]) {
            let kind = &variant["inner"]["variant"]["kind"];
            let of_variant =
                [&kind["tuple"], &kind["struct"]["fields"]].into_iter().flat_map(|ids| self.items(ids));
            let fields: Vec<String> = of_variant
                .map(|field| {
                    format!("{}: {}", text(&field["name"]), type_of(&field["inner"]["struct_field"]))
                })
                .collect();
            let fields = if fields.is_empty() { String::new() } else { format!("({})", fields.join(", ")) };
            let attributes = attributes(variant);
            self.lines.insert(format!("{attributes}pub variant {place}::{}{fields}", text(&variant["name"])));
        }
    }

    /// Adds public methods, and the traits of a type. Of the automatic ones, those that threads need.
    fn implementations(&mut self, ids: &'a Value, place: &str) {
        for item in self.items(ids) {
            let inner = &item["inner"]["impl"];
            let of_trait = &inner["trait"];
            if of_trait.is_null() {
                for member in
                    self.items(&inner["items"]).into_iter().filter(|member| member["visibility"] == "public")
                {
                    self.member(member, place);
                }
                continue;
            }
            let name = path(of_trait);
            let is_automatic = inner["is_synthetic"] == true && !["Send", "Sync"].contains(&&*name);
            if inner["blanket_impl"].is_null() && !is_automatic && !name.starts_with("Structural") {
                let (declared, where_clause) = generics(&inner["generics"]);
                let not = if inner["is_negative"] == true { "!" } else { "" };
                let subject = type_of(&inner["for"]);
                self.lines
                    .insert(format!("impl{declared} {not}{name} for {subject}{where_clause} at {place}"));
            }
        }
    }

    /// Adds a member of a trait, or of an implementation.
    fn member(&mut self, member: &'a Value, place: &str) {
        let (inner, place) = (&member["inner"], format!("{place}::{}", text(&member["name"])));
        let line = if let Some(inner) = inner.get("function") {
            let provided = if inner["has_body"] == true { "" } else { " required" };
            format!("pub {}{provided}", function(inner, &place))
        } else if let Some(inner) = inner.get("assoc_const") {
            format!("pub const {place}: {}", type_of(&inner["type"]))
        } else {
            format!("pub type {place}")
        };
        self.lines.insert(attributes(member) + &line);
    }
}

/// Returns the attributes that callers depend on.
fn attributes(item: &Value) -> String {
    let all = item["attrs"].to_string();
    let kept = ["non_exhaustive", "must_use"].into_iter().filter(|name| all.contains(name));
    kept.fold(String::new(), |text, name| text + "#[" + name + "] ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
