//! The library refuses to be compiled for browsers, and says why.

use std::path::Path;
use std::process::Command;

/// What the compiler says of this crate's own source when it is told that it compiles for `family`. No library for another
/// family need be installed: the refusal comes before anything is looked up in one.
fn compiler_says(family: Option<&str>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let folder = tempfile::tempdir().expect("a folder");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args([
        "--edition=2024",
        "--crate-type=lib",
        "--emit=metadata",
        "-Aexplicit_builtin_cfgs_in_flags",
    ]);
    if let Some(family) = family {
        command.arg(format!("--cfg=target_family=\"{family}\""));
    }
    // Its dependencies are not given: it fails either way, and what counts are the words.
    let output = command.arg("--out-dir").arg(folder.path()).arg(root).output().expect("the compiler runs");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn it_does_not_compile_for_browsers_and_says_why() {
    let words = "error: justcall-auth does not run in browsers: whoever views the page could read the secret. \
                 Call JustCall from your server.";
    let said = compiler_says(Some("wasm"));
    assert!(said.contains(words), "{said}");
    assert!(!compiler_says(None).contains(words));
}
