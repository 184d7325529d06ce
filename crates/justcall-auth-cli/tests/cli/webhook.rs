//! `webhook verify`: recorded deliveries, from files and from standard input.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, command, feed, run};

const PAIR: [(&str, &str); 2] = [
    ("JUSTCALL_API_KEY", "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948"),
    ("JUSTCALL_API_SECRET", "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"),
];
const URL: &str = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4";
const NOW: &str = "1711040902";
const SIGNATURE: &str = "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";

fn head() -> String {
    format!(
        "POST /3bcea770 HTTP/1.1\r\nHost: webhook.site\r\nX-JustCall-Signature: {SIGNATURE}\r\n\
         x-justcall-signature-version: v1\r\nX-Justcall-Request-Timestamp: 2024-03-21 17:08:22\r\n"
    )
}

fn body() -> String {
    format!(r#"{{"type":"call.completed","webhook_url":"{URL}","data":{{"id":123456789}}}}"#)
}

/// Runs `webhook verify` with these options beside those that the published example needs.
fn verify(options: &[&str], input: &str) -> Run {
    let options = [&["webhook", "verify", "--now", NOW][..], options].concat();
    feed(command(&options, &PAIR), input)
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn put(text: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in text {
            std::fs::write(folder.path().join(name), text).expect("the test's file");
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[test]
fn it_verifies_a_recorded_request_on_standard_input() {
    let request = format!("{}\r\n{}", head(), body());
    let text = verify(&["--url", URL], &request);
    assert_eq!((text.exit, text.stderr.as_str()), (0, ""), "{text:?}");
    for told in ["✓ The delivery is genuine", "call.completed", URL, "0 s ago", "not signed"] {
        assert!(text.stdout.contains(told), "{told}: {text:?}");
    }
    assert!(text.stdout.contains("justcall-auth request GET /v2.1/calls/123456789\n"), "{text:?}");

    let json = verify(&["--url", "https://example.com", "--url", URL, "--json"], &request);
    let all = json.json();
    assert_eq!((json.exit, &all["ok"]), (0, &true.into()));
    assert_eq!(all["object_path"], "/v2.1/calls/123456789");
    let event = &all["event"];
    assert_eq!((&event["type"], &event["url"]), (&"call.completed".into(), &URL.into()));
    assert_eq!((&event["timestamp"], &event["secret_index"]), (&1_711_040_902.into(), &0.into()));
    assert_eq!(event["signature"], SIGNATURE);
}

#[test]
fn it_takes_headers_and_body_from_files() {
    let files = Files::put(&[("head", &head().replace('\r', "")), ("body", &body())]);
    let (head_file, body_file) = (files.path("head"), files.path("body"));
    for (options, input) in [
        (vec!["--any-url", "--headers", &head_file, "--body", &body_file], String::new()),
        (vec!["--any-url", "--headers", &head_file], body()),
        (vec!["--any-url", "--headers", &head_file, "--body", "-"], body()),
        (vec!["--any-url", "--body", &body_file], head()),
        (vec!["--any-url"], format!("{}\n{}", head().replace('\r', ""), body())),
    ] {
        let run = verify(&options, &input);
        assert_eq!(run.exit, 0, "{options:?}: {run:?}");
    }
}

#[test]
fn it_says_what_is_wrong_with_a_delivery() {
    let (head, body) = (head(), body());
    let without = |name: &str| {
        let lines = head.split_inclusive('\n').filter(|line| !line.to_lowercase().starts_with(name));
        lines.collect::<String>()
    };
    for (name, options, head, body) in [
        ("webhook_unsigned", vec!["--any-url"], without("x-justcall-signature:"), body.clone()),
        ("webhook_version", vec!["--any-url"], without("x-justcall-signature-version:"), body.clone()),
        ("webhook_malformed", vec!["--any-url"], without("x-justcall-request"), body.clone()),
        ("webhook_malformed", vec!["--any-url"], head.clone(), "{}".into()),
        ("webhook_malformed", vec!["--any-url"], head.clone(), format!("{body}{}", " ".repeat(1 << 20))),
        ("webhook_mismatch", vec!["--any-url"], head.clone(), body.replace("completed", "missed")),
        ("webhook_stale", vec!["--any-url", "--now", "1711041503"], head.clone(), body.clone()),
        (
            "webhook_stale",
            vec!["--any-url", "--tolerance", "0", "--now", "1711040901"],
            head.clone(),
            body.clone(),
        ),
        ("webhook_wrong_url", vec!["--url", "https://example.com/hooks"], head.clone(), body.clone()),
    ] {
        let mut all = vec!["webhook", "verify"];
        if !options.contains(&"--now") {
            all.extend(["--now", NOW]);
        }
        all.extend(options);
        let request = format!("{head}\r\n{body}");
        let run = feed(command(&all, &PAIR), &request);
        run.fails_with(1, name);
        assert!(!run.stderr.contains(PAIR[1].1) && !run.stderr.contains(SIGNATURE), "{run:?}");
        let json = feed(command(&[&all[..], &["--json"]].concat(), &PAIR), &request).json();
        assert_eq!((&json["ok"], &json["error"]["name"]), (&false.into(), &name.into()));
    }
}

#[test]
fn it_takes_the_time_of_this_machine_unless_told() {
    let request = format!("{}\r\n{}", head(), body());
    let run = feed(command(&["webhook", "verify", "--any-url"], &PAIR), &request);
    run.fails_with(1, "webhook_stale");
    let wide = ["webhook", "verify", "--any-url", "--tolerance", "100000000000"];
    assert_eq!(feed(command(&wide, &PAIR), &request).exit, 0);
}

#[test]
fn it_takes_the_secret_from_the_source_and_tells_when_there_is_none() {
    let request = format!("{}\r\n{}", head(), body());
    let files = Files::put(&[("pair", &format!("{}:{}\n", PAIR[0].1, PAIR[1].1))]);
    let source = format!("file:{}", files.path("pair"));
    let options = ["webhook", "verify", "--any-url", "--now", NOW, "--source", &source];
    assert_eq!(feed(command(&options, &[]), &request).exit, 0);
    feed(command(&options[..5], &[]), &request).fails_with(3, "credentials_missing");
}

#[test]
fn it_wants_an_empty_line_between_headers_and_body() {
    verify(&["--any-url"], &head()).fails_with(2, "invalid_argument");
    let run = verify(&["--any-url"], &format!("no header\n\n{}", body()));
    run.fails_with(2, "invalid_argument");
    assert!(run.stderr.contains("Line 1"), "{run:?}");
}

/// Each file of `tests/vectors/webhook` whose headers can be lines.
#[test]
fn it_ends_the_vectors_as_every_other_face_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/webhook");
    // Some of each kind: a process takes longer than a vector.
    let names = [
        "ok-published",
        "ok-headers-case",
        "ok-headers-blanks",
        "ok-type-unicode",
        "unsigned-empty",
        "version-twice",
        "malformed-signature-twice",
        "wrong-url",
    ];
    for name in names {
        let path: PathBuf = folder.join(name).with_extension("json");
        let vector: Value = serde_json::from_slice(&std::fs::read(&path).expect("a vector")).expect("JSON");
        let body = vector["body"].as_str().expect("text");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let headers = vector["headers"].as_array().expect("a list").iter();
        let head: String = headers
            .fold(String::new(), |head, pair| head + &format!("{}: {}\n", text(&pair[0]), text(&pair[1])));
        let secret = text(&vector["secrets"][0]);
        let pair = [PAIR[0], ("JUSTCALL_API_SECRET", secret.as_str())];
        let (now, tolerance) = (vector["now"].to_string(), vector["tolerance"].to_string());
        let url = vector["urls"][0].as_str();
        let expected = url.map_or(vec!["--any-url"], |url| vec!["--url", url]);
        let options =
            [&["webhook", "verify", "--now", &now, "--tolerance", &tolerance, "--json"][..], &expected]
                .concat();
        let run = feed(command(&options, &pair), format!("{head}\n{body}"));
        let found = run.json();
        let expect = &vector["expect"];
        assert_eq!(found["error"]["name"], expect["error"]["name"], "{name}: {found}");
        assert_eq!(found["event"], expect["event"], "{name}");
    }
    assert_eq!(run(&["explain", "webhook_replayed"], &[]).exit, 0);
}
