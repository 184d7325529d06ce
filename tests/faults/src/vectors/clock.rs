//! The clocks of a calling program: libfaketime moves the wall clock, a time namespace the monotonic clock.
//!
//! The library reads the wall clock through the C library, and libfaketime adds the offset of a file, which it reads each
//! time. An offset is `+SECONDS`, `-SECONDS`, or with a unit as in `+10y`. A date such as `2027-01-15 08:00:00` (UTC) stops
//! the clock there.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// The wall clock of a program.
pub struct Clock {
    folder: TempDir,
}

impl Clock {
    /// Creates a clock that shows `time`.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn new(time: &str) -> Result<Self> {
        let clock = Self { folder: TempDir::new()? };
        clock.set(time)?;
        Ok(clock)
    }

    /// Lets the clock jump to `time`.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn set(&self, time: &str) -> Result<()> {
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{time}\n"))?;
        Ok(fs::rename(next, self.file())?)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }

    /// Returns the environment variables of the program.
    ///
    /// # Errors
    /// If libfaketime is not installed.
    pub fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("LD_PRELOAD", library()?.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
            ("TZ", "UTC".to_owned()),
        ])
    }
}

/// Returns the library of Debian's package libfaketime for programs with threads.
fn library() -> Result<PathBuf> {
    let folders = fs::read_dir("/usr/lib")?.filter_map(Result::ok).map(|entry| entry.path());
    folders
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .context("libfaketime is not installed (debian-packages.txt)")
}

/// Returns the words before a command line that start it in a time namespace, in which the monotonic clock shows `uptime`
/// seconds.
///
/// # Errors
/// If the present uptime cannot be read.
pub fn with_uptime(uptime: i64) -> Result<Vec<String>> {
    let text = fs::read_to_string("/proc/uptime")?;
    let now: f64 = text.split(' ').next().context("an uptime")?.parse()?;
    #[expect(clippy::cast_possible_truncation, reason = "an uptime in seconds")]
    let offset = (uptime - now as i64).to_string();
    Ok(["unshare", "--time", "--monotonic", &offset, "--boottime", &offset].map(str::to_owned).to_vec())
}
