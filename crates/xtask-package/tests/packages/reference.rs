//! The reference of the C API.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;
use xtask_package::{reference, symbols};

use crate::support::root;

fn header() -> String {
    fs::read_to_string(root().join("include/justcall_auth.h")).expect("the header")
}

/// Returns the folder with the pages, and doxygen's warnings.
fn pages(header: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let warnings = reference::write(&root(), header, folder.path()).expect("doxygen runs");
    (folder, warnings)
}

#[test]
fn its_reference_has_a_page_for_each_function_and_an_example_for_each_handle() {
    let (folder, warnings) = pages(&header());
    assert_eq!(warnings, "");
    let mut of_functions = BTreeSet::new();
    let mut handles = 0;
    for entry in fs::read_dir(folder.path().join("html")).expect("pages") {
        let page = fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
        let title = page.split_once("<h2 class=\"memtitle\">").filter(|(_, rest)| !rest.contains("memtitle"));
        let Some((_, rest)) = title else { continue };
        let name = rest.split_once("</a></span>").and_then(|(_, name)| name.split_once("</h2>"));
        let name = name.expect("a title has a name").0;
        if let Some(function) = name.strip_suffix("()") {
            of_functions.insert(function.to_owned());
        }
        if rest.contains("typedef struct") {
            handles += 1;
            assert!(rest.contains("Example") && rest.contains("class=\"fragment\""), "{name} has no example");
        }
    }
    assert_eq!(of_functions, symbols::exported(&root()).expect("the list"));
    assert_eq!(handles, header().matches("\ntypedef struct justcall_").count());
}

#[test]
fn a_comment_with_a_wrong_parameter_gives_a_warning() {
    let wrong = " * @param buffex The memory.\n */\nvoid justcall_wipe(";
    let planted = header().replace(" */\nvoid justcall_wipe(", wrong);
    assert!(planted.contains(wrong), "the header no longer has the function");
    let (_folder, warnings) = pages(&planted);
    assert!(warnings.contains("buffex"), "{warnings}");
}

#[test]
fn a_function_without_a_comment_gives_a_warning() {
    let planted = header()
        .replace("#ifdef __cplusplus\n} /*", "void justcall_silent(void);\n\n#ifdef __cplusplus\n} /*");
    assert!(planted.contains("justcall_silent"), "the header no longer ends like this");
    let (_folder, warnings) = pages(&planted);
    assert!(warnings.contains("justcall_silent"), "{warnings}");
}
