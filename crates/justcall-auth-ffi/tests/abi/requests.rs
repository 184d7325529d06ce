//! The programs in `tests/c` that send whole requests, read answers, bring a source or HTTP of their own, go through a
//! reset, end calls and cancel threads.

use std::process::Command;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

/// Stands for a folder in which a program may make files.
const FOLDER: &str = "FOLDER";

/// Each with its arguments, and with those for valgrind, under which large bodies would take long: the size in MiB; and
/// so would anything: how many milliseconds a call may go on that was ended.
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

/// Runs the command that `command` makes with `arguments`, with `service` to talk to.
fn run(command: impl FnOnce(&[&str]) -> Command, arguments: &[&str], service: &Service) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let folder = folder.path().to_str().expect("UTF-8");
    let arguments: Vec<&str> =
        arguments.iter().map(|argument| if *argument == FOLDER { folder } else { argument }).collect();
    succeed(command(&arguments).env("JUSTCALL_SANDBOX", service.line()));
}

#[test]
fn it_sends_and_brings_back_what_its_comments_promise() {
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
fn it_sends_and_brings_back_the_same_linked_statically() {
    let service = Service::start();
    for (name, arguments, _) in PROGRAMS {
        let program = compile(name, Standard::C11, Link::Static(library::folder()));
        run(|arguments| program.command(arguments), arguments, &service);
    }
}

/// Over plain HTTP all that valgrind can see is looked at, what is sent included. Over TLS not whether bytes were ever
/// written: to valgrind, what the assembly of the cryptography computes never was.
#[test]
fn it_neither_leaks_nor_misuses_memory_on_the_way() {
    let (plain, secure) = (Service::start_plain(), Service::start());
    for (name, _, arguments) in PROGRAMS {
        let program = compile(name, Standard::C11, Link::Shared(library::folder()));
        run(|arguments| program.valgrind(&[], arguments), arguments, &plain);
        run(|arguments| program.valgrind(&["--undef-value-errors=no"], arguments), arguments, &secure);
    }
}
