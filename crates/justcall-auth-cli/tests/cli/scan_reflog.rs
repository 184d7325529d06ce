//! `scan --git --reflog`: commits that no ref reaches any more.

use std::path::Path;

use crate::scan::{OTHER, found, run_in};
use crate::scan_history::{commit, git, repository};

/// Returns another pair for each number.
fn leak(number: u8) -> String {
    OTHER.replace("1b7e0c94", &format!("1b7e0c9{number}")).replace("c05b9e27", &format!("c05b9e2{number}"))
}

fn write(folder: &Path, path: &str, text: &str) {
    std::fs::write(folder.join(path), text).expect("a file");
}

fn scanned(folder: &Path, arguments: &[&str]) -> Vec<String> {
    found(&run_in(folder, &[&["scan", "--json", "--git"], arguments].concat(), &[]))
}

/// Creates a repository with lost commits of every kind that a reflog keeps.
fn with_lost_commits() -> (tempfile::TempDir, tempfile::TempDir) {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    commit(at, "Begin");
    write(at, "amended.env", &leak(1));
    commit(at, "Add");
    std::fs::remove_file(at.join("amended.env")).expect("a file");
    git(at, &["add", "--all"]);
    git(at, &["commit", "--quiet", "--amend", "--allow-empty", "--message", "Add"]);

    write(at, "reset.env", &leak(2));
    commit(at, "Add more");
    git(at, &["reset", "--quiet", "--hard", "HEAD~1"]);

    git(at, &["checkout", "--quiet", "-b", "side"]);
    write(at, "rebased.env", &leak(3));
    commit(at, "Leak");
    std::fs::remove_file(at.join("rebased.env")).expect("a file");
    commit(at, "Clean up");
    git(at, &["reset", "--quiet", "--soft", "main"]);
    commit(at, "Squashed");

    // A deleted branch: only the reflog of HEAD contains its commit.
    git(at, &["checkout", "--quiet", "-b", "gone"]);
    write(at, "deleted.env", &leak(4));
    commit(at, "Leak");
    git(at, &["checkout", "--quiet", "side"]);
    git(at, &["branch", "--quiet", "-D", "gone"]);

    // The ref reaches only the last of three stashes.
    for (number, name) in [(5, "first.env"), (6, "second.env"), (7, "last.env")] {
        write(at, name, &leak(number));
        git(at, &["stash", "--quiet", "--include-untracked"]);
    }

    // Another worktree has a reflog for its own HEAD.
    let worktree = tempfile::tempdir().expect("a folder");
    let there = worktree.path().join("tree");
    git(at, &["worktree", "add", "--quiet", "--detach", there.to_str().expect("UTF-8")]);
    write(&there, "worktree.env", &leak(8));
    commit(&there, "Leak");
    git(&there, &["reset", "--quiet", "--hard", "HEAD~1"]);
    (folder, worktree)
}

#[test]
fn it_finds_commits_that_only_the_reflog_contains() {
    let (folder, _worktree) = with_lost_commits();
    let at = folder.path();
    assert_eq!(scanned(at, &[]), ["last.env:2 leaked_pair"], "the refs reach nothing else");
    let lost = ["amended", "deleted", "first", "last", "rebased", "reset", "second", "worktree"];
    let mut with_reflog = scanned(at, &["--reflog"]);
    with_reflog.sort();
    assert_eq!(with_reflog, lost.map(|name| format!("{name}.env:2 leaked_pair")));
    let run = run_in(at, &["scan", "--git", "--reflog"], &[]);
    let commit = git(at, &["rev-parse", "stash@{2}^3"]);
    assert!(run.stdout.contains(&format!("{}:first.env:2:21", &commit[..12])), "{run:?}");
    // The control: without reflogs none of them is found.
    git(at, &["reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"]);
    assert!(scanned(at, &["--reflog"]).len() < 2);
}

#[test]
fn its_help_explains_how_to_scan_objects_outside_of_reflogs() {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    commit(at, "Begin");
    write(at, "dropped.env", &leak(1));
    git(at, &["stash", "--quiet", "--include-untracked"]);
    let stash = git(at, &["rev-parse", "stash"]);
    git(at, &["stash", "drop", "--quiet"]);
    write(at, "staged.env", &leak(2));
    git(at, &["add", "--all"]);
    git(at, &["reset", "--quiet", "--hard"]);
    assert_eq!(scanned(at, &["--reflog"]), [] as [&str; 0]);

    let help = crate::run::run(&["scan", "--help"], &[]).stdout;
    for advice in ["git fsck --lost-found", "scan --git COMMIT", "scan .git/lost-found"] {
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(advice), "{advice}: {help}");
    }
    assert!(git(at, &["fsck", "--lost-found"]).contains(&format!("dangling commit {stash}")));
    assert_eq!(scanned(at, &[&stash]), ["dropped.env:2 leaked_pair"]);
    let files = found(&run_in(at, &["scan", ".git/lost-found", "--json"], &[]));
    assert!(matches!(&files[..], [one] if one.ends_with(":2 leaked_pair")), "{files:?}");
}

#[test]
fn it_refuses_the_reflog_option_without_history() {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    commit(at, "Begin");
    for arguments in
        [&["scan", "--reflog"][..], &["scan", ".", "--reflog"], &["scan", "--git", "HEAD", "--reflog"]]
    {
        let run = run_in(at, arguments, &[]);
        assert_eq!(run.exit, 2, "{arguments:?}: {run:?}");
        assert!(run.stderr.contains("--reflog"), "{arguments:?}: {run:?}");
    }
    for arguments in [&["--reflog"][..], &["--reflog", "--repository", "."]] {
        assert_eq!(scanned(at, arguments), [] as [&str; 0]);
    }
    // An empty repository has no reflog.
    let empty = repository(&[]);
    assert_eq!(scanned(empty.path(), &["--reflog"]), [] as [&str; 0]);
}

#[test]
fn it_scans_the_rest_if_a_reflog_names_missing_objects() {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    commit(at, "Begin");
    write(at, "reset.env", &leak(1));
    commit(at, "Leak");
    git(at, &["reset", "--quiet", "--hard", "HEAD~1"]);
    let log = at.join(".git/logs/HEAD");
    let kept = std::fs::read_to_string(&log).expect("it has a reflog");
    let absent = format!("{:040x} {:0<40} Dev <dev@example.com> 1 +0000\tpruned", 0, "beef");
    let text = format!("{kept}{absent}\nno entry of a reflog\n");
    std::fs::write(&log, text).expect("the file is writable");
    assert_eq!(scanned(at, &["--reflog"]), ["reset.env:2 leaked_pair"]);
}
