//! The Rust API, and its baseline.

use std::fs;

use xtask_package::rust_api;

use crate::support::root;

#[test]
fn its_rust_api_is_that_of_the_baseline() {
    let baseline = rust_api::baseline(&root()).expect("a baseline");
    let current = rust_api::current(&root()).expect("rustdoc runs");
    let without = |lines: &str, others: &str| -> Vec<String> {
        lines.lines().filter(|line| !others.lines().any(|other| other == *line)).map(str::to_owned).collect()
    };
    let (lost, new) = (without(&baseline, &current), without(&current, &baseline));
    assert!(
        lost.is_empty() && new.is_empty(),
        "The Rust API changed; run: cargo xtask package --write-abi\n- {}\n+ {}",
        lost.join("\n- "),
        new.join("\n+ ")
    );
    assert!(baseline.contains("pub fn justcall_auth::Error::hint("), "control: re-exported items are in it");
}

#[test]
fn it_notices_a_changed_signature_a_removed_method_and_a_new_variant() {
    let folder = tempfile::tempdir().expect("a folder");
    let describe = |source: &str| {
        let (path, out) = (folder.path().join("lib.rs"), folder.path().join("doc"));
        fs::write(&path, source).expect("a source");
        let mut rustdoc = std::process::Command::new("rustdoc");
        rustdoc.args([
            "--edition=2024",
            "--crate-name=planted",
            "-Zunstable-options",
            "--output-format=json",
            "-o",
        ]);
        crate::support::succeed(rustdoc.arg(&out).arg(&path).env("RUSTC_BOOTSTRAP", "1"));
        let json = fs::read_to_string(out.join("planted.json")).expect("JSON");
        rust_api::lines(&[serde_json::from_str(&json).expect("JSON")])
    };
    let source = "pub enum Kind { One } pub struct Client; impl Client { pub fn verify(&self, id: u32) -> Option<&str> { None } fn own() {} }";
    let lines = describe(source);
    for expected in [
        "pub enum planted::Kind\n",
        "pub variant planted::Kind::One\n",
        "pub fn planted::Client::verify(self: &Self, id: u32) -> Option<&str>\n",
        "impl Send for Client at planted::Client\n",
    ] {
        assert!(lines.contains(expected), "{expected} is not in:\n{lines}");
    }
    assert!(!lines.contains("own"), "{lines}");
    for (now, changed) in
        [("id: u32", "id: u64"), ("pub fn verify", "fn verify"), ("{ One }", "{ One, Two }")]
    {
        assert_ne!(describe(&source.replace(now, changed)), lines, "{changed}");
    }
}
