//! Effects of a program's environment: privileges that its user does not have, signals that its parent ignores.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use justcall_auth_sandbox::Sandbox;
use support::{example, sandbox};

/// Runs `program` as a user without privileges.
fn run_unprivileged(program: &Path, sandbox: &Sandbox, source: &str) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg(program).arg(source).arg(sandbox.url()).arg(sandbox.ca_file().expect("TLS is on"));
    command.env("JUSTCALL_API_KEY", sandbox.api_key()).env("JUSTCALL_API_SECRET", sandbox.api_secret());
    let output = command.output().expect("setpriv runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs `program` without a CA file argument; the environment names the CA file instead.
fn run_unprivileged_with_ca_variable(program: &Path, sandbox: &Sandbox, source: &str) -> String {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    command.arg(program).arg(source).arg(sandbox.url());
    let output = command.env("SSL_CERT_FILE", sandbox.ca_file().expect("TLS is on")).output();
    let output = output.expect("setpriv runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const FILE_CAPABILITIES: &str = "security.capability";

/// Lets `program` bind ports below 1024, also without root.
fn add_capability(program: &Path) {
    const REVISION_2_AND_EFFECTIVE: u32 = 0x0200_0001;
    const NET_BIND_SERVICE: u32 = 1 << 10;
    let words = [REVISION_2_AND_EFFECTIVE, NET_BIND_SERVICE, 0, 0, 0];
    let value: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    rustix::fs::setxattr(program, FILE_CAPABILITIES, &value, rustix::fs::XattrFlags::empty())
        .expect("root may set capabilities");
}

fn remove_capability(program: &Path) {
    rustix::fs::removexattr(program, FILE_CAPABILITIES).expect("it was set");
}

#[test]
fn it_ignores_the_environment_if_the_program_has_more_privileges_than_its_user() {
    assert!(rustix::process::geteuid().is_root(), "this test creates a set-user-ID program: run it as root");
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    set_mode(folder.path(), 0o755);
    set_mode(sandbox.ca_file().expect("TLS is on"), 0o644);
    let program = folder.path().join("verify");
    // Another process writes the file. If it were open for writing here, a child that another test starts would keep it
    // open, and the system does not execute such a file.
    assert!(Command::new("cp").arg(example("verify")).arg(&program).status().expect("cp runs").success());

    set_mode(&program, 0o755);
    let printed = run_unprivileged(&program, &sandbox, "env:");
    assert!(printed.contains("plan:"), "the control, an ordinary program: {printed}");

    set_mode(&program, 0o4755);
    for source in ["env:", "default:"] {
        let printed = run_unprivileged(&program, &sandbox, source);
        assert!(printed.contains("credentials_missing"), "{source}: {printed}");
    }
    set_mode(&program, 0o755);
    add_capability(&program);
    let printed = run_unprivileged(&program, &sandbox, "env:");
    assert!(printed.contains("credentials_missing"), "a capability of the file: {printed}");
    remove_capability(&program);

    set_mode(&program, 0o4755);
    let pair = folder.path().join("pair");
    std::fs::write(&pair, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
    set_mode(&pair, 0o600);
    let source = format!("file:{}", pair.display());
    let printed = run_unprivileged(&program, &sandbox, &source);
    assert!(printed.contains("plan:"), "the program has the privileges of its owner: {printed}");
    let printed = run_unprivileged_with_ca_variable(&program, &sandbox, &source);
    assert!(printed.contains("tls_failed"), "its user must not choose the trusted authorities: {printed}");

    set_mode(&program, 0o755);
    set_mode(&pair, 0o644);
    let printed = run_unprivileged_with_ca_variable(&program, &sandbox, &source);
    assert!(printed.contains("plan:"), "the control, an ordinary program: {printed}");
}

#[test]
fn it_reads_the_output_of_a_command_if_the_host_reaps_its_children() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = folder.path().join("pair.json");
    let json = serde_json::json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()});
    std::fs::write(&pair, json.to_string()).expect("a file");
    // An ignored signal stays ignored in the program that `env` executes.
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
    let printed = verify(&[ignored], &format!("command:cat {}", pair.display()));
    assert!(printed.contains("plan:"), "{printed}");
    let failing = "command:sh -c 'exit 7'";
    assert!(verify(&[], failing).contains("exit status: 7"), "the control: otherwise the status is reported");
    let printed = verify(&[ignored], failing);
    assert!(printed.contains("credentials_malformed"), "without a status only the output counts: {printed}");
}
