//! When a visit starts. The summaries say which month, and whether on a weekend; the rest is
//! imputed.

use time::{Date, Month as CalendarMonth, Weekday};

use crate::{draw::Draws, shop::Month, visit::Visit};

/// The year that a month is put into: the file of invoices runs from December 2010 on.
pub(crate) const fn year_of(month: u8) -> i32 {
    if month == 12 { 2010 } else { 2011 }
}

/// The start of the visit in milliseconds since 1970: a random day of the right kind in its month,
/// at the time of day of one of the month's real invoices. The shop's own clock is written as UTC.
pub(crate) fn start(visit: &Visit, month: &Month, draws: &mut Draws) -> i64 {
    let days = days(visit);
    let midnight = draws
        .pick(&days)
        .map_or(0, |day| day.midnight().assume_utc().unix_timestamp());
    let minute = i64::from(month.minute(visit.weekend, draws));
    let second = draws.below(60) as i64;
    (midnight + minute * 60 + second) * 1_000
}

/// The weekend days, or the others, of the visit's month.
fn days(visit: &Visit) -> Vec<Date> {
    let Ok(month) = CalendarMonth::try_from(visit.month) else {
        return Vec::new();
    };
    (1..=31)
        .filter_map(|day| Date::from_calendar_date(year_of(visit.month), month, day).ok())
        .filter(|day| {
            let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            weekend == visit.weekend
        })
        .collect()
}
