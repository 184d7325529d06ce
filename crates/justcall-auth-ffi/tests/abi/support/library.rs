//! Builds the library under test: the files that C programs link, not the crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the folder with `libjustcall_auth.so` and `libjustcall_auth.a`: `JUSTCALL_LIB_DIR`, or the build of the profile
/// and target directory of this test.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match std::env::var_os("JUSTCALL_LIB_DIR") {
        Some(folder) => PathBuf::from(folder).canonicalize().expect("JUSTCALL_LIB_DIR is a folder"),
        None => build(&target_dir(), &[]),
    })
}

/// Returns the folder of a build with the feature `test-panic`. Its target directory is separate, so that no other build
/// uses it.
pub(crate) fn folder_with_test_panic() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| build(&target_dir().join("test-panic"), &["--features", "test-panic"]))
}

/// Returns the path of the shared library in `folder`.
pub(crate) fn shared(folder: &Path) -> PathBuf {
    folder.join(format!("{}justcall_auth{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// Returns the path of the static library in `folder`.
pub(crate) fn archive(folder: &Path) -> PathBuf {
    folder.join("libjustcall_auth.a")
}

/// Returns the target directory: cargo creates `tmp` in it for these tests.
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
