//! Invalid arguments, help, and output that cannot be written.

use crate::run::{Run, Service, command, run};

#[test]
fn it_exits_with_2_for_invalid_arguments() {
    for arguments in [
        &[][..],
        &["verfy"],
        &["verify", "--no-such-option"],
        &["verify", "extra"],
        &["verify", "--timeout", "-1"],
        &["verify", "--timeout", "soon"],
        &["verify", "--max-retries", "-1"],
        &["verify", "--color", "sometimes"],
        &["verify", "--source", "nowhere"],
        &["verify", "--source", "file:"],
        &["verify", "--base-url", "http://192.0.2.1"],
        &["verify", "--base-url", "justcall"],
        &["verify", "--ca-file", "no/such/file.pem"],
        &["verify", "--ca-file", ""],
        &["verify", "--verify-path", "no-slash"],
        &["verify", "--proxy", "socks5://proxy"],
        &["verify", "--local-address", "localhost"],
        &["verify", "--local-address", "127.0.0.1:80"],
        &["verify", "--expected-account", "-1"],
        &["verify", "--expected-account", "mine"],
        &["doctor", "extra"],
        &["doctor", "--verify-path", "no-slash"],
        &["doctor", "--ca-file", "no/such/file.pem"],
        &["request"],
        &["request", "get"],
        &["request", "get", "no-slash"],
        &["request", "get", "/v2.1/calls", "--max-response-length", "-1"],
        &["request", "get", "/v2.1/calls", "--max-response-length", "1 MiB"],
        &["webhook"],
        &["webhook", "verify"],
        &["webhook", "verify", "--url", "example.com"],
        &["webhook", "verify", "--url", "https://example.com", "--any-url"],
        &["webhook", "verify", "--any-url", "--tolerance", "-1"],
        &["webhook", "verify", "--any-url", "--now", "today"],
        &["webhook", "verify", "--any-url", "--headers", "no/such/file"],
        &["webhook", "verify", "--any-url"],
        &["status", "--max-age", "soon"],
        &["status", "--max-unused", "-1d"],
        &["explain", "no_such_error"],
    ] {
        let text = run(arguments, &[]);
        assert_eq!((text.exit, text.stdout.as_str()), (2, ""), "{arguments:?}: {text:?}");
        assert!(!text.stderr.is_empty(), "{arguments:?}");
        let json = run(&[arguments, &["--json"]].concat(), &[]);
        assert_eq!(json.exit, 2, "{arguments:?}: {json:?}");
        let all = json.json();
        assert_eq!((&all["ok"], &all["error"]["name"]), (&false.into(), &"invalid_argument".into()));
        for part in ["message", "hint"] {
            assert!(all["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{all}");
        }
    }
}

#[test]
fn it_treats_a_timeout_of_zero_as_no_limit() {
    let service = Service::start();
    assert_eq!(service.run(&["verify", "--timeout", "0"]).exit, 0);
}

#[test]
fn it_documents_examples_environment_sources_and_exit_codes() {
    let help = run(&["--help"], &[]);
    assert_eq!((help.exit, help.stderr.as_str()), (0, ""));
    for part in [
        "justcall-auth header | curl -H @- ",
        "JUSTCALL_API_SECRET",
        "NO_COLOR",
        "env:KEY_VARIABLE,SECRET_VARIABLE",
        "file:PATH",
        "Exit codes:",
        "\n  8  the service failed (5xx)",
    ] {
        assert!(help.stdout.contains(part), "{part}");
    }
    for command in ["setup", "verify", "doctor", "request", "header", "rotate", "scan", "webhook", "explain"]
    {
        let help = run(&[command, "--help"], &[]);
        assert!(help.exit == 0 && help.stdout.contains("Examples:"), "{help:?}");
    }
}

#[test]
fn it_prints_its_version() {
    let version = run(&["--version"], &[]);
    assert_eq!((version.exit, version.stdout), (0, format!("justcall-auth {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn it_keeps_its_exit_code_if_the_reader_closes_the_pipe() {
    for (arguments, exit) in [
        (&["explain"][..], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["verify", "--json"], 3),
        (&["doctor", "--base-url", "https://127.0.0.1:1"], 3),
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = command(arguments, &[]).stdout(writer).output().expect("it starts");
        assert_eq!(ended.status.code(), Some(exit), "{arguments:?}");
        assert!(!Run::from(ended).stderr.contains("panicked"), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_fails_if_the_result_cannot_be_written() {
    for arguments in [&["explain"][..], &["explain", "--json"], &["--help"]] {
        let full = std::fs::File::create("/dev/full").expect("Linux has it");
        let ended: Run = command(arguments, &[]).stdout(full).output().expect("it starts").into();
        assert_eq!(ended.exit, 1, "{arguments:?}");
        assert!(ended.stderr.contains("Standard output cannot be written"), "{ended:?}");
    }
}
