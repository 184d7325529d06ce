//! The short form: a C program and a Python program, four threads each, through two resets.

use justcall_auth_rotation_tests::judge::judge;
use justcall_auth_rotation_tests::picture::draw;
use justcall_auth_rotation_tests::place::Kind;
use justcall_auth_rotation_tests::run::{Outcome, Plan, Reset, run};
use justcall_auth_rotation_tests::worker::{Language, Load, Programs};

fn short(kind: Kind, wait_ms: u64) -> Outcome {
    let load = Load { threads: 4, calls: 50, every: 100_000_000, wait_ms };
    let resets = vec![Reset { after_ms: 1000, lag_ms: 1200 }, Reset { after_ms: 3500, lag_ms: 0 }];
    let plan = Plan { kind, workers: vec![Language::C, Language::Python], load, resets };
    run(&Programs::find().expect("the programs"), plan).expect("a run")
}

fn check(outcome: &Outcome) {
    for promise in judge(outcome).iter().filter(|promise| !promise.needs_quiet) {
        assert!(promise.kept, "{}: {}", promise.what, promise.found);
    }
}

#[test]
fn it_loses_no_call_to_a_reset_when_the_pair_comes_from_a_file() {
    let outcome = short(Kind::File, 10_000);
    check(&outcome);
    assert!(draw(&outcome, "a title").contains("a title"));
}

#[test]
fn it_loses_no_call_to_a_reset_when_the_pair_comes_from_a_folder_that_is_swapped() {
    check(&short(Kind::Dir, 10_000));
}

#[test]
fn it_would_see_the_calls_that_fail() {
    let outcome = short(Kind::File, 0);
    let failed = &judge(&outcome)[0];
    assert!(!failed.kept, "without a wait calls fail in the gap: {}", failed.found);
}
