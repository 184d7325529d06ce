//! The texts of a git repository's history: every version of every file, each once, and what commits and tags say.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use justcall_auth::Error;

use super::git::{cannot_start, failed, git, output};
use super::{Buffer, Place, Report, Scanner, Unread};

/// The longest message of a commit or tag that is read, in bytes; the rest is not one.
const LONGEST_MESSAGE: u64 = 16 * 1024 * 1024;
/// The mode of a submodule in a tree: its commit is in another repository.
const SUBMODULE: &str = "160000";

/// A repository's history.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub repository: &'a Path,
    /// Commits as `git rev-list` takes them, such as `main..HEAD`; none means all that any ref leads to.
    pub range: Option<&'a str>,
    /// Whether commits are looked at as well that only a reflog leads to, of any ref and any worktree: what was amended, reset
    /// or rebased away, and every stash.
    pub includes_reflog: bool,
}

/// An object to look at, and what it is called.
struct Wanted {
    object: String,
    commit: String,
    /// The path of a file; none for a commit or tag itself.
    path: Option<String>,
}

impl History<'_> {
    /// Looks at all of it. `seen` counts bytes as they are looked at.
    ///
    /// # Errors
    /// When git cannot be started, or says that there is no such history.
    pub fn scan(&self, scanner: &Scanner, seen: &AtomicU64) -> Result<Report, Error> {
        let commits = self.commits()?;
        let first = if self.range.is_none() { self.refs()? } else { Vec::new() };
        let mut objects = git(self.repository)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| cannot_start(&error))?;
        let requests = objects.stdin.take().expect("it was asked for");
        let answers = objects.stdout.take().expect("it was asked for");
        let (announce, announced) = channel();
        let mut report = thread::scope(|scope| {
            let asking = scope.spawn(|| self.ask(&commits, first, Requests::new(requests, announce)));
            let report = read(scanner, &mut BufReader::new(answers), &announced, seen);
            drop(announced);
            asking.join().expect("it does not panic").map(|()| report)
        })?;
        let _ended = objects.wait();
        if self.is_shallow()? {
            let why = "the clone is shallow, so its history is cut off; fetch with --unshallow".to_owned();
            report.unread.push(Unread { path: self.repository.display().to_string(), why });
        }
        report.settle();
        Ok(report)
    }

    /// The commits, the oldest first: what brought a text stands before those that kept it.
    fn commits(&self) -> Result<Vec<String>, Error> {
        let mut list = git(self.repository);
        list.args(["rev-list", "--reverse", "--topo-order"]);
        if self.includes_reflog {
            list.arg("--reflog");
        }
        match self.range {
            Some(range) => list.args(["--end-of-options", range, "--"]),
            None => list.arg("--all"),
        };
        Ok(lines(&output(list)?))
    }

    /// Tags, and what refs lead to that is in no commit.
    fn refs(&self) -> Result<Vec<Wanted>, Error> {
        let mut list = git(self.repository);
        list.args(["for-each-ref", "--format=%(objecttype) %(objectname) %(refname)"]);
        let mut wanted = Vec::new();
        for line in lines(&output(list)?) {
            let mut parts = line.splitn(3, ' ').map(str::to_owned);
            let (Some(kind), Some(object), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            self.want(&kind, object, &name, &mut wanted)?;
        }
        Ok(wanted)
    }

    fn want(&self, kind: &str, object: String, name: &str, wanted: &mut Vec<Wanted>) -> Result<(), Error> {
        match kind {
            "tag" => {
                let mut show = git(self.repository);
                show.args(["cat-file", "tag", &object]);
                let tag = lines(&output(show)?);
                let field =
                    |name: &str| tag.iter().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                wanted.push(Wanted { object, commit: name.to_owned(), path: None });
                if let (Some(target), Some(kind)) = (field("object "), field("type ")) {
                    self.want(&kind, target, name, wanted)?;
                }
            }
            "blob" => wanted.push(Wanted { object, commit: name.to_owned(), path: Some(String::new()) }),
            "tree" => {
                let mut list = git(self.repository);
                list.args(["ls-tree", "-r", "-z", "--full-tree", &object]);
                for entry in output(list)?.split(|byte| *byte == 0) {
                    let entry = String::from_utf8_lossy(entry);
                    let Some((head, path)) = entry.split_once('\t') else { continue };
                    if let [_, "blob", object] = head.split(' ').collect::<Vec<_>>()[..] {
                        let path = Some(path.to_owned());
                        wanted.push(Wanted { object: object.to_owned(), commit: name.to_owned(), path });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks for every object once: what refs lead to, then each commit with the files that it brought.
    fn ask(&self, commits: &[String], first: Vec<Wanted>, mut requests: Requests) -> Result<(), Error> {
        for wanted in first {
            if !requests.add(wanted) {
                return Ok(());
            }
        }
        let mut changes = git(self.repository);
        changes.args([
            "diff-tree",
            "--stdin",
            "-r",
            "-m",
            "--root",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
        ]);
        changes.args(["--no-ext-diff", "--no-textconv"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut changes = changes.spawn().map_err(|error| cannot_start(&error))?;
        let mut input = changes.stdin.take().expect("it was asked for");
        let mut output = BufReader::new(changes.stdout.take().expect("it was asked for"));
        thread::scope(|scope| {
            // When git ends early, its own failure says why.
            scope.spawn(move || commits.iter().try_for_each(|commit| writeln!(input, "{commit}")));
            for commit in commits {
                let message = Wanted { object: commit.clone(), commit: commit.clone(), path: None };
                if !requests.add(message) {
                    break;
                }
            }
            ask_for_files(&mut output, &mut requests);
            // What is not read must not keep git from ending.
            let _ = io::copy(&mut output, &mut io::sink());
        });
        ended(changes)
    }

    fn is_shallow(&self) -> Result<bool, Error> {
        let mut ask = git(self.repository);
        ask.args(["rev-parse", "--is-shallow-repository"]);
        Ok(output(ask)?.starts_with(b"true"))
    }
}

/// Reads `diff-tree --raw -z`: a commit's name, or a change's two modes, two objects and its letter, then its path.
fn ask_for_files(changes: &mut impl BufRead, requests: &mut Requests) {
    let mut commit = String::new();
    while let Some(part) = until_zero(changes) {
        let Some(change) = part.strip_prefix(':') else {
            commit = part;
            continue;
        };
        let Some(path) = until_zero(changes) else { return };
        let fields: Vec<&str> = change.split(' ').collect();
        let [_, mode, _, object, _] = fields[..] else { continue };
        let is_gone = object.bytes().all(|byte| byte == b'0');
        let wanted = Wanted { object: object.to_owned(), commit: commit.clone(), path: Some(path) };
        if !is_gone && mode != SUBMODULE && !requests.add(wanted) {
            return;
        }
    }
}

fn until_zero(reader: &mut impl BufRead) -> Option<String> {
    let mut part = Vec::new();
    reader.read_until(0, &mut part).ok().filter(|count| *count > 0)?;
    part.pop();
    Some(String::from_utf8_lossy(&part).into_owned())
}

/// What was asked for, and whom it was announced to.
struct Requests {
    to_git: ChildStdin,
    announce: Sender<Wanted>,
    seen: HashSet<String>,
}

impl Requests {
    fn new(to_git: ChildStdin, announce: Sender<Wanted>) -> Self {
        Self { to_git, announce, seen: HashSet::new() }
    }

    /// Asks for an object that was not asked for; false when nobody answers any more.
    fn add(&mut self, wanted: Wanted) -> bool {
        if !self.seen.insert(wanted.object.clone()) {
            return true;
        }
        let object = wanted.object.clone();
        self.announce.send(wanted).is_ok() && writeln!(self.to_git, "{object}").is_ok()
    }
}

/// Reads the answers of `cat-file --batch` in the order of the requests.
fn read(
    scanner: &Scanner,
    answers: &mut impl BufRead,
    announced: &Receiver<Wanted>,
    seen: &AtomicU64,
) -> Report {
    let mut report = Report::default();
    let mut buffer = Buffer::default();
    for wanted in announced {
        let before = report.bytes;
        let answer = one(scanner, answers, &wanted, &mut buffer, &mut report);
        seen.fetch_add(report.bytes - before, Ordering::Relaxed);
        let is_over = answer.is_err();
        if let Some(why) = answer.unwrap_or_else(|error| Some(error.to_string())) {
            let path = scanner.mask(&format!("{} {}", wanted.commit, wanted.path.unwrap_or_default()));
            report.unread.push(Unread { path, why });
        }
        if is_over {
            break;
        }
    }
    report
}

/// One answer: `NAME TYPE SIZE`, the object, a line break; or `NAME missing`. Why it could not be looked at, if so.
///
/// # Errors
/// When no further answer can be read.
fn one(
    scanner: &Scanner,
    answers: &mut impl BufRead,
    wanted: &Wanted,
    buffer: &mut Buffer,
    report: &mut Report,
) -> io::Result<Option<String>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let fields: Vec<&str> = head.split_whitespace().collect();
    let size = match fields[..] {
        [_, "missing"] => return Ok(Some("the object is not in this clone".to_owned())),
        [_, _, size] => size.parse().map_err(io::Error::other)?,
        _ => return Err(io::Error::other("git ended before it gave all objects")),
    };
    let mut content = answers.take(size);
    let outcome = match &wanted.path {
        Some(path) => {
            let place = Place { path: path.clone(), commit: Some(wanted.commit.clone()) };
            scanner.scan(&place, path, &mut content, buffer, report)
        }
        None => said(scanner, &wanted.commit, &mut content, buffer, report),
    };
    io::copy(&mut content, &mut io::sink())?;
    answers.read_exact(&mut [0])?;
    Ok(outcome.err().map(|error| error.to_string()))
}

/// A commit or tag: its message, and the names and addresses before it.
fn said(
    scanner: &Scanner,
    commit: &str,
    content: &mut impl Read,
    buffer: &mut Buffer,
    report: &mut Report,
) -> io::Result<()> {
    let mut text = Vec::new();
    content.take(LONGEST_MESSAGE).read_to_end(&mut text)?;
    let message = memchr::memmem::find(&text, b"\n\n").map_or(0, |at| at + 2);
    for (what, mut part) in [("message", &text[message..]), ("headers", &text[..message])] {
        let place = Place { path: what.to_owned(), commit: Some(commit.to_owned()) };
        scanner.scan(&place, "", &mut part, buffer, report)?;
    }
    Ok(())
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(str::to_owned).collect()
}

fn ended(child: Child) -> Result<(), Error> {
    let ended = child.wait_with_output().map_err(|error| cannot_start(&error))?;
    if ended.status.success() { Ok(()) } else { Err(failed(&ended.stderr)) }
}
