//! No output of any command holds the secret, whatever goes wrong; `header` is the exception, and the proof that the
//! search would find it.

use serde_json::{Value, json};

use crate::run::{Run, Service, file, run};

/// No word of any message, and of the shape that real halves have.
const KEY: &str = "c0ffee5eed0ddba11c0ffee5eed0ddba11c0ffee";
const SECRET: &str = "fee1dead5ca1ab1efee1dead5ca1ab1efee1dead";

fn holds_secret(run: &Run) -> bool {
    // A part gives as much away as a careless cut leaves.
    [&run.stdout, &run.stderr].iter().any(|text| text.contains(&SECRET[..12]) || text.contains(KEY))
}

#[track_caller]
fn is_silent(what: &str, run: &Run) {
    assert!(!holds_secret(run), "{what}: {run:?}");
}

/// A service whose account has the canary for its pair.
fn service() -> Service {
    let service = Service::start();
    service.control("POST", "pairs", &json!({"api_key": KEY, "api_secret": SECRET}));
    service
}

#[test]
fn the_search_finds_the_secret_where_it_must_be() {
    assert!(holds_secret(&service().run_as(KEY, SECRET, &["header"])));
}

#[test]
fn no_answer_of_the_service_brings_the_secret_out() {
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
        for json in [&[][..], &["--json"]] {
            let arguments = [&["verify", "--timeout", "1", "--max-retries", "0"], json].concat();
            is_silent(&what, &service.run_as(KEY, SECRET, &arguments));
        }
    }
}

#[test]
fn no_flaw_of_the_pair_brings_it_out() {
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
        for command in ["verify", "header"] {
            for output in [&[][..], &["--json"]] {
                for source in [&pair, &json, &broken] {
                    let run = run(&[&[command, "--source", source], output].concat(), &[]);
                    assert_ne!(run.exit, 0);
                    is_silent(&secret, &run);
                }
                let variables = [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", &secret)];
                is_silent(&secret, &run(&[&[command], output].concat(), &variables));
            }
        }
    }
}

#[test]
fn no_misplaced_argument_is_repeated() {
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
