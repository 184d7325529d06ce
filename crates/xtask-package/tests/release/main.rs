//! `cargo xtask release --dry-run` and `cargo xtask verify-release` find what is planted.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use xtask_demo::run;
use xtask_package::release::{CHECKS, Check, changelog, status, versions};
use xtask_package::sbom::rustc;
use xtask_package::verify;
use xtask_package::workspace::VERSION;

/// The files that the checks of the version read.
const FILES: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "include/justcall_auth.h",
    "bindings/python/pyproject.toml",
    "CHANGELOG.md",
    "README.md",
    "packaging/abi/README.md",
    "docs/guide/python.md",
];

/// Copies the files, with `from` replaced by `to` in one of them.
fn copy(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in FILES {
        let mut text = fs::read_to_string(run::root().join(name)).expect("a file");
        if name == file {
            assert!(text.contains(from), "{file} has no {from}");
            text = text.replacen(from, to, 1);
        }
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

#[test]
fn it_names_the_file_that_states_another_version() {
    versions(&run::root()).expect("control: the checkout has one version");
    let header = format!("JUSTCALL_VERSION_STRING \"{VERSION}\"");
    for (file, from, to, expected) in [
        ("include/justcall_auth.h", &*header, "JUSTCALL_VERSION_STRING \"9.9.9\"", "the header has 9.9.9"),
        (
            "Cargo.toml",
            "version = \"0.1.0\" }",
            "version = \"9.9.9\" }",
            "requires 9.9.9 of justcall-auth-secret",
        ),
        (
            "Cargo.lock",
            "name = \"justcall-auth\"\nversion = \"0.1.0\"",
            "name = \"justcall-auth\"\nversion = \"9.9.9\"",
            "Cargo.lock has 9.9.9",
        ),
        (
            "bindings/python/pyproject.toml",
            "dynamic = [\"version\"]",
            "version = \"9.9.9\"",
            "pyproject.toml states a version",
        ),
    ] {
        let message = versions(copy(file, from, to).path()).expect_err(file).to_string();
        assert!(message.contains(expected) && message.contains(VERSION), "{file}: {message}");
    }
}

#[test]
fn it_needs_an_entry_with_a_date_in_the_changelog() {
    let entry = format!("## [Unreleased]\n\n## [{VERSION}] - 2026-12-01");
    changelog(copy("CHANGELOG.md", "## [Unreleased]", &entry).path()).expect("an entry with a date");
    for (heading, expected) in [
        ("## [Unreleased]\n\n## [9.9.9] - 2026-12-01".to_owned(), "has no line"),
        (format!("## [{VERSION}] - soon"), "The date of the entry is `soon`."),
    ] {
        let message = changelog(copy("CHANGELOG.md", "## [Unreleased]", &heading).path())
            .expect_err("no entry")
            .to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn it_names_a_page_that_calls_the_version_unreleased() {
    let folder = copy("README.md", "# justcall-auth", "# justcall-auth\nVersion 0.1.0 is not released.");
    let message = status(folder.path()).expect_err("a page").to_string();
    assert_eq!(message, "README.md says \"is not released\".");
}

#[test]
fn it_prints_each_failed_check_with_its_remedy() {
    let checkout = tempfile::tempdir().expect("a folder");
    for Check { promise, run, remedy } in CHECKS.iter().filter(|check| is_quick(check.promise)) {
        let error = run(checkout.path()).expect_err(promise);
        assert!(!error.to_string().is_empty() && remedy.ends_with(|end: char| end != ' '), "{promise}");
    }
}

/// Returns true for the checks that read files: the others start cargo.
fn is_quick(promise: &str) -> bool {
    ["version is the same", "changelog", "no page", "every change", "tag", "dist/"]
        .iter()
        .any(|word| promise.contains(word))
}

/// Makes a folder with a file of each kind that a release has, each with a bill of materials.
fn release(folder: &Path, text: &str) {
    release_by(folder, text, "rustc 1.0.0");
}

fn release_by(folder: &Path, text: &str, rustc: &str) {
    let bill = r#"{"metadata":{"component":{"pedigree":{"commits":[{"uid":"0123abcd"}]},"properties":[
        {"name":"justcall-auth:target","value":"x86_64-linux-gnu"},{"name":"justcall-auth:rustc","value":"RUSTC"}]}}}"#;
    let bill = bill.replace("RUSTC", rustc);
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("DEBIAN")).expect("a folder");
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n",
    )
    .expect("a file");
    fs::write(tree.join("sbom.cdx.json"), bill).expect("a file");
    fs::write(tree.join("program"), text).expect("a file");
    let done = |command: &mut Command| {
        let output = command.current_dir(&tree).env("SOURCE_DATE_EPOCH", "1").output().expect("it starts");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    done(Command::new("touch").args([
        "--date=@1000000000",
        "program",
        "sbom.cdx.json",
        "DEBIAN",
        "DEBIAN/control",
        ".",
    ]));
    done(Command::new("tar").args([
        "--create",
        "--sort=name",
        "--xz",
        "--file",
        "../x.tar.xz",
        "program",
        "sbom.cdx.json",
    ]));
    done(Command::new("dpkg-deb").args(["--root-owner-group", "--build", ".", "../x.deb"]));
    done(Command::new("python3").args(["-m", "zipfile", "--create", "../x.whl", "program", "sbom.cdx.json"]));
    fs::copy(tree.join("sbom.cdx.json"), folder.join("sbom.cdx.json")).expect("a copy");
    fs::write(folder.join("notes.md"), text).expect("a file");
    fs::remove_dir_all(tree).expect("the tree");
}

#[test]
fn it_names_the_file_with_a_planted_byte_and_the_place_in_it() {
    let [shipped, same, other] = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    release(shipped.path(), "good");
    release(same.path(), "good");
    release(other.path(), "gooe");
    for name in ["x.tar.xz", "x.deb", "x.whl", "notes.md"] {
        let file = shipped.path().join(name);
        assert_eq!(verify::origin(&file).expect(name).commit, "0123abcd");
        verify::compare(&file, same.path(), "0123abcd").expect("control: the same files");
        let message = verify::compare(&file, other.path(), "0123abcd").expect_err(name).to_string();
        let place = if name == "notes.md" { "notes.md" } else { "program" };
        assert_eq!(message, format!("{name} differs from the file that commit 0123abcd builds, in {place}."));
    }
}

#[test]
fn it_names_a_file_that_cannot_be_unpacked_and_one_that_is_not_built() {
    let [shipped, built] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    release(shipped.path(), "good");
    release(built.path(), "good");
    let file = shipped.path().join("x.tar.xz");
    fs::write(&file, "no archive").expect("a file");
    let message = verify::compare(&file, built.path(), "0123abcd").expect_err("damaged").to_string();
    assert!(
        message.contains("x.tar.xz differs") && message.ends_with("and cannot be unpacked."),
        "{message}"
    );
    fs::remove_file(built.path().join("x.tar.xz")).expect("a file");
    let message = verify::compare(&file, built.path(), "0123abcd").expect_err("missing").to_string();
    assert_eq!(message, "Commit 0123abcd builds no file x.tar.xz.");
}

#[test]
fn it_refuses_a_file_of_unknown_origin_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.md"), "text").expect("a file");
    let message = verify::origin(&folder.path().join("notes.md")).expect_err("no bill").to_string();
    assert_eq!(message, "notes.md has no bill of materials, and there is no sbom.cdx.json beside it.");
    let message = verify::origin(&folder.path().join("absent.deb")).expect_err("no file").to_string();
    assert!(message.starts_with("There is no file ") && !message.contains('\n'), "{message}");
}

#[test]
fn it_builds_nothing_with_another_compiler_or_without_the_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.deb");
    let message = |rustc: &str| {
        release_by(folder.path(), "good", rustc);
        verify::run(&run::root(), std::slice::from_ref(&file), None).expect_err("it stops").to_string()
    };
    let here = rustc(&run::root()).expect("a version");
    assert_eq!(
        message("rustc 1.0.0"),
        format!("The files were built with rustc 1.0.0, and this is {here}; install that version first.")
    );
    assert_eq!(message(&here), "This repository has no commit 0123abcd; run: git fetch origin 0123abcd");
}

#[test]
fn it_names_a_planted_byte_through_the_command_and_succeeds_without_it() {
    let [shipped, built] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    release(shipped.path(), "good");
    let verify = |file: &str| {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_xtask-package"));
        verify.arg("verify-release").arg("--built").arg(built.path()).arg(shipped.path().join(file));
        let output = verify.output().expect("it starts");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    release(built.path(), "good");
    assert_eq!(verify("x.deb"), (true, "✓ x.deb is what commit 0123abcd builds\n".to_owned()));
    release(built.path(), "gooe");
    let (good, printed) = verify("x.deb");
    let expected = "x.deb differs from the file that commit 0123abcd builds, in program.";
    assert!(!good && printed.contains(expected), "{printed}");
}
