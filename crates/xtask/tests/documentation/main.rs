//! The pages: their links lead somewhere, the names in them exist, and they keep their length.

mod markdown;
mod names;
mod requirements;
mod sentences;

use std::path::{Path, PathBuf};
use std::process::Command;

use markdown::{Link, anchors, links, wide_lines};
use names::{Names, extension};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep").to_owned()
}

/// The files that git tracks or would track, from the root.
fn files() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(root()).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("UTF-8");
    // A file that was removed stays in the list until the removal is staged.
    listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn pages() -> Vec<String> {
    let pages: Vec<String> = files().into_iter().filter(|file| extension(file) == "md").collect();
    assert!(pages.len() > 25, "only {} pages: this test reads nothing", pages.len());
    pages
}

/// What is wrong with a link of `page`, if anything.
fn fault(page: &str, link: &Link) -> Option<String> {
    if link.target.contains("://") || link.target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
    let folder = root().join(page).parent().expect("a page is in a folder").to_owned();
    let target = if path.is_empty() { root().join(page) } else { folder.join(path) };
    if !target.exists() {
        return Some(format!("{page}:{}: {} does not exist", link.line, link.target));
    }
    if anchor.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(&target).unwrap_or_default();
    let is_there = anchors(&text).iter().any(|there| there == anchor);
    (!is_there).then(|| format!("{page}:{}: {} has no heading for #{anchor}", link.line, target.display()))
}

#[test]
fn its_links_lead_to_files_and_headings_that_exist() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for page in pages() {
        let found = links(&read(&page));
        checked += found.len();
        faults.extend(found.iter().filter_map(|link| fault(&page, link)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked > 80, "only {checked} links: this test reads nothing");
}

#[test]
fn it_finds_a_link_to_an_absent_file_or_heading() {
    let planted =
        "[a](absent.md) [b](README.md#absent) [c](#absent) [d](README.md#first-call) [e](https://x.example)";
    let faults: Vec<_> = links(planted).iter().map(|link| fault("README.md", link).is_some()).collect();
    assert_eq!(faults, [true, true, true, false, false]);
}

/// The pages whose names of files, tests, types and functions are checked.
fn pages_with_names() -> Vec<String> {
    let has_names = |page: &String| page == "ARCHITECTURE.md" || page.starts_with("docs/internals/");
    pages().into_iter().filter(has_names).collect()
}

#[test]
fn its_architecture_pages_name_only_what_exists() {
    let names = Names::of(&root(), &files());
    let mut faults = Vec::new();
    let mut checked = 0;
    for page in pages_with_names() {
        let text = read(&page);
        for (line, span) in markdown::code_spans(&text) {
            checked += 1;
            if !names.has(&span) {
                faults.push(format!("{page}:{line}: `{span}` does not exist"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked > 300, "only {checked} names: this test reads nothing");
}

#[test]
fn it_finds_a_name_that_does_not_exist() {
    let names = Names::of(&root(), &files());
    for absent in [
        "ffi/src/absent.rs",
        "absent.rs",
        "client/absent",
        "it_promises_what_nothing_tests",
        "AbsentType",
        "NextStep::Absent",
        "justcall_absent",
        "absent_function",
        "absently",
    ] {
        assert!(!names.has(absent), "{absent}");
    }
    for there in ["ffi/src/client.rs", "machine.rs", "NextStep::Refresh", "Exchange", "justcall_client_send"]
    {
        assert!(names.has(there), "{there}");
    }
}

#[test]
fn every_invariant_of_the_architecture_names_its_test_and_the_file_of_the_test() {
    let text = read("ARCHITECTURE.md");
    let section = text.split("\n## Invariants\n").nth(1).expect("its section");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 8, "{} invariants", rows.len());
    let mut file = String::new();
    for row in rows {
        let spans: Vec<String> = markdown::code_spans(row.rsplit_once(" | ").expect("cells").1)
            .into_iter()
            .map(|(_, span)| span)
            .collect();
        if let Some(path) = spans.iter().find(|span| extension(span) == "rs") {
            file = names::expanded(path);
        } else {
            assert!(row.contains("same file"), "{row}");
        }
        let tests: Vec<&String> = spans.iter().filter(|span| extension(span) != "rs").collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            let definition = format!("#[test]\nfn {test}()");
            let text = read(&file).lines().map(str::trim).collect::<Vec<_>>().join("\n");
            assert!(text.contains(&definition), "{file} has no test {test}");
        }
    }
}

#[test]
fn its_front_pages_stay_short() {
    for (page, limit) in [("README.md", 150), ("ARCHITECTURE.md", 150)] {
        let lines = read(page).lines().count();
        assert!(lines <= limit, "{page} has {lines} lines");
    }
}

#[test]
fn its_pages_fit_into_100_columns() {
    let is_written_by_hand = |page: &String| !page.starts_with("docs/evidence/");
    for page in pages().into_iter().filter(is_written_by_hand) {
        let wide = wide_lines(&read(&page));
        assert!(wide.is_empty(), "{page}: lines {wide:?} are wider than 100 columns");
    }
    let long = "x".repeat(101);
    let planted = format!("{long}\n| {long} |\n[{long}](a)\n```\n{long}\n```\n{long}\n");
    assert_eq!(wide_lines(&planted), [1, 7]);
}
