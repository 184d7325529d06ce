//! Records the reads of the sources, with inotify.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::now;
use crate::source::WorkerSource;

/// One read of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The index of the process whose source it is.
    pub process: usize,
    /// When the file was opened.
    pub at: i64,
    /// Whether the file was already open.
    pub overlaps: bool,
}

/// Records reads of sources until it is dropped.
pub struct Reads {
    inotify: Arc<OwnedFd>,
    watched: Arc<Mutex<HashMap<i32, (usize, &'static str)>>>,
    seen: Arc<Mutex<Vec<Read>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reads {
    /// Starts recording on a new thread.
    ///
    /// # Errors
    /// If inotify is not available.
    pub fn begin() -> Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).context("inotify")?;
        let mut reads = Self {
            inotify: Arc::new(inotify),
            watched: Arc::default(),
            seen: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let (inotify, watched) = (reads.inotify.clone(), reads.watched.clone());
        let (seen, stop) = (reads.seen.clone(), reads.stop.clone());
        reads.thread = Some(std::thread::spawn(move || watch(&inotify, &watched, &seen, &stop)));
        Ok(reads)
    }

    /// Adds the source of `process`, with the pair that was prepared last.
    ///
    /// # Errors
    /// If inotify cannot watch it.
    pub fn add(&self, process: usize, source: &WorkerSource) -> Result<()> {
        let (folder, name) = source.opened_file();
        let flags = WatchFlags::OPEN | WatchFlags::CLOSE_NOWRITE | WatchFlags::CLOSE_WRITE;
        let mut watched = self.watched.lock().expect("no thread panics with it");
        let watch = inotify::add_watch(&*self.inotify, &folder, flags)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        watched.insert(watch, (process, name));
        Ok(())
    }

    /// Returns the reads so far.
    pub fn so_far(&self) -> Vec<Read> {
        self.seen.lock().expect("no thread panics with it").clone()
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn watch(
    inotify: &OwnedFd,
    watched: &Mutex<HashMap<i32, (usize, &'static str)>>,
    seen: &Mutex<Vec<Read>>,
    stop: &AtomicBool,
) {
    let mut open: HashMap<i32, usize> = HashMap::new();
    let slice = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    while !stop.load(Ordering::Acquire) {
        if poll(&mut [PollFd::new(inotify, PollFlags::IN)], Some(&slice)).unwrap_or(0) == 0 {
            continue;
        }
        let at = now();
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut reader = inotify::Reader::new(inotify, &mut buffer);
        while let Ok(event) = reader.next() {
            let watched = watched.lock().expect("no thread panics with it");
            let Some((process, name)) = watched.get(&event.wd()).copied() else { continue };
            if event.file_name().is_none_or(|named| named.to_bytes() != name.as_bytes()) {
                continue;
            }
            let count = open.entry(event.wd()).or_default();
            if event.events().contains(ReadFlags::OPEN) {
                let overlaps = *count > 0;
                *count += 1;
                seen.lock().expect("no thread panics with it").push(Read { process, at, overlaps });
            } else {
                *count = count.saturating_sub(1);
            }
        }
    }
}
