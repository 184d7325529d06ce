//! The time of a signature, in one of three forms.

use crate::{date, service};

/// Parses `YYYY-MM-DD HH:MM:SS` (UTC), or seconds or milliseconds since the epoch. Returns seconds since the epoch, or
/// `None` if the text has another form. A leap second is allowed only at the end of a day, and counts as the next
/// second.
pub(super) fn read(text: &[u8]) -> Option<i64> {
    if text.iter().all(u8::is_ascii_digit) { epoch(text) } else { date(text) }
}

fn epoch(digits: &[u8]) -> Option<i64> {
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let seconds = if number > service::EPOCH_MILLISECONDS { number / 1000 } else { number };
    i64::try_from(seconds).ok()
}

fn date(text: &[u8]) -> Option<i64> {
    if text.len() == date::LENGTH && text.get(10) == Some(&b' ') { date::seconds(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_a_date_and_both_epochs_as_the_same_second() {
        for text in ["2024-03-21 17:08:22", "1711040902", "1711040902000", "1711040902999", "0001711040902"] {
            assert_eq!(read(text.as_bytes()), Some(1_711_040_902), "{text}");
        }
        assert_eq!(read(b"1000000000000"), Some(1_000_000_000_000), "the last one in seconds");
        assert_eq!(read(b"1000000000001"), Some(1_000_000_000), "the first one in milliseconds");
        assert_eq!(read(b"0"), Some(0));
        assert_eq!(read(b"0000-01-01 00:00:00"), Some(-62_167_219_200));
        assert_eq!(read(b"9999-12-31 23:59:59"), Some(253_402_300_799));
    }

    #[test]
    fn it_accepts_a_leap_second_only_at_the_end_of_a_day() {
        assert_eq!(read(b"2016-12-31 23:59:60"), read(b"2017-01-01 00:00:00"));
        for text in ["2016-12-31 23:59:61", "2016-12-31 22:59:60", "2016-12-31 23:58:60"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn it_refuses_text_that_is_not_a_time() {
        for text in [
            "2024-03-21T17:08:22",
            "2024-03-21 17:08:22Z",
            "2024-03-21 17:08",
            "2024-00-21 17:08:22",
            "2024-13-21 17:08:22",
            "2024-02-30 17:08:22",
            "2024-03-00 17:08:22",
            "2024-03-21 24:00:00",
            "2024-03-21 17:60:22",
            "2024-03-2١ 17:08:22",
            "-1711040902",
            "+1711040902",
            "1711040902.5",
            "99999999999999999999",
            "now",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(b""), None);
    }
}
