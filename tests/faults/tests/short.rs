//! The short variant: a few calls fail, and the judge notices every planted bug.

use justcall_auth_fault_tests::programs::{Program, Programs};
use justcall_auth_fault_tests::run::Case;
use justcall_auth_fault_tests::scenario::Scenario;
use justcall_auth_fault_tests::sweep::{Extent, sweep};
use justcall_auth_fault_tests::{allocations, planted};

fn programs() -> Programs {
    Programs::find().expect("the programs are found")
}

fn case(program: Program, scenario: Scenario) -> Case {
    Case { program, scenario }
}

#[test]
fn it_reports_a_failed_system_call_in_the_right_row() {
    let cases = [
        case(Program::C, Scenario::Verify),
        case(Program::Python, Scenario::Reset),
        case(Program::Cli, Scenario::RotateFile),
    ];
    let names = &["openat", "mmap", "connect", "sendto", "recvfrom", "rename"];
    let sweep = sweep(&programs(), &cases, &Extent::Sample(names), "none").expect("the programs run");
    assert_eq!(sweep.broken(), Vec::<String>::new());
    assert!(sweep.runs.len() > 20, "{}", sweep.report());
    let reached = sweep.runs.iter().filter_map(|run| run.verdict.as_ref());
    assert!(reached.filter(|verdict| verdict.result != "ok").count() > 5, "{}", sweep.report());
}

#[test]
fn it_withstands_a_folder_that_cannot_be_closed() {
    // The standard library's iterator over a folder panics then.
    let case = case(Program::Cli, Scenario::RotateDir);
    let sweep = sweep(&programs(), &[case], &Extent::Every("close"), "none").expect("the programs run");
    assert_eq!(sweep.broken(), Vec::<String>::new());
    assert!(sweep.runs.len() > 10, "{}", sweep.report());
}

#[test]
fn it_notices_a_program_that_reacts_wrongly() {
    assert_eq!(planted::check(&programs()).expect("every planted bug is noticed").len(), 7);
}

#[test]
fn it_continues_or_aborts_as_documented_if_an_allocation_fails() {
    let programs = programs();
    let cases = [case(Program::C, Scenario::LoadFile), case(Program::C, Scenario::Request)];
    let sweeps = allocations::sweep(&programs, &cases, 400, "none").expect("the programs run");
    assert_eq!(allocations::broken(&sweeps), Vec::<String>::new());
    let results = || sweeps.iter().flat_map(|sweep| &sweep.runs).map(|(_, verdict)| verdict.result.as_str());
    for expected in ["abort, announced", "out_of_memory"] {
        assert!(results().any(|result| result == expected), "{}", allocations::report(&sweeps));
    }
}

#[test]
fn it_never_takes_a_lack_of_memory_in_python_for_a_missing_header_or_a_request_that_was_not_sent() {
    let programs = programs();
    for (scenario, most) in [(Scenario::Webhook, 200), (Scenario::Request, 60)] {
        let sweeps = allocations::sweep(&programs, &[case(Program::Python, scenario)], most, "none");
        let sweeps = sweeps.expect("the program runs");
        assert_eq!(allocations::broken(&sweeps), Vec::<String>::new());
        let mut results = sweeps[0].runs.iter().map(|(_, verdict)| verdict.result.as_str());
        assert!(results.any(|result| result == "out_of_memory"), "{}", allocations::report(&sweeps));
    }
}
