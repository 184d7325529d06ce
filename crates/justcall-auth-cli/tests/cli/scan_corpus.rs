//! `scan` against the corpus in tests/scan/: the half that it was tuned on, and the other half.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::{Run, command};

/// The result for a half of the corpus.
struct Score {
    leaks: usize,
    found: usize,
    true_findings: usize,
    false_findings: usize,
}

impl Score {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    fn recall(&self) -> f64 {
        self.found as f64 / self.leaks as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    fn precision(&self) -> f64 {
        self.true_findings as f64 / (self.true_findings + self.false_findings) as f64
    }
}

/// Writes the corpus, scans it in one run, and prints the missed and the wrong findings.
fn score(half: &str) -> Score {
    let folder = tempfile::tempdir().expect("a folder");
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scan/corpus.py");
    let written = Command::new("python3")
        .args([generator.as_os_str(), half.as_ref(), folder.path().as_os_str()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .expect("python3 runs");
    assert!(written.success());
    let manifest = folder.path().join("manifest.json");
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(&manifest).expect("a manifest")).expect("JSON");
    std::fs::remove_file(manifest).expect("the folder is writable");
    let run: Run =
        command(&["scan", "--json", "."], &[]).current_dir(&folder).output().expect("it starts").into();
    let report = run.json();
    assert_eq!((run.exit, &report["unread"]), (1, &Value::Array(Vec::new())));
    assert_eq!(report["texts"], cases.len(), "every case was scanned");

    let findings = report["findings"].as_array().expect("a list");
    let mut score = Score { leaks: 0, found: 0, true_findings: 0, false_findings: 0 };
    for case in cases {
        let is_leak = case["leak"] == true;
        let lines = case["lines"].as_array().expect("a list");
        let here = findings.iter().filter(|finding| finding["path"] == case["path"]);
        let (right, wrong): (Vec<&Value>, Vec<&Value>) =
            here.partition(|finding| is_leak && lines.contains(&finding["line"]));
        score.leaks += usize::from(is_leak);
        score.found += usize::from(!right.is_empty());
        score.true_findings += right.len();
        score.false_findings += wrong.len();
        if is_leak && right.is_empty() {
            println!("missed: {}", case["name"]);
        }
        for finding in wrong {
            println!("wrong: {} line {}: {}", case["name"], finding["line"], finding["code"]);
        }
    }
    assert_eq!(score.leaks, 100);
    println!("{half}: recall {:.3}, precision {:.3}", score.recall(), score.precision());
    score
}

#[test]
fn it_finds_secrets_that_it_was_not_tuned_on() {
    let score = score("held-out");
    assert!(score.recall() >= 0.99 && score.precision() >= 0.95, "see above");
}

#[test]
fn it_finds_secrets_that_it_was_tuned_on() {
    let score = score("tuning");
    assert!(score.recall() >= 0.99 && score.precision() >= 0.99, "see above");
}
