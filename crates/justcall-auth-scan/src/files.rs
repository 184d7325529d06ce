//! Scans the texts of files and folders.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::{Buffer, Location, Report, Scanner, Unread};

/// Files and folders to scan.
#[derive(Debug)]
pub struct Files<'a> {
    /// The files and folders. Folders are scanned recursively.
    pub paths: &'a [PathBuf],
    /// Whether to skip the files that `.gitignore` names.
    pub respect_gitignore: bool,
    /// The canonical paths of files to skip: those that the source read the pair from.
    pub except: &'a [PathBuf],
}

impl Files<'_> {
    /// Scans all paths, on every processor. Adds the number of scanned bytes to `seen` during the scan. Call
    /// [`Report::settle`] on the result.
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
            // An exported tree has `.gitignore`, but is not a repository.
            .require_git(false)
            .follow_links(false)
            .filter_entry(|entry| entry.file_name() != ".git");
        builder.build_parallel().run(|| {
            let mut walk_thread = WalkThread {
                files: self,
                scanner,
                seen,
                buffer: Buffer::default(),
                total: &total,
                report: Report::default(),
            };
            Box::new(move |entry| {
                walk_thread.visit(entry);
                WalkState::Continue
            })
        });
        total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One thread of the walk.
struct WalkThread<'a> {
    files: &'a Files<'a>,
    scanner: &'a Scanner,
    seen: &'a AtomicU64,
    buffer: Buffer,
    total: &'a Mutex<Report>,
    report: Report,
}

impl WalkThread<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let (path, why) = path_and_reason(&error);
                self.add_unread(&path, why);
                return;
            }
        };
        let path = entry.path();
        let is_named = entry.depth() == 0;
        let Some(kind) = entry.file_type() else { return };
        // A path that the user names is opened whatever its type. In folders, only files are opened: links are not followed,
        // and a pipe would block.
        if kind.is_dir() || !(kind.is_file() || is_named) || self.is_excepted(path, is_named) {
            return;
        }
        let before = self.report.bytes;
        let location = Location { path: shown(path), commit: None };
        let outcome = open(path, is_named).and_then(|mut file| {
            let name = name_of(path, entry.depth());
            self.scanner.scan(&location, &name, &mut file, &mut self.buffer, &mut self.report)
        });
        if let Err(error) = outcome {
            self.add_unread(path, error.to_string());
        }
        self.seen.fetch_add(self.report.bytes - before, Ordering::Relaxed);
    }

    fn add_unread(&mut self, path: &Path, why: String) {
        self.report.unread.push(Unread { path: self.scanner.mask(&shown(path)), why });
    }

    fn is_excepted(&self, path: &Path, is_named: bool) -> bool {
        let is_listed = |real: PathBuf| self.files.except.contains(&real);
        // Canonicalizing a path costs as much as reading a short file, so file names are compared first. Only a link has
        // another name, and only a named path may be a link.
        let may_be_same = |except: &PathBuf| is_named || except.file_name() == path.file_name();
        self.files.except.iter().any(may_be_same) && path.canonicalize().is_ok_and(is_listed)
    }
}

impl Drop for WalkThread<'_> {
    fn drop(&mut self) {
        let mut total = self.total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        total.add(std::mem::take(&mut self.report));
    }
}

/// Returns the path as the user wrote it, with slashes.
fn shown(path: &Path) -> String {
    let shown = path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown }
}

/// Returns the part of a path that may describe the file: the part below the folder that the user named. For a file that the
/// user named, returns a relative path whole, and of an absolute path the names of the file and its folder.
fn name_of(path: &Path, depth: usize) -> String {
    let parts: Vec<_> = path.components().collect();
    let from = match depth {
        0 if path.is_relative() => 0,
        0 => parts.len().saturating_sub(2),
        depth => parts.len().saturating_sub(depth),
    };
    shown(&parts[from..].iter().collect::<PathBuf>())
}

/// Opens a file that the walk has seen. The file may have been replaced since, so the call follows no link and does not block
/// on a pipe.
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

/// Returns the path that the walk could not read, and the reason.
fn path_and_reason(error: &ignore::Error) -> (PathBuf, String) {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), path_and_reason(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_and_reason(err)
        }
        ignore::Error::Io(error) => (PathBuf::new(), error.to_string()),
        other => (PathBuf::new(), other.to_string()),
    }
}
