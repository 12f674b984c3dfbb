//! Days and hours as people write them.

use time::{Date, Month};

/// Milliseconds in an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// The weekdays, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The date of a day counted from 1970-01-01.
fn date(day: i64) -> Option<Date> {
    let julian = i32::try_from(day.checked_add(EPOCH)?).ok()?;
    Date::from_julian_day(julian).ok()
}

/// `2024-03-09`.
pub(crate) fn iso_day(day: i64) -> String {
    date(day).map_or_else(
        || format!("day {day}"),
        |date| {
            format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            )
        },
    )
}

/// `2024-03-09 14:00`.
pub(crate) fn iso_hour(hour: i64) -> String {
    format!(
        "{} {:02}:00",
        iso_day(hour.div_euclid(24)),
        hour.rem_euclid(24)
    )
}

/// `9 March 2024`.
pub(crate) fn long_day(day: i64) -> String {
    date(day).map_or_else(
        || format!("day {day}"),
        |date| format!("{} {} {}", date.day(), month(date.month()), date.year()),
    )
}

/// `9 Mar`.
pub(crate) fn short_day(day: i64) -> String {
    date(day).map_or_else(String::new, |date| {
        let name = month(date.month());
        format!("{} {}", date.day(), name.get(..3).unwrap_or(name))
    })
}

/// `Mar 2024`.
pub(crate) fn short_month(day: i64) -> String {
    date(day).map_or_else(String::new, |date| {
        let name = month(date.month());
        format!("{} {}", name.get(..3).unwrap_or(name), date.year())
    })
}

/// Whether a month begins on this day.
pub(crate) fn begins_month(day: i64) -> bool {
    date(day).is_some_and(|date| date.day() == 1)
}

/// The number of the month, counted without end.
pub(crate) fn month_number(day: i64) -> i64 {
    date(day).map_or(0, |date| {
        i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1
    })
}

/// 0 for Monday to 6 for Sunday.
pub(crate) fn weekday(day: i64) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default()
}

const fn month(month: Month) -> &'static str {
    match month {
        Month::January => "January",
        Month::February => "February",
        Month::March => "March",
        Month::April => "April",
        Month::May => "May",
        Month::June => "June",
        Month::July => "July",
        Month::August => "August",
        Month::September => "September",
        Month::October => "October",
        Month::November => "November",
        Month::December => "December",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_by_their_names() {
        for (day, iso, long, short) in [
            (0, "1970-01-01", "1 January 1970", "1 Jan"),
            (19_790, "2024-03-08", "8 March 2024", "8 Mar"),
            (-1, "1969-12-31", "31 December 1969", "31 Dec"),
        ] {
            assert_eq!(
                (&*iso_day(day), &*long_day(day), &*short_day(day)),
                (iso, long, short)
            );
        }
        assert_eq!(iso_hour(25), "1970-01-02 01:00");
        assert_eq!(WEEKDAYS[weekday(0)], "Thursday");
        assert_eq!(WEEKDAYS[weekday(19_790)], "Friday");
        assert_eq!(iso_day(i64::MAX), format!("day {}", i64::MAX));
        assert!(begins_month(0) && !begins_month(1));
        assert_eq!(month_number(31) - month_number(0), 1);
    }
}
