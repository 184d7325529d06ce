//! The programs in `tests/cpp` that need no service.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use crate::compiler::{NO_EXCEPTIONS, STANDARDS, link, program_of_tests, source, unit};
use crate::support::program::succeed;

/// A file with the pair that the programs know.
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
fn it_has_handles_that_move_and_refuse() {
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
fn it_frees_no_secret_unwiped() {
    succeed(&mut program_of_tests("secrets.cpp", &[]).command::<&str>(&[]));
    // The optimiser would leave out a wipe that nothing reads.
    succeed(&mut program_of_tests("secrets.cpp", &["-O2"]).command::<&str>(&[]));
}

#[test]
fn it_links_from_two_units_with_and_without_exceptions() {
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
fn it_ends_a_program_that_uses_what_is_not_there() {
    let program = program_of_tests("misuse.cpp", &[]);
    for misuse in ["0", "1", "2", "3"] {
        let output = program.command(&[misuse]).output().expect("the program runs");
        assert_eq!(output.status.signal(), Some(6), "misuse {misuse} ended with {}", output.status);
    }
}
