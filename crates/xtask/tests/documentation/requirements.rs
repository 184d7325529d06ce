//! The page of requirements: each sentence of its sources is there, and what it names exists.

use super::names::{expanded, extension};
use super::sentences::{cells, sentences};
use super::{markdown, read, root};

const PAGE: &str = "docs/requirements.md";
/// The number of sentences of the help article, which is not in the repository.
const ARTICLE: usize = 28;
/// A program that `cargo xtask test --full` runs, and that fails if a promise is broken.
const FULL: &str = "tests/memory/src/bin/matrix.rs";

/// A sentence with what keeps it, and what tests it.
struct Requirement {
    sentence: String,
    code: String,
    test: String,
}

fn requirements(page: &str, heading: &str) -> Vec<Requirement> {
    let section = page.split("\n## ").find(|section| section.starts_with(heading));
    let rows = section.unwrap_or_else(|| panic!("{PAGE} has no section {heading}")).lines();
    rows.filter(|line| line.starts_with('|')).skip(2).map(requirement).collect()
}

fn requirement(row: &str) -> Requirement {
    match cells(row).as_slice() {
        [sentence, code, test] => Requirement {
            sentence: (*sentence).to_owned(),
            code: (*code).to_owned(),
            test: (*test).to_owned(),
        },
        _ => panic!("{PAGE}: not three cells: {row}"),
    }
}

/// The sections with sources in the repository, each with the text of its source.
fn sources() -> [(&'static str, String); 3] {
    let front = read("README.md");
    let header = read("include/justcall_auth.h");
    let comment = header.split("*/").next().expect("the introduction");
    let lines = comment.lines().map(|line| line.trim_start_matches(['/', ' ']).trim_start_matches('*'));
    // Code is indented by four more spaces.
    let lines =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).filter(|line| !line.starts_with("    "));
    [
        ("The front page", front.split("\n## Measured").next().expect("its promises").to_owned()),
        ("The introduction of the C header", lines.collect::<Vec<_>>().join("\n")),
        ("The security page", read("docs/guide/security.md")),
    ]
}

/// What differs between the sentences of a source and the rows of its section.
fn differences(source: &str, rows: &[Requirement]) -> Vec<String> {
    let wanted = sentences(source);
    // A vertical line of a sentence is escaped in a row.
    let found: Vec<String> = rows.iter().map(|row| row.sentence.replace("\\|", "|")).collect();
    let new =
        wanted.iter().filter(|sentence| !found.contains(sentence)).map(|one| format!("no row for: {one}"));
    let old = found
        .iter()
        .filter(|sentence| !wanted.contains(sentence))
        .map(|one| format!("not in the source: {one}"));
    let mut all: Vec<String> = new.chain(old).collect();
    if all.is_empty() && wanted != found {
        all.push("the rows are in another order, or a sentence occurs twice".to_owned());
    }
    all
}

#[test]
fn its_requirements_are_the_sentences_of_their_sources() {
    let page = read(PAGE);
    assert_eq!(requirements(&page, "The help article").len(), ARTICLE);
    for (heading, source) in sources() {
        let rows = requirements(&page, heading);
        assert!(rows.len() > 25, "{heading}: only {} rows", rows.len());
        let differences = differences(&source, &rows);
        assert!(differences.is_empty(), "{PAGE}, {heading}:\n{}", differences.join("\n"));
    }
}

#[test]
fn it_notices_a_new_a_changed_and_a_removed_promise() {
    let page = read(PAGE);
    let (heading, source) = &sources()[0];
    let mut rows = requirements(&page, heading);
    let found = |source: &str, rows: &[Requirement]| differences(source, rows).join("\n");
    assert_eq!(found(&format!("{source}\nIt never fails.\n"), &rows), "no row for: It never fails.");
    let changed = source.replace("Promised: a `POST` is sent again", "Promised: a `POST` is repeated");
    assert_eq!(found(&changed, &rows).lines().count(), 2);
    rows.swap(1, 2);
    assert!(found(source, &rows).contains("another order"));
    let removed = rows.remove(3);
    assert_eq!(found(source, &rows), format!("no row for: {}", removed.sentence));
}

/// What a cell names: pairs of a file and a name in it. Empty if the cell has a note in place of names.
fn named(cell: &str) -> Vec<(String, String)> {
    if cell.is_empty() || cell.starts_with('*') {
        return Vec::new();
    }
    let spans: Vec<String> = markdown::code_spans(cell).into_iter().map(|(_, span)| span).collect();
    assert!(spans.len().is_multiple_of(2) && !spans.is_empty(), "{PAGE}: not a file and a name: {cell}");
    spans.chunks(2).map(|pair| (expanded(&pair[0]), pair[1].clone())).collect()
}

/// The lines of the file, without indentation; none if there is no such file.
fn lines(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// The words of a line, as names have them.
fn words(line: &str) -> Vec<&str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether the file defines the name. In files that are not Rust, it must only occur.
fn is_defined(file: &str, name: &str) -> bool {
    const DEFINE: [&str; 7] = ["fn", "struct", "enum", "const", "static", "trait", "macro_rules"];
    lines(file).iter().any(|line| {
        let words = words(line);
        let is_row = words.first() == Some(&name) && line.contains('{');
        let is_item = words.windows(2).any(|pair| pair[1] == name && DEFINE.contains(&pair[0]));
        if extension(file) == "rs" { is_row || is_item } else { words.contains(&name) }
    })
}

/// Whether the file has a test with this name, which runs.
fn is_test(file: &str, name: &str) -> bool {
    let lines = lines(file);
    let is_definition = |keyword: &str, line: &str| line.contains(&format!("{keyword} {name}("));
    match extension(file) {
        "rs" if file == FULL => name == "main" && is_defined(file, name),
        "rs" => lines.iter().position(|line| is_definition("fn", line)).is_some_and(|at| {
            let before = lines[..at].iter().rev();
            before
                .take_while(|line| line.starts_with('#') || line.starts_with("//"))
                .any(|line| line == "#[test]")
        }),
        "py" => name.starts_with("test_") && lines.iter().any(|line| is_definition("def", line)),
        // A C test is a function that `main` calls.
        _ => {
            let calls = lines.iter().filter(|line| line.starts_with(&format!("{name}("))).count();
            calls > 0 && lines.iter().any(|line| is_definition("void", line))
        }
    }
}

#[test]
fn its_requirements_name_code_and_tests_that_exist() {
    let page = read(PAGE);
    let headings = sources().map(|(heading, _)| heading);
    let mut faults = Vec::new();
    let (mut codes, mut tests) = (0, 0);
    for heading in headings.iter().chain(&["The help article"]) {
        for row in requirements(&page, heading) {
            let (code, test) = (named(&row.code), named(&row.test));
            let is_note = row.code.starts_with('*');
            if is_note != row.test.is_empty() || (!is_note && test.is_empty() && !row.test.starts_with('*')) {
                faults.push(format!("{}: code without a test, or a test without code", row.sentence));
            }
            codes += code.len();
            tests += test.len();
            let no_code = code.iter().filter(|(file, name)| !is_defined(file, name));
            let no_test = test.iter().filter(|(file, name)| !is_test(file, name));
            faults.extend(no_code.chain(no_test).map(|(file, name)| format!("{file} has no {name}")));
        }
    }
    assert!(faults.is_empty(), "{PAGE}:\n{}", faults.join("\n"));
    assert!(
        codes > 150 && tests > 150,
        "only {codes} names of code and {tests} of tests: this test reads nothing"
    );
}

#[test]
fn it_notices_code_and_tests_that_do_not_exist() {
    let (table, limits) = ("crates/justcall-auth-protocol/src/error/table.rs", "tests/c/api.c");
    assert!(is_defined(table, "from_number") && is_defined(table, "Forbidden"));
    assert!(!is_defined(table, "absent_function") && !is_defined("absent.rs", "from_number"));
    assert!(!is_defined(table, "number"), "a call or a field defines nothing");
    assert!(is_test(table, "it_never_gives_two_kinds_one_number_or_name"));
    assert!(!is_test(table, "from_number"), "a function that is no test");
    assert!(is_test(limits, "it_frees_null") && !is_test(limits, "it_frees_nothing"));
    let python = "bindings/python/tests/test_client.py";
    assert!(is_test(python, "test_it_returns_the_account_of_the_pair") && !is_test(python, "test_absent"));
}
