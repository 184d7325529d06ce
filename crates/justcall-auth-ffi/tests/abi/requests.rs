//! Runs the programs in `tests/c` that need a sandbox: requests, responses, source callbacks, exchanges, resets, options
//! and cancellation.

use std::process::Command;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

/// Stands for a folder in which a program may create files.
const FOLDER: &str = "FOLDER";

/// The programs with their arguments, and with smaller or longer ones for valgrind, which is slow: the size of the bodies
/// in MiB, and the time limit for a cancelled call in milliseconds.
const PROGRAMS: [(&str, &[&str], &[&str]); 9] = [
    ("requests.c", &["16"], &["1"]),
    ("responses.c", &[], &[]),
    ("callback.c", &[], &[]),
    ("exchanges.c", &[FOLDER], &[FOLDER]),
    ("delivery.c", &[FOLDER], &[FOLDER]),
    ("rotation.c", &[FOLDER], &[FOLDER]),
    ("options.c", &[FOLDER], &[FOLDER]),
    ("cancel.c", &["1000", FOLDER], &["10000", FOLDER]),
    ("thread_cancel.c", &[FOLDER], &[FOLDER]),
];

fn compile(name: &str, standard: Standard, link: Link) -> Program {
    Program::compile(&root().join("tests/c").join(name), standard, link, &RUNNER_LIBRARIES)
}

/// Runs the command that `command` returns for `arguments`, with the line of `service` in its environment.
fn run(command: impl FnOnce(&[&str]) -> Command, arguments: &[&str], service: &Service) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let folder = folder.path().to_str().expect("UTF-8");
    let arguments: Vec<&str> =
        arguments.iter().map(|argument| if *argument == FOLDER { folder } else { argument }).collect();
    succeed(command(&arguments).env("JUSTCALL_SANDBOX", service.line()));
}

#[test]
fn it_keeps_the_promises_of_its_comments_with_a_service() {
    let service = Service::start();
    for (name, arguments, _) in PROGRAMS {
        for standard in [Standard::C99, Standard::Cpp20] {
            let program = compile(name, standard, Link::Shared(library::folder()));
            run(|arguments| program.command(arguments), arguments, &service);
        }
        for standard in [Standard::C11, Standard::Cpp11] {
            compile(name, standard, Link::Shared(library::folder()));
        }
    }
}

#[test]
fn it_keeps_the_promises_with_a_service_linked_statically() {
    let service = Service::start();
    for (name, arguments, _) in PROGRAMS {
        let program = compile(name, Standard::C11, Link::Static(library::folder()));
        run(|arguments| program.command(arguments), arguments, &service);
    }
}

/// With plain HTTP valgrind checks everything, including the sent bytes. With TLS it does not check for uninitialised
/// values: it takes the results of the cryptography's assembly for uninitialised.
#[test]
fn it_neither_leaks_nor_misuses_memory_during_calls() {
    let (plain, secure) = (Service::start_plain(), Service::start());
    for (name, _, arguments) in PROGRAMS {
        let program = compile(name, Standard::C11, Link::Shared(library::folder()));
        run(|arguments| program.valgrind(&[], arguments), arguments, &plain);
        run(|arguments| program.valgrind(&["--undef-value-errors=no"], arguments), arguments, &secure);
    }
}
