//! The short variant of the matrix: some of its moments in C and in Python, with their controls.
#![cfg(target_os = "linux")]

use justcall_auth_memory_tests::matrix::judge;
use justcall_auth_memory_tests::programs::{ProgramKind, TestPrograms};
use justcall_auth_memory_tests::rows::{ROWS, ScanPlan, TargetLevel};
use justcall_auth_memory_tests::sandbox::SandboxProcess;

fn scan(kind: ProgramKind) {
    let programs = TestPrograms::find().expect("the programs are found");
    programs.require(kind).expect("the program can be started");
    let sandbox = SandboxProcess::start(&programs.sandbox()).expect("the sandbox starts");
    let rows: Vec<_> = ROWS.iter().filter(|row| row.is_short && row.is_for(kind)).collect();
    assert_eq!(rows.len(), if kind == ProgramKind::C { 9 } else { 8 });
    for row in rows {
        let plan = ScanPlan { kind, level: TargetLevel::Locked, threads: 1, buffers: None };
        let outcome = judge(&programs, &sandbox, row, plan).expect(row.name);
        assert!(outcome.complaints.is_empty(), "{}: {:#?}", row.name, outcome);
    }
}

#[test]
fn it_leaves_no_plain_copy_in_a_c_program_and_its_core_file() {
    scan(ProgramKind::C);
}

#[test]
fn it_leaves_no_plain_copy_in_python_and_its_core_file() {
    scan(ProgramKind::Python);
}
