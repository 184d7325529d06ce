//! Scans the texts of a git repository's history: every version of every file, each once, and the messages of commits and
//! tags.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use justcall_auth::Error;

use crate::git::{cannot_start, failed, git, output};
use crate::{Buffer, Location, Report, Scanner, Unread};

/// The maximum number of bytes of a commit or tag that are read.
const LONGEST_MESSAGE: u64 = 16 * 1024 * 1024;
/// The mode of a submodule in a tree: its commit is in another repository.
const SUBMODULE: &str = "160000";

/// The history of a git repository to scan.
#[derive(Debug)]
pub struct History<'a> {
    /// The repository, or any folder in it.
    pub repository: &'a Path,
    /// Commits in the syntax of `git rev-list`, such as `main..HEAD`. `None` means all commits that a ref reaches.
    pub range: Option<&'a str>,
    /// Whether to also scan commits that only a reflog reaches, of any ref and any worktree: stashes, and commits that were
    /// amended, reset or rebased.
    pub includes_reflog: bool,
}

/// An object to scan, with its name.
struct Wanted {
    object: String,
    commit: String,
    /// The path of a file, or `None` for a commit or tag itself.
    path: Option<String>,
}

impl History<'_> {
    /// Scans the history and returns the settled report. Adds the number of scanned bytes to `seen` during the scan.
    ///
    /// # Errors
    /// `source_unavailable` if git cannot be started, `invalid_argument` if git reports that there is no such history.
    pub fn scan(&self, scanner: &Scanner, seen: &AtomicU64) -> Result<Report, Error> {
        let commits = self.commits()?;
        let first = if self.range.is_none() { self.refs()? } else { Vec::new() };
        let mut objects = git(self.repository)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| cannot_start(&error))?;
        let requests = objects.stdin.take().expect("it is piped");
        let replies = objects.stdout.take().expect("it is piped");
        let (announce, announced) = channel();
        let mut report = thread::scope(|scope| {
            let requesting =
                scope.spawn(|| self.request_all(&commits, first, ObjectRequests::new(requests, announce)));
            let report = read(scanner, &mut BufReader::new(replies), &announced, seen);
            drop(announced);
            requesting.join().expect("the thread does not panic").map(|()| report)
        })?;
        let _ended = objects.wait();
        if self.is_shallow()? {
            let why =
                "the clone is shallow, so its history is incomplete (run `git fetch --unshallow`)".to_owned();
            report.unread.push(Unread { path: self.repository.display().to_string(), why });
        }
        report.settle();
        Ok(report)
    }

    /// Returns the commits, the oldest first, so that a text is attributed to the commit that added it.
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

    /// Returns the tags, and the objects that refs reach without a commit.
    fn refs(&self) -> Result<Vec<Wanted>, Error> {
        let mut list = git(self.repository);
        list.args(["for-each-ref", "--format=%(objecttype) %(objectname) %(refname)"]);
        let mut wanted = Vec::new();
        for line in lines(&output(list)?) {
            let mut parts = line.splitn(3, ' ').map(str::to_owned);
            let (Some(kind), Some(object), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            self.add_ref(&kind, object, &name, &mut wanted)?;
        }
        Ok(wanted)
    }

    /// Adds the texts of an object that the ref `name` reaches.
    fn add_ref(&self, kind: &str, object: String, name: &str, wanted: &mut Vec<Wanted>) -> Result<(), Error> {
        match kind {
            "tag" => {
                let mut show = git(self.repository);
                show.args(["cat-file", "tag", &object]);
                let tag = lines(&output(show)?);
                let field =
                    |name: &str| tag.iter().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                wanted.push(Wanted { object, commit: name.to_owned(), path: None });
                if let (Some(target), Some(kind)) = (field("object "), field("type ")) {
                    self.add_ref(&kind, target, name, wanted)?;
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

    /// Requests every object once: those of refs, then the commits, then the files that they added.
    fn request_all(
        &self,
        commits: &[String],
        first: Vec<Wanted>,
        mut requests: ObjectRequests,
    ) -> Result<(), Error> {
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
        let mut input = changes.stdin.take().expect("it is piped");
        let mut output = BufReader::new(changes.stdout.take().expect("it is piped"));
        thread::scope(|scope| {
            // If git ends early, its exit status is the error.
            scope.spawn(move || commits.iter().try_for_each(|commit| writeln!(input, "{commit}")));
            for commit in commits {
                let message = Wanted { object: commit.clone(), commit: commit.clone(), path: None };
                if !requests.add(message) {
                    break;
                }
            }
            request_files(&mut output, &mut requests);
            // git exits only after all its output is read.
            let _ = io::copy(&mut output, &mut io::sink());
        });
        ended(changes)
    }

    fn is_shallow(&self) -> Result<bool, Error> {
        let mut parse = git(self.repository);
        parse.args(["rev-parse", "--is-shallow-repository"]);
        Ok(output(parse)?.starts_with(b"true"))
    }
}

/// Requests the files in the output of `diff-tree --raw -z`. A part of it is the name of a commit, or a change: two modes, two
/// objects and a letter, followed by a path.
fn request_files(changes: &mut impl BufRead, requests: &mut ObjectRequests) {
    let mut commit = String::new();
    while let Some(part) = until_zero(changes) {
        let Some(change) = part.strip_prefix(':') else {
            commit = part;
            continue;
        };
        let Some(path) = until_zero(changes) else { return };
        let fields: Vec<&str> = change.split(' ').collect();
        let [_, mode, _, object, _] = fields[..] else { continue };
        let is_deleted = object.bytes().all(|byte| byte == b'0');
        let wanted = Wanted { object: object.to_owned(), commit: commit.clone(), path: Some(path) };
        if !is_deleted && mode != SUBMODULE && !requests.add(wanted) {
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

/// The requests to `cat-file`. Each is announced to the reader of the replies.
struct ObjectRequests {
    to_git: ChildStdin,
    announce: Sender<Wanted>,
    seen: HashSet<String>,
}

impl ObjectRequests {
    fn new(to_git: ChildStdin, announce: Sender<Wanted>) -> Self {
        Self { to_git, announce, seen: HashSet::new() }
    }

    /// Requests an object unless it was requested before. Returns false if git or the reader has stopped.
    fn add(&mut self, wanted: Wanted) -> bool {
        if !self.seen.insert(wanted.object.clone()) {
            return true;
        }
        let object = wanted.object.clone();
        self.announce.send(wanted).is_ok() && writeln!(self.to_git, "{object}").is_ok()
    }
}

/// Reads the replies of `cat-file --batch` in the order of the requests.
fn read(
    scanner: &Scanner,
    replies: &mut impl BufRead,
    announced: &Receiver<Wanted>,
    seen: &AtomicU64,
) -> Report {
    let mut report = Report::default();
    let mut buffer = Buffer::default();
    for wanted in announced {
        let before = report.bytes;
        let reply = read_one(scanner, replies, &wanted, &mut buffer, &mut report);
        seen.fetch_add(report.bytes - before, Ordering::Relaxed);
        let is_over = reply.is_err();
        if let Some(why) = reply.unwrap_or_else(|error| Some(error.to_string())) {
            let path = scanner.mask(&format!("{} {}", wanted.commit, wanted.path.unwrap_or_default()));
            report.unread.push(Unread { path, why });
        }
        if is_over {
            break;
        }
    }
    report
}

/// Reads one reply: `NAME TYPE SIZE`, the object and a line break, or `NAME missing`. Returns the reason if the object could
/// not be scanned, or `None` if it was scanned.
///
/// # Errors
/// If no further reply can be read.
fn read_one(
    scanner: &Scanner,
    replies: &mut impl BufRead,
    wanted: &Wanted,
    buffer: &mut Buffer,
    report: &mut Report,
) -> io::Result<Option<String>> {
    let mut head = String::new();
    replies.read_line(&mut head)?;
    let fields: Vec<&str> = head.split_whitespace().collect();
    let size = match fields[..] {
        [_, "missing"] => return Ok(Some("the object is not in this clone".to_owned())),
        [_, _, size] => size.parse().map_err(io::Error::other)?,
        _ => return Err(io::Error::other("git ended before it printed all objects")),
    };
    let mut content = replies.take(size);
    let outcome = match &wanted.path {
        Some(path) => {
            let location = Location { path: path.clone(), commit: Some(wanted.commit.clone()) };
            scanner.scan(&location, path, &mut content, buffer, report)
        }
        None => scan_commit(scanner, &wanted.commit, &mut content, buffer, report),
    };
    io::copy(&mut content, &mut io::sink())?;
    replies.read_exact(&mut [0])?;
    Ok(outcome.err().map(|error| error.to_string()))
}

/// Scans the message of a commit or tag, and its headers, which contain names and addresses.
fn scan_commit(
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
        let location = Location { path: what.to_owned(), commit: Some(commit.to_owned()) };
        scanner.scan(&location, "", &mut part, buffer, report)?;
    }
    Ok(())
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(str::to_owned).collect()
}

/// Waits until git exits. Fails if it failed.
fn ended(child: Child) -> Result<(), Error> {
    let ended = child.wait_with_output().map_err(|error| cannot_start(&error))?;
    if ended.status.success() { Ok(()) } else { Err(failed(&ended.stderr)) }
}
