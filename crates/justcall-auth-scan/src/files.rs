//! The texts of files and folders.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Buffer, Place, Report, Scanner, Unread};

/// Files and folders to look at.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    pub paths: &'a [PathBuf],
    /// Whether what `.gitignore` names is passed over.
    pub respect_gitignore: bool,
    /// Files to pass over: those that the source gave the pair from, by their real names.
    pub except: &'a [PathBuf],
}

impl Files<'_> {
    /// Looks at all of them, on every processor; the report is to be settled. `seen` counts bytes as they are looked at.
    pub fn scan(&self, scanner: &Scanner, seen: &AtomicU64) -> Report {
        let total = Mutex::new(Report::default());
        let Some((first, others)) = self.paths.split_first() else { return Report::default() };
        let mut builder = WalkBuilder::new(first);
        for path in others {
            builder.add(path);
        }
        builder
            .standard_filters(false)
            .git_ignore(self.respect_gitignore)
            .git_exclude(self.respect_gitignore)
            .git_global(self.respect_gitignore)
            .parents(self.respect_gitignore)
            // An exported tree has the file too.
            .require_git(false)
            .follow_links(false)
            .filter_entry(|entry| entry.file_name() != ".git");
        builder.build_parallel().run(|| {
            let mut worker = Worker {
                files: self,
                scanner,
                seen,
                buffer: Buffer::default(),
                total: &total,
                report: Report::default(),
            };
            Box::new(move |entry| {
                worker.look(entry);
                WalkState::Continue
            })
        });
        total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One of the threads that look.
struct Worker<'a> {
    files: &'a Files<'a>,
    scanner: &'a Scanner,
    seen: &'a AtomicU64,
    buffer: Buffer,
    total: &'a Mutex<Report>,
    report: Report,
}

impl Worker<'_> {
    fn look(&mut self, entry: Result<DirEntry, ignore::Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let (path, why) = told(&error);
                self.cannot(&path, why);
                return;
            }
        };
        let path = entry.path();
        let is_named = entry.depth() == 0;
        let Some(kind) = entry.file_type() else { return };
        // What the user names is opened whatever it is; in folders links are not followed, and a pipe would block.
        if kind.is_dir() || !(kind.is_file() || is_named) || self.is_excepted(path, is_named) {
            return;
        }
        let before = self.report.bytes;
        let place = Place { path: shown(path), commit: None };
        let outcome = open(path, is_named).and_then(|mut file| {
            let name = telling(path, entry.depth());
            self.scanner.scan(&place, &name, &mut file, &mut self.buffer, &mut self.report)
        });
        if let Err(error) = outcome {
            self.cannot(path, error.to_string());
        }
        self.seen.fetch_add(self.report.bytes - before, Ordering::Relaxed);
    }

    fn cannot(&mut self, path: &Path, why: String) {
        self.report.unread.push(Unread { path: self.scanner.mask(&shown(path)), why });
    }

    fn is_excepted(&self, path: &Path, is_named: bool) -> bool {
        let is_it = |real: PathBuf| self.files.except.contains(&real);
        // A look at the whole path costs as much as reading a short file. Only a link has another name.
        let is_called_so = |except: &PathBuf| is_named || except.file_name() == path.file_name();
        self.files.except.iter().any(is_called_so) && path.canonicalize().is_ok_and(is_it)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let mut total = self.total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        total.add(std::mem::take(&mut self.report));
    }
}

/// As it was given, with slashes.
fn shown(path: &Path) -> String {
    let shown = path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown }
}

/// What of a path may tell what the file is: below the folder that was named; of a file that was named, its path from
/// here, or its name and its folder's.
fn telling(path: &Path, depth: usize) -> String {
    let parts: Vec<_> = path.components().collect();
    let from = match depth {
        0 if path.is_relative() => 0,
        0 => parts.len().saturating_sub(2),
        depth => parts.len().saturating_sub(depth),
    };
    shown(&parts[from..].iter().collect::<PathBuf>())
}

/// Opens a file that the walk has seen: what it is may have changed since, so no link is followed and no pipe waited for.
#[cfg(unix)]
fn open(path: &Path, is_named: bool) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    if is_named {
        return File::open(path);
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no longer a file")) }
}

#[cfg(not(unix))]
fn open(path: &Path, _is_named: bool) -> io::Result<File> {
    File::open(path)
}

/// The path and the reason of what the walk could not see.
fn told(error: &ignore::Error) -> (PathBuf, String) {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), told(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => told(err),
        ignore::Error::Io(error) => (PathBuf::new(), error.to_string()),
        other => (PathBuf::new(), other.to_string()),
    }
}
