//! Counts lines, assertions, cases and SAFETY comments.

use std::collections::BTreeMap;

use crate::source::{Piece, SourceLanguage, SourceParts};
use crate::table::Table;
use crate::tokens::tokens;
use crate::workspace::{Crate, File, Workspace, has_extension};

/// Returns the tables of lines, checks and SAFETY comments.
pub fn tables(workspace: &Workspace) -> Vec<Table> {
    let [safety, repeated] = safety(workspace);
    vec![lines(workspace), other_lines(workspace), checks(workspace), safety, repeated]
}

/// Returns the longest files of libraries and programs.
pub fn longest_files(workspace: &Workspace, top: usize) -> Table {
    let mut files: Vec<&File> = workspace.crates().iter().flat_map(Crate::sources).collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.text.lines().count()));
    let mut table = Table::new("Longest files", &["lines", "file"]);
    for file in files.into_iter().take(top) {
        table.row([file.text.lines().count().to_string(), file.name.clone()]);
    }
    table
}

fn lines(workspace: &Workspace) -> Table {
    let mut table = Table::new("Lines by crate", &["crate", "files", "lines", "of comments", "tests/"])
        .with_note("Rust; `lines` are those of src/, unit tests included.");
    let mut total = [0; 4];
    for package in workspace.crates() {
        let sources: Vec<&File> = package.sources().collect();
        let row = [
            sources.len(),
            count_lines(sources.iter().copied()),
            sources.iter().map(|file| comment_lines(file)).sum(),
            count_lines(package.tests()),
        ];
        table.row(cells(&package.name, row));
        total.iter_mut().zip(row).for_each(|(total, count)| *total += count);
    }
    table.row(cells("total", total));
    table
}

fn cells(name: &str, [files, lines, comments, tests]: [usize; 4]) -> [String; 5] {
    [name.to_owned(), files.to_string(), lines.to_string(), comments.to_string(), tests.to_string()]
}

fn count_lines<'a>(files: impl Iterator<Item = &'a File>) -> usize {
    files.map(|file| file.text.lines().count()).sum()
}

fn comment_lines(file: &File) -> usize {
    let pieces = SourceParts::read(SourceLanguage::Rust, &file.text).comments;
    pieces.iter().map(|piece| piece.text.lines().count().max(1)).sum()
}

/// Counts the lines of files in other languages than Rust, by folder.
fn other_lines(workspace: &Workspace) -> Table {
    let mut counts: BTreeMap<(String, &str), [usize; 2]> = BTreeMap::new();
    for file in workspace.files() {
        let language = match SourceLanguage::of(file.name.as_ref()) {
            Some(SourceLanguage::C) => "C, C++",
            Some(SourceLanguage::Python) => "Python",
            Some(SourceLanguage::Markdown) => "Markdown",
            Some(SourceLanguage::Rust) | None => continue,
        };
        let folder: Vec<&str> =
            file.name.rsplit_once('/').map_or("", |(folder, _)| folder).split('/').take(2).collect();
        let count = counts.entry((folder.join("/"), language)).or_default();
        count[0] += 1;
        count[1] += file.text.lines().count();
    }
    let mut table = Table::new("Lines elsewhere", &["folder", "language", "files", "lines"]);
    for ((folder, language), [files, lines]) in counts {
        let folder = if folder.is_empty() { ".".to_owned() } else { folder };
        table.row([folder, language.to_owned(), files.to_string(), lines.to_string()]);
    }
    table
}

/// The numbers of assertions, tests and cases.
#[derive(Debug, Default, PartialEq, Eq)]
struct CheckCounts {
    rust_asserts: usize,
    rust_tests: usize,
    in_c: usize,
    python_asserts: usize,
    python_tests: usize,
    cases: usize,
}

impl CheckCounts {
    fn add(&mut self, file: &File) {
        match SourceLanguage::of(file.name.as_ref()) {
            Some(language @ SourceLanguage::Rust) => {
                self.add_rust(&SourceParts::read(language, &file.text).code);
            }
            Some(language @ SourceLanguage::C) => self.add_c(&SourceParts::read(language, &file.text).code),
            Some(language @ SourceLanguage::Python) => {
                self.add_python(&SourceParts::read(language, &file.text).code);
            }
            Some(SourceLanguage::Markdown) | None => {}
        }
        let is_case = file.name.starts_with("tests/vectors/") && !file.name.contains("/files/");
        self.cases += usize::from(is_case && has_extension(&file.name, "json"));
    }

    fn add_rust(&mut self, code: &str) {
        let tokens = tokens(code);
        for window in tokens.windows(2) {
            let is_assert = ["assert", "debug_assert", "prop_assert"].iter().any(|name| {
                window[0].text.strip_prefix(name).is_some_and(|rest| matches!(rest, "" | "_eq" | "_ne"))
            });
            self.rust_asserts += usize::from(is_assert && window[1].text == "!");
        }
        let is_test = |texts: [&str; 4]| texts == ["#", "[", "test", "]"];
        let texts =
            |at: usize| [0, 1, 2, 3].map(|index| tokens.get(at + index).map_or("", |token| token.text));
        self.rust_tests += (0..tokens.len()).filter(|at| is_test(texts(*at))).count();
    }

    fn add_c(&mut self, code: &str) {
        let tokens = tokens(code);
        for (index, window) in tokens.windows(2).enumerate() {
            let is_defined = index > 0 && tokens[index - 1].text == "define";
            let is_check = window[0].text == "CHECK" || window[0].text.starts_with("CHECK_");
            self.in_c += usize::from(is_check && window[1].text == "(" && !is_defined);
        }
    }

    fn add_python(&mut self, code: &str) {
        for window in tokens(code).windows(2) {
            self.python_asserts += usize::from(window[0].text == "assert");
            self.python_tests += usize::from(window[0].text == "def" && window[1].text.starts_with("test_"));
        }
    }
}

fn checks(workspace: &Workspace) -> Table {
    let mut checks = CheckCounts::default();
    workspace.files().iter().for_each(|file| checks.add(file));
    let mut table = Table::new("Checks", &["count", "what"])
        .with_note("A refactoring must not lower any of these counts.");
    let CheckCounts { rust_asserts, rust_tests, in_c, python_asserts, python_tests, cases } = checks;
    for (count, what) in [
        (rust_asserts, "assert!, assert_eq!, assert_ne! and those of proptest in Rust"),
        (in_c, "CHECK… in C and C++"),
        (python_asserts, "assert in Python"),
        (cases, "cases in tests/vectors"),
        (rust_tests, "#[test] functions in Rust"),
        (python_tests, "test functions in Python"),
    ] {
        table.row([count.to_string(), what.to_owned()]);
    }
    table
}

/// Returns the number of SAFETY comments of each crate, tests included, and the texts that occur more than once.
fn safety(workspace: &Workspace) -> [Table; 2] {
    let mut by_crate = Table::new("SAFETY comments by crate", &["crate", "comments", "different"]);
    let mut all: BTreeMap<String, usize> = BTreeMap::new();
    for package in workspace.crates() {
        let mut own: BTreeMap<String, usize> = BTreeMap::new();
        for file in package.sources().chain(package.tests()) {
            for comment in safety_comments(&SourceParts::read(SourceLanguage::Rust, &file.text).comments) {
                *own.entry(comment).or_default() += 1;
            }
        }
        let count: usize = own.values().sum();
        if count > 0 {
            by_crate.row([package.name.clone(), count.to_string(), own.len().to_string()]);
        }
        for (comment, count) in own {
            *all.entry(comment).or_default() += count;
        }
    }
    let different = all.len();
    let total: usize = all.values().sum();
    let mut repeated: Vec<(String, usize)> = all.into_iter().filter(|(_, count)| *count > 1).collect();
    repeated.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let copies: usize = repeated.iter().map(|(_, count)| count).sum();
    let note =
        format!("{copies} of {total} comments. There are {different} different texts. The most frequent:");
    let mut table =
        Table::new("SAFETY comments that occur more than once", &["times", "text"]).with_note(note);
    for (text, count) in repeated.into_iter().take(5) {
        table.row([count.to_string(), text.chars().take(90).collect()]);
    }
    [by_crate, table]
}

/// Returns the texts of SAFETY comments, each with its following lines.
fn safety_comments(comments: &[Piece]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut next_line = None;
    for piece in comments {
        let text = piece.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.starts_with("SAFETY:") {
            found.push(text);
            next_line = Some(piece.line + 1);
        } else if next_line == Some(piece.line) {
            let comment = found.last_mut().expect("the comment began on an earlier line");
            comment.push(' ');
            comment.push_str(&text);
            next_line = Some(piece.line + 1);
        } else {
            next_line = None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_assertions_tests_and_cases_only_in_code() {
        let mut checks = CheckCounts::default();
        for (name, text) in [
            (
                "a.rs",
                "#[test]\nfn a() {\n    assert!(b); // assert!(c)\n    prop_assert_eq!(d, \"assert!\");\n    assert_is(e);\n}\n",
            ),
            (
                "a.c",
                "#define CHECK(x) x\nint main() { CHECK(1); CHECK_OK(2); UNCHECKED(3); /* CHECK(4) */ }\n",
            ),
            ("a.py", "def test_a():\n    assert 1, 'assert'\n    asserts(2)\n"),
            ("tests/vectors/a/b.json", "{}"),
            ("tests/vectors/a/b/case.json", "{}"),
            ("tests/vectors/a/b/files/c.json", "{}"),
        ] {
            checks.add(&File { name: name.to_owned(), text: text.to_owned() });
        }
        let expected = CheckCounts {
            rust_asserts: 2,
            rust_tests: 1,
            in_c: 2,
            python_asserts: 1,
            python_tests: 1,
            cases: 2,
        };
        assert_eq!(checks, expected);
    }

    #[test]
    fn it_joins_the_lines_of_a_safety_comment() {
        let text = "// SAFETY: one\n// two.\nunsafe_one();\n// three\n\n// SAFETY:  one two.\n";
        let comments = SourceParts::read(SourceLanguage::Rust, text).comments;
        assert_eq!(safety_comments(&comments), ["SAFETY: one two.", "SAFETY: one two."]);
    }
}
