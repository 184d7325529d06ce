//! `env:?scrub` takes the pair out of the environment, for real: in a process of its own.
#![cfg(target_os = "linux")]

use std::process::Command;

use justcall_auth::Source;
use justcall_auth::source::ProcessEnvironment;

const SOURCE: &str = "JUSTCALL_TEST_SCRUB_SOURCE";
const SECRET: &str = "sec789xyz000";

/// What the child prints about itself.
fn child(source: &str) -> String {
    let loaded = Source::parse(source).and_then(|source| source.load(&ProcessEnvironment)).expect("a pair");
    assert!(loaded.credentials.expose_authorization(|header| header.ends_with(SECRET.as_bytes())));
    let environ = std::fs::read("/proc/self/environ").expect("the kernel's view");
    let in_view = environ.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    let is_set = std::env::var_os("JUSTCALL_API_SECRET").is_some();
    let inherited =
        Command::new("sh").args(["-c", "echo \"$JUSTCALL_API_SECRET\""]).output().expect("a shell");
    format!("view={in_view} set={is_set} inherited={}", inherited.stdout.starts_with(SECRET.as_bytes()))
}

#[test]
fn it_takes_the_pair_out_of_the_environment() {
    if let Ok(source) = std::env::var(SOURCE) {
        println!("{}", child(&source));
        return;
    }
    let run = |source: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this test's path"));
        command
            .args(["--exact", "it_takes_the_pair_out_of_the_environment", "--nocapture"])
            .env(SOURCE, source);
        let output =
            command.env("JUSTCALL_API_KEY", "abc123def456").env("JUSTCALL_API_SECRET", SECRET).output();
        String::from_utf8(output.expect("the child runs").stdout).expect("UTF-8")
    };
    let said = run("env:");
    assert!(said.contains("view=true set=true inherited=true"), "the control: {said}");
    let said = run("env:?scrub");
    assert!(said.contains("view=false set=false inherited=false"), "{said}");
}
