//! `dist/` stays as it was if the packages cannot be built, and the reason is one sentence.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use xtask_package::dist;

use crate::support::{root, succeed};

/// Makes a repository of git with one commit, and a folder `dist` that git ignores.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("dist")).expect("a folder");
    fs::write(folder.path().join("dist/old"), "old").expect("a file");
    fs::write(folder.path().join(".gitignore"), "/dist/\n").expect("a file");
    let git = |arguments: &[&str]| {
        let user = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        succeed(Command::new("git").current_dir(folder.path()).args(user).args(arguments));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    folder
}

/// Tries to build packages. Returns the message, after the check that `dist` is as it was.
fn message(root: &Path, target: &str) -> String {
    let message = dist::write(root, target, false, false).expect_err("it cannot be built").to_string();
    let left: Vec<_> =
        fs::read_dir(root.join("dist")).expect("dist").map(|entry| entry.expect("an entry")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(fs::read_to_string(root.join("dist/old")).expect("the file"), "old");
    assert!(!message.contains('\n') && message.len() < 300, "{message}");
    message
}

#[test]
fn it_names_the_targets_and_keeps_dist_if_the_target_is_unknown() {
    let message = message(repository().path(), "vax");
    assert_eq!(message, "There is no target vax. The targets are x86_64-linux-gnu and aarch64-linux-gnu.");
}

#[test]
fn it_names_a_changed_file_and_keeps_dist_if_the_tree_is_dirty() {
    let folder = repository();
    fs::write(folder.path().join("new.rs"), "").expect("a file");
    let message = message(folder.path(), "x86_64-linux-gnu");
    assert!(message.contains("changes that are not committed, such as new.rs"), "{message}");
}

#[test]
fn it_names_a_missing_tool_and_keeps_dist() {
    let empty = tempfile::tempdir().expect("a folder");
    // The program works on the checkout that it was compiled in: without any tool it stops at the first.
    let written = || fs::metadata(root().join("dist")).and_then(|dist| dist.modified()).ok();
    let before = written();
    let mut package = Command::new(env!("CARGO_BIN_EXE_xtask-package"));
    let output = package.arg("package").env("PATH", empty.path()).output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert!(!output.status.success() && printed.contains("cannot start git"), "{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert_eq!(written(), before);
}
