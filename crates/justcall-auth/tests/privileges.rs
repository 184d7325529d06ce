//! What a program's surroundings do to it: rights that its user does not have, signals that its parent ignores.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use justcall_auth_sandbox::Sandbox;
use support::{example, sandbox};

/// Runs `program` as a user without any rights.
fn as_nobody(program: &Path, sandbox: &Sandbox, source: &str) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg(program).arg(source).arg(sandbox.url()).arg(sandbox.ca_file().expect("TLS is on"));
    command.env("JUSTCALL_API_KEY", sandbox.api_key()).env("JUSTCALL_API_SECRET", sandbox.api_secret());
    let output = command.output().expect("setpriv runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The same without a CA file, which the environment names instead.
fn as_nobody_trusting(program: &Path, sandbox: &Sandbox, source: &str) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg(program).arg(source).arg(sandbox.url());
    let output = command.env("SSL_CERT_FILE", sandbox.ca_file().expect("TLS is on")).output();
    let output = output.expect("setpriv runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn it_ignores_the_environment_when_the_program_has_more_rights_than_its_user() {
    assert!(rustix::process::geteuid().is_root(), "this test makes a set-user-ID program: run it as root");
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    set_mode(folder.path(), 0o755);
    set_mode(sandbox.ca_file().expect("TLS is on"), 0o644);
    let program = folder.path().join("verify");
    // By another process: were it open for writing here, a child that another test starts meanwhile would keep it so, and the
    // system executes no such file.
    assert!(Command::new("cp").arg(example("verify")).arg(&program).status().expect("cp runs").success());

    set_mode(&program, 0o755);
    let said = as_nobody(&program, &sandbox, "env:");
    assert!(said.contains("plan:"), "the control, an ordinary program: {said}");

    set_mode(&program, 0o4755);
    for source in ["env:", "default:"] {
        let said = as_nobody(&program, &sandbox, source);
        assert!(said.contains("credentials_missing"), "{source}: {said}");
    }
    let pair = folder.path().join("pair");
    std::fs::write(&pair, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
    set_mode(&pair, 0o600);
    let source = format!("file:{}", pair.display());
    let said = as_nobody(&program, &sandbox, &source);
    assert!(said.contains("plan:"), "the program does have the rights of its owner: {said}");
    let said = as_nobody_trusting(&program, &sandbox, &source);
    assert!(said.contains("tls_failed"), "its user must not choose whom it trusts: {said}");

    set_mode(&program, 0o755);
    set_mode(&pair, 0o644);
    let said = as_nobody_trusting(&program, &sandbox, &source);
    assert!(said.contains("plan:"), "the control, an ordinary program: {said}");
}

#[test]
fn it_reads_a_commands_output_where_the_host_reaps_its_children() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = folder.path().join("pair.json");
    let json = serde_json::json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()});
    std::fs::write(&pair, json.to_string()).expect("a file");
    // A signal that is ignored stays ignored in the program that `env` becomes.
    let ignored = "--ignore-signal=CHLD";
    let verify = |options: &[&str], source: &str| {
        let mut command = Command::new("env");
        command.args(options).arg(example("verify")).arg(source).arg(sandbox.url());
        let output = command.arg(sandbox.ca_file().expect("TLS is on")).output().expect("env runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let mut bites = Command::new("env");
    bites.args([ignored, "grep", "-q", "^SigIgn:.*1....$", "/proc/self/status"]);
    assert!(bites.status().expect("env runs").success(), "the signal is ignored");
    let said = verify(&[ignored], &format!("command:cat {}", pair.display()));
    assert!(said.contains("plan:"), "{said}");
    let failing = "command:sh -c 'exit 7'";
    assert!(verify(&[], failing).contains("exit status: 7"), "the control: elsewhere the status is seen");
    let said = verify(&[ignored], failing);
    assert!(
        said.contains("credentials_malformed"),
        "without a status the output must speak for itself: {said}"
    );
}
