//! What the binaries contain: symbols, libraries, paths, sizes.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask_package::compile::paths_of_this_machine;
use xtask_package::workspace::graph;
use xtask_package::{binary, gate, notices, report, standard_library, symbols};

use crate::support::{library, root, succeed, target};

/// The size of the shared library at most, in bytes: 2.4 MiB.
const SIZE_MAX: u64 = 24 * 1024 * 1024 / 10;

fn debug() -> &'static Path {
    library().shared.debug.as_deref().expect("packages have debug files")
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().expect("this test runs")
}

#[test]
fn its_static_library_defines_the_exports_and_no_other_global_symbol() {
    let exported = symbols::exported(&root()).expect("the list");
    assert_eq!(binary::global_symbols(&library().archive).expect("nm reads it"), exported);
    let before = binary::global_symbols(&library().unlocalised).expect("nm reads it");
    assert!(before.contains("rust_eh_personality"), "control: rustc's archive defines it");
}

#[test]
fn it_needs_nothing_but_the_c_library_and_the_unwinder() {
    gate::needs(&library().shared.path, &gate::NEEDED).expect("the exact list");
    let message =
        gate::needs(&library().shared.path, &gate::NEEDED[1..]).expect_err("another list").to_string();
    assert!(message.contains("libc.so.6"), "control: {message}");
}

#[test]
fn it_runs_with_glibc_2_17() {
    let highest = binary::highest_glibc(&library().shared.path).expect("readelf reads it");
    assert!(highest <= vec![2, 17], "{highest:?}");
    let control = binary::highest_glibc(&this_program()).expect("readelf reads it");
    assert!(control > vec![2, 17], "control: this test is not built for old systems: {control:?}");
}

#[test]
fn it_has_no_path_of_the_machine_that_built_it() {
    let paths = paths_of_this_machine(&root()).expect("paths");
    let shared = &library().shared;
    for file in [&*shared.path, debug(), &library().archive] {
        let found = binary::first_contained(file, &paths).expect("it can be read");
        assert_eq!(found, None, "{}", file.display());
    }
    let control = binary::first_contained(&this_program(), &paths).expect("it can be read");
    assert!(control.is_some(), "control: this test was built without replacing paths");
}

#[test]
fn its_shared_library_is_small() {
    let size = fs::metadata(&library().shared.path).expect("it exists").len();
    assert!((1_000_000..=SIZE_MAX).contains(&size), "{size} bytes");
}

#[test]
fn its_debug_file_gives_the_line_of_an_address_and_belongs_to_the_library() {
    let shared = &library().shared;
    let id = binary::build_id(&shared.path).expect("an id");
    let place = Path::new(&id[..2]).join(format!("{}.debug", &id[2..]));
    assert!(debug().ends_with(&place), "{} is not {}", debug().display(), place.display());
    let symbols = succeed(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(&shared.path));
    let function = symbols.lines().find(|line| line.contains(" justcall_wipe@")).expect("it is exported");
    let address = function.split_whitespace().next().expect("an address");
    let locate =
        |file: &Path| succeed(Command::new("addr2line").args(["--inlines", "-e"]).arg(file).arg(address));
    let line = locate(debug());
    // The last line is that of the function itself; lines of inlined functions come first.
    let last = line.lines().last().unwrap_or_default();
    assert!(last.starts_with("/usr/src/justcall-auth/crates/justcall-auth-ffi/src/library.rs:"), "{line}");
    assert!(locate(&shared.path).starts_with("??"), "control: the library itself has no lines");
}

#[test]
fn its_notices_name_every_crate_whose_code_it_contains() {
    let crates =
        notices::dependencies(&graph(&root(), target().triple).expect("metadata"), &notices::SHIPPED);
    let of_rust = standard_library::notices(&root(), target()).expect("the toolchain has them");
    let crates = crates.expect("crates");
    let contained = report::crates(debug()).expect("nm reads it");
    assert!(contained.contains("gimli") && contained.contains("ring"), "control: {contained:?}");
    let text = notices::text(&crates, &of_rust).expect("texts");
    assert_eq!(notices::unnamed(&contained, &text), [""; 0]);
    let without = notices::text(&crates, &[]).expect("texts");
    assert!(
        notices::unnamed(&contained, &without).contains(&"gimli"),
        "control: it is only in Rust's library"
    );
}
