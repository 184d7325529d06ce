//! No output of any command contains the secret, whatever fails. `header` is the exception, and shows that the search
//! would find it.

use serde_json::{Value, json};

use crate::run::{Run, Service, feed, file, run};

/// Neither half is a word of a message. Both have the form of real halves.
const KEY: &str = "c0ffee5eed0ddba11c0ffee5eed0ddba11c0ffee";
const SECRET: &str = "fee1dead5ca1ab1efee1dead5ca1ab1efee1dead";

/// Every command that contacts the service.
const COMMANDS_WITH_REQUESTS: &[&[&str]] = &[
    &["verify"],
    &["doctor"],
    &["request", "get", "/v2.1/calls", "--include"],
    &["request", "post", "/v2.1/calls", "--body", "{}"],
];

fn contains_secret(run: &Run) -> bool {
    // A part of the secret is a leak too, such as one after a careless cut.
    [&run.stdout, &run.stderr].iter().any(|text| text.contains(&SECRET[..12]) || text.contains(KEY))
}

#[track_caller]
fn is_silent(what: &str, run: &Run) {
    assert!(!contains_secret(run), "{what}: {run:?}");
}

/// Starts a service with an account whose pair is the canary.
fn service() -> Service {
    let service = Service::start();
    service.control("POST", "pairs", &json!({"api_key": KEY, "api_secret": SECRET}));
    service
}

#[test]
fn the_search_finds_the_secret_where_it_must_be() {
    assert!(contains_secret(&service().run_as(KEY, SECRET, &["header"])));
}

#[test]
fn no_response_of_the_service_reveals_the_secret() {
    let service = service();
    let echo = json!({"status": "error", "message": "You sent {authorization}, {api_secret}"});
    let mut cases = vec![("success".to_owned(), Value::Null)];
    for status in [200, 301, 400, 401, 403, 404, 418, 422, 429, 500, 503, 999] {
        let headers =
            json!({"location": "https://{api_secret}.test/{authorization}", "retry-after": "{api_secret}"});
        let fault = json!({"fault": "answer", "status": status, "body": echo, "headers": headers});
        cases.push((format!("answer {status}"), fault));
    }
    for fault in [
        json!({"fault": "raw", "bytes": "You sent nonsense\r\n\r\n"}),
        json!({"fault": "reset_after_request"}),
        json!({"fault": "truncated_body"}),
        json!({"fault": "hang"}),
        json!({"fault": "tls", "certificate": "expired"}),
    ] {
        cases.push((fault.to_string(), fault));
    }
    for (what, fault) in cases {
        service.control("DELETE", "faults", &Value::Null);
        if !fault.is_null() {
            service.control("POST", "faults", &fault);
        }
        for command in COMMANDS_WITH_REQUESTS.iter().copied() {
            for json in [&[][..], &["--json"]] {
                let arguments = [command, &["--timeout", "1", "--max-retries", "0"], json].concat();
                is_silent(&what, &service.run_as(KEY, SECRET, &arguments));
            }
        }
    }
}

#[test]
fn no_fault_of_the_pair_reveals_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for secret in [
        format!("{SECRET} "),
        format!(" {SECRET}"),
        format!("{SECRET}\n\n"),
        format!("\"{SECRET}\""),
        format!("Bearer {SECRET}"),
        format!("{SECRET}ä"),
        format!("{SECRET}\u{7f}"),
        SECRET.repeat(20),
    ] {
        let (_, pair) = file(folder.path(), "pair", &format!("{KEY}:{secret}"));
        let (_, json) =
            file(folder.path(), "json", &json!({"api_key": KEY, "api_secret": secret}).to_string());
        let (_, broken) = file(folder.path(), "broken", &format!("{{\"api_key\": \"{KEY}\", {secret}"));
        // No server listens there, but the doctor checks the network anyway.
        let nowhere = ["--base-url", "https://127.0.0.1:1", "--max-retries", "0"];
        for command in COMMANDS_WITH_REQUESTS.iter().copied().chain([&["header"][..]]) {
            for output in [&[][..], &["--json"]] {
                let arguments = [command, &nowhere, output].concat();
                for source in [&pair, &json, &broken] {
                    let run = run(&[&arguments[..], &["--source", source]].concat(), &[]);
                    assert_ne!(run.exit, 0);
                    is_silent(&secret, &run);
                }
                let variables = [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", &secret)];
                is_silent(&secret, &run(&arguments, &variables));
                let chosen = [("JUSTCALL_CREDENTIALS", pair.as_str()), ("JUSTCALL_WEBHOOK_SECRET", &secret)];
                is_silent(&secret, &run(&arguments, &chosen));
                is_silent(&secret, &run(&arguments, &[("JUSTCALL_CREDENTIALS", &secret)]));
            }
        }
    }
}

#[test]
fn no_response_is_stored_with_the_pair_in_it() {
    let service = service();
    let echo = json!({"status": "success", "you_sent": "{authorization}"});
    service.control("POST", "faults", &json!({"fault": "answer", "status": 200, "body": echo}));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answer");
    let arguments = ["request", "get", "/v2.1/calls", "--output", path.to_str().expect("UTF-8")];
    let run = service.run_as(KEY, SECRET, &arguments);
    assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    let kept: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!(kept["you_sent"], format!("[redacted]:{}", "*".repeat(SECRET.len())), "the service sent it");
}

#[test]
fn no_new_pair_is_printed_whatever_the_result() {
    let service = service();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = format!("{KEY}:{SECRET}");
    let echo = json!({"fault": "answer", "status": 403, "body": {"message": "You sent {authorization}, {api_secret}"}});
    let mut kept = 0;
    for (number, (input, fault)) in [
        (pair.clone(), Value::Null),
        (format!("{pair} "), Value::Null),
        (format!("{pair}{}", SECRET.repeat(20)), Value::Null),
        (format!("{{\"api_key\": \"{KEY}\", {SECRET}"), Value::Null),
        (format!("JUSTCALL_API_KEY={KEY}\nJUSTCALL_API_SECRET=\"{SECRET}\"\n"), Value::Null),
        (format!("Authorization: {pair}"), Value::Null),
        (pair.clone(), echo),
    ]
    .into_iter()
    .enumerate()
    {
        service.control("DELETE", "faults", &Value::Null);
        if !fault.is_null() {
            service.control("POST", "faults", &fault);
        }
        for output in [&[][..], &["--json"]] {
            let (_, old) = file(
                folder.path(),
                &format!("old{number}.json"),
                "{\"api_key\": \"a\", \"api_secret\": \"b\"}",
            );
            let new =
                format!("file:{}", folder.path().join(format!("new{number}{}", output.len())).display());
            let broken = file(folder.path(), "broken.json", &format!("{{\"api_key\": \"{SECRET}")).1;
            for (command, source) in [
                ("rotate", &old),
                ("rotate", &broken),
                ("setup", &new),
                ("setup", &"env:".to_owned()),
                ("rotate", &"command:false".to_owned()),
            ] {
                let arguments = [&[command, "--source", source, "--timeout", "5"], output].concat();
                let run = feed(crate::run::command(&service.arguments(&arguments), &[]), &input);
                kept += usize::from(run.exit == 0);
                is_silent(command, &run);
            }
        }
    }
    assert!(kept > 4, "the control: some pairs were accepted");
}

#[test]
fn no_misplaced_argument_is_printed() {
    let pair = format!("{KEY}:{SECRET}");
    let with = |text: &str| text.replace("PAIR", &pair).replace("SECRET", SECRET);
    for line in [
        "PAIR",
        "SECRET",
        "verify PAIR",
        "verify SECRET",
        "verify --api-secret=SECRET",
        "verify --api-secret SECRET",
        "verify --SECRET",
        "verify -SECRET",
        "verify --source PAIR",
        "verify --source=SECRET",
        "verify --source file:PAIR",
        "verify --source file:SECRET",
        "verify --source env:PAIR",
        "verify --source env:SECRET,KEY",
        "verify --base-url PAIR",
        "verify --base-url https://PAIR@example.test",
        "verify --ca-file PAIR",
        "verify --ca-file=SECRET",
        "verify --verify-path PAIR",
        "verify --timeout SECRET",
        "verify --max-retries SECRET",
        "verify --color SECRET",
        "verify --json=SECRET",
        "verify --proxy PAIR",
        "verify --proxy https://PAIR@proxy.example:3128",
        "verify --proxy SECRET://proxy",
        "verify --expected-account SECRET",
        "verify --local-address SECRET",
        "request get /v2.1/calls --max-response-length SECRET",
        "doctor PAIR",
        "doctor --verify-path SECRET",
        "doctor --source file:PAIR --base-url https://127.0.0.1:1",
        "doctor --proxy http://PAIR@127.0.0.1:1 --base-url https://127.0.0.2:1",
        "request PAIR /v2.1/calls",
        "request get PAIR",
        "request get https://PAIR@api.justcall.io/v2.1/calls",
        "request get /v2.1/calls SECRET",
        "request get /v2.1/calls --query SECRET",
        "request get /v2.1/calls --header SECRET",
        "request get /v2.1/calls --header Authorization:PAIR",
        "request get /v2.1/calls --header SECRET\r:x",
        "request get /v2.1/calls --body SECRET --body-file PAIR",
        "request get /v2.1/calls --body-file SECRET",
        "request get /v2.1/calls --output no/such/folder --body-file PAIR",
        "rotate PAIR",
        "rotate --source PAIR",
        "rotate --source file:PAIR",
        "rotate --expected-account SECRET",
        "rotate --compromised=SECRET",
        "setup PAIR",
        "setup --source PAIR",
        "setup --source file:SECRET/x",
        "setup --source file:/dev/null --language SECRET",
        "header PAIR",
        "header --source file:PAIR",
        "explain PAIR",
        "explain SECRET",
        "explain forbidden SECRET",
        "help SECRET",
    ] {
        let arguments: Vec<String> = line.split(' ').map(with).collect();
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for _ in 0..2 {
            let run = run(&arguments, &[]);
            assert_ne!(run.exit, 0, "{line}: {run:?}");
            is_silent(line, &run);
            arguments.push("--json");
        }
    }
}
