//! Every command at a wrong time of the machine, by Debian's libfaketime.
#![cfg(target_os = "linux")]

use std::path::PathBuf;

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::run::{Run, command, feed};

/// The right time, and wrong ones.
const TIMES: [&str; 9] = [
    "+0",
    "+1h",
    "-1h",
    "+10y",
    "-10y",
    "@1970-01-01 00:00:00",
    "@1960-01-01 00:00:00",
    "@2040-01-01 00:00:00",
    "@9999-12-31 00:00:00",
];
const DELIVERY: &str = "POST / HTTP/1.1\r\n\
    x-justcall-signature: 56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf\r\n\
    x-justcall-signature-version: v1\r\nx-justcall-request-timestamp: 2024-03-21 17:08:22\r\n\r\n\
    {\"webhook_url\": \"https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4\", \"type\": \"call.completed\"}";

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("the folder of libraries");
    let libraries =
        folders.map(|folder| folder.expect("a folder").path().join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.exists()).expect("libfaketime (debian-packages.txt)")
}

/// A service with plain HTTP, because a certificate is not valid at a wrong time, and a folder.
struct World {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let config = SandboxConfig { http: true, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).expect("a sandbox");
        Self { sandbox, folder: tempfile::tempdir().expect("a folder") }
    }

    fn pair(&self) -> String {
        format!("{}:{}", self.sandbox.api_key(), self.sandbox.api_secret())
    }

    fn source(&self) -> String {
        format!("file:{}/pair.json", self.folder.path().display())
    }

    /// Runs the command at `time`.
    fn run(&self, time: &str, arguments: &[&str], input: &str) -> Run {
        let mut command = command(arguments, &[("FAKETIME", time), ("TZ", "UTC"), ("NO_FAKE_STAT", "1")]);
        command.env("LD_PRELOAD", library()).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.env("XDG_STATE_HOME", self.folder.path());
        let run = feed(command, input);
        assert!(run.exit != 101 && !run.stderr.contains("panicked"), "{time} {arguments:?}: {run:?}");
        run
    }

    /// Runs a command that uses the service and the source.
    fn call(&self, time: &str, arguments: &[&str], input: &str) -> Run {
        let source = self.source();
        let options = ["--source", &source, "--base-url", self.sandbox.url()];
        self.run(time, &[arguments, &options].concat(), input)
    }
}

#[test]
fn it_verifies_rotates_and_reports_at_every_time() {
    for time in TIMES {
        let world = World::new();
        let set_up = world.call(time, &["setup"], &world.pair());
        assert_eq!(set_up.exit, 0, "{time}: {set_up:?}");
        for call in [&["verify"][..], &["request", "GET", "/v2.1/calls"]] {
            let run = world.call(time, call, "");
            assert_eq!(run.exit, 0, "{time} {call:?}: {run:?}");
        }
        // The age of the pair at the right time, at this one, and at the right time again.
        for now in ["+0", time, "+0"] {
            let status = world.run(now, &["status", "--source", &world.source()], "");
            assert!(status.exit <= 1 && status.stderr.is_empty(), "{time}, then {now}: {status:?}");
        }
        let reset = world.sandbox.control("POST", "reset", &json!({})).expect("a reset");
        let half = |name: &str| reset[name].as_str().expect("text").to_owned();
        let new = format!("{}:{}", half("api_key"), half("api_secret"));
        let rotated = world.call(time, &["rotate", "--expected-account", "12345"], &new);
        assert_eq!(rotated.exit, 0, "{time}: {rotated:?}");
        let text = std::fs::read_to_string(world.folder.path().join("pair.json")).expect("the file");
        assert!(text.contains(&half("api_secret")), "{time}");
    }
}

#[test]
fn it_reports_in_doctor_that_the_clock_is_wrong() {
    let world = World::new();
    assert_eq!(world.call("+0", &["setup"], &world.pair()).exit, 0);
    for time in TIMES {
        let doctor = world.call(time, &["doctor", "--json"], "");
        let report: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
        let checks = report["checks"].as_array().expect("a list");
        let clock = checks.iter().find(|check| check["name"] == "clock").expect("a check of the clock");
        let expected = if time == "+0" { "ok" } else { "failed" };
        assert_eq!(clock["status"], expected, "{time}: {clock}");
    }
}

#[test]
fn it_accepts_a_delivery_only_at_its_time() {
    let world = World::new();
    let pair = "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
    std::fs::write(world.folder.path().join("pair.json"), pair).expect("a file");
    let source = world.source();
    let verify = |time: &str| {
        let words = ["webhook", "verify", "--any-url", "--source", &source];
        world.run(time, &words, DELIVERY)
    };
    let verified = verify("@2024-03-21 17:09:00");
    assert_eq!(verified.exit, 0, "{verified:?}");
    for time in TIMES.into_iter().chain(["@2024-03-21 18:08:22", "@2024-03-21 16:08:22"]) {
        verify(time).fails_with(1, "webhook_stale");
    }
}
