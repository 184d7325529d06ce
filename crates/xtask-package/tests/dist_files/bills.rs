//! The bills of materials: a file in each package, and the list of crates inside each binary.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use xtask_package::sbom::Origin;
use xtask_package::verify;

use crate::support::{dist, file, succeed};

/// Unpacks a package into a folder. Archives have one folder at the top, which is left out.
fn unpack(path: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path();
    match path.extension().and_then(OsStr::to_str) {
        Some("deb") => succeed(Command::new("dpkg-deb").arg("--extract").arg(path).arg(to)),
        Some("whl") => {
            succeed(Command::new("python3").args(["-m", "zipfile", "--extract"]).arg(path).arg(to))
        }
        _ => {
            let mut tar = Command::new("tar");
            tar.args(["--strip-components=1", "--extract", "--file"]).arg(path);
            succeed(tar.arg("--directory").arg(to))
        }
    };
    folder
}

/// Returns the names of the crates in a bill of materials.
fn billed(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bill: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().expect("components");
    components.iter().map(|component| component["name"].as_str().expect("a name").to_owned()).collect()
}

/// Returns the names of the crates from the registry in the list inside a binary, as scanners read it.
fn audited(binary: &Path) -> BTreeSet<String> {
    let info = auditable_info::audit_info_from_file(binary, auditable_info::Limits::default());
    let info = info.unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    assert_eq!(info.packages.iter().filter(|package| package.root).count(), 1, "{}", binary.display());
    let registry = info.packages.iter().filter(|package| String::from(package.source.clone()) == "crates.io");
    registry.map(|package| package.name.clone()).collect()
}

/// Each package: the end of its name, its bill, a binary, and a crate that the binary has and one that it has not.
const PACKAGES: [(&str, &str, &str, &str, &str); 5] = [
    (
        "justcall-auth_0.1.0_amd64.deb",
        "usr/share/doc/justcall-auth/sbom.cdx.json",
        "usr/bin/justcall-auth",
        "clap",
        "tokio",
    ),
    (
        "justcall-auth-sandbox_0.1.0_amd64.deb",
        "usr/share/doc/justcall-auth-sandbox/sbom.cdx.json",
        "usr/bin/justcall-auth-sandbox",
        "tokio",
        "ureq",
    ),
    (
        "libjustcall-auth0_0.1.0_amd64.deb",
        "usr/share/doc/libjustcall-auth0/sbom.cdx.json",
        "usr/lib/x86_64-linux-gnu/libjustcall_auth.so.0.1.0",
        "ureq",
        "clap",
    ),
    ("x86_64-linux-gnu.tar.xz", "share/doc/justcall-auth/sbom.cdx.json", "bin/justcall-auth", "clap", "pyo3"),
    (
        ".whl",
        "justcall_auth-0.1.0.dist-info/sboms/sbom.cdx.json",
        "justcall_auth/_native.abi3.so",
        "pyo3",
        "tokio",
    ),
];

#[test]
fn each_package_and_each_binary_in_it_lists_its_crates() {
    for (ending, bill, binary, has, has_not) in PACKAGES {
        let folder = unpack(&file(ending));
        let (billed, audited) = (billed(&folder.path().join(bill)), audited(&folder.path().join(binary)));
        assert!(billed.is_superset(&audited), "{ending}: {:?}", audited.difference(&billed));
        assert!(audited.contains(has) && !audited.contains(has_not), "{ending}: {audited:?}");
        // The archive and the wheel contain other binaries too.
        if Path::new(ending).extension() == Some(OsStr::new("deb")) {
            assert_eq!(billed, audited, "{ending}");
        }
    }
}

#[test]
fn the_list_inside_the_command_is_what_was_compiled() {
    let folder = unpack(&file("justcall-auth_0.1.0_amd64.deb"));
    let audited = audited(&folder.path().join("usr/bin/justcall-auth"));
    // Built for this target only, and without build scripts.
    for absent in ["windows-sys", "cc", "proptest"] {
        assert!(!audited.contains(absent), "{absent}");
    }
    let control = auditable_info::audit_info_from_file(
        &std::env::current_exe().expect("this test runs"),
        auditable_info::Limits::default(),
    );
    assert!(control.is_err(), "control: this test has no such list");
}

#[test]
fn every_file_names_its_origin() {
    let bill = fs::read_to_string(dist().join("sbom.cdx.json")).expect("the bill");
    let stated = Origin::stated(&bill).expect("an origin");
    assert_eq!((stated.commit.len(), &*stated.target), (40, "x86_64-linux-gnu"));
    let files: Vec<PathBuf> =
        fs::read_dir(dist()).expect("dist").map(|entry| entry.expect("an entry").path()).collect();
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        assert_eq!(verify::origin(&file).expect("an origin"), stated, "{}", file.display());
    }
}
