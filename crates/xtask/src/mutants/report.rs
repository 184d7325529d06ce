//! The report, and what it requires.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::record::{Outcome, Record};
use super::scope::Scope;
use crate::full::Report;

/// The mutants that survive, each with what would detect it or why nothing can.
const SURVIVORS: &str = "tests/surviving-mutants.txt";

/// The results of a scope.
pub struct Tested {
    pub scope: &'static Scope,
    /// How many mutants its package has.
    pub count: usize,
    pub results: BTreeMap<String, Record>,
}

impl Tested {
    fn with(&self, outcome: Outcome) -> impl Iterator<Item = &Record> {
        self.results.values().filter(move |record| record.outcome == outcome)
    }

    fn chosen(&self) -> usize {
        self.scope.sample.map_or(self.count, |sample| sample.min(self.count))
    }

    fn caught(&self) -> usize {
        self.with(Outcome::Caught).count()
    }

    fn viable(&self) -> usize {
        self.results.len() - self.with(Outcome::Unviable).count()
    }

    /// The share of detected mutants in per cent, with its interval of 95 % if the mutants are a sample.
    fn share(&self) -> String {
        let (caught, viable) = (number(self.caught()), number(self.viable()));
        let share = format!("{:.1} %", 100.0 * caught / viable);
        if self.results.len() == self.count {
            return share;
        }
        let (low, high) = interval(caught, viable);
        format!("{share} ({:.1}–{:.1})", 100.0 * low, 100.0 * high)
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("fewer mutants than 2^32"))
}

/// Wilson's interval of 95 % for a share.
fn interval(caught: f64, all: f64) -> (f64, f64) {
    let z = 1.96;
    let (share, denominator) = (caught / all, 1.0 + z * z / all);
    let centre = (share + z * z / (2.0 * all)) / denominator;
    let half = z / denominator * (share * (1.0 - share) / all + z * z / (4.0 * all * all)).sqrt();
    (centre - half, centre + half)
}

/// Returns what the list of survivors says of each mutant, by its name without line and column.
pub fn listed(root: &Path) -> Result<BTreeMap<String, String>> {
    let list = fs::read_to_string(root.join(SURVIVORS)).context(SURVIVORS)?;
    Ok(reasons(&list))
}

/// Writes the report. Fails if a mutant has no result, if a survivor is not listed, or if there are too many of them.
pub fn write(
    root: &Path,
    mut report: Report,
    tested: &[Tested],
    reasons: &BTreeMap<String, String>,
) -> Result<()> {
    let mut text = "A mutant is the code with one small fault. It is detected if a test fails, or does not end in ten times the usual time. The \
         required share is that of the mutants which compile. For a sample, the interval is Wilson's, of 95 %.\n\n\
         | mutants of | all | tested | do not compile | detected | share | required |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut survivors = String::new();
    let mut unlisted = Vec::new();
    for of_scope in tested {
        let Tested { scope, count, results } = of_scope;
        writeln!(
            text,
            "| {} | {count} | {} | {} | {} of {} | {} | {} % |",
            scope.package,
            results.len(),
            of_scope.with(Outcome::Unviable).count(),
            of_scope.caught(),
            of_scope.viable(),
            of_scope.share(),
            scope.required
        )?;
        for record in of_scope.with(Outcome::Survived) {
            let name = without_position(&record.mutant.name);
            match reasons.get(name.as_str()) {
                Some(reason) => writeln!(survivors, "| `{}` | {reason} |", name.replace('|', "\\|"))?,
                None => unlisted.push(name),
            }
        }
    }
    print!("\n{text}");
    ensure!(unlisted.is_empty(), "survived, and not in {SURVIVORS}:\n{}", unlisted.join("\n"));
    let survives = |name: &str| {
        let mut survivors = tested.iter().flat_map(|tested| tested.with(Outcome::Survived));
        survivors.any(|record| without_position(&record.mutant.name) == name)
    };
    for tested in tested {
        let (scope, done, chosen) = (tested.scope, tested.results.len(), tested.chosen());
        ensure!(done == chosen, "{} mutants of {} have no result yet", chosen - done, scope.package);
        let is_enough = tested.viable() > 0 && tested.caught() * 100 >= tested.viable() * scope.required;
        ensure!(
            is_enough,
            "the tests detect less than {} % of the mutants of {}",
            scope.required,
            scope.package
        );
    }
    let stale: Vec<&str> = reasons.keys().map(String::as_str).filter(|name| !survives(name)).collect();
    ensure!(stale.is_empty(), "in {SURVIVORS}, but detected or gone:\n{}", stale.join("\n"));
    let all: f64 =
        tested.iter().flat_map(|tested| tested.results.values()).map(|record| record.seconds).sum();
    report.add("time of all runs together", format!("{:.0} min of builds and tests", all / 60.0));
    write!(
        text,
        "\n## Survivors\n\n| mutant | what would detect it, or why nothing can |\n|---|---|\n{survivors}"
    )?;
    report.write(root, "mutants", &text)
}

/// Returns what the list says of each mutant: the comment above it, which may be one for several.
fn reasons(list: &str) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    let (mut reason, mut is_comment) = (String::new(), false);
    for line in list.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            if !is_comment {
                reason.clear();
            }
            let separator = if reason.is_empty() { "" } else { " " };
            reason.push_str(separator);
            reason.push_str(comment);
        } else if !line.is_empty() {
            reasons.insert(line.to_owned(), reason.clone());
        }
        is_comment = line.starts_with('#');
    }
    reasons
}

/// Returns the name without line and column, which every edit of the file changes.
pub fn without_position(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    let file = parts.next().unwrap_or_default();
    format!("{file}:{}", parts.nth(2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{interval, reasons, without_position};

    #[test]
    fn it_reads_the_reason_above_each_group() {
        let list = reasons("# A file.\n\n# Two\n# lines.\na.rs: one\na.rs: two\n\n# Other.\nb.rs: three\n");
        assert_eq!(list["a.rs: one"], "Two lines.");
        assert_eq!(list["a.rs: two"], "Two lines.");
        assert_eq!(list["b.rs: three"], "Other.");
    }

    #[test]
    fn it_ignores_where_in_the_file_a_mutant_is() {
        assert_eq!(without_position("a.rs:1:2: replace a::b -> bool"), "a.rs: replace a::b -> bool");
    }

    #[test]
    fn it_computes_the_interval_of_a_share() {
        // 90 of 100, from the tables of Wilson's interval.
        let (low, high) = interval(90.0, 100.0);
        assert!((low - 0.8256).abs() < 1e-3 && (high - 0.9448).abs() < 1e-3, "{low} {high}");
    }
}
