//! Checks the text of the C++ header: it covers the whole C header and defines no other macros.

use std::collections::BTreeSet;
use std::fs;

use crate::compiler::{NO_EXCEPTIONS, OLDEST, STANDARDS, compiler, program};
use crate::support::program::{fail, succeed};
use crate::support::{header, root};

/// Names of the C header that the C++ header does not use, with the reason.
const NOT_USED: [(&str, &str); 7] = [
    ("JUSTCALL_AUTH_H", "the C header's include guard"),
    ("JUSTCALL_ABI_VERSION", "a program compares it with justcall::abi_version()"),
    ("JUSTCALL_NODISCARD", "C++17 has the attribute"),
    ("JUSTCALL_DEPRECATED", "C++17 has the attribute"),
    ("JUSTCALL_VERSION_PATCH", "it does not change the ABI"),
    ("JUSTCALL_VERSION_NUMBER", "a program compares it in the preprocessor"),
    ("JUSTCALL_VERSION_STRING", "a program compares it with justcall::version()"),
];

fn read(name: &str) -> String {
    fs::read_to_string(root().join("include").join(name)).expect("the header is committed")
}

/// Returns the C++ header without its comments.
fn code() -> String {
    let text = read("justcall_auth.hpp");
    let (_, text) = text.split_once("*/").expect("the header starts with a comment");
    assert!(!text.contains("/*"), "the header has only line comments after its introduction");
    let without_comment = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(without_comment).collect::<Vec<_>>().join("\n")
}

/// Returns the words in `text` that start with `prefix`.
fn words<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(prefix)).collect()
}

/// Returns the names of the macros that a header defines.
fn macros(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("#define "));
    let mut names: Vec<&str> = lines.map(|line| line.split(' ').next().expect("a line has a word")).collect();
    names.dedup();
    names
}

/// Asserts that the C++ header uses each of `names`, except those in `NOT_USED`.
fn assert_used<'a>(names: impl IntoIterator<Item = &'a str>, prefix: &str) {
    let code = code();
    let used = words(&code, prefix);
    for name in names {
        match NOT_USED.iter().find(|(not_used, _)| *not_used == name) {
            Some((_, why)) => assert!(!used.contains(name), "{name} is used, but NOT_USED lists it ({why})"),
            None => assert!(used.contains(name), "{name} is not used: wrap it, or add it to NOT_USED"),
        }
    }
}

#[test]
fn it_uses_every_function_of_the_c_header() {
    assert_used(header::symbols().iter().map(String::as_str), "justcall_");
}

#[test]
fn it_uses_every_constant_of_the_c_header() {
    assert_used(macros(&read("justcall_auth.h")), "JUSTCALL_");
}

#[test]
fn it_names_errors_as_the_c_header_does() {
    let (c, code) = (read("justcall_auth.h"), code());
    for name in macros(&c) {
        if let Some(short) = name.strip_prefix("JUSTCALL_ERROR_") {
            let line = format!(" {} = {name},\n", short.to_lowercase());
            assert!(code.contains(&line), "errc has no `{}`", line.trim());
        }
    }
}

#[test]
fn its_comments_name_only_existing_functions() {
    let (c, hpp) = (read("justcall_auth.h"), read("justcall_auth.hpp"));
    let existing = words(&c, "justcall_");
    let mut named = words(&hpp, "justcall_");
    named.remove("justcall_");
    let unknown: Vec<_> = named.difference(&existing).collect();
    assert!(unknown.is_empty(), "the C header has no {unknown:?}");
}

#[test]
fn it_compiles_alone_in_every_standard() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let alone = folder.path().join("alone.cpp");
    fs::write(&alone, "#include <justcall_auth.hpp>\n#include <justcall_auth.hpp>\n")
        .expect("the test's file");
    for standard in STANDARDS {
        succeed(compiler(standard).arg("-fsyntax-only").arg(&alone));
        succeed(compiler(standard).args(NO_EXCEPTIONS).arg("-fsyntax-only").arg(&alone));
        // Some warnings appear only with optimisation.
        succeed(compiler(standard).args(["-O2", "-c", "-o", "/dev/null"]).arg(&alone));
    }
}

#[test]
fn it_names_the_standard_that_it_needs() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let old = folder.path().join("old.cpp");
    fs::write(&old, "#include <justcall_auth.hpp>\n").expect("the test's file");
    let printed = fail(compiler("c++14").arg("-fsyntax-only").arg(&old), 1);
    assert!(printed.contains("justcall_auth.hpp needs C++17"), "{printed}");
}

#[test]
fn it_defines_only_its_own_macros() {
    let code = code();
    let includes: Vec<&str> = code.lines().filter(|line| line.starts_with("#include")).collect();
    let includes = includes.join("\n") + "\n";
    let defined = |text: &str, options: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("macros.cpp");
        fs::write(&file, text).expect("the test's file");
        succeed(compiler(OLDEST).args(options).args(["-dM", "-E"]).arg(file))
    };
    let added = |options: &[&str]| {
        let before = defined(&includes, options);
        let after = defined("#include <justcall_auth.hpp>\n", options);
        let before: BTreeSet<&str> = before.lines().collect();
        let names = after.lines().filter(|line| !before.contains(line));
        names.map(|line| line.split(' ').nth(1).expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(added(&[]), ["JUSTCALL_AUTH_HPP"]);
    let without: BTreeSet<_> = added(&NO_EXCEPTIONS).into_iter().collect();
    assert_eq!(without.into_iter().collect::<Vec<_>>(), ["JUSTCALL_AUTH_HPP", "JUSTCALL_NO_EXCEPTIONS"]);
}

#[test]
fn its_example_works() {
    let text = read("justcall_auth.hpp");
    let (introduction, _) = text.split_once("*/").expect("the header starts with a comment");
    let code = |line: &str| line.strip_prefix(" *     ").map(|line| format!("{line}\n"));
    let lines = introduction.lines().skip_while(|line| !line.contains("#include"));
    let example: String =
        lines.filter(|line| *line == " *" || code(line).is_some()).filter_map(code).collect();
    assert!(example.lines().count() <= 15, "{example}");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("introduction.cpp");
    fs::write(&file, example).expect("the test's file");
    for standard in STANDARDS {
        let program = program(&file, standard, &[]);
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("credentials_missing: No API key and secret were found"), "{printed}");
    }
}

#[test]
fn it_explains_an_invalid_source() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let refused = |source: &str| {
        let file = folder.path().join("refused.cpp");
        let text =
            format!("#include <justcall_auth.hpp>\nint main() {{ justcall::config().source({source}); }}\n");
        fs::write(&file, text).expect("the test's file");
        let mut command = compiler(OLDEST);
        let printed = fail(command.arg("-fsyntax-only").arg(file), 1);
        assert!(printed.contains("a source is a text, or a function without parameters"), "{printed}");
    };
    refused("7");
    refused("[](int) { return justcall::credentials(\"a\", \"b\"); }");
    refused("[] { return \"key:secret\"; }");
    // Several threads may call it concurrently, so it must not change.
    refused("[n = 0]() mutable { ++n; return justcall::credentials(\"a\", \"b\"); }");
}
