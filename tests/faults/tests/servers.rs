//! Real servers, networks and clocks. `cargo xtask test --full` runs every vector in every language, this test each one in
//! the next language.

use justcall_auth_fault_tests::vectors::caller::Language;
use justcall_auth_fault_tests::vectors::report::{Runner, failures, in_one_language_each, named};
use justcall_auth_fault_tests::vectors::vector::{self, FOLDERS, Vector};
use serde_json::{Value, json};

fn runner() -> Runner {
    Runner::new().expect("the programs and the certificates are there")
}

#[test]
fn every_fault_of_a_server_a_network_or_a_clock_ends_in_its_row_of_the_table() {
    let vectors = vector::all().expect("the vectors can be read");
    for (folder, at_least) in FOLDERS.into_iter().zip([120, 25, 20]) {
        let count = vectors.iter().filter(|vector| vector.file.starts_with(folder)).count();
        assert!(count >= at_least, "{count} vectors in {folder}");
    }
    let finished = runner().run_all(&in_one_language_each(&vectors));
    assert_eq!(finished.len(), vectors.len());
    assert_eq!(failures(&finished), Vec::<String>::new());
}

#[test]
fn it_notices_a_row_that_is_not_the_expected_one() {
    let planted = runner().check_planted(&named("A rate limit with Retry-After").expect("a vector"));
    assert_eq!(planted.expect("each is noticed").len(), 5);
}

#[test]
fn it_notices_a_black_hole_that_drops_nothing_and_a_clock_that_stands_still() {
    let runner = runner();
    let run_with = |title: &str, name: &str, value: Value| {
        let vector = named(title).expect("a vector");
        runner.run(&vector, Language::C).expect("the fault is there");
        let mut changed = vector.json.clone();
        changed[name] = value;
        let changed = Vector::parse(&vector.file, vector.number, &changed).expect("a vector");
        format!("{:#}", runner.run(&changed, Language::C).expect_err("the fault is missing"))
    };
    let route = json!(["ip address add 192.0.2.2/32 dev lo"]);
    let refused = run_with("A black hole: packets are dropped", "network", route);
    assert!(refused.contains("connection_failed") && refused.contains("it is not timeout"), "{refused}");
    let verified = run_with("The clock is ten years fast", "clock", json!("+0"));
    assert!(verified.contains("it is not tls_failed"), "{verified}");
}

#[test]
fn it_neither_loses_nor_repeats_a_request_while_a_server_reloads() {
    let storms = runner().storms().expect("every row fits what the server received");
    for (server, language, storm) in storms {
        let is_real = storm.reloads >= 4 && storm.connections >= 2 && storm.calls >= 200;
        assert!(is_real, "{server:?}, {language:?}: {storm:?}");
        assert!(storm.failed * 10 < storm.calls, "most calls succeed: {storm:?}");
    }
}

fn parse(value: &Value) -> Result<(), String> {
    Vector::parse("", 0, value).map(drop).map_err(|error| error.to_string())
}

#[test]
fn it_refuses_vectors_that_are_misspelt_or_break_a_promise() {
    let vector = |call: &str, changes: &[(&str, Value)]| {
        let mut expect = json!({"name": "ok", "http_status": 200, "request_sent": true,
            "retry_after_ms": null, "received": 1});
        for (name, value) in changes {
            expect[*name] = value.clone();
        }
        json!({"about": "", "steps": [{"call": call, "expect": expect}]})
    };
    assert_eq!(parse(&vector("get /", &[])), Ok(()));
    for (call, changes) in [
        ("get /", &[("weather", json!(""))][..]),
        ("get /", &[("received", json!(0))]),
        ("get /", &[("request_sent", json!(false))]),
        ("post / 2", &[("received", json!(2))]),
        ("get /", &[("http_status", json!("200"))]),
    ] {
        assert!(parse(&vector(call, changes)).is_err(), "{call} {changes:?}");
    }
    for (name, value) in [("weather", json!("")), ("server", json!("apache")), ("pair", json!("none"))] {
        let mut changed = vector("get /", &[]);
        changed[name] = value;
        assert!(parse(&changed).is_err(), "{name}");
    }
    assert!(parse(&json!({"steps": [{"do": "sing"}]})).is_err());
    assert!(parse(&json!({"steps": [{"do": "stop", "clock": "+1"}]})).is_err());
    assert!(parse(&json!({"about": ""})).is_err());
}
