//! The state file: records of pairs that survive the process, with the times of first sight and last use.
//!
//! A small file with access only for its user. It contains pairs as keyed hashes, from which they cannot be recovered.
//! It is replaced atomically under a lock, so a killed process leaves either the old or the new file. A file that
//! cannot be parsed is replaced by a new one. Only a client whose configuration names the file and the command
//! `justcall-auth` write it.

mod disk;
mod pairs;
mod recorder;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};

use crate::replace::private_folder;
use crate::source::{Environment, setting, shown};
use disk::{lock, replace};
use pairs::PairRecords;
pub(crate) use recorder::Recorder;

/// The shortest time between two records that a pair is used.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// A state file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

/// The record of a pair. Times are since the epoch, in whole seconds, and never later than the time of the query: if
/// the clock was set back, they are that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The time when the pair was first seen.
    pub first_seen: Duration,
    /// The time of the last use, to the hour, or `None` if no use is recorded.
    pub last_used: Option<Duration>,
}

impl StateFile {
    /// Returns the state file at `path`. The file and its folder are created with the first record.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the state file at the usual path: `justcall-auth/pairs.json` under `XDG_STATE_HOME`, else under
    /// `.local/state` in `HOME`. Returns `None` if neither variable holds an absolute path.
    pub fn usual(environment: &dyn Environment) -> Option<Self> {
        let absolute = |name| setting(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
        Some(Self::at(folder.join("justcall-auth").join("pairs.json")))
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that the pair was seen at `unix`, in time since the epoch. Returns the record.
    ///
    /// # Errors
    /// Fails with `source_unavailable` if the file cannot be read or written.
    pub fn seen(&self, credentials: &Credentials, unix: Duration) -> Result<Remembered, Error> {
        self.remember(credentials, unix, false).map_err(|error| self.unavailable(&error))
    }

    /// Records that the pair was used at `unix`, in time since the epoch. Writes nothing within an hour of the last
    /// use. Returns the record.
    ///
    /// # Errors
    /// Fails as [`StateFile::seen`] does.
    pub fn used(&self, credentials: &Credentials, unix: Duration) -> Result<Remembered, Error> {
        self.remember(credentials, unix, true).map_err(|error| self.unavailable(&error))
    }

    fn unavailable(&self, error: &io::Error) -> Error {
        let message = format!("The state file {} cannot be used: {error}.", shown(&self.path));
        Error::with_message(ErrorKind::SourceUnavailable, message)
            .with_hint("Make the folder of the state file writable, or set another path.")
    }

    fn remember(&self, credentials: &Credentials, unix: Duration, is_use: bool) -> io::Result<Remembered> {
        let now = unix.as_secs();
        if let Some(state) = PairRecords::read(&self.path)? {
            if let Some(known) = state.known(credentials).filter(|known| !known.is_stale(now, is_use)) {
                return Ok(known.remembered());
            }
        }
        let folder = self.path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        private_folder(folder)?;
        let _lock = lock(&self.path.with_extension("lock"))?;
        // Another process may have written the file in the meantime.
        let mut state = match PairRecords::read(&self.path)? {
            Some(state) => state,
            None => PairRecords::new()?,
        };
        let remembered = state.remember(credentials, now, is_use).remembered();
        replace(&self.path, state.text().as_bytes())?;
        Ok(remembered)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn pair(secret: &str) -> Credentials {
        Credentials::new(b"canary123key", secret.as_bytes()).expect("a good pair")
    }

    fn later(seconds: u64) -> Duration {
        NOW + Duration::from_secs(seconds)
    }

    fn made() -> (tempfile::TempDir, StateFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = StateFile::at(folder.path().join("made").join("pairs.json"));
        (folder, file)
    }

    #[test]
    fn it_remembers_when_a_pair_was_seen_first_and_used_last() {
        let (_folder, file) = made();
        let first = file.seen(&pair("a"), NOW).expect("written");
        assert_eq!(first, Remembered { first_seen: NOW, last_used: None });
        let used = file.used(&pair("a"), later(5)).expect("written");
        assert_eq!(used, Remembered { first_seen: NOW, last_used: Some(later(5)) });
        let other = file.seen(&pair("b"), later(6)).expect("written");
        assert_eq!(other, Remembered { first_seen: later(6), last_used: None });
        assert_eq!(file.seen(&pair("a"), later(9000)).expect("read"), used);
    }

    #[test]
    fn it_writes_a_use_once_an_hour() {
        let (_folder, file) = made();
        file.used(&pair("a"), NOW).expect("written");
        let bytes = || fs::read(file.path()).expect("there");
        let before = bytes();
        for seconds in [0, 1, 3599] {
            file.used(&pair("a"), later(seconds)).expect("nothing to write");
        }
        assert_eq!(bytes(), before);
        assert_eq!(file.used(&pair("a"), later(3600)).expect("written").last_used, Some(later(3600)));
        assert_ne!(bytes(), before);
    }

    #[test]
    fn it_accepts_a_clock_that_is_set_back() {
        let (_folder, file) = made();
        file.used(&pair("a"), later(1_000_000)).expect("written");
        let back = file.seen(&pair("a"), NOW).expect("written");
        assert_eq!(back, Remembered { first_seen: NOW, last_used: Some(NOW) });
        assert_eq!(file.used(&pair("a"), later(3600)).expect("written").last_used, Some(later(3600)));
    }

    #[test]
    fn it_starts_a_new_file_if_the_old_one_cannot_be_parsed() {
        for garbage in ["", "{", "[]", "{\"key\":\"00\",\"pairs\":{}}", "\u{0}", "{\"key\":7}"] {
            let (_folder, file) = made();
            file.used(&pair("a"), NOW).expect("written");
            fs::write(file.path(), garbage).expect("spoilt");
            let restarted = file.seen(&pair("a"), later(7)).expect("written");
            assert_eq!(restarted, Remembered { first_seen: later(7), last_used: None }, "{garbage:?}");
            assert_eq!(file.seen(&pair("a"), later(9)).expect("read"), restarted);
        }
    }

    #[test]
    fn it_names_the_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("a file");
        let file = StateFile::at(folder.path().join("file").join("pairs.json"));
        let error = file.seen(&pair("a"), NOW).expect_err("a file is no folder");
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable);
        assert!(error.message().contains("pairs.json"), "{error}");
    }

    #[test]
    fn it_contains_nothing_that_reveals_a_pair() {
        let (_folder, file) = made();
        file.used(&pair("canary456secret"), NOW).expect("written");
        let text = fs::read_to_string(file.path()).expect("text");
        assert!(!text.contains("canary"), "{text}");
        let (_folder, other) = made();
        other.used(&pair("canary456secret"), NOW).expect("written");
        let name = |file: &StateFile| {
            let state = PairRecords::read(file.path()).expect("read").expect("good");
            state.pairs.keys().next().expect("one").clone()
        };
        assert_ne!(name(&file), name(&other), "each file has a different key");
    }

    /// In a folder such as /tmp, other users must not be able to empty another file or to make a call wait.
    #[cfg(unix)]
    #[test]
    fn it_follows_no_link_when_it_writes_and_never_waits_for_a_pipe() {
        let (folder, file) = made();
        file.seen(&pair("a"), NOW).expect("written");
        let other = folder.path().join("other");
        fs::write(&other, "of another user").expect("a file");
        for beside in ["lock", "new"] {
            let link = file.path().with_extension(beside);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(&other, &link).expect("a link");
            file.seen(&pair("b"), NOW).expect_err("a link");
            fs::remove_file(&link).expect("a link");
        }
        assert_eq!(fs::read_to_string(&other).expect("a file"), "of another user");
        file.seen(&pair("b"), NOW).expect("written without the links");

        fs::remove_file(file.path()).expect("a file");
        let made = std::process::Command::new("mkfifo").arg(file.path()).status().expect("it runs");
        assert!(made.success());
        assert_eq!(file.seen(&pair("a"), NOW).expect_err("a pipe").kind(), ErrorKind::SourceUnavailable);
    }

    #[cfg(unix)]
    #[test]
    fn it_gives_access_only_to_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, file) = made();
        file.seen(&pair("a"), NOW).expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(file.path().parent().expect("a folder")), 0o700);
        assert_eq!(mode(&file.path().with_extension("lock")), 0o600);
    }

    #[test]
    fn it_loses_no_record_when_many_threads_write() {
        let (_folder, file) = made();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    for number in 0..10 {
                        // On a slow disk, a thread may wait longer for the others than a call would.
                        let credentials = pair(&format!("{writer}-{number}"));
                        assert!((0..100).any(|_| file.used(&credentials, NOW).is_ok()), "written at last");
                    }
                });
            }
        });
        let state = PairRecords::read(file.path()).expect("read").expect("good");
        assert_eq!(state.pairs.len(), 80);
    }

    #[test]
    fn it_uses_the_state_folder_of_the_user() {
        let usual = |set: &[_]| StateFile::usual(&set).map(|file| file.path().display().to_string());
        assert_eq!(
            usual(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]).as_deref(),
            Some("/s/justcall-auth/pairs.json")
        );
        let home = Some("/h/.local/state/justcall-auth/pairs.json");
        assert_eq!(usual(&[("HOME", "/h")]).as_deref(), home);
        assert_eq!(usual(&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]).as_deref(), home);
        assert_eq!(usual(&[("XDG_STATE_HOME", ""), ("HOME", "/h")]).as_deref(), home, "empty is not set");
        assert_eq!(usual(&[("HOME", "")]), None);
        assert_eq!(usual(&[]), None);
    }
}
