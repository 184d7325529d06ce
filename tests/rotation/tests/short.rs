//! The short variant: a C program and a Python program, four threads each, through two resets.

use justcall_auth_rotation_tests::chart::draw;
use justcall_auth_rotation_tests::judge::judge;
use justcall_auth_rotation_tests::run::{PlannedReset, RunOutcome, RunPlan, run};
use justcall_auth_rotation_tests::source::SourceKind;
use justcall_auth_rotation_tests::worker::{CallLoad, WorkerLanguage, WorkerPrograms};

fn short(kind: SourceKind, wait_ms: u64) -> RunOutcome {
    let load = CallLoad { threads: 4, calls: 50, every: 100_000_000, wait_ms };
    let resets =
        vec![PlannedReset { after_ms: 1000, lag_ms: 1200 }, PlannedReset { after_ms: 3500, lag_ms: 0 }];
    let plan = RunPlan { kind, workers: vec![WorkerLanguage::C, WorkerLanguage::Python], load, resets };
    run(&WorkerPrograms::find().expect("the worker programs are found"), plan).expect("the run succeeds")
}

fn check(outcome: &RunOutcome) {
    for promise in judge(outcome).iter().filter(|promise| !promise.needs_quiet) {
        assert!(promise.kept, "{}: {}", promise.what, promise.found);
    }
}

#[test]
fn it_loses_no_call_to_a_reset_when_the_pair_comes_from_a_file() {
    let outcome = short(SourceKind::File, 10_000);
    check(&outcome);
    assert!(draw(&outcome, "a title").contains("a title"));
}

#[test]
fn it_loses_no_call_to_a_reset_when_the_pair_comes_from_a_folder_that_is_swapped() {
    check(&short(SourceKind::Dir, 10_000));
}

#[test]
fn it_reports_calls_that_fail_without_a_rotation_wait() {
    let outcome = short(SourceKind::File, 0);
    let failed = &judge(&outcome)[0];
    assert!(!failed.kept, "without rotation_wait, calls must fail in the gap: {}", failed.found);
}
