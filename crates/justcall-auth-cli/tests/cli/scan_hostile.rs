//! A repository that is scanned cannot run anything, however it is configured.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::run::run;
use crate::scan::{OTHER, found, run_in};
use crate::scan_history::{commit, git, plain_git, repository};

/// Settings of a repository that make git run a program, each with the plain command that runs it.
const KNOBS: &[(&str, &[&str])] = &[
    ("fsmonitor", &["status"]),
    ("hook", &["commit", "--allow-empty", "--message", "x"]),
    ("external-diff", &["diff", "change~1", "change"]),
    ("driver", &["log", "--patch", "--ext-diff", "change", "--", "a.driven"]),
    ("textconv", &["log", "--patch", "change", "--", "a.converted"]),
    ("clean", &["hash-object", "a.filtered"]),
    ("smudge", &["cat-file", "--filters", "change:a.filtered"]),
    ("pager", &["log"]),
    ("editor", &["commit", "--allow-empty"]),
    ("ssh", &["fetch", "ssh://host.invalid/x"]),
    ("askpass", &["credential", "fill"]),
    ("credential", &["credential", "fill"]),
    ("signature", &["log", "-1", "signed"]),
    ("lazy-fetch", &["cat-file", "blob", "change:missing.txt"]),
];

/// A repository in which every such setting writes a marker to a folder.
struct Hostile {
    folder: TempDir,
    markers: TempDir,
}

impl Hostile {
    fn new() -> Self {
        let markers = tempfile::tempdir().expect("a folder");
        let folder = repository(&[
            (".env", OTHER),
            (".gitattributes", "*.driven diff=evil\n*.converted diff=convert\n*.filtered filter=evil\n"),
            ("a.driven", "one\n"),
            ("a.converted", "one\n"),
            ("a.filtered", "one\n"),
            ("missing.txt", "only the remote has it\n"),
        ]);
        let hostile = Self { folder, markers };
        let at = hostile.at();
        commit(at, "Begin");
        for path in ["a.driven", "a.converted", "a.filtered"] {
            std::fs::write(at.join(path), "two\n").expect("a file");
        }
        commit(at, "Change");
        git(at, &["tag", "change"]);
        hostile.sign();
        let missing = git(at, &["rev-parse", "HEAD:missing.txt"]);
        std::fs::remove_file(at.join(".git/objects").join(&missing[..2]).join(&missing[2..]))
            .expect("the object is loose");
        hostile.configure();
        hostile
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a program that leaves a marker and does what git expects of it.
    fn program(&self, name: &str, then: &str) -> PathBuf {
        let path = self.markers.path().join(format!("program-{name}"));
        let marker = self.markers.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n: > {}\n{then}\n", marker.display())).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("the file belongs to this user");
        path
    }

    /// Creates a commit with a signature that must be checked.
    fn sign(&self) {
        let text = git(self.at(), &["cat-file", "commit", "HEAD"]);
        let (head, message) = text.split_once("\n\n").expect("a commit has a message");
        let signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----";
        let mut hash = plain_git(self.at(), &["hash-object", "-t", "commit", "-w", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        write!(hash.stdin.take().expect("a pipe"), "{head}\n{signature}\n\n{message}\n").expect("it reads");
        let object = String::from_utf8(hash.wait_with_output().expect("it ends").stdout).expect("UTF-8");
        git(self.at(), &["branch", "signed", object.trim()]);
    }

    /// Writes the settings to a file that the configuration of the repository includes.
    fn configure(&self) {
        let hooks = self.markers.path().join("hooks");
        std::fs::create_dir(&hooks).expect("a folder");
        let hook = self.program("hook", "exit 0");
        for name in
            ["pre-commit", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"]
        {
            std::fs::copy(&hook, hooks.join(name)).expect("a hook");
        }
        let path = |name: &str, then: &str| self.program(name, then).display().to_string();
        let lazy = self.program("lazy-fetch", "exit 1").display().to_string();
        let settings = [
            ("core.fsmonitor", path("fsmonitor", "printf '/\\0'")),
            ("core.hooksPath", hooks.display().to_string()),
            ("core.pager", path("pager", "cat")),
            ("core.editor", path("editor", "exit 1")),
            ("core.sshCommand", path("ssh", "exit 1")),
            ("core.askPass", path("askpass", "echo x")),
            ("credential.helper", path("credential", "exit 0")),
            ("diff.external", path("external-diff", "exit 0")),
            ("diff.evil.command", path("driver", "exit 0")),
            ("diff.convert.textconv", path("textconv", "cat \"$1\"")),
            ("filter.evil.clean", path("clean", "cat")),
            ("filter.evil.smudge", path("smudge", "cat")),
            ("gpg.program", path("signature", "exit 1")),
            ("log.showSignature", "true".into()),
            ("core.repositoryFormatVersion", "1".into()),
            ("extensions.partialClone", "origin".into()),
            ("remote.origin.url", format!("ext::{lazy}")),
            ("remote.origin.promisor", "true".into()),
            ("protocol.ext.allow", "always".into()),
            ("protocol.allow", "always".into()),
        ];
        let included = self.at().join(".git/included");
        for (name, value) in settings {
            git(self.at(), &["config", "--file", included.to_str().expect("UTF-8"), name, &value]);
        }
        git(self.at(), &["config", "include.path", "included"]);
        // git reads these settings before it includes a file.
        git(self.at(), &["config", "core.repositoryFormatVersion", "1"]);
        git(self.at(), &["config", "extensions.partialClone", "origin"]);
        // The state of the index is unknown, so git runs the monitor.
        let _ = std::fs::remove_file(self.at().join(".git/index"));
        self.forget();
    }

    /// Returns the markers that exist.
    fn markers(&self) -> BTreeSet<String> {
        let names = std::fs::read_dir(self.markers.path()).expect("a folder");
        let names = names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| !name.starts_with("program-") && name != "hooks").collect()
    }

    fn forget(&self) {
        for name in self.markers() {
            std::fs::remove_file(self.markers.path().join(name)).expect("the marker is removable");
        }
    }
}

#[test]
fn it_runs_nothing_that_a_repository_names() {
    let hostile = Hostile::new();
    let at = hostile.at();
    let address = at.to_str().expect("UTF-8");
    for arguments in [
        &["scan", "--git", "--json"][..],
        &["scan", "--git", "--reflog", "--json"],
        &["scan", "--git", "HEAD~1..HEAD", "--json"],
        &["scan", ".", "--json"],
        &["scan", ".", "--respect-gitignore", "--json"],
    ] {
        let found = found(&run_in(at, arguments, &[]));
        let is_range = arguments.contains(&"HEAD~1..HEAD");
        assert_eq!(found.len(), usize::from(!is_range), "{arguments:?}: {found:?}");
        assert_eq!(hostile.markers(), BTreeSet::new(), "{arguments:?}");
    }
    let whole = run(&["scan", "--git", "--json", "--repository", address], &[]);
    let unread = whole.json()["unread"].to_string();
    assert!(unread.contains("missing.txt") && unread.contains("not in this clone"), "{unread}");
    assert_eq!(hostile.markers(), BTreeSet::new());

    // The control: plain git runs every one of them.
    for (knob, arguments) in KNOBS {
        hostile.forget();
        let mut command = plain_git(at, arguments);
        if *knob == "pager" {
            // `script` provides a terminal.
            command = std::process::Command::new("script");
            command.args(["--quiet", "--command", "git log", "/dev/null"]).current_dir(at);
            command.env("TERM", "xterm").env_remove("GIT_PAGER").env_remove("PAGER").stdin(Stdio::null());
        }
        if *knob == "askpass" || *knob == "credential" {
            let input = at.join("request");
            std::fs::write(&input, "protocol=https\nhost=host.invalid\n\n").expect("a file");
            command.stdin(std::fs::File::open(input).expect("a file"));
        }
        command.env_remove("GIT_EDITOR").env_remove("EDITOR").env_remove("VISUAL").env_remove("GIT_ASKPASS");
        let ended = command.output().expect("git runs");
        assert!(hostile.markers().contains(*knob), "{knob}: {ended:?}");
    }
}
