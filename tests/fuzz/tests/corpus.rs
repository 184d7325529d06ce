//! The seeds and the corpus of every target, and the control of the runner.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use justcall_auth_fuzz_targets::runner::{self, Plan};
use justcall_auth_fuzz_targets::{PLANTED, TARGETS, Target};

fn plan(seconds: u64, failures: PathBuf) -> Plan {
    Plan { duration: Duration::from_secs(seconds), jobs: 2, seed: 1, failures }
}

#[test]
fn it_holds_for_the_seeds_and_the_corpus_of_every_target() {
    let failures = tempfile::tempdir().expect("a temporary folder");
    let targets: Vec<&Target> = TARGETS.iter().collect();
    let outcomes =
        runner::run(&targets, &plan(0, failures.path().to_owned())).expect("the corpus is readable");
    assert_eq!(outcomes.len(), TARGETS.len());
    for outcome in outcomes {
        assert!(outcome.known > 3, "{} has only {} seeds", outcome.name, outcome.known);
        assert_eq!(outcome.failure, None, "{}", outcome.name);
    }
}

#[test]
fn it_finds_a_planted_bug_and_saves_the_input() {
    let failures = tempfile::tempdir().expect("a temporary folder");
    // The bug is found after a few inputs, so that the time only limits a run that does not find it.
    let outcomes =
        runner::run(&[PLANTED], &plan(60, failures.path().to_owned())).expect("there is no corpus");
    let path = outcomes[0].failure.as_ref().expect("the planted bug was not found");
    let input = fs::read(path).expect("the input was saved");
    std::panic::catch_unwind(|| (PLANTED.check)(&input)).expect_err("the saved input does not fail");
    assert!(path.starts_with(failures.path()) && runner::repeat(PLANTED, path).contains("planted --input "));
}

#[test]
fn it_has_a_corpus_only_for_targets() {
    let folder = TARGETS[0].corpus_folder();
    for entry in fs::read_dir(folder.parent().expect("the corpora have a folder")).expect("the corpora") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let target = TARGETS.iter().find(|target| target.name == name);
        let files = target.expect("a folder of a target").corpus().expect("the corpus is readable");
        let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(files.len() <= 80 && size <= 100_000, "{name} has {} files with {size} bytes", files.len());
    }
}
