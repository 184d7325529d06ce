//! The programs in `tests/c` that send whole requests, read answers and bring a source of their own.

use std::process::Command;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

/// Each with its arguments, and with those for valgrind, under which large bodies would take long: the size in MiB.
const PROGRAMS: [(&str, &[&str], &[&str]); 3] =
    [("requests.c", &["16"], &["1"]), ("responses.c", &[], &[]), ("callback.c", &[], &[])];

fn compile(name: &str, standard: Standard, link: Link) -> Program {
    Program::compile(&root().join("tests/c").join(name), standard, link, &RUNNER_LIBRARIES)
}

/// Runs `command` with `service` to talk to.
fn run(mut command: Command, service: &Service) {
    succeed(command.env("JUSTCALL_SANDBOX", service.line()));
}

#[test]
fn it_sends_and_brings_back_what_its_comments_promise() {
    let service = Service::start();
    for (name, arguments, _) in PROGRAMS {
        for standard in [Standard::C99, Standard::Cpp20] {
            let program = compile(name, standard, Link::Shared(library::folder()));
            run(program.command(arguments), &service);
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
        run(compile(name, Standard::C11, Link::Static(library::folder())).command(arguments), &service);
    }
}

/// Over plain HTTP all that valgrind can see is looked at, what is sent included. Over TLS not whether bytes were ever
/// written: to valgrind, what the assembly of the cryptography computes never was.
#[test]
fn it_neither_leaks_nor_misuses_memory_on_the_way() {
    let (plain, secure) = (Service::start_plain(), Service::start());
    for (name, _, arguments) in PROGRAMS {
        let program = compile(name, Standard::C11, Link::Shared(library::folder()));
        run(program.valgrind(&[], arguments), &plain);
        run(program.valgrind(&["--undef-value-errors=no"], arguments), &secure);
    }
}
