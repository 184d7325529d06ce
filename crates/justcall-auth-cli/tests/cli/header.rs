//! `header`: the secret is printed only to a pipe.

use std::process::{Command, Stdio};

use crate::run::{Run, Service, command, run};

const PAIR: [(&str, &str); 2] =
    [("JUSTCALL_API_KEY", "abc123def456"), ("JUSTCALL_API_SECRET", "sec789xyz000")];

#[test]
fn it_prints_the_header_without_a_request() {
    let run = run(&["header"], &PAIR);
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("Authorization: abc123def456:sec789xyz000\n", "")
    );
}

#[test]
fn it_authenticates_curl_through_a_pipe() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("curl is not installed: the pipe is read back by another test");
        return;
    }
    let service = Service::start();
    let pair = [
        ("JUSTCALL_API_KEY", service.sandbox.api_key()),
        ("JUSTCALL_API_SECRET", service.sandbox.api_secret()),
    ];
    let mut header = command(&["header"], &pair).stdout(Stdio::piped()).spawn().expect("it starts");
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--cacert", &service.address[3], "-H", "@-"])
        .arg(format!("{}/v2/account", service.sandbox.url()))
        .stdin(header.stdout.take().expect("a pipe"))
        .output()
        .expect("curl runs");
    assert!(header.wait().expect("it ends").success());
    let answer = String::from_utf8_lossy(&curl.stdout);
    assert!(answer.contains("\"status\":\"success\""), "{answer} {curl:?}");
}

#[test]
fn it_refuses_json() {
    let run = run(&["header", "--json"], &PAIR);
    assert_eq!(run.exit, 2);
    let error = run.json()["error"].clone();
    assert_eq!(error["name"], "invalid_argument");
    assert!(error["message"].as_str().is_some_and(|why| why.contains("JSON")), "{error}");
    assert!(!run.stdout.contains("sec789xyz000"));
}

#[test]
fn it_prints_nothing_without_a_valid_pair() {
    run(&["header"], &[]).fails_with(3, "credentials_missing");
    run(&["header"], &[PAIR[0], ("JUSTCALL_API_SECRET", "sec789xyz000 ")])
        .fails_with(3, "credentials_malformed");
}

#[test]
fn it_exits_quietly_if_the_reader_closes_the_pipe() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = command(&["header"], &PAIR).stdout(writer).output().expect("it starts");
    assert_eq!(ended.status.code(), Some(1), "the header was not delivered");
    assert_eq!(Run::from(ended).stderr, "");
}

#[cfg(unix)]
#[test]
fn it_refuses_a_terminal_and_suggests_a_pipe() {
    let (exit, shown, stderr) = crate::terminal::run(&["header"], &PAIR);
    assert_eq!(exit, 2);
    assert_eq!(shown, "", "nothing on the terminal");
    assert!(stderr.starts_with("✗ invalid_argument: ") && stderr.contains("| curl -H @-"), "{stderr}");
    assert!(!stderr.contains("sec789xyz000"));
}
