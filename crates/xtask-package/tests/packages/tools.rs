//! A missing program is one sentence, before anything is built, and `dist/` stays as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use xtask_package::tools;

use crate::support::{root, succeed, target};

fn names() -> Vec<String> {
    let fixed = tools::PACKAGE.iter().map(|(name, _)| (*name).to_owned());
    fixed.chain(tools::TARGET.iter().map(|name| target().tool(name))).collect()
}

fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a path");
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed"))
}

/// Makes a folder with links to all programs but one.
fn path_without(missing: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names().iter().filter(|name| *name != missing) {
        symlink(find(name), folder.path().join(name)).expect("a link");
    }
    folder
}

/// Returns a hash of every file below `folder`, or nothing if it does not exist.
fn hashes(folder: &Path) -> String {
    let list = "cd \"$0\" 2>/dev/null && find . -type f -exec sha256sum {} + | sort || true";
    succeed(Command::new("sh").args(["-c", list]).arg(folder))
}

#[test]
fn it_names_each_missing_program_and_keeps_dist() {
    let before = hashes(&root().join("dist"));
    for name in names() {
        let path = path_without(&name);
        let mut package = Command::new(env!("CARGO_BIN_EXE_xtask-package"));
        let output =
            package.args(["package", "--allow-dirty"]).env("PATH", path.path()).output().expect("it starts");
        let printed = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert!(!output.status.success(), "{name} is missing, and it succeeds");
        assert_eq!(printed.lines().count(), 1, "{name}: {printed}");
        assert!(
            printed.contains(&format!("The program {name} is missing (Debian package "))
                || (["dpkg-query", "id"].contains(&&*name) && printed.contains("packages are missing")),
            "{name}: {printed}"
        );
    }
    assert_eq!(hashes(&root().join("dist")), before);
}

#[test]
fn it_finds_every_program_if_none_is_missing() {
    tools::require(&tools::PACKAGE).expect("all are installed");
    tools::require_for(target()).expect("all are installed");
    fs::read_dir(path_without("none").path()).expect("control: the links exist").for_each(|link| {
        assert!(link.expect("a link").path().exists());
    });
}
