//! `scan --git`: everything that a repository ever contained.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::run::Run;
use crate::scan::{OTHER, PAIR, SECRET, folder, found, run_in};

/// Runs git as a developer does, in `folder`.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let ended = plain_git(folder, arguments).output().expect("git runs");
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    String::from_utf8_lossy(&ended.stdout).trim().to_owned()
}

/// Returns a git command, without running it.
pub fn plain_git(folder: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"])
        .args(["-c", "commit.gpgSign=false", "-c", "safe.directory=*"])
        .args(arguments)
        .stdin(Stdio::null());
    git
}

/// Commits all files of the folder. Returns the commit's name.
pub fn commit(folder: &Path, message: &str) -> String {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
    git(folder, &["rev-parse", "HEAD"])
}

/// Writes a file to the folder.
fn write(folder: &Path, path: &str, text: &str) {
    std::fs::write(folder.join(path), text).expect("a file");
}

pub fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = folder(files);
    git(folder.path(), &["init", "--quiet"]);
    folder
}

/// Returns the findings of a scan of history, as `commit:path:line code`, with commits named by `name`.
fn in_history(run: &Run, name: impl Fn(&str) -> String) -> Vec<String> {
    let places = found(run);
    let report = run.json();
    let commits = report["findings"].as_array().expect("a list").iter();
    let commits = commits.map(|finding| name(finding["commit"].as_str().expect("history has commits")));
    let mut named: Vec<String> =
        commits.zip(places).map(|(commit, place)| format!("{commit}:{place}")).collect();
    named.sort();
    named
}

#[test]
fn it_finds_a_deleted_file_in_history() {
    let folder = repository(&[("README.md", "hello\n")]);
    let at = folder.path();
    let first = commit(at, "Begin");
    write(at, ".env", OTHER);
    write(at, "notes.txt", &format!("one\ntwo {SECRET}\n"));
    let second = commit(at, "Add settings");
    // The same object at another path, which is reported once.
    write(at, "copy.env", OTHER);
    commit(at, "Copy");
    std::fs::remove_file(at.join(".env")).expect("a file");
    std::fs::remove_file(at.join("copy.env")).expect("a file");
    std::fs::remove_file(at.join("notes.txt")).expect("a file");
    let last = commit(at, "Remove settings");

    let name = |commit: &str| if commit == second { "second".to_owned() } else { commit.to_owned() };
    let run = run_in(at, &["scan", "--git", "--json"], &PAIR);
    assert_eq!(in_history(&run, name), ["second:.env:2 leaked_pair", "second:notes.txt:2 own_secret"]);
    assert_eq!(
        found(&run_in(at, &["scan", ".", "--json"], &PAIR)),
        [] as [&str; 0],
        "the current files have no findings"
    );

    let text = run_in(at, &["scan", "--git"], &PAIR);
    assert!(text.stdout.contains(&format!("{}:.env:2:21: leaked_pair (high)", &second[..12])), "{text:?}");

    // From another folder, and in a bare clone.
    let bare = tempfile::tempdir().expect("a folder");
    git(bare.path(), &["clone", "--quiet", "--bare", at.to_str().expect("UTF-8"), "."]);
    let elsewhere = ["scan", "--git", "--json", "--repository", bare.path().to_str().expect("UTF-8")];
    assert_eq!(in_history(&crate::run::run(&elsewhere, &PAIR), name).len(), 2);

    // A range contains only its own commits.
    let range = |range: &str| run_in(at, &["scan", "--git", range, "--json"], &PAIR);
    assert_eq!(found(&range(&format!("{second}..{last}"))), ["copy.env:2 leaked_pair"]);
    assert_eq!(in_history(&range(&format!("{first}..{second}")), name).len(), 2);
    assert_eq!(found(&range(&first)), [] as [&str; 0]);
}

#[test]
fn it_scans_every_branch_tag_merge_note_and_message() {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    let leak = |number: u8| {
        OTHER
            .replace("1b7e0c94", &format!("1b7e0c9{number}"))
            .replace("c05b9e27", &format!("c05b9e2{number}"))
    };
    commit(at, "Begin");
    git(at, &["checkout", "--quiet", "-b", "side"]);
    write(at, "side.env", &leak(1));
    commit(at, "Side");
    git(at, &["checkout", "--quiet", "main"]);
    write(at, "main.txt", "main\n");
    commit(at, "Main");
    // Only the merge itself introduces this one.
    git(at, &["merge", "--quiet", "--no-commit", "side"]);
    write(at, "merge.env", &leak(2));
    commit(at, "Merge");
    git(at, &["branch", "--quiet", "-D", "side"]);
    commit(at, &format!("Use the new pair\n\n{}", leak(3)));
    git(at, &["tag", "--annotate", "v1", "--message", &leak(4)]);
    git(at, &["notes", "add", "--message", &leak(5)]);
    // Objects outside of commits: a tag of a file, and a branch that was stashed.
    write(at, "loose.env", &leak(6));
    let blob = git(at, &["hash-object", "-w", "loose.env"]);
    git(at, &["tag", "loose", &blob]);
    std::fs::remove_file(at.join("loose.env")).expect("a file");
    write(at, "a.txt", &leak(7));
    git(at, &["stash", "--quiet"]);
    // A tag of a tag.
    git(at, &["tag", "--annotate", "inner", "--message", &leak(8)]);
    git(at, &["tag", "--annotate", "outer", "inner", "--message", "outer"]);
    git(at, &["tag", "--delete", "inner"]);
    let run = run_in(at, &["scan", "--git", "--json"], &[]);
    let report = run.json();
    let mut fingerprints: Vec<String> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["fingerprint"].to_string())
        .collect();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 8, "{:?}", found(&run));
    assert!(found(&run).contains(&"message:4 leaked_pair".to_owned()), "{:?}", found(&run));
}

#[test]
fn it_scans_replaced_objects() {
    let folder = repository(&[(".env", OTHER)]);
    let at = folder.path();
    let leaky = commit(at, "Begin");
    write(at, ".env", "clean\n");
    let tree = {
        git(at, &["add", ".env"]);
        git(at, &["write-tree"])
    };
    let clean = git(at, &["commit-tree", &tree, "-m", "Begin"]);
    git(at, &["replace", &leaky, &clean]);
    assert_eq!(git(at, &["show", "HEAD:.env"]), "clean", "the replacement works");
    assert_eq!(found(&run_in(at, &["scan", "--git", "--json"], &[])), [".env:2 leaked_pair"]);
}

/// A graft is a line in the folder of the repository that gives a commit other parents.
#[test]
fn it_scans_commits_behind_a_graft() {
    let folder = repository(&[(".env", OTHER)]);
    let at = folder.path();
    commit(at, "Begin");
    write(at, ".env", "clean\n");
    let last = commit(at, "Clean up");
    write(at, ".git/info/grafts", &format!("{last}\n"));
    assert_eq!(git(at, &["rev-list", "--all"]), last, "the graft works");
    assert_eq!(found(&run_in(at, &["scan", "--git", "--json"], &[])), [".env:2 leaked_pair"]);
}

#[test]
fn it_reports_missing_history() {
    let folder = repository(&[("a.txt", "a\n")]);
    let at = folder.path();
    commit(at, "Begin");
    for arguments in [
        &["scan", "--git", "no..such"][..],
        &["scan", "--git=--output=x"],
        &["scan", "--git", "--repository", "absent"],
        &["scan", "--git", "HEAD", "a.txt"],
        &["scan", "--repository", "."],
        &["scan", "a.txt", "--repository", "."],
    ] {
        let run = run_in(at, arguments, &[]);
        assert_eq!(run.exit, 2, "{arguments:?}: {run:?}");
    }
    assert!(!at.join("x").exists());
    let outside = tempfile::tempdir().expect("a folder");
    run_in(outside.path(), &["scan", "--git"], &[]).fails_with(2, "invalid_argument");
    // An empty repository has no history and no findings.
    git(outside.path(), &["init", "--quiet"]);
    assert_eq!(run_in(outside.path(), &["scan", "--git"], &[]).exit, 0);
}

#[test]
fn it_reports_that_a_shallow_clone_is_incomplete() {
    let folder = repository(&[(".env", OTHER)]);
    commit(folder.path(), "Begin");
    std::fs::remove_file(folder.path().join(".env")).expect("a file");
    commit(folder.path(), "Remove");
    let clone = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", &url, "."]);
    let run = run_in(clone.path(), &["scan", "--git"], &[]);
    assert_eq!(run.exit, 1);
    assert!(run.stderr.contains("shallow"), "{run:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn it_reads_a_repository_of_another_owner() {
    let folder = repository(&[(".env", OTHER)]);
    commit(folder.path(), "Begin");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let changed = Command::new("chown").args(["-R", "65534:65534"]).arg(folder.path()).status();
    assert!(changed.expect("chown runs").success());
    // Plain git refuses it.
    let refused = Command::new("git")
        .arg("-C")
        .arg(folder.path())
        .arg("log")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output();
    assert!(String::from_utf8_lossy(&refused.expect("git runs").stderr).contains("dubious ownership"));
    assert_eq!(found(&run_in(folder.path(), &["scan", "--git", "--json"], &[])), [".env:2 leaked_pair"]);
}
