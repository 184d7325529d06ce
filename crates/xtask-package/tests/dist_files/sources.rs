//! The source distribution and the source archive, built as users build them: without the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_demo::run;
use xtask_package::workspace::VERSION;

use crate::support::{Place, file, outcome, succeed};

/// Returns the folder in the archive, unpacked into `folder`.
fn unpack(archive: &Path, folder: &Path) -> PathBuf {
    // The files are new for cargo, whose cache could be that of another version.
    let mut tar = Command::new("tar");
    succeed(tar.args(["--extract", "--touch", "--file"]).arg(archive).arg("--directory").arg(folder));
    let entry = fs::read_dir(folder).expect("the folder").next().expect("one entry").expect("an entry");
    entry.path()
}

/// Fails if a file of `folder` names the checkout of this test.
fn names_no_checkout(folder: &Path) {
    let checkout = run::root().display().to_string();
    let grep = |text: &str, folder: &Path| {
        outcome(Command::new("grep").args(["--recursive", "--quiet", "--fixed-strings", text]).arg(folder))
            .status
            .code()
    };
    assert_eq!(grep(&checkout, folder), Some(1), "a file names {checkout}");
    assert_eq!(grep("name = \"justcall-auth\"", folder), Some(0), "control: grep finds what is there");
}

#[test]
fn its_source_distribution_builds_without_the_repository_and_verifies() {
    let place = Place::new();
    let sources = place.path().join("sources");
    fs::create_dir(&sources).expect("a folder");
    let sources = unpack(&file(&format!("justcall_auth-{VERSION}.tar.gz")), &sources);
    names_no_checkout(&sources);
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "PKG-INFO"] {
        assert!(sources.join(licence).is_file(), "{licence}");
    }
    let wheels = place.path().join("wheels");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]).arg(&wheels).arg(".");
    // Cargo's variables of this test would lead the build back to the checkout. Without optimisation it is quick.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if name != "CARGO_HOME" {
            pip.env_remove(name);
        }
    }
    pip.env("MATURIN_PEP517_ARGS", "--profile dev").current_dir(&sources);
    succeed(pip.env("CARGO_TARGET_DIR", run::target_dir(&run::root()).join("package/sdist")));
    let wheel = fs::read_dir(&wheels).expect("wheels").next().expect("one wheel").expect("an entry").path();
    let venv = place.venv();
    venv.install(&wheel);
    fs::remove_dir_all(&sources).expect("the sources are no longer needed");
    assert_eq!(venv.verify(&place), "admin@yourcompany.com\n");
    let output = outcome(venv.program("python").args(["-m", "justcall_auth"]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it was built from source"));
}

#[test]
fn its_source_archive_builds_without_a_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = unpack(&file("-source.tar.gz"), folder.path());
    names_no_checkout(&sources);
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a folder");
    let offline = |folder: &Path, command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "sh", "-c", command]).current_dir(folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO")) {
            unshare.env_remove(name);
        }
        unshare
            .env("CARGO_HOME", &home)
            .env("CARGO_TARGET_DIR", run::target_dir(&run::root()).join("package/vendored"));
        outcome(&mut unshare)
    };
    let fetch = "cargo fetch --locked --config net.retry=0";
    let without_vendor = offline(&run::root(), fetch);
    let message = String::from_utf8_lossy(&without_vendor.stderr).into_owned();
    assert!(!without_vendor.status.success(), "control: there is a network");
    assert!(message.contains("resolve host") || message.contains("network failure"), "control: {message}");
    let all = offline(&sources, "cargo metadata --format-version=1 --offline --locked");
    assert!(all.status.success(), "{}", String::from_utf8_lossy(&all.stderr));
    let product = "cargo build --quiet --offline --locked -p justcall-auth-ffi -p justcall-auth-cli \
                   && \"$CARGO_TARGET_DIR/debug/justcall-auth\" --version";
    let built = offline(&sources, product);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert_eq!(String::from_utf8_lossy(&built.stdout), format!("justcall-auth {VERSION}\n"));
    let downloaded = succeed(Command::new("find").arg(&home).args(["-name", "*.crate"]));
    assert_eq!(downloaded, "", "nothing was downloaded");
}
