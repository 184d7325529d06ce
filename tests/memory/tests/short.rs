//! The short form: the moments that every program has, in C and in Python, with their controls.
#![cfg(target_os = "linux")]

use justcall_auth_memory_tests::matrix::judge;
use justcall_auth_memory_tests::programs::{Kind, Programs};
use justcall_auth_memory_tests::rows::{Level, Plan, ROWS};
use justcall_auth_memory_tests::sandbox::Sandbox;

fn look(kind: Kind) {
    let programs = Programs::find().expect("what is tested is there");
    programs.has(kind).expect("it is there");
    let sandbox = Sandbox::start(&programs.sandbox()).expect("a sandbox");
    let rows: Vec<_> = ROWS.iter().filter(|row| row.is_short && row.is_for(kind)).collect();
    assert_eq!(rows.len(), if kind == Kind::C { 8 } else { 7 });
    for row in rows {
        let plan = Plan { kind, level: Level::Locked, threads: 1, buffers: None };
        let outcome = judge(&programs, &sandbox, row, plan).expect(row.name);
        assert!(outcome.complaints.is_empty(), "{}: {:#?}", row.name, outcome);
    }
}

#[test]
fn it_leaves_no_plain_copy_in_a_c_program_and_its_core_file() {
    look(Kind::C);
}

#[test]
fn it_leaves_no_plain_copy_in_python_and_its_core_file() {
    look(Kind::Python);
}
