//! Reads of a source that are skipped if its files have not changed.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_secret::Level;

use super::{Fingerprints, LoadedSource, ProcessEnvironment, Source};
use crate::context::CallContext;
use crate::reentry;

/// A file that changed less than this ago may change again without a new time, because file systems count time in
/// steps.
const SETTLED: Duration = Duration::from_secs(1);

/// A source and its last read, shared by all clients with this source.
#[derive(Debug)]
pub(crate) struct ChangeDetector {
    source: Source,
    fingerprints: Fingerprints,
    /// A fingerprint of the pair that the last read found in the environment.
    fingerprint: Mutex<Option<u64>>,
    memory: Level,
    last_read: Mutex<LastRead>,
}

/// The files of the source at the last read.
#[derive(Debug, Default, Clone)]
struct LastRead {
    /// The number of reads that were started. The result of an earlier read must not replace that of a later one.
    reads: u64,
    stamps: Vec<FileStamp>,
    /// True if these versions of the files were read, and their next change will be visible.
    is_known: bool,
}

/// Distinguishes the versions of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    path: PathBuf,
    /// The version, or `None` if the file does not exist.
    version: Option<Version>,
}

impl ChangeDetector {
    /// Creates a detector that has read nothing yet. Pairs are protected at the level `memory`.
    pub fn new(source: Source, memory: Level, fingerprints: Fingerprints) -> Self {
        Self { source, memory, fingerprints, fingerprint: Mutex::default(), last_read: Mutex::default() }
    }

    /// Returns true if a new client may use this source. `fingerprint` is the pair in the environment. It must be the
    /// pair of the last read, unless the environment is empty or nothing was read yet.
    pub fn is_for(&self, fingerprint: Option<u64>) -> bool {
        let mut known = self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = fingerprint;
        }
        fingerprint.is_none() || *known == fingerprint
    }

    /// Returns true if reading the source runs foreign code or asks a server, which may take long.
    pub fn is_costly(&self) -> bool {
        self.source.is_costly()
    }

    /// Returns true if the login of the source should be renewed at `now`.
    pub fn is_renewal_due(&self, now: Duration) -> bool {
        self.source.is_renewal_due(now)
    }

    /// Returns true if this thread is reading the source.
    pub fn is_entered(&self) -> bool {
        match &self.source {
            Source::Callback(callback) => callback.is_entered(),
            _ => reentry::is_inside(self),
        }
    }

    /// Reads the source, unless its files are unchanged since the last read. The keyring admits one caller at a time. A
    /// caller whose lease has ended does not block the next one.
    pub fn read(&self, context: &CallContext) -> Result<SourceRead, Error> {
        // A callback marks and detects its own entry.
        let _mark = (!matches!(self.source, Source::Callback(_))).then(|| reentry::enter(self));
        let LastRead { reads, stamps: known, is_known } = self.begin_read();
        let before: Vec<FileStamp> = known.iter().map(|stamp| FileStamp::of(stamp.path.clone())).collect();
        if is_known && before == known {
            self.keep(LastRead { reads, stamps: known, is_known });
            return Ok(SourceRead::Unchanged);
        }
        let loaded = self.source.load_within(&ProcessEnvironment, context)?;
        let LoadedSource { pair, watched, .. } = loaded;
        if self.source.is_environment() {
            let read = self.fingerprints.of(&pair.credentials);
            *self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        }
        let credentials = pair.credentials.with_protection(self.memory)?;
        let pair = LoadedPair { credentials, is_watched: !watched.is_empty(), ..pair };
        let after: Vec<FileStamp> = watched.into_iter().map(FileStamp::of).collect();
        // A file that changed during the read is read again next time.
        self.keep(LastRead {
            reads,
            is_known: pair.is_watched && after == before && after.iter().all(FileStamp::is_settled),
            stamps: after,
        });
        Ok(SourceRead::Pair(pair))
    }

    /// Makes the next read a full one, even if no file changed, because the result of the last one was not used.
    pub fn forget(&self) {
        self.lock().is_known = false;
    }

    /// Starts a read. Returns the last one. During the read, no version counts as known.
    fn begin_read(&self) -> LastRead {
        let mut last_read = self.lock();
        last_read.reads += 1;
        let last = last_read.clone();
        last_read.is_known = false;
        last
    }

    fn keep(&self, last_read: LastRead) {
        let mut kept = self.lock();
        if kept.reads == last_read.reads {
            *kept = last_read;
        }
    }

    fn lock(&self) -> MutexGuard<'_, LastRead> {
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileStamp {
    fn of(path: PathBuf) -> Self {
        let version = std::fs::metadata(&path).ok().map(|metadata| Version::of(&metadata));
        Self { path, version }
    }

    /// Returns true if the next change of the file will be visible.
    fn is_settled(&self) -> bool {
        self.version.as_ref().is_none_or(|version| {
            SystemTime::now().duration_since(version.changed).is_ok_and(|age| age > SETTLED)
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    /// Device and inode, if the system has them. A file that replaces another has a different inode.
    device_and_inode: (u64, u64),
    length: u64,
    changed: SystemTime,
}

impl Version {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or_default();
        // The time of the last status change, because the writer can set the modification time at will.
        let since_epoch = Duration::new(metadata.ctime().try_into().unwrap_or_default(), nanoseconds);
        Self {
            device_and_inode: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            changed: SystemTime::UNIX_EPOCH + since_epoch,
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { device_and_inode: (0, 0), length: metadata.len(), changed }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn read(detector: &ChangeDetector) -> Option<String> {
        match detector.read(&CallContext::default()).expect("a pair") {
            SourceRead::Unchanged => None,
            SourceRead::Pair(found) => Some(found.credentials.expose_authorization(|pair| {
                String::from_utf8(pair[pair.len() - 3..].to_vec()).expect("ASCII")
            })),
        }
    }

    /// Pretends that the files have existed for long.
    fn settle(detector: &ChangeDetector) {
        let mut last_read = detector.last_read.lock().expect("no test panics with it");
        last_read.is_known = !last_read.stamps.is_empty();
    }

    fn write_version(folder: &Path, version: &str, secret: &str) {
        fs::create_dir(folder.join(version)).expect("a version");
        fs::write(folder.join(version).join("api_key"), "abc123def456").expect("a file");
        fs::write(folder.join(version).join("api_secret"), secret).expect("a file");
        std::os::unix::fs::symlink(version, folder.join("..next")).expect("a link");
        fs::rename(folder.join("..next"), folder.join("..data")).expect("the swap");
    }

    #[test]
    fn it_reads_a_file_until_its_time_settles_and_again_after_a_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        fs::write(&path, "abc123def456:secret-one").expect("a file");
        let detector = ChangeDetector::new(Source::File(path.clone()), Level::Heap, Fingerprints::default());
        for _ in 0..3 {
            assert_eq!(read(&detector).as_deref(), Some("one"), "its next change may be invisible");
        }
        settle(&detector);
        assert_eq!(read(&detector), None);
        fs::write(folder.path().join("next"), "abc123def456:secret-two").expect("a file");
        fs::rename(folder.path().join("next"), &path).expect("the swap");
        assert_eq!(read(&detector).as_deref(), Some("two"));
        settle(&detector);
        fs::remove_file(&path).expect("the file exists");
        detector.read(&CallContext::default()).expect_err("the file was removed");
        fs::write(&path, "abc123def456:secret-two").expect("a file");
        assert_eq!(read(&detector).as_deref(), Some("two"));
    }

    #[test]
    fn it_detects_a_swap_to_an_older_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        write_version(folder.path(), "..1", "secret-one");
        let source = Source::parse(&format!("dir:{}", folder.path().display())).expect("a spelling");
        let detector = ChangeDetector::new(source, Level::Heap, Fingerprints::default());
        assert_eq!(read(&detector).as_deref(), Some("one"));
        settle(&detector);
        assert_eq!(read(&detector), None);
        write_version(folder.path(), "..2", "secret-two");
        assert_eq!(read(&detector).as_deref(), Some("two"));
        settle(&detector);
        std::os::unix::fs::symlink("..1", folder.path().join("..next")).expect("a link");
        fs::rename(folder.path().join("..next"), folder.path().join("..data")).expect("the swap");
        assert_eq!(read(&detector).as_deref(), Some("one"));
    }

    #[test]
    fn it_always_reads_a_source_without_files() {
        let pair = justcall_auth_protocol::Credentials::new(b"abc123def456", b"secret-one").expect("good");
        let detector = ChangeDetector::new(Source::Fixed(pair), Level::Heap, Fingerprints::default());
        for _ in 0..2 {
            assert_eq!(read(&detector).as_deref(), Some("one"));
        }
    }

    #[test]
    fn it_holds_no_lock_while_a_callback_runs() {
        use std::sync::{Arc, OnceLock};

        let detector = Arc::new(OnceLock::<ChangeDetector>::new());
        let (calls, inner) = (Arc::new(Mutex::new(0)), detector.clone());
        let callback = move || {
            let turn = {
                let mut calls = calls.lock().expect("no panic");
                *calls += 1;
                *calls
            };
            if turn == 1 {
                let detector = inner.get().expect("it was initialised");
                // If the lock were held, another read on this thread would never end.
                drop(detector.last_read.try_lock().expect("it is not locked"));
                assert_eq!(read(detector).as_deref(), Some("n-2"));
            }
            justcall_auth_protocol::Credentials::new(b"abc123def456", format!("secret-n-{turn}").as_bytes())
        };
        let detector = detector.get_or_init(|| {
            ChangeDetector::new(Source::Callback(Arc::new(callback)), Level::Heap, Fingerprints::default())
        });
        assert_eq!(read(detector).as_deref(), Some("n-1"));
    }
}
