//! `env:?scrub` removes the pair from the real environment of a separate process.
#![cfg(target_os = "linux")]

use std::process::Command;

use justcall_auth::Source;
use justcall_auth::source::ProcessEnvironment;

const SOURCE: &str = "JUSTCALL_TEST_SCRUB_SOURCE";
const KEY: &str = "abc123def456";
const SECRET: &str = "sec789xyz000";

/// Returns the child's report about its environment.
fn child(source: &str) -> String {
    let loaded = Source::parse(source).and_then(|source| source.load(&ProcessEnvironment)).expect("a pair");
    assert!(loaded.pair.credentials.expose_authorization(|header| header.ends_with(SECRET.as_bytes())));
    let environ = std::fs::read("/proc/self/environ").expect("the kernel's view");
    let halves = [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", SECRET)];
    let report = halves.map(|(name, half)| {
        let in_view = environ.windows(half.len()).any(|window| window == half.as_bytes());
        let is_set = std::env::var_os(name).is_some();
        let echo = format!("echo \"${name}\"");
        let inherited = Command::new("sh").args(["-c", &echo]).output().expect("a shell");
        format!("view={in_view} set={is_set} inherited={}", inherited.stdout.starts_with(half.as_bytes()))
    });
    report.join("; ")
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
        let output = command.env("JUSTCALL_API_KEY", KEY).env("JUSTCALL_API_SECRET", SECRET).output();
        String::from_utf8(output.expect("the child runs").stdout).expect("UTF-8")
    };
    let report = run("env:");
    let both = |half: &str| format!("{half}; {half}");
    assert!(report.contains(&both("view=true set=true inherited=true")), "the control: {report}");
    let report = run("env:?scrub");
    assert!(report.contains(&both("view=false set=false inherited=false")), "{report}");
}
