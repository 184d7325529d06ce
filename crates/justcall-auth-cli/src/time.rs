//! Times, as programs and people read them.

use std::time::{Duration, SystemTime};

/// Returns `time`, since the epoch, as RFC 3339 writes it: in UTC, so the same on every machine.
pub(crate) fn rfc3339(time: Duration) -> String {
    // Later than the year 9999 there is no such text.
    let latest = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + time.min(latest)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_every_time_that_has_a_text() {
        assert_eq!(rfc3339(Duration::from_secs(1_800_000_000)), "2027-01-15T08:00:00Z");
        assert_eq!(rfc3339(Duration::ZERO), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(Duration::MAX), "9999-12-31T23:59:59Z");
    }
}
