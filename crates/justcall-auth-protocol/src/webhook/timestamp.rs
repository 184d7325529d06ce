//! The time of a signature, in the three forms in which it may be written.

use crate::service;

/// Seconds since the epoch of `YYYY-MM-DD HH:MM:SS` (UTC), of seconds or of milliseconds since the epoch; `None` when it
/// is none of those. A leap second, which is only ever the last of a day, counts as the second after it.
pub(super) fn read(text: &[u8]) -> Option<i64> {
    if text.iter().all(u8::is_ascii_digit) { epoch(text) } else { date(text) }
}

fn epoch(digits: &[u8]) -> Option<i64> {
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let seconds = if number > service::EPOCH_MILLISECONDS { number / 1000 } else { number };
    i64::try_from(seconds).ok()
}

fn date(text: &[u8]) -> Option<i64> {
    let [y3, y2, y1, y0, b'-', mo1, mo0, b'-', d1, d0, b' ', h1, h0, b':', mi1, mi0, b':', s1, s0] = *text
    else {
        return None;
    };
    let two = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    let year = two(y3, y2)? * 100 + two(y1, y0)?;
    let (month, day) = (two(mo1, mo0)?, two(d1, d0)?);
    let (hour, minute, second) = (two(h1, h0)?, two(mi1, mi0)?, two(s1, s0)?);
    let is_leap_second = (hour, minute, second) == (23, 59, 60);
    if hour > 23 || minute > 59 || second > 59 && !is_leap_second {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second)
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// Days from 1970-01-01 to that day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day ends one; 719,468 days lie between 0000-03-01 and the epoch.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_a_date_and_both_epochs_as_the_same_second() {
        for text in ["2024-03-21 17:08:22", "1711040902", "1711040902000", "1711040902999", "0001711040902"] {
            assert_eq!(read(text.as_bytes()), Some(1_711_040_902), "{text}");
        }
        assert_eq!(read(b"0"), Some(0));
        assert_eq!(read(b"0000-01-01 00:00:00"), Some(-62_167_219_200));
        assert_eq!(read(b"9999-12-31 23:59:59"), Some(253_402_300_799));
    }

    #[test]
    fn it_counts_every_day_of_eight_centuries() {
        let mut expected = days(1700, 1, 1).expect("a day");
        for year in 1700..2500 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(found) = days(year, month, day) {
                        assert_eq!(found, expected, "{year}-{month}-{day}");
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(expected - days(1700, 1, 1).expect("a day"), 2 * 146_097, "two whole cycles of 400 years");
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!((days(2000, 2, 29), days(1900, 2, 29)), (Some(11_016), None));
    }

    #[test]
    fn it_takes_a_leap_second_at_the_end_of_a_day_alone() {
        assert_eq!(read(b"2016-12-31 23:59:60"), read(b"2017-01-01 00:00:00"));
        for text in ["2016-12-31 23:59:61", "2016-12-31 22:59:60", "2016-12-31 23:58:60"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn it_refuses_what_is_no_time() {
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
