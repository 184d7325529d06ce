//! Checks what the library costs its host process: memory, stack, and reports of memory checkers.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use serde_json::json;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, fail, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

/// The stack that is enough for every function: the default of musl for threads.
const STACK_KIB: &str = "128";

fn compile(name: &str, standard: Standard, libraries: &[&str]) -> Program {
    Program::compile(&root().join("tests/c").join(name), standard, Link::Shared(library::folder()), libraries)
}

#[test]
fn it_fails_with_out_of_memory_if_an_argument_or_a_response_does_not_fit() {
    let service = Service::start_plain();
    let fault = json!({"fault": "huge_body", "bytes": 30 << 20, "chunked": true});
    service.sandbox.control("POST", "faults", &fault).expect("a fault");
    for standard in [Standard::C99, Standard::Cpp20] {
        let program = compile("out_of_memory.c", standard, &[]);
        let printed = succeed(&mut program.command(&[service.sandbox.url()]));
        assert!(!printed.contains("memory allocation"), "the library printed something:\n{printed}");
    }
}

#[test]
fn it_works_on_a_stack_of_128_kib() {
    let (service, folder) = (Service::start(), tempfile::tempdir().expect("a folder for the test"));
    let program = compile("small_stack.c", Standard::C99, &RUNNER_LIBRARIES);
    let run = |stack: &str| -> Command {
        let mut command = program.command(&[stack.as_ref(), folder.path().as_os_str()]);
        command.env("JUSTCALL_SANDBOX", service.line());
        command
    };
    succeed(&mut run(STACK_KIB));
    let control = run("24").output().expect("it runs");
    assert_eq!(control.status.signal(), Some(11), "the control: 24 KiB are too little\n{control:?}");
}

#[test]
fn it_changes_nothing_of_its_host_and_prints_nothing() {
    let service = Service::start();
    let program = compile("host.c", Standard::C99, &[]);
    let source = service.good_source();
    let run = |more: &[&str]| {
        let mut command = program.command(&[service.sandbox.url(), service.ca_file(), &source]);
        command.args(more);
        command
    };
    // `checks_result` prints one line, and the library nothing.
    let printed = succeed(&mut run(&[]));
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let printed = fail(&mut run(&["change"]), 1);
    for what in ["a signal handler", "the locale", "the environment", "the allocator", "a thread"] {
        assert!(printed.contains(&format!("changed: {what}\n")), "the control: {what}\n{printed}");
    }
}

#[test]
fn it_aborts_with_a_message_if_a_small_allocation_fails() {
    let program = compile("small_allocation.c", Standard::C99, &[]);
    // The standard library would try to print a backtrace, for which there is no memory either.
    let output = program.command::<&str>(&[]).env_remove("RUST_BACKTRACE").output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    assert!(printed.starts_with("memory allocation of "), "{printed}");
}

/// Uses the published suppressions, and no other option that hides an error.
#[test]
fn valgrind_reports_nothing_with_the_published_suppressions() {
    let service = Service::start();
    let program = compile("host.c", Standard::C99, &[]);
    let (source, suppressions) = (service.good_source(), root().join("include/justcall_auth.supp"));
    let run = |more: &[&str]| {
        let mut command = Command::new("valgrind");
        command.arg(format!("--suppressions={}", suppressions.display()));
        command.args(["--leak-check=full", "--error-exitcode=9"]).arg(&program.path);
        command.args([service.sandbox.url(), service.ca_file(), &source]).args(more);
        command.env("LD_LIBRARY_PATH", &program.library);
        command
    };
    let printed = succeed(&mut run(&[]));
    assert!(printed.contains("ERROR SUMMARY: 0 errors from 0 contexts"), "{printed}");
    assert!(printed.contains("possibly lost: 0 bytes in 0 blocks"), "{printed}");
    let printed = fail(&mut run(&["misuse"]), 9);
    assert!(printed.contains("uninitialised value"), "{printed}");
    assert!(printed.contains("64 bytes in 1 blocks are definitely lost"), "{printed}");
}
