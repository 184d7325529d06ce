//! Reads a source again and again, if it may have changed.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_secret::Level;

use super::{Fingerprints, Loaded, ProcessEnvironment, Source};
use crate::context::CallContext;
use crate::reentry;

/// A file that changed so lately may change again without showing it: file systems count time in steps.
const SETTLED: Duration = Duration::from_secs(1);

/// A source and what was read of it last, for all clients that share it.
#[derive(Debug)]
pub(crate) struct ChangeDetector {
    source: Source,
    fingerprints: Fingerprints,
    /// A fingerprint of the pair that the environment held when it was read last.
    fingerprint: Mutex<Option<u64>>,
    memory: Level,
    last_read: Mutex<LastRead>,
}

/// The files of the source, as the last read found them.
#[derive(Debug, Default, Clone)]
struct LastRead {
    /// How many reads were begun. The result of an earlier read does not replace that of a later one.
    reads: u64,
    stamps: Vec<FileStamp>,
    /// The files were read in this version, and a change of them can be seen.
    is_known: bool,
}

/// Distinguishes one version of a file from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    path: PathBuf,
    /// `None` for a file that is not there.
    version: Option<Version>,
}

impl ChangeDetector {
    /// Creates a detector that has read nothing yet. Pairs are kept at the level `memory`.
    pub fn new(source: Source, memory: Level, fingerprints: Fingerprints) -> Self {
        Self { source, memory, fingerprints, fingerprint: Mutex::default(), last_read: Mutex::default() }
    }

    /// Returns whether this is the source of a client that is made while the environment holds the pair `fingerprint`: the same
    /// pair as when this was read last, or none, or none was read yet.
    pub fn is_for(&self, fingerprint: Option<u64>) -> bool {
        let mut known = self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = fingerprint;
        }
        fingerprint.is_none() || *known == fingerprint
    }

    /// Returns whether reading the source runs foreign code, which may take long.
    pub fn is_costly(&self) -> bool {
        self.source.is_costly()
    }

    /// Returns whether this thread is reading the source.
    pub fn is_entered(&self) -> bool {
        match &self.source {
            Source::Callback(callback) => callback.is_entered(),
            _ => reentry::is_inside(self),
        }
    }

    /// Reads the source, unless its files are unchanged since the last read. The keyring admits one caller at a time. A
    /// caller whose lease has ended does not block the next one.
    pub fn read(&self, context: &CallContext) -> Result<SourceRead, Error> {
        // A callback is entered by itself, and says itself whether it was.
        let _mark = (!matches!(self.source, Source::Callback(_))).then(|| reentry::enter(self));
        let LastRead { reads, stamps: known, is_known } = self.begin_read();
        let before: Vec<FileStamp> = known.iter().map(|stamp| FileStamp::of(stamp.path.clone())).collect();
        if is_known && before == known {
            self.keep(LastRead { reads, stamps: known, is_known });
            return Ok(SourceRead::Unchanged);
        }
        let loaded = self.source.load_within(&ProcessEnvironment, context)?;
        let Loaded { pair, watched, .. } = loaded;
        if self.source.is_environment() {
            let read = self.fingerprints.of(&pair.credentials);
            *self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        }
        let credentials = pair.credentials.with_protection(self.memory)?;
        let pair = LoadedPair { credentials, is_watched: !watched.is_empty(), ..pair };
        let after: Vec<FileStamp> = watched.into_iter().map(FileStamp::of).collect();
        // What changed while it was read is read again the next time.
        self.keep(LastRead {
            reads,
            is_known: pair.is_watched && after == before && after.iter().all(FileStamp::is_settled),
            stamps: after,
        });
        Ok(SourceRead::Pair(pair))
    }

    /// Makes the next read a full one, even if no file changed: the result of the last one was not used.
    pub fn forget(&self) {
        self.lock().is_known = false;
    }

    /// Returns what the last read found. Until this read is over, nothing counts as known.
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

    /// Whether its next change shows.
    fn is_settled(&self) -> bool {
        self.version.as_ref().is_none_or(|version| {
            SystemTime::now().duration_since(version.changed).is_ok_and(|age| age > SETTLED)
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    /// Device and inode, where there are such things: what replaces a file is another one.
    place: (u64, u64),
    length: u64,
    changed: SystemTime,
}

impl Version {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or_default();
        // Not when its contents changed, which whoever writes it may set at will.
        let since_epoch = Duration::new(metadata.ctime().try_into().unwrap_or_default(), nanoseconds);
        Self {
            place: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            changed: SystemTime::UNIX_EPOCH + since_epoch,
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { place: (0, 0), length: metadata.len(), changed }
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

    /// As if the file had been there for long.
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
    fn it_reads_a_file_again_until_it_has_settled_and_then_when_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pair");
        fs::write(&path, "abc123def456:secret-one").expect("a file");
        let detector = ChangeDetector::new(Source::File(path.clone()), Level::Heap, Fingerprints::default());
        for _ in 0..3 {
            assert_eq!(read(&detector).as_deref(), Some("one"), "it may change without showing it");
        }
        settle(&detector);
        assert_eq!(read(&detector), None);
        fs::write(folder.path().join("next"), "abc123def456:secret-two").expect("a file");
        fs::rename(folder.path().join("next"), &path).expect("the swap");
        assert_eq!(read(&detector).as_deref(), Some("two"));
        settle(&detector);
        fs::remove_file(&path).expect("it is there");
        detector.read(&CallContext::default()).expect_err("it is gone");
        fs::write(&path, "abc123def456:secret-two").expect("a file");
        assert_eq!(read(&detector).as_deref(), Some("two"));
    }

    #[test]
    fn it_sees_that_a_folder_was_swapped_for_one_that_is_older() {
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
    fn it_always_reads_what_has_no_files() {
        let pair = justcall_auth_protocol::Credentials::new(b"abc123def456", b"secret-one").expect("good");
        let detector = ChangeDetector::new(Source::Fixed(pair), Level::Heap, Fingerprints::default());
        for _ in 0..2 {
            assert_eq!(read(&detector).as_deref(), Some("one"));
        }
    }

    #[test]
    fn it_is_not_locked_while_a_function_of_the_program_is_asked() {
        use std::sync::{Arc, OnceLock};

        let detector = Arc::new(OnceLock::<ChangeDetector>::new());
        let (asked, inner) = (Arc::new(Mutex::new(0)), detector.clone());
        let callback = move || {
            let turn = {
                let mut asked = asked.lock().expect("no panic");
                *asked += 1;
                *asked
            };
            if turn == 1 {
                let detector = inner.get().expect("it is there");
                // Where it is locked, looking again on this thread would never end.
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
