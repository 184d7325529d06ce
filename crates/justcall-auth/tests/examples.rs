//! The Rust examples that the README shows, run as a reader would run them.

use std::path::PathBuf;
use std::process::{Command, Output};

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

fn run(name: &str, sandbox: &Sandbox, key: &str, secret: &str) -> Output {
    let test = std::env::current_exe().expect("this test's path");
    let example: PathBuf =
        test.ancestors().nth(2).expect("deps is in the profile's folder").join("examples").join(name);
    let mut command = Command::new(example);
    command.arg("env:").arg(sandbox.url()).arg(sandbox.ca_file().expect("TLS is on"));
    command
        .env("JUSTCALL_API_KEY", key)
        .env("JUSTCALL_API_SECRET", secret)
        .output()
        .expect("the example runs")
}

#[test]
fn it_verifies_a_pair_and_says_what_is_wrong_with_another() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox");
    let output = run("verify", &sandbox, sandbox.api_key(), sandbox.api_secret());
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("plan:    Pro"),
        "{output:?}"
    );
    let output = run("verify", &sandbox, sandbox.api_key(), &"0".repeat(40));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("invalid_credentials") && said.contains("hint: "),
        "{said}"
    );
}

#[test]
fn it_lists_calls_and_survives_a_rate_limit() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox");
    let output = run("request", &sandbox, sandbox.api_key(), sandbox.api_secret());
    let calls: Value = serde_json::from_slice(&output.stdout).expect("the service's JSON");
    assert_eq!(calls["data"].as_array().map(Vec::len), Some(3));
    let limited = json!({"fault": "answer", "status": 429, "headers": {"Retry-After": "90"}});
    sandbox.control("POST", "faults", &limited).expect("a fault");
    let output = run("request", &sandbox, sandbox.api_key(), sandbox.api_secret());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "come back in 90s\n");
}
