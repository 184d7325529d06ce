//! Runs git so that the repository that it reads cannot run anything.
//!
//! A repository may come from an attacker, and its configuration names programs: hooks, a file system monitor, diff drivers,
//! filters, pagers, helpers, remotes. Therefore only plumbing commands run, which need none of these. Settings turn each of
//! these programs off as well, and git reads no other configuration than the repository's.

use std::path::Path;
use std::process::{Command, Stdio};

use justcall_auth::{Error, ErrorKind, printable};

#[cfg(windows)]
const NOWHERE: &str = "NUL";
#[cfg(not(windows))]
const NOWHERE: &str = "/dev/null";

/// Settings that override the repository's configuration.
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
    // The repository may belong to another user: nothing in it can run.
    "safe.directory=*",
];

/// Returns the command `git` for `repository`, with output for programs.
pub(crate) fn git(repository: &Path) -> Command {
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
        // Git must not fetch objects that a partial clone left with its remote. Older versions only know the second variable.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        // A clone still contains the objects that a replacement or a graft hides.
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

/// Runs git to its end and returns what it printed.
pub(crate) fn output(mut git: Command) -> Result<Vec<u8>, Error> {
    let ended = git.output().map_err(|error| cannot_start(&error))?;
    if ended.status.success() { Ok(ended.stdout) } else { Err(failed(&ended.stderr)) }
}

/// Returns the error for a git that does not start.
pub(crate) fn cannot_start(error: &std::io::Error) -> Error {
    Error::with_message(ErrorKind::SourceUnavailable, format!("git could not be started: {error}."))
        .with_hint("Install git, and check that it is in PATH. `scan` reads history with git.")
}

/// Returns the error for a git that failed, with the reason that it printed.
pub(crate) fn failed(stderr: &[u8]) -> Error {
    let printed = String::from_utf8_lossy(stderr);
    // Whole lines only: masking does not recognize half of a secret.
    let why =
        printed.lines().find_map(|line| line.strip_prefix("fatal: ")).unwrap_or("git printed no reason");
    Error::invalid_argument(format!("git cannot read the history: {}", printable::on_lines(why))).with_hint(
        "Run `scan --git` in a repository, or pass --repository. A range looks like origin/main..HEAD.",
    )
}
