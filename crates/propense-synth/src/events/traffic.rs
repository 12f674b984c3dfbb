//! When sessions begin.

use super::rates;

const HOUR: i64 = 3_600_000;
/// Milliseconds in a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// No session lasts longer (those meant to be impossible apart), and none begins later than this
/// before the end, so that every clean event lies within the period.
pub(crate) const LONGEST_SESSION: i64 = 6 * HOUR;

/// Spreads sessions over the period as the hours of the day ask for.
pub(crate) struct Traffic {
    start: i64,
    /// Share of a day's events before each hour.
    before_hour: [f64; 25],
    /// Days' worth of traffic between the start and the last beginning of a session.
    days: f64,
}

impl Traffic {
    /// `start` in milliseconds since 1970 is a midnight of the shop's; `days` whole days follow.
    pub(crate) fn new(start: i64, days: i64) -> Self {
        let all: f64 = rates::EVENTS_BY_HOUR.iter().sum();
        let mut before_hour = [0.0; 25];
        let mut sum = 0.0;
        for (before, events) in before_hour.iter_mut().skip(1).zip(rates::EVENTS_BY_HOUR) {
            sum += events;
            *before = sum / all;
        }
        let last_hours = (LONGEST_SESSION / HOUR) as usize;
        let last_day = before_hour.iter().rev().nth(last_hours).copied();
        Self {
            start,
            before_hour,
            days: (days - 1) as f64 + last_day.unwrap_or(1.0),
        }
    }

    /// The moment by which this share of all events has happened.
    pub(crate) fn at(&self, share: f64) -> i64 {
        let days = share.clamp(0.0, 1.0) * self.days;
        let day = days as i64;
        let rest = days - day as f64;
        let mut begin = (0, 0.0);
        for (hour, before) in (0..).zip(self.before_hour) {
            if before > rest {
                let part = (rest - begin.1) / (before - begin.1);
                let within = begin.0 * HOUR + (part * HOUR as f64) as i64;
                return self.start + day * DAY + within;
            }
            begin = (hour, before);
        }
        self.start + (day + 1) * DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_begin_in_order_and_inside_the_period() {
        let traffic = Traffic::new(0, 9);
        let moments: Vec<i64> = (0..=1_000)
            .map(|n| traffic.at(f64::from(n) / 1_000.0))
            .collect();
        assert!(moments.is_sorted());
        assert_eq!(moments[0], 0);
        let last = moments[1_000];
        assert!((9 * DAY - LONGEST_SESSION - HOUR..=9 * DAY - LONGEST_SESSION).contains(&last));
        // 21 to 22 h is the busiest hour, 3 to 4 h the quietest.
        let in_hour = |hour| moments.iter().filter(|m| **m % DAY / HOUR == hour).count();
        assert!(in_hour(21) > 10 * in_hour(3).max(1));
    }
}
