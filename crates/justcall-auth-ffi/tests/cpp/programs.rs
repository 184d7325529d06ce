//! Runs the programs in `tests/cpp` that need no service.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use crate::compiler::{NO_EXCEPTIONS, STANDARDS, link, program_of_tests, source, unit};
use crate::support::program::succeed;

/// Creates a file with the pair that the programs expect.
fn pair_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file for the test");
    fs::write(&file, "abc123def456:sec789xyz000\n").expect("the test's file");
    file
}

#[test]
fn it_keeps_the_promises_of_its_types() {
    succeed(&mut program_of_tests("types.cpp", &[]).command::<&str>(&[]));
}

#[test]
fn its_handles_can_be_moved_and_refuse_invalid_arguments() {
    let file = pair_file();
    let program = program_of_tests("handles.cpp", &[]);
    succeed(&mut program.command(&[file.path()]));
    succeed(&mut program.valgrind(&[], &[file.path()]));
}

#[test]
fn it_verifies_webhooks() {
    for options in [&[][..], &["-O2"]] {
        succeed(&mut program_of_tests("webhooks.cpp", options).command::<&str>(&[]));
    }
    succeed(&mut program_of_tests("webhooks.cpp", &[]).valgrind::<&str>(&[], &[]));
}

#[test]
fn it_wipes_every_secret_before_it_frees_it() {
    succeed(&mut program_of_tests("secrets.cpp", &[]).command::<&str>(&[]));
    // An optimiser could remove a wipe of memory that is not read again.
    succeed(&mut program_of_tests("secrets.cpp", &["-O2"]).command::<&str>(&[]));
}

#[test]
fn two_units_with_and_without_exceptions_link() {
    for standard in STANDARDS {
        let main = unit(&source("units_main.cpp"), standard, &[]);
        for options in [&[][..], &NO_EXCEPTIONS] {
            let other = unit(&source("units_other.cpp"), standard, options);
            let program = link(&[main.clone(), other], standard);
            assert_eq!(succeed(&mut program.command::<&str>(&[])), "good\n");
        }
    }
}

#[test]
fn it_aborts_a_program_that_reads_a_missing_value() {
    let program = program_of_tests("misuse.cpp", &[]);
    for misuse in ["0", "1", "2", "3"] {
        let output = program.command(&[misuse]).output().expect("the program runs");
        assert_eq!(output.status.signal(), Some(6), "misuse {misuse} ended with {}", output.status);
    }
}
