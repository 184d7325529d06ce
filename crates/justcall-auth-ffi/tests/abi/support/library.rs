//! The library under test: the files that C programs link, not the crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder with `libjustcall_auth.so` and `libjustcall_auth.a`: the one that `JUSTCALL_LIB_DIR` names, or made by cargo in the
/// profile and target directory of this test.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match std::env::var_os("JUSTCALL_LIB_DIR") {
        Some(folder) => PathBuf::from(folder).canonicalize().expect("JUSTCALL_LIB_DIR is a folder"),
        None => build(&target_dir(), &[]),
    })
}

/// The same with the feature `test-panic`, in a target directory of its own: no other build must pick it up.
pub(crate) fn folder_with_test_panic() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| build(&target_dir().join("test-panic"), &["--features", "test-panic"]))
}

/// The shared library in `folder`.
pub(crate) fn shared(folder: &Path) -> PathBuf {
    folder.join(format!("{}justcall_auth{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// The static library in `folder`.
pub(crate) fn archive(folder: &Path) -> PathBuf {
    folder.join("libjustcall_auth.a")
}

/// Cargo's target directory: it made `tmp` in it for these tests.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp is in the target directory").to_owned()
}

fn build(target_dir: &Path, options: &[&str]) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "justcall-auth-ffi", "--lib"]);
    command.args(options).arg("--target-dir").arg(target_dir).current_dir(env!("CARGO_MANIFEST_DIR"));
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    if profile == "release" {
        command.arg("--release");
    }
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "{command:?} ended with {status}");
    target_dir.join(profile)
}
