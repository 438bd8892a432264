//! Days and minutes as people enter them, and as Unix milliseconds.
//!
//! ```text
//! day      2017-12-04            from 1900-01-01 to 2199-12-31, in the Gregorian calendar
//! minute   2017-12-08T12:00Z     universal time
//! year     2017/18               a financial year: the second number is the year that follows
//! ```
//!
//! One form each, so that equal text is the equal day and text sorts by time. A day is taken from
//! midnight to midnight of universal time. Legal days are entered by people; no clock is read.
//!
//! Source: days from civil, by Howard Hinnant's published algorithm.

use crate::time::TimeMs;

const MINUTE_MS: u64 = 60_000;
/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const YEARS: core::ops::RangeInclusive<u64> = 1900..=2199;

/// The first moment of a day, from its text; nothing if it is no day or before 1970.
#[must_use]
pub fn day(text: &str) -> Option<TimeMs> {
    days(text)?.checked_mul(DAY_MS).map(TimeMs)
}

/// A minute, from its text; nothing if it is none or before 1970.
#[must_use]
pub fn minute(text: &str) -> Option<TimeMs> {
    let (date, clock) = text.split_once('T')?;
    let (hours, minutes) = clock.strip_suffix('Z')?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let into_day = (hours * 60).checked_add(minutes)?.checked_mul(MINUTE_MS)?;
    Some(day(date)?.plus_ms(into_day))
}

/// Whether the text is a day.
#[must_use]
pub fn is_day(text: &str) -> bool {
    civil(text).is_some()
}

/// Whether the text is a minute.
#[must_use]
pub fn is_minute(text: &str) -> bool {
    minute(text).is_some()
}

/// Whether the text is a financial year.
#[must_use]
pub fn is_year(text: &str) -> bool {
    let Some((first, second)) = text.split_once('/') else {
        return false;
    };
    let (Some(first), Some(second)) = (digits(first, 4), digits(second, 2)) else {
        return false;
    };
    YEARS.contains(&first) && first.saturating_add(1) % 100 == second
}

fn civil(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    let fits =
        parts.next().is_none() && YEARS.contains(&year) && (1..=last(year, month)).contains(&day);
    fits.then_some((year, month, day))
}

/// The number of days in a month; 0 if there is no such month.
const fn last(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// Days since 1970-01-01; nothing before.
fn days(text: &str) -> Option<u64> {
    let (year, month, day) = civil(text)?;
    // Years are counted from March, so that a leap day ends one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        for (text, count) in [
            ("1970-01-01", 0),
            ("1970-12-31", 364),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2017-12-04", 17_504),
            ("2199-12-31", 84_005),
        ] {
            assert_eq!(day(text), Some(TimeMs(count * DAY_MS)), "{text}");
        }
        assert_eq!(minute("2017-12-08T12:00Z"), Some(TimeMs(1_512_734_400_000)));
        assert_eq!((day("1969-12-31"), is_day("1969-12-31")), (None, true));
    }

    #[test]
    fn there_is_one_form_and_only_real_days_have_it() {
        for bad in [
            "",
            "2017-2-01",
            "2017-02-29",
            "1900-02-29",
            "2017-13-01",
            "2017-00-10",
            "2017-01-00",
            "2017-04-31",
            "2017-01-01-01",
            "1899-12-31",
            "2200-01-01",
            "+017-01-01",
            "2017/01/01",
            "２017-01-01",
            "2017-01-01T00:00Z",
        ] {
            assert!(!is_day(bad), "{bad}");
        }
        for bad in [
            "2017-12-08",
            "2017-12-08T24:00Z",
            "2017-12-08T12:60Z",
            "2017-12-08T12:00",
            "2017-12-08T12:00:00Z",
            "2017-12-08T1:00Z",
            "2017-02-29T12:00Z",
            "2017-12-08 12:00Z",
        ] {
            assert!(!is_minute(bad), "{bad}");
        }
        assert!(is_year("2017/18") && is_year("1999/00") && is_year("2199/00"));
        for bad in ["2017/19", "2017-18", "17/18", "2017/2018", "2017", "1899/00"] {
            assert!(!is_year(bad), "{bad}");
        }
    }

    #[test]
    fn each_day_is_one_after_the_day_before() {
        let mut expected = 0;
        for year in 1970..=2199 {
            for month in 1..=12 {
                for date in 1..=last(year, month) {
                    let text = alloc::format!("{year:04}-{month:02}-{date:02}");
                    assert_eq!(day(&text), Some(TimeMs(expected * DAY_MS)), "{text}");
                    expected += 1;
                }
            }
        }
    }
}
