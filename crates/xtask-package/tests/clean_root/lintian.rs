//! lintian, Debian's check of packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_demo::run;

/// Runs lintian. Returns whether it found no error and no warning, and what it printed.
fn lintian(packages: &[PathBuf]) -> (bool, String) {
    let mut lintian = Command::new("lintian");
    let done = lintian.args(["--fail-on", "error,warning", "--allow-root"]).args(packages).output();
    let done = done.expect("lintian starts");
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

fn packages() -> Vec<PathBuf> {
    let entries = fs::read_dir(run::root().join("dist")).expect("dist was built");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "deb")).collect()
}

/// Builds a copy of a package without the file that has its licence.
fn without_licence(package: &Path, folder: &Path) -> PathBuf {
    let (files, copy) = (folder.join("files"), folder.join("planted.deb"));
    run::succeed(Command::new("dpkg-deb").arg("--raw-extract").arg(package).arg(&files)).expect("files");
    let documents = fs::read_dir(files.join("usr/share/doc")).expect("documents").next().expect("a package");
    fs::remove_file(documents.expect("an entry").path().join("copyright")).expect("it has a licence");
    let mut build = Command::new("dpkg-deb");
    run::output(build.args(["--root-owner-group", "--build"]).arg(&files).arg(&copy)).expect("a package");
    copy
}

#[test]
fn lintian_finds_no_error_and_no_warning() {
    let packages = packages();
    assert_eq!(packages.len(), 4, "{packages:?}");
    let (good, printed) = lintian(&packages);
    assert!(good, "{printed}");
}

#[test]
fn lintian_finds_a_planted_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, printed) = lintian(&[without_licence(&packages()[0], folder.path())]);
    assert!(!good && printed.contains("no-copyright-file"), "{printed}");
}
