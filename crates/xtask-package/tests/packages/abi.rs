//! The ABI: symbols, their versions, the soname, and the baseline.

use std::collections::BTreeSet;
use std::fs;

use xtask_package::{abi, binary, shared_library, symbols};

use crate::support::{library, root};

fn versioned() -> BTreeSet<String> {
    let nodes = symbols::nodes(&root()).expect("the lists agree with the header");
    nodes
        .iter()
        .flat_map(|node| node.symbols.iter().map(|symbol| format!("{symbol}@@{}", node.name)))
        .collect()
}

#[test]
fn it_exports_the_functions_of_the_header_in_their_versions_and_nothing_else() {
    let exports = binary::exports(&library().shared.path).expect("nm reads it");
    assert_eq!(exports, versioned());
    assert!(exports.len() > 100, "control: {} symbols", exports.len());
}

#[test]
fn its_soname_has_the_number_of_the_abi() {
    let header = fs::read_to_string(root().join("include/justcall_auth.h")).expect("the header");
    assert!(header.contains("\n#define JUSTCALL_ABI_VERSION 0\n"), "this test names the number too");
    assert_eq!(binary::soname(&library().shared.path).expect("readelf reads it"), "libjustcall_auth.so.0");
    let file = library().shared.path.file_name().expect("a file").to_owned();
    assert_eq!(file, *shared_library::file(&root()).expect("a name"));
}

#[test]
fn its_header_has_the_abi_of_the_baseline() {
    let report = abi::changes(&root(), &root().join("include")).expect("abidiff runs");
    assert!(report.is_empty(), "the ABI changed; read packaging/abi/README.md:\n{report}");
}

#[test]
fn it_notices_a_changed_parameter_and_a_changed_result() {
    let header = fs::read_to_string(root().join("include/justcall_auth.h")).expect("the header");
    for (now, changed) in [
        ("void justcall_wipe(void *buffer, size_t length);", "void justcall_wipe(void *buffer, int length);"),
        ("uint32_t justcall_abi_version(void);", "uint64_t justcall_abi_version(void);"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(header.contains(now), "the header no longer has {now}");
        fs::write(folder.path().join("justcall_auth.h"), header.replace(now, changed)).expect("a copy");
        let report = abi::changes(&root(), folder.path()).expect("abidiff runs");
        let name =
            changed.split_once(" justcall_").expect("a function").1.split('(').next().expect("its name");
        assert!(report.contains(name), "{report}");
    }
}
