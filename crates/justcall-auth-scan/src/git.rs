//! git, so that the repository it reads cannot run anything.
//!
//! A repository is a folder that somebody else may have made, and its configuration names programs: hooks, a file system
//! monitor, diff drivers, filters, pagers, helpers, remotes. So only plumbing is used that needs none of them, each is
//! turned off all the same, and no configuration but the repository's own is read.

use std::path::Path;
use std::process::{Command, Stdio};

use justcall_auth::{Error, ErrorKind};

#[cfg(windows)]
const NOWHERE: &str = "NUL";
#[cfg(not(windows))]
const NOWHERE: &str = "/dev/null";

/// What the repository's own configuration cannot say otherwise.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.editor=false",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=false",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "diff.external=false",
    "gpg.program=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    // A cache of the history, which a repository could forge to hide commits.
    "core.commitGraph=false",
    // That somebody else owns it is what all this is for.
    "safe.directory=*",
];

/// `git` in `repository`. What it prints is for programs.
pub(super) fn git(repository: &Path) -> Command {
    let mut git = Command::new("git");
    git.env_clear();
    for name in ["PATH", "SystemRoot"] {
        if let Some(value) = std::env::var_os(name) {
            git.env(name, value);
        }
    }
    git.env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", NOWHERE)
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        // Objects that a clone left with its remote are not fetched; older git knows the second alone.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        // What was replaced, or cut off by a graft, is still there for whoever clones.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_GRAFT_FILE", NOWHERE);
    git.args(["--no-pager", "--literal-pathspecs"]);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.arg("-c").arg(format!("core.hooksPath={NOWHERE}"));
    git.arg("-c").arg(format!("core.attributesFile={NOWHERE}"));
    git.arg("-C").arg(repository).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    git
}

/// What git printed, once it has ended.
pub(super) fn output(mut git: Command) -> Result<Vec<u8>, Error> {
    let ended = git.output().map_err(|error| cannot_start(&error))?;
    if ended.status.success() { Ok(ended.stdout) } else { Err(failed(&ended.stderr)) }
}

/// git is not there.
pub(super) fn cannot_start(error: &std::io::Error) -> Error {
    Error::with_message(ErrorKind::SourceUnavailable, format!("git could not be started: {error}."))
        .hint_is("History is read with git: install it, and see that it is in PATH.")
}

/// git did not do it, and said why.
pub(super) fn failed(stderr: &[u8]) -> Error {
    let said = String::from_utf8_lossy(stderr);
    // Whole lines alone: half of a secret that was cut is not known for one.
    let why = said.lines().find_map(|line| line.strip_prefix("fatal: ")).unwrap_or("it does not say why");
    Error::invalid_argument(format!("git cannot read that history: {}", crate::json_text::harmless(why)))
        .hint_is("Run it in a repository or name one with --repository, and give a range such as origin/main..HEAD.")
}
