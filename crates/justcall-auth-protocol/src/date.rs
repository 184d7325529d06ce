//! Dates of the Gregorian calendar, in seconds since the epoch.

use std::time::{Duration, UNIX_EPOCH};

/// The length of `YYYY-MM-DD HH:MM:SS`.
pub(crate) const LENGTH: usize = 19;

/// Parses `YYYY-MM-DD HH:MM:SS` in UTC, with any byte between date and time. Returns seconds since the epoch, or `None`
/// if the text has another form. A leap second is allowed only at the end of a day, and counts as the next second.
pub(crate) fn seconds(text: &[u8]) -> Option<i64> {
    let [y3, y2, y1, y0, b'-', mo1, mo0, b'-', d1, d0, _, h1, h0, b':', mi1, mi0, b':', s1, s0] = *text
    else {
        return None;
    };
    let date = (two(y3, y2)? * 100 + two(y1, y0)?, two(mo1, mo0)?, two(d1, d0)?);
    at(date, (two(h1, h0)?, two(mi1, mi0)?, two(s1, s0)?))
}

/// Parses `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` in UTC, the times of certificates (RFC 5280, section 4.1.2.5). Years of
/// two digits from 50 on belong to the last century. Returns seconds since the epoch, or `None` if the text has another
/// form.
pub fn certificate_time(text: &[u8]) -> Option<i64> {
    let (year, rest) = match *text {
        [y3, y2, y1, y0, ref rest @ ..] if rest.len() == 11 => (two(y3, y2)? * 100 + two(y1, y0)?, rest),
        [y1, y0, ref rest @ ..] => {
            let year = two(y1, y0)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        _ => return None,
    };
    let [mo1, mo0, d1, d0, h1, h0, mi1, mi0, s1, s0, b'Z'] = *rest else { return None };
    at((year, two(mo1, mo0)?, two(d1, d0)?), (two(h1, h0)?, two(mi1, mi0)?, two(s1, s0)?))
}

/// Returns seconds since the epoch of a date and a time of day in UTC.
fn at((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let is_leap_second = (hour, minute, second) == (23, 59, 60);
    if hour > 23 || minute > 59 || second > 59 && !is_leap_second {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Parses a date and time of RFC 3339, such as `2026-11-24T16:10:00Z`, without the fraction of a second. Returns
/// seconds since the epoch, or `None` if the text has another form.
pub fn rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(LENGTH)?;
    if !matches!(date[10], b'T' | b't' | b' ') {
        return None;
    }
    let zone = match rest {
        [b'.', digits @ ..] => {
            let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
            if end == 0 {
                return None;
            }
            &digits[end..]
        }
        whole => whole,
    };
    let offset = match *zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] => {
            let (hours, minutes) = (two(h1, h0)?, two(m1, m0)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = hours * 3600 + minutes * 60;
            if sign == b'+' { size } else { -size }
        }
        _ => return None,
    };
    Some(seconds(date)? - offset)
}

/// Parses a date of HTTP in one of its three historic forms. Returns the time since the epoch, or `None` if the text
/// has another form.
pub fn http_date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// Returns the days from 1970-01-01 to a day of the Gregorian calendar, or `None` if there is no such day.
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
    // Years start in March here, so that the leap day is the last day of a year. 719,468 days lie between 0000-03-01
    // and the epoch.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn it_reads_the_three_forms_of_an_http_date() {
        for text in
            ["Thu, 21 Mar 2024 17:08:22 GMT", "Thursday, 21-Mar-24 17:08:22 GMT", "Thu Mar 21 17:08:22 2024"]
        {
            assert_eq!(http_date(text), Some(Duration::from_secs(1_711_040_902)), "{text}");
        }
        for text in ["", "2024-03-21T17:08:22Z", "Thu, 01 Jan 1960 00:00:00 GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn it_reads_only_the_times_of_certificates() {
        for (text, expected) in [
            ("700101000000Z", Some(0)),
            ("491231235959Z", Some(2_524_607_999)),
            ("500101000000Z", Some(-631_152_000)),
            ("20240229120000Z", Some(1_709_208_000)),
            ("20230229120000Z", None),
            ("700101000000", None),
            ("7001010000000Z", None),
            ("70010100000\u{661}Z", None),
            ("", None),
        ] {
            assert_eq!(certificate_time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn it_reads_the_forms_of_rfc_3339_and_nothing_else() {
        for text in [
            "2024-03-21T17:08:22Z",
            "2024-03-21t17:08:22z",
            "2024-03-21 17:08:22.999Z",
            "2024-03-21T19:08:22+02:00",
            "2024-03-21T11:38:22.0-05:30",
            "2024-03-22T17:07:22+23:59",
        ] {
            assert_eq!(rfc3339(text), Some(1_711_040_902), "{text}");
        }
        for text in [
            "",
            "2024-03-21",
            "2024-03-21T17:08:22",
            "2024-03-21T17:08:22.Z",
            "2024-03-21T17:08:22.5",
            "2024-03-21T17:08:22+0200",
            "2024-03-21T17:08:22+24:00",
            "2024-03-21T17:08:22+23:60",
            "2024-03-21T17:08:22ZZ",
            "2024-03-21_17:08:22Z",
            "2024-02-30T17:08:22Z",
            "2024-03-21T17:08:2\u{661}Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }
}
