//! The commands of VERIFY.md, and `cargo xtask verify-release`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_demo::run;
use xtask_package::workspace;

use crate::support::{dist, outcome};

/// Returns the commands of the blocks of shell.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Runs a block in a folder, as a user does who has a clone of the repository.
fn runs(block: &str, folder: &Path) -> (bool, String) {
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", block]).current_dir(folder).env("CLONE", run::root());
    let output = outcome(&mut shell);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn copy_of_dist() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(dist()).expect("dist") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, copy.path().join(path.file_name().expect("a name"))).expect("a copy");
    }
    copy
}

/// Changes one byte in the middle of a file.
fn plant(path: &PathBuf) {
    let mut bytes = fs::read(path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("a file");
}

/// Returns true if the files were built from the commit of the checkout, without changes that matter to them.
fn can_be_built_again(text: &str) -> bool {
    let changes = Command::new("git")
        .args(["status", "--porcelain", "--", ".", ":!docs/evidence"])
        .current_dir(run::root())
        .output()
        .expect("git starts");
    changes.stdout.is_empty() && text.contains(&workspace::commit(&run::root()).expect("a commit"))
}

#[test]
fn the_commands_of_verify_md_succeed() {
    let copy = copy_of_dist();
    let text = fs::read_to_string(copy.path().join("VERIFY.md")).expect("VERIFY.md");
    let mut blocks = blocks(&text);
    assert_eq!(blocks.len(), 4, "{text}");
    if !can_be_built_again(&text) {
        println!("The last block builds the commit again. This tree has changes that no commit has.");
        blocks.pop();
    }
    for block in blocks {
        let (good, printed) = runs(&block, copy.path());
        assert!(good, "{block}:\n{printed}");
    }
}

#[test]
fn the_hashes_of_verify_md_detect_a_changed_byte() {
    let copy = copy_of_dist();
    let first = &blocks(&fs::read_to_string(copy.path().join("VERIFY.md")).expect("VERIFY.md"))[0];
    plant(&copy.path().join("sbom.cdx.json"));
    let (good, printed) = runs(first, copy.path());
    assert!(!good && printed.contains("sbom.cdx.json: FAILED"), "{printed}");
}
