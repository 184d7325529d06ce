//! The hooks and the examples of `scan`, run as users run them.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::scan::{OTHER, python};
use crate::scan_history::{commit, git, plain_git, repository};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Runs `command` with this build's justcall-auth first in its path, and without a pair.
fn with_built_command(command: &mut Command) -> Output {
    let ours = Path::new(env!("CARGO_BIN_EXE_justcall-auth")).parent().expect("a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(ours.to_owned()).chain(std::env::split_paths(&others));
    command.env("PATH", std::env::join_paths(paths).expect("no colon in it"));
    command
        .env_remove("JUSTCALL_API_KEY")
        .env_remove("JUSTCALL_API_SECRET")
        .env_remove("JUSTCALL_CREDENTIALS");
    command.output().expect("it starts")
}

#[test]
fn the_git_hook_refuses_a_commit_with_a_pair() {
    let folder = repository(&[("a.txt", "one\n")]);
    let at = folder.path();
    commit(at, "Begin");
    std::fs::copy(root().join("examples/scan/git-hook.sh"), at.join(".git/hooks/pre-commit"))
        .expect("a hook");
    std::fs::write(at.join("settings.env"), OTHER).expect("a file");
    git(at, &["add", "--all"]);
    // The staged content counts, not the current content of the file.
    std::fs::write(at.join("settings.env"), "clean\n").expect("a file");
    let refused = with_built_command(&mut plain_git(at, &["commit", "--message", "Leak"]));
    assert!(!refused.status.success(), "{refused:?}");
    assert!(
        String::from_utf8_lossy(&refused.stdout).contains("leaked_pair")
            || String::from_utf8_lossy(&refused.stderr).contains("leaked_pair"),
        "{refused:?}"
    );
    git(at, &["add", "--all"]);
    assert!(with_built_command(&mut plain_git(at, &["commit", "--message", "Clean"])).status.success());
}

#[test]
fn the_git_hook_refuses_the_first_commit_and_a_pair_in_utf_16() {
    let folder = repository(&[]);
    let at = folder.path();
    std::fs::copy(root().join("examples/scan/git-hook.sh"), at.join(".git/hooks/pre-commit"))
        .expect("a hook");
    let commits = |message: &str| {
        git(at, &["add", "--all"]);
        with_built_command(&mut plain_git(at, &["commit", "--message", message])).status.success()
    };
    std::fs::write(at.join(".env"), OTHER).expect("a file");
    assert!(!commits("Begin"));
    std::fs::write(at.join(".env"), "clean\n").expect("a file");
    assert!(commits("Begin"));
    let wide: Vec<u8> = OTHER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(at.join("a.txt"), wide).expect("a file");
    assert!(!commits("Leak"), "git diff calls it binary");
    std::fs::remove_file(at.join("a.txt")).expect("a file");
    std::fs::write(at.join("b.txt"), "clean\n").expect("a file");
    assert!(commits("Clean"));
}

#[test]
fn the_hooks_for_pre_commit_work() {
    let folder = repository(&[(".env", OTHER), ("b.env", OTHER)]);
    let at = folder.path();
    commit(at, "Leak");
    std::fs::remove_file(at.join("b.env")).expect("a file");
    std::fs::write(at.join("clean.txt"), "clean\n").expect("a file");
    commit(at, "Clean");
    // The manifest of this checkout, in a separate repository: the surrounding one may have no commit yet.
    let hooks = repository(&[]);
    std::fs::copy(root().join(".pre-commit-hooks.yaml"), hooks.path().join(".pre-commit-hooks.yaml"))
        .expect("a file");
    commit(hooks.path(), "Hooks");
    git(hooks.path(), &["tag", "v0.1.0"]);
    let example =
        std::fs::read_to_string(root().join("examples/scan/pre-commit-config.yaml")).expect("an example");
    let here = hooks.path().to_str().expect("UTF-8");
    let config = example.replace("https://github.com/justcall-auth/justcall-auth", here);
    assert_ne!(config, example, "the example names the repository");
    std::fs::write(at.join(".pre-commit-config.yaml"), config).expect("a file");
    // Adding such a file makes pre-commit pass its name to the hook.
    std::fs::write(at.join("--help"), OTHER).expect("a file");
    git(at, &["add", "--all"]);
    let home = tempfile::tempdir().expect("a folder");
    let pre_commit = |arguments: &[&str]| {
        let mut command = Command::new(python());
        command.args(["-B", "-m", "pre_commit", "run"]).args(arguments).current_dir(at);
        command.env("PRE_COMMIT_HOME", home.path()).env("HOME", home.path()).env("PRE_COMMIT_COLOR", "never");
        let ended = with_built_command(&mut command);
        let printed =
            String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        (ended.status.success(), printed)
    };
    let (is_clean, printed) = pre_commit(&["justcall-auth-scan", "--files", ".env", "clean.txt"]);
    assert!(!is_clean && printed.contains(".env:2:21: leaked_pair"), "{printed}");
    let (is_clean, printed) = pre_commit(&["justcall-auth-scan", "--files", "clean.txt"]);
    assert!(is_clean && printed.contains("Passed"), "{printed}");
    let (is_clean, printed) = pre_commit(&["justcall-auth-scan", "--all-files"]);
    assert!(!is_clean && printed.contains("--help:2:21: leaked_pair"), "{printed}");
    let (is_clean, printed) =
        pre_commit(&["justcall-auth-scan-history", "--hook-stage", "pre-push", "--all-files"]);
    assert!(!is_clean && printed.contains(":.env:2:21: leaked_pair"), "{printed}");
}

#[test]
fn the_workflow_writes_a_log_and_fails() {
    let workflow =
        std::fs::read_to_string(root().join("examples/scan/github-workflow.yml")).expect("an example");
    let line = workflow.lines().find_map(|line| line.trim().strip_prefix("- run: justcall-auth "));
    let line = format!("justcall-auth {}", line.expect("it runs the command"));
    let folder = repository(&[(".env", OTHER)]);
    commit(folder.path(), "Leak");
    let ended = with_built_command(Command::new("sh").args(["-c", &line]).current_dir(&folder));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let log = std::fs::read(folder.path().join("scan.sarif")).expect("a log");
    let log: serde_json::Value = serde_json::from_slice(&log).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "leaked_pair");
}
