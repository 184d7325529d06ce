//! Checks that the header, the list of symbols and the library have the same functions.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::program::succeed;
use crate::support::{header, library};

fn listed() -> BTreeSet<String> {
    header::symbols().into_iter().collect()
}

fn defined(arguments: &[&str], library: &Path) -> BTreeSet<String> {
    let output = succeed(Command::new("nm").args(arguments).arg("--defined-only").arg(library));
    let symbol = |line: &str| line.split(' ').nth(2).map(str::to_owned);
    output.lines().filter_map(symbol).collect()
}

#[test]
fn it_lists_the_functions_of_the_header_sorted() {
    let declared: BTreeSet<String> = header::prototypes().into_iter().map(|function| function.name).collect();
    assert_eq!(header::symbols(), declared.into_iter().collect::<Vec<_>>());
}

#[test]
fn it_exports_only_the_listed_functions() {
    let exported = defined(&["--dynamic"], &library::shared(library::folder()));
    assert_eq!(exported, listed());
}

#[test]
fn it_has_the_same_functions_in_the_static_library() {
    let mut exported = defined(&["--extern-only", "--quiet"], &library::archive(library::folder()));
    exported.retain(|name| name.starts_with("justcall_"));
    assert_eq!(exported, listed());
}

#[test]
fn it_exports_nothing_without_its_prefix() {
    assert!(listed().iter().all(|name| name.starts_with("justcall_")), "{:?}", listed());
}
