//! Runs `tests/c/fork.c`: programs that fork while they have a client.

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

fn run(standard: Standard, link: Link) {
    let service = Service::start();
    let program = Program::compile(&root().join("tests/c/fork.c"), standard, link, &RUNNER_LIBRARIES);
    succeed(program.command(&[service.good_source()]).env("JUSTCALL_SANDBOX", service.line()));
}

#[test]
fn it_works_in_parent_and_child_after_a_fork() {
    for standard in Standard::ALL {
        run(standard, Link::Shared(library::folder()));
    }
}

#[test]
fn it_works_in_parent_and_child_after_a_fork_linked_statically() {
    run(Standard::C11, Link::Static(library::folder()));
}
