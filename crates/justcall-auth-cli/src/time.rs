//! Times as text.

use std::time::{Duration, SystemTime};

/// Returns `time`, which is since the epoch, in the form of RFC 3339. UTC makes the text equal on every machine.
pub(crate) fn rfc3339(time: Duration) -> String {
    // RFC 3339 ends with the year 9999.
    let latest = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + time.min(latest)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_formats_every_time_that_rfc_3339_allows() {
        assert_eq!(rfc3339(Duration::from_secs(1_800_000_000)), "2027-01-15T08:00:00Z");
        assert_eq!(rfc3339(Duration::ZERO), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(Duration::MAX), "9999-12-31T23:59:59Z");
    }
}
