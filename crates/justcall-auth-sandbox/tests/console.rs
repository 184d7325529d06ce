//! The console in a real browser: runs the tests of `tests/console` with Node.js and Debian's Chromium.
//!
//! They also take the pictures of the documentation, into `target/console/pictures`; `docs/evidence/console.png` is a copy.
#![allow(clippy::unwrap_used, reason = "a test can do nothing better than fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The files of tests; a file that is not named here is support for them.
const TESTS: [&str; 3] = ["access.test.mjs", "flows.test.mjs", "look.test.mjs"];
/// How many tests they have: fewer would mean that some were not run.
const COUNT: usize = 22;

#[test]
fn it_passes_every_test_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let sandbox = PathBuf::from(env!("CARGO_BIN_EXE_justcall-auth-sandbox"));
    let programs = sandbox.parent().unwrap();
    let folder = programs.parent().unwrap().join("console");
    install(&root.join("tests/console"), &folder);
    build_command(&root, programs);

    let mut node = program("node");
    node.current_dir(&folder).args(["--test", "--test-reporter=tap"]).args(TESTS);
    node.env("JUSTCALL_CHROMIUM", find("chromium"));
    node.env("JUSTCALL_SANDBOX_BIN", &sandbox).env("JUSTCALL_CLI", programs.join("justcall-auth"));
    node.env("JUSTCALL_PICTURES", folder.join("pictures"));
    let output = node.stderr(Stdio::inherit()).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains(&format!("# pass {COUNT}\n")), "not all were run: {report}");
    for picture in ["console.png", "console-light.png", "console-dark.png"] {
        assert!(folder.join("pictures").join(picture).exists(), "{picture}");
    }
}

/// Puts the tests beside the modules that their lock file names, which are installed again when it changes.
fn install(from: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let lock = "package-lock.json";
    let installed = folder.join("node_modules/.package-lock.json").exists()
        && fs::read(folder.join(lock)).is_ok_and(|old| old == fs::read(from.join(lock)).unwrap());
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    if !installed {
        let mut npm = program("npm");
        npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        assert!(npm.stdout(Stdio::null()).status().unwrap().success(), "npm ci failed");
    }
}

/// Builds the real command, which verifies pairs in these tests, unless the build of the workspace has made it.
fn build_command(root: &Path, programs: &Path) {
    if programs.join("justcall-auth").exists() {
        return;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--quiet", "-p", "justcall-auth-cli", "--target-dir"]);
    cargo.arg(programs.parent().unwrap());
    if programs.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "the command does not build");
}

fn program(name: &str) -> Command {
    Command::new(find(name))
}

/// Finds a program of debian-packages.txt; a machine without it fails the test rather than passing it.
fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: install what debian-packages.txt names"))
}
