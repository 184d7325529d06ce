//! The figures of docs/testing.md: counted in the sources, and read in the reports of the last long run.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{command, output};

/// Returns the table of figures.
pub fn table(root: &Path) -> Result<String> {
    let listed =
        output(&mut command(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let files: Vec<(&str, String)> = listed
        .lines()
        .filter(|name| is_counted(name))
        .map(|name| (name, std::fs::read_to_string(root.join(name)).unwrap_or_default()))
        .collect();
    let sum = |count: fn(&str, &str) -> usize| -> usize {
        files.iter().map(|(name, text)| count(name, text)).sum()
    };
    let [product, tests] = [lines_of_product, lines_of_tests].map(sum);
    ensure!(product > 10_000 && tests > 10_000, "the lines were not counted: {product}, {tests}");
    let [killed, scans, rotation, second] = [
        results(root, "killed")?,
        results(root, "report")?,
        results(root, "rotation")?,
        results(root, "second")?,
    ];
    let (compared, planted) = second.split_once("## Planted").context("the report has no planted bugs")?;
    let requirements = std::fs::read_to_string(root.join("docs/requirements.md"))?;
    let rows = [
        ("lines of code, without tests and the commands of developers", rounded(product)),
        ("lines of tests", rounded(tests)),
        ("test functions in Rust", rounded(sum(rust_tests))),
        ("test functions in Python", rounded(sum(python_tests))),
        ("test functions in C and C++", rounded(sum(c_tests))),
        ("test vectors, each for several languages", rounded(sum(vectors))),
        ("sentences of the requirements", rows(&requirements).to_string()),
        ("planted bugs of the simulation, each for a promise", sum(plants).to_string()),
        ("random cases against a second implementation", grouped(column(compared, 1))),
        ("bugs planted into that comparison", rows(planted).to_string()),
        ("moments at which memory and a core file were searched", rows(&scans).saturating_sub(1).to_string()),
        ("commands killed at a system call", grouped(column(&killed, 2) + column(&killed, 3))),
        ("calls through resets, and how many of them failed", calls(&rotation)?),
        ("mutants that no test detects, each with its reason", sum(mutants).to_string()),
    ];
    let mut table = String::from("| what | figure |\n|---|---|\n");
    for (what, figure) in rows {
        ensure!(figure != "0", "nothing was counted for: {what}");
        writeln!(table, "| {what} | {figure} |")?;
    }
    Ok(table)
}

/// Returns a report of the long tests without its first table, which names the commit and the machine.
fn results(root: &Path, name: &str) -> Result<String> {
    let path = format!("docs/evidence/{name}.md");
    let text = std::fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
    let (_, table) = text.split_once("| what | which |\n").with_context(|| format!("{path} has no table"))?;
    let (_, results) = table.split_once("\n\n").with_context(|| format!("{path} has no results"))?;
    Ok(results.to_owned())
}

fn is_counted(name: &str) -> bool {
    let folders = ["crates/", "bindings/", "include/", "tests/", "examples/"];
    folders.iter().any(|folder| name.starts_with(folder))
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    Path::new(name).extension().and_then(|end| end.to_str()).is_some_and(|end| extensions.contains(&end))
}

/// Whether a file only tests.
fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("_tests.rs")
}

fn is_code(name: &str) -> bool {
    has_extension(name, &["rs", "py", "pyi", "c", "cpp", "h", "hpp", "js", "mjs"])
}

/// The number of lines before and after the unit tests begin.
fn lines(text: &str) -> (usize, usize) {
    let (code, tests) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((text, ""));
    (code.lines().count(), tests.lines().count())
}

fn lines_of_product(name: &str, text: &str) -> usize {
    // The developer's commands are no product, and the C header is generated.
    let is_other = name.starts_with("crates/xtask")
        || name == "include/justcall_auth.h"
        || name.starts_with("examples/");
    if is_code(name) && !is_test(name) && !is_other { lines(text).0 } else { 0 }
}

fn lines_of_tests(name: &str, text: &str) -> usize {
    match (is_code(name), is_test(name)) {
        (true, true) => text.lines().count(),
        (true, false) => lines(text).1,
        _ => 0,
    }
}

fn rust_tests(name: &str, text: &str) -> usize {
    if has_extension(name, &["rs"]) {
        text.lines().filter(|line| line.trim() == "#[test]").count()
    } else {
        0
    }
}

fn python_tests(name: &str, text: &str) -> usize {
    let is_definition = |line: &&str| line.starts_with("def test_") || line.starts_with("async def test_");
    if has_extension(name, &["py"]) { text.lines().filter(is_definition).count() } else { 0 }
}

fn c_tests(name: &str, text: &str) -> usize {
    let is_definition = |line: &&str| line.starts_with("static void it_") || line.starts_with("void it_");
    if has_extension(name, &["c", "cpp"]) { text.lines().filter(is_definition).count() } else { 0 }
}

fn vectors(name: &str, _: &str) -> usize {
    let is_source = name.starts_with("tests/vectors/source/");
    let is_vector = name.starts_with("tests/vectors/") && has_extension(name, &["json"]);
    usize::from(if is_source { name.ends_with("/case.json") } else { is_vector })
}

fn plants(name: &str, text: &str) -> usize {
    if name == "tests/simulation/src/plant.rs" { text.matches("(Self::").count() } else { 0 }
}

fn mutants(name: &str, text: &str) -> usize {
    let is_mutant = |line: &&str| line.starts_with("crates/");
    if name == "tests/surviving-mutants.txt" { text.lines().filter(is_mutant).count() } else { 0 }
}

/// The rows of the tables in a report, without their headers.
fn body(report: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut row = 0;
    report.lines().filter_map(move |line| {
        row = if line.starts_with('|') { row + 1 } else { 0 };
        (row > 2).then(|| line.trim_matches('|').split('|').map(str::trim).collect())
    })
}

fn rows(report: &str) -> usize {
    body(report).count()
}

/// The sum of a column, over the rows in which it is a number.
fn column(report: &str, index: usize) -> u64 {
    body(report).filter_map(|cells| cells.get(index)?.parse::<u64>().ok()).sum()
}

/// The calls of the report on resets: `0 of 31232` for each source.
fn calls(report: &str) -> Result<String> {
    let (mut failed, mut all) = (0, 0);
    for cells in body(report).filter(|cells| cells.get(1).is_some_and(|what| *what == "calls that failed")) {
        let (one, other) =
            cells.get(2).and_then(|found| found.split_once(" of ")).context("no number of calls")?;
        failed += one.parse::<u64>()?;
        all += other.parse::<u64>()?;
    }
    ensure!(all > 0, "the report on resets names no calls");
    Ok(format!("{}, {failed} failed", grouped(all)))
}

/// A figure that a small change of the sources does not change.
fn rounded(number: usize) -> String {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    format!("over {}", grouped(u64::try_from(number / unit * unit).unwrap_or(u64::MAX)))
}

/// The number with a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_tests_and_lines() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n}\n";
        assert_eq!((rust_tests("a.rs", code), rust_tests("a.py", code)), (1, 0));
        assert_eq!(lines_of_product("crates/a/src/a.rs", code), 1);
        assert_eq!(lines_of_tests("crates/a/src/a.rs", code), 4);
        assert_eq!(lines_of_tests("crates/a/tests/a.rs", code), 6);
        assert_eq!(
            python_tests("a.py", "def test_a():\n    def test_b(): pass\nasync def test_c(): pass\n"),
            2
        );
        assert_eq!(c_tests("a.c", "static void it_is(void) {}\nstatic void helper(void) {}\n"), 1);
        assert_eq!(
            vectors("tests/vectors/source/a/case.json", "")
                + vectors("tests/vectors/source/a/files/b.json", ""),
            1
        );
        assert_eq!(vectors("tests/vectors/verify/a.json", ""), 1);
    }

    #[test]
    fn it_reads_reports() {
        let report =
            "# A\n| a | b |\n|---|---|\n| x | 3 |\n| y | 4 |\n\n| a | b |\n|---|---|\n| z | none |\n";
        assert_eq!((rows(report), column(report, 1)), (3, 7));
        let report = "| s | p | f |\n|---|---|---|\n| file | calls that failed | 1 of 20 |\n| dir | calls that failed | 0 of 5 |\n";
        assert_eq!(calls(report).expect("figures"), "25, 1 failed");
        assert!(calls("| s | p | f |\n").is_err());
    }

    #[test]
    fn it_rounds_down_to_two_digits() {
        assert_eq!([99, 100, 1987].map(rounded), ["over 99", "over 100", "over 1,900"]);
    }
}
