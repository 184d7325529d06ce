//! The library refuses to be compiled for browsers, and states the reason.

use std::path::Path;
use std::process::Command;

/// Returns the messages of the compiler for this crate's source and the target family `family`. No library for another
/// family is needed: the refusal comes before any library is loaded.
fn compiler_messages(family: Option<&str>) -> String {
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
    // The dependencies are not passed. Compilation always fails, and only the messages count.
    let output = command.arg("--out-dir").arg(folder.path()).arg(root).output().expect("the compiler runs");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn it_does_not_compile_for_browsers_and_states_the_reason() {
    let words = "error: justcall-auth does not run in browsers, because every visitor of the page could read the secret. \
                 Call JustCall from your server.";
    let messages = compiler_messages(Some("wasm"));
    assert!(messages.contains(words), "{messages}");
    assert!(!compiler_messages(None).contains(words));
}
