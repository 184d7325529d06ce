//! Input and responses that exceed the memory: the command reports it and exits with status 1.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::run::{Run, Service};

/// Runs the command with the pair of `service` and an address space of `kib`.
fn run_within(kib: u32, service: &Service, arguments: &[&str], input: Stdio) -> Run {
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        &format!("ulimit -v {kib} && exec \"$0\" \"$@\""),
        env!("CARGO_BIN_EXE_justcall-auth"),
    ]);
    command.args(service.arguments(arguments)).env_clear().stdin(input);
    command.env("JUSTCALL_API_KEY", service.sandbox.api_key());
    command.env("JUSTCALL_API_SECRET", service.sandbox.api_secret());
    command.output().expect("the command starts").into()
}

#[test]
fn it_refuses_a_body_that_does_not_fit() {
    let (service, folder) = (Service::start(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("body");
    let file = File::create(&path).expect("a file");
    file.set_len(300 << 20).expect("a file without content");
    let path = path.to_str().expect("UTF-8");
    let post = ["request", "post", "/v2.1/echo", "--body-file"];
    let from_file = run_within(200_000, &service, &[&post[..], &[path]].concat(), Stdio::null());
    from_file.fails_with(1, "out_of_memory");
    let input = File::open(path).expect("it was made").into();
    let from_input = run_within(200_000, &service, &[&post[..], &["-"]].concat(), input);
    from_input.fails_with(1, "out_of_memory");
    assert_eq!(service.requests(), 0, "no request arrives");
    let control = run_within(200_000, &service, &["verify"], Stdio::null());
    assert_eq!(control.exit, 0, "the control: the limit allows usual calls\n{control:?}");
}

#[test]
fn it_refuses_a_response_that_does_not_fit() {
    let service = Service::start();
    for (kib, chunked) in [(40_000, true), (40_000, false), (100_000, true), (100_000, false)] {
        let fault = json!({"fault": "huge_body", "bytes": 30 << 20, "chunked": chunked});
        service.control("POST", "faults", &fault);
        let run = run_within(kib, &service, &["request", "get", "/v2.1/calls"], Stdio::null());
        run.fails_with(1, "out_of_memory");
        let run = run_within(kib, &service, &["request", "get", "/v2.1/calls", "--json"], Stdio::null());
        assert_eq!((run.exit, run.json()["error"]["code"].as_i64()), (1, Some(3)), "{run:?}");
        service.control("POST", "clear", &json!({}));
    }
}
