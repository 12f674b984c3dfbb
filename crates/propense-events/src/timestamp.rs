//! Times as text, without a calendar library: the browser build has none.

/// Milliseconds in a day.
pub const DAY: i64 = 86_400_000;

/// The midnight that begins the day of a moment (milliseconds since 1970), in a place so many minutes
/// ahead of UTC.
#[must_use]
pub const fn midnight(moment: i64, utc_offset_minutes: i32) -> i64 {
    let offset = utc_offset_minutes as i64 * 60_000;
    (moment + offset).div_euclid(DAY) * DAY - offset
}

/// Reads a time written as text and returns milliseconds since 1970-01-01T00:00:00Z.
///
/// Understood are `2010-12-01`, `2010-12-01 08:26`, `2010-12-01T08:26:00.123Z`,
/// `2010-12-01T08:26:00+01:00`, and `12/1/2010 8:26` (month first, as the Online Retail set is
/// often exported). A time without an offset is taken to be `utc_offset_minutes` east of UTC.
#[must_use]
pub fn parse_timestamp(text: &str, utc_offset_minutes: i32) -> Option<i64> {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None => (text, ""),
    };
    let (year, month, day) = parse_date(date)?;
    let (time, offset) = split_offset(time, utc_offset_minutes)?;
    let midnight = days_since_1970(year, month, day)?.checked_mul(DAY)?;
    midnight
        .checked_add(parse_time(time)?)?
        .checked_sub(i64::from(offset) * 60_000)
}

/// Writes a time as RFC 3339 has it, in UTC and whole seconds: `2010-12-01T08:26:00Z`. One outside the
/// years 0 to 9999 stays a number.
#[must_use]
pub fn format_timestamp(milliseconds: i64) -> String {
    let (year, month, day) = date_of(milliseconds.div_euclid(DAY));
    if !(0..=9999).contains(&year) {
        return milliseconds.to_string();
    }
    let seconds = milliseconds.rem_euclid(DAY) / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a time in whatever way it is written: a count since 1970, whose unit is told by its
/// magnitude, or a text of [`parse_timestamp`].
///
/// | magnitude | unit | its range in years |
/// |---|---|---|
/// | below 10¹¹ | seconds | to 5138 |
/// | below 10¹⁴ | milliseconds | 1973 to 5138 |
/// | below 10¹⁷ | microseconds | 1973 to 5138 |
/// | else | nanoseconds | from 1973 |
#[cfg(feature = "adapters")]
pub(crate) fn any_timestamp(text: &str, utc_offset_minutes: i32) -> Option<i64> {
    let text = text.trim();
    if let Ok(count) = text.parse() {
        return Some(any_epoch(count));
    }
    match text.parse::<f64>() {
        Ok(count) => any_epoch_float(count),
        Err(_) => parse_timestamp(text, utc_offset_minutes),
    }
}

/// The same for a whole number.
#[cfg(feature = "adapters")]
pub(crate) const fn any_epoch(count: i64) -> i64 {
    match count.unsigned_abs() {
        0..100_000_000_000 => count * 1000,
        100_000_000_000..100_000_000_000_000 => count,
        100_000_000_000_000..100_000_000_000_000_000 => count.div_euclid(1000),
        _ => count.div_euclid(1_000_000),
    }
}

/// The same for a number with a fraction.
#[cfg(feature = "adapters")]
pub(crate) fn any_epoch_float(count: f64) -> Option<i64> {
    let milliseconds = match count.abs() {
        size if size < 1e11 => count * 1e3,
        size if size < 1e14 => count,
        size if size < 1e17 => count / 1e3,
        _ => count / 1e6,
    };
    // Beyond the range of i64 the cast saturates, and the check then rejects it.
    milliseconds
        .is_finite()
        .then(|| milliseconds.floor() as i64)
}

fn parse_date(text: &str) -> Option<(i64, i64, i64)> {
    if let Some((year, rest)) = text.split_once('-') {
        let (month, day) = rest.split_once('-')?;
        return Some((number(year)?, number(month)?, number(day)?));
    }
    let (month, rest) = text.split_once('/')?;
    let (day, year) = rest.split_once('/')?;
    let year = number(year)?;
    // Spreadsheets write `12/1/10`.
    let year = if year < 100 { year + 2000 } else { year };
    Some((year, number(month)?, number(day)?))
}

/// Milliseconds since midnight. Nothing at all is midnight.
fn parse_time(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let mut parts = text.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let (second, millis) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (number(seconds)?, 0),
            Some((whole, fraction)) => {
                number(fraction)?;
                let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
                (number(whole)?, number(&digits)?)
            }
        },
    };
    // 60 is a leap second.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// Splits `08:26:00+01:00` into the time and the offset in minutes.
fn split_offset(time: &str, default: i32) -> Option<(&str, i32)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    if let Some(time) = time.strip_suffix(" UTC") {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, default));
    };
    let sign = if time.get(at..=at)? == "-" { -1 } else { 1 };
    let offset = time.get(at + 1..)?;
    let (hours, minutes) = match offset.split_once(':') {
        Some((hours, minutes)) => (number(hours)?, number(minutes)?),
        None if offset.len() == 4 => (number(offset.get(..2)?)?, number(offset.get(2..)?)?),
        None => (number(offset)?, 0),
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let minutes = i32::try_from(hours * 60 + minutes).ok()?;
    Some((time.get(..at)?.trim_end(), sign * minutes))
}

/// Up to nine digits and nothing else.
fn number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, after Howard Hinnant's
/// `days_from_civil` (<https://howardhinnant.github.io/date_algorithms.html>).
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of so many days from 1970-01-01: the inverse, Hinnant's `civil_from_days`.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        let rows = [
            ("1970-01-01", 0, Some(0)),
            ("2000-01-01T00:00:00Z", 0, Some(crate::EARLIEST)),
            ("2010-12-01 08:26:00", 0, Some(1_291_191_960_000)),
            ("12/1/2010 8:26", 0, Some(1_291_191_960_000)),
            ("12/1/10 8:26", 0, Some(1_291_191_960_000)),
            ("2010-12-01T08:26:00.5", 0, Some(1_291_191_960_500)),
            ("2010-12-01T08:26:00.123456Z", 60, Some(1_291_191_960_123)),
            ("2010-12-01 08:26:00", 480, Some(1_291_163_160_000)),
            ("2010-12-01T08:26:00+08:00", 0, Some(1_291_163_160_000)),
            ("2010-12-01T08:26:00-0030", 0, Some(1_291_193_760_000)),
            ("2010-12-01 08:26:00 UTC", 300, Some(1_291_191_960_000)),
            ("2016-02-29", 0, Some(1_456_704_000_000)),
            ("2015-02-29", 0, None),
            ("2010-13-01", 0, None),
            ("2010-12-01 24:00", 0, None),
            ("2010-12-01 08", 0, None),
            ("2010-12-01T08:26:00+99:00", 0, None),
            ("", 0, None),
            ("yesterday", 0, None),
            ("12/1", 0, None),
        ];
        for (text, offset, expected) in rows {
            assert_eq!(parse_timestamp(text, offset), expected, "{text}");
        }
    }

    #[cfg(feature = "adapters")]
    #[test]
    fn the_unit_is_told_by_the_magnitude() {
        let rows = [
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.25", Some(1_700_000_000_250)),
            ("1700000000000", Some(1_700_000_000_000)),
            ("1700000000000.9", Some(1_700_000_000_000)),
            ("1700000000000123", Some(1_700_000_000_000)),
            ("1700000000000123456", Some(1_700_000_000_000)),
            ("1.7e9", Some(1_700_000_000_000)),
            ("-1", Some(-1000)),
            (" 2023-11-14T22:13:20Z ", Some(1_700_000_000_000)),
            ("2023-11-15 06:13:20", Some(1_700_000_000_000)),
            ("inf", None),
            ("NaN", None),
            ("soon", None),
        ];
        for (text, expected) in rows {
            assert_eq!(any_timestamp(text, 480), expected, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for (moment, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_291_191_960_999, "2010-12-01T08:26:00Z"),
            (1_456_790_399_000, "2016-02-29T23:59:59Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59Z"),
            (253_402_300_800_000, "253402300800000"),
            (-62_167_219_200_001, "-62167219200001"),
            (i64::MAX, "9223372036854775807"),
            (i64::MIN, "-9223372036854775808"),
        ] {
            assert_eq!(format_timestamp(moment), expected);
        }
        // Every day of eight hundred years, each at another second.
        for day in -146_097..146_097 {
            let moment = day * DAY + (day * 7919).rem_euclid(86_400) * 1000;
            let text = format_timestamp(moment);
            assert_eq!(parse_timestamp(&text, 60), Some(moment), "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_day_before() {
        let mut expected = days_since_1970(1999, 12, 31).expect("a valid day");
        for year in 2000..2030 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = days_since_1970(year, month, day) {
                        expected += 1;
                        assert_eq!(days, expected, "{year}-{month}-{day}");
                    }
                }
            }
        }
        assert_eq!(days_since_1970(2029, 12, 31), Some(expected));
    }
}
