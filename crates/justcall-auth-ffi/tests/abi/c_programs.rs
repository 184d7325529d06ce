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

/// The arguments of `api.c`: a file with a pair, and a file with a certificate.
struct ApiFiles {
    folder: TempDir,
    service: crate::support::sandbox::Service,
}

impl ApiFiles {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("pair"), "abc123def456:sec789xyz000\n").expect("the test's file");
        Self { folder, service: crate::support::sandbox::Service::start() }
    }

    fn arguments(&self) -> [String; 2] {
        [self.folder.path().join("pair").display().to_string(), self.service.ca_file().to_owned()]
    }
}

#[test]
fn its_header_compiles_alone_in_every_standard() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let alone = folder.path().join("alone.c");
    fs::write(&alone, "#include <justcall_auth.h>\n#include <justcall_auth.h>\n").expect("the test's file");
    for standard in Standard::ALL {
        compile_alone(&alone, standard);
    }
}

#[test]
fn the_example_in_its_header_works() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let example = folder.path().join("introduction.c");
    fs::write(&example, header::example()).expect("the test's file");
    for standard in Standard::ALL {
        let program = Program::compile(&example, standard, Link::Shared(library::folder()), &[]);
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("No API key and secret were found"), "{printed}");
    }
}

#[test]
fn it_keeps_the_promises_of_its_comments() {
    let files = ApiFiles::new();
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
fn it_keeps_the_promises_linked_statically() {
    let files = ApiFiles::new();
    let api = Program::compile(&source("api.c"), Standard::C99, Link::Static(library::folder()), &[]);
    succeed(&mut api.command(&files.arguments()));
}

#[test]
fn it_neither_leaks_nor_misuses_memory() {
    let files = ApiFiles::new();
    let alone = ["errors.c", "reports.c", "webhooks.c"].map(|name| (name, Vec::new()));
    for (name, arguments) in [("api.c", files.arguments().to_vec())].into_iter().chain(alone) {
        let program = Program::compile(&source(name), Standard::C11, Link::Shared(library::folder()), &[]);
        succeed(&mut program.valgrind(&[], &arguments));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_stays_loaded_after_dlclose() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let program =
        Program::compile(&source("unload.c"), Standard::C99, Link::Shared(library::folder()), &["-ldl"]);
    // Loads a copy, because the program is already linked with the library itself.
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
    assert_eq!(
        fail(&mut program.command(&[&other]), 1),
        "unloaded\n",
        "the control: another library is unloaded"
    );
}

#[test]
fn compilers_warn_if_a_program_ignores_a_result() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let compiles = |name: &str, standard: &str, statement: &str| {
        let text = folder.path().join(name);
        let code = format!("#include <justcall_auth.h>\nvoid f(void);\nvoid f(void) {{ {statement} }}\n");
        fs::write(&text, code).expect("the test's file");
        let mut compiler = Command::new("cc");
        compiler
            .args([standard, "-Werror", "-c", "-o", "/dev/null", "-I"])
            .arg(root().join("include"))
            .arg(&text);
        compiler.output().expect("a compiler").status.success()
    };
    for (name, standard) in [("a.c", "-std=c99"), ("a.cpp", "-std=c++11"), ("a.cpp", "-std=c++17")] {
        assert!(!compiles(name, standard, "justcall_client_verify(0, 0, 0);"), "{standard}");
        assert!(compiles(name, standard, "if (justcall_client_verify(0, 0, 0)) return;"), "{standard}");
        assert!(compiles(name, standard, "justcall_client_free(0);"), "{standard}: without the mark");
    }
}

#[test]
fn it_survives_a_panic_in_the_library() {
    let folder = library::folder_with_test_panic();
    for standard in Standard::ALL {
        let program = Program::compile(&source("panic.c"), standard, Link::Shared(folder), &[]);
        let printed = succeed(&mut program.command::<&str>(&[]));
        assert!(printed.contains("asked for by a test"), "the host's panic hook was not called:\n{printed}");
    }
}
