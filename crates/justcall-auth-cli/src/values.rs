//! Parsers of the values of arguments. Their messages do not repeat the value, which may be a secret.

use std::time::Duration;

/// Parses a time such as `90d`.
pub(crate) fn age(text: &str) -> Result<Duration, &'static str> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text).map_err(|_| "it takes a time such as 90d, 12weeks or 36h, or 0 for never")
}

/// Parses seconds as a decimal number.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let wrong = "it takes a number of seconds, such as 2.5, or 0 for no limit";
    let seconds: f64 = text.parse().map_err(|_| wrong)?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| wrong)?;
    if duration.is_zero() && seconds > 0.0 {
        return Err("it is too short to be distinguished from 0, which means no limit");
    }
    Ok(duration)
}

/// Parses a whole number.
pub(crate) fn count(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "it takes a whole number, 0 or more")
}

/// Parses a number of bytes.
pub(crate) fn bytes(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "it takes a whole number of bytes, or 0 for no limit")
}

/// Parses a whole number of seconds.
pub(crate) fn whole_seconds(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "it takes a whole number of seconds, 0 or more")
}

/// Parses seconds since the epoch.
pub(crate) fn moment(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "it takes a whole number of seconds since 1970-01-01 UTC")
}

/// Parses the number of an account.
pub(crate) fn account(text: &str) -> Result<u64, &'static str> {
    match text.parse() {
        Ok(0) => Err("no account has the number 0. To accept every account, leave out --expected-account"),
        Ok(id) => Ok(id),
        Err(_) => Err("it takes the number of the account that `verify` prints"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_ages_and_refuses_other_text() {
        assert_eq!(age("90d"), Ok(Duration::from_secs(90 * 24 * 60 * 60)));
        assert_eq!(age("12weeks"), Ok(Duration::from_secs(84 * 24 * 60 * 60)));
        assert_eq!(age("0"), Ok(Duration::ZERO));
        for bad in ["", "-1d", "90", "90 parsecs", "nan", "99999999999999999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_reads_seconds_and_refuses_other_text() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        for bad in ["", "-1", "nan", "inf", "1e300", "2s", "1e-12"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
