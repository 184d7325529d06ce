//! The scripts that the documentation shows, run as a reader would run them.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::rotation::{ACCOUNT, Rotation};
use crate::run::{Run, feed, run};

fn script(rotation: &Rotation, name: &str, arguments: &[&str], input: &str) -> Run {
    let built = Path::new(env!("CARGO_BIN_EXE_justcall-auth")).parent().expect("it is in a folder");
    let path = format!("{}:{}", built.display(), std::env::var("PATH").expect("a PATH"));
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sh");
    let mut command = Command::new("sh");
    command
        .arg(examples.join(name))
        .args(rotation.service.arguments(arguments))
        .env_clear()
        .env("PATH", path);
    feed(command, input)
}

#[test]
fn the_scripts_of_the_documentation_set_up_and_rotate() {
    let rotation = Rotation::after_reset();
    let source = format!("file:{}", rotation.folder.path().join("pair.json").display());
    let done = script(&rotation, "setup.sh", &[&source], &rotation.new);
    assert!(done.exit == 0 && done.stdout.contains("import justcall_auth"), "{done:?}");

    let reset = rotation.service.control("POST", "reset", &serde_json::json!({}));
    let half = |name: &str| reset[name].as_str().expect("text");
    let (pair, _) = rotation.file("new-pair", &format!("{}:wrong", half("api_key")));
    let arguments = [&source, ACCOUNT, pair.to_str().expect("UTF-8")];
    let refused = script(&rotation, "rotate.sh", &arguments, "");
    assert!(refused.stdout.contains("the service rejects it") && pair.exists(), "{refused:?}");
    fs::write(&pair, format!("{}:{}", half("api_key"), half("api_secret"))).expect("a file");
    let done = script(&rotation, "rotate.sh", &arguments, "");
    assert!(done.exit == 0 && !pair.exists(), "{done:?}");
    assert_eq!(rotation.verify(&source).exit, 0);
}

#[test]
fn the_first_call_of_the_documentation_verifies_and_requests() {
    let rotation = Rotation::after_reset();
    let source = format!("file:{}", rotation.folder.path().join("pair.json").display());
    let stored = script(&rotation, "setup.sh", &[&source], &rotation.new);
    assert_eq!(stored.exit, 0, "{stored:?}");
    let done = script(&rotation, "first.sh", &["--source", &source], "");
    assert!(done.exit == 0 && done.stdout.contains("✓ The service accepts"), "{done:?}");
    assert!(done.stdout.contains("\"data\":["), "{done:?}");
}

#[test]
fn the_error_that_the_readme_shows_is_what_the_command_prints() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sh");
    let shown = fs::read_to_string(examples.join("trailing-space.txt")).expect("the text");
    let pair = [("JUSTCALL_API_KEY", "abc123def456"), ("JUSTCALL_API_SECRET", "sec789xyz000 ")];
    let refused = run(&["verify"], &pair);
    assert_eq!((refused.exit, refused.stderr), (3, shown), "change examples/sh/trailing-space.txt");
}

#[test]
fn the_exit_codes_of_the_guide_are_those_of_the_help() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/cli.md");
    let guide = fs::read_to_string(guide).expect("the page");
    let help = run(&["--help"], &[]).stdout;
    let table = help.split("Exit codes:\n").nth(1).expect("its table");
    let rows: Vec<&str> = table.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 9, "{table}");
    for row in rows {
        let (code, meaning) = row.trim().split_once("  ").expect("two columns");
        assert!(guide.contains(&format!("\n| {code} | {meaning} |\n")), "not in the guide: {row}");
    }
}
