//! The programs in `tests/c` that need no service.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::support::program::{Link, Program, Standard, compile_alone, fail, succeed};
use crate::support::{header, library, root};

fn source(name: &str) -> PathBuf {
    root().join("tests/c").join(name)
}

/// What `api.c` is given: a file with a pair, and one with a certificate.
struct ApiFiles {
    folder: TempDir,
    service: crate::support::sandbox::Service,
}

impl ApiFiles {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("pair"), "abc123def456:sec789xyz000\n").expect("the test's file");
        Self { folder, service: crate::support::sandbox::Service::start() }
    }

    fn arguments(&self) -> [String; 2] {
        [self.folder.path().join("pair").display().to_string(), self.service.ca_file().to_owned()]
    }
}

#[test]
fn it_has_a_header_that_compiles_alone_in_every_standard() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let alone = folder.path().join("alone.c");
    fs::write(&alone, "#include <justcall_auth.h>\n#include <justcall_auth.h>\n").expect("the test's file");
    for standard in Standard::ALL {
        compile_alone(&alone, standard);
    }
}

#[test]
fn it_has_an_example_in_the_header_that_works() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let example = folder.path().join("introduction.c");
    fs::write(&example, header::example()).expect("the test's file");
    for standard in Standard::ALL {
        let program = Program::compile(&example, standard, Link::Shared(library::folder()), &[]);
        let said = fail(&mut program.command::<&str>(&[]), 1);
        assert!(said.contains("No API key and secret were found"), "{said}");
    }
}

#[test]
fn it_does_what_its_comments_promise() {
    let files = ApiFiles::make();
    for standard in Standard::ALL {
        let api = Program::compile(&source("api.c"), standard, Link::Shared(library::folder()), &[]);
        succeed(&mut api.command(&files.arguments()));
        for name in ["errors.c", "reports.c", "webhooks.c"] {
            let program = Program::compile(&source(name), standard, Link::Shared(library::folder()), &[]);
            succeed(&mut program.command::<&str>(&[]));
        }
    }
}

#[test]
fn it_does_the_same_linked_statically() {
    let files = ApiFiles::make();
    let api = Program::compile(&source("api.c"), Standard::C99, Link::Static(library::folder()), &[]);
    succeed(&mut api.command(&files.arguments()));
}

#[test]
fn it_neither_leaks_nor_misuses_memory() {
    let files = ApiFiles::make();
    let alone = ["errors.c", "reports.c", "webhooks.c"].map(|name| (name, Vec::new()));
    for (name, arguments) in [("api.c", files.arguments().to_vec())].into_iter().chain(alone) {
        let program = Program::compile(&source(name), Standard::C11, Link::Shared(library::folder()), &[]);
        succeed(&mut program.valgrind(&[], &arguments));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_stays_in_memory_when_it_is_unloaded() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let program =
        Program::compile(&source("unload.c"), Standard::C99, Link::Shared(library::folder()), &["-ldl"]);
    // A copy, which the program is not linked with.
    let copy = folder.path().join("copy.so");
    fs::copy(library::shared(library::folder()), &copy).expect("a copy");
    assert_eq!(succeed(&mut program.command(&[&copy])), "loaded\n");

    let (text, other) = (folder.path().join("other.c"), folder.path().join("other.so"));
    let code = "#include <justcall_auth.h>\n\
                const char *justcall_version(void) { return JUSTCALL_VERSION_STRING; }\n";
    fs::write(&text, code).expect("the test's file");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-I"]).arg(root().join("include")).arg("-o").arg(&other).arg(&text);
    succeed(&mut compiler);
    assert_eq!(fail(&mut program.command(&[&other]), 1), "unloaded\n", "the control");
}

#[test]
fn it_survives_a_bug_of_its_own() {
    let folder = library::folder_with_test_panic();
    for standard in Standard::ALL {
        let program = Program::compile(&source("panic.c"), standard, Link::Shared(folder), &[]);
        let said = succeed(&mut program.command::<&str>(&[]));
        assert!(said.contains("asked for by a test"), "the host's panic hook was not called:\n{said}");
    }
}
