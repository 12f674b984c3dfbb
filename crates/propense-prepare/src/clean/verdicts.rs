//! What the rules decided, line by line.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::TimestampMillisecondType;
use arrow::temporal_conversions::as_datetime;

use super::{CleaningRule, Counts};
use crate::table::{Column, Lines, text_at};

/// What the rules decided on the lines of a batch. A line is set aside at most once; a line that
/// is not set aside is kept, with the repairs that name it.
///
/// Lines are numbered as in the [`Lines`] that were judged. Several owners of one batch may be
/// judged into the same verdicts, in ascending order.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    /// Lines set aside, in ascending order.
    pub removed: Vec<Removal>,
    /// Values changed in lines that are kept, in ascending order. Where a line appears twice, the
    /// changes apply one after the other.
    pub repaired: Vec<Repair>,
    /// For every line judged, in order: where it stands.
    pub places: Vec<SessionPlace>,
    /// The sessions that [`SessionPlace::session`] numbers.
    pub sessions: Vec<SessionName>,
    /// Contexts that move within their event, from the second line to the first: the line that
    /// carried it was set aside, and others of the event stay.
    pub contexts: Vec<(usize, usize)>,
    /// Lines to which each rule was applied, since the beginning.
    pub counts: Counts,
}

/// One line set aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Removal {
    /// The line.
    pub line: usize,
    /// The rule.
    pub rule: CleaningRule,
    /// What was found, for `quarantine.csv`.
    pub detail: Detail,
}

/// One change to a line that is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repair {
    /// The line.
    pub line: usize,
    /// The rule.
    pub rule: CleaningRule,
    /// What was done.
    pub change: Change,
}

/// What a repair does to a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// The line was put in its place by time: nothing is left to do.
    Sorted,
    /// The new price; `None` is missing.
    Price(Option<f64>),
    /// The new value; `None` is missing.
    Value(Option<f64>),
    /// The amounts were converted: the currency is now the shop's.
    Currency,
}

/// Where a line stands: its session, and its event's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    /// Position in [`Verdicts::sessions`].
    pub session: u32,
    /// The event's number in the session, from 1; the lines of one event share it.
    pub event_no: u32,
}

impl SessionPlace {
    /// The place of a line that was set aside.
    pub const NONE: Self = Self {
        session: u32::MAX,
        event_no: 0,
    };
}

/// How a session is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionName {
    /// By the shop's own id, which stands in a slab before.
    Before(Arc<str>),
    /// By the shop's own id, which stands in this line.
    Shop {
        /// A line with the session's id.
        line: usize,
    },
    /// By the owner, who is named in this line, and a number: `user#3`.
    Numbered {
        /// A line that names the owner.
        line: usize,
        /// The number, from 1.
        number: u32,
    },
}

impl SessionName {
    /// Writes the name.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write(&self, lines: &Lines<'_>, out: &mut impl fmt::Write) -> fmt::Result {
        match *self {
            Self::Before(ref id) => out.write_str(id),
            Self::Shop { line } => {
                out.write_str(text_at(lines.session_id, line).unwrap_or_default())
            }
            Self::Numbered { line, number } => {
                match owner_name(lines, line) {
                    Some(owner) => out.write_str(owner)?,
                    // Nobody is known, so the owner is the record itself.
                    None => {
                        let source = lines.source.get(line).copied().unwrap_or_default();
                        let row = lines.row.get(line).copied().unwrap_or_default();
                        write!(out, "anonymous-{source}-{row}")?;
                    }
                }
                out.write_char('#')?;
                write_number(number, out)
            }
        }
    }
}

/// Writes a number. `write!` costs five times as much, and there can be a session a line.
fn write_number(mut number: u32, out: &mut impl fmt::Write) -> fmt::Result {
    let mut digits = [b'0'; 10];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    out.write_str(std::str::from_utf8(digits.get(start..).unwrap_or_default()).unwrap_or_default())
}

/// The name of the line's owner.
pub(super) fn owner_name<'a>(lines: &Lines<'a>, line: usize) -> Option<&'a str> {
    text_at(lines.user_id, line).or_else(|| text_at(lines.anonymous_id, line))
}

/// What a rule found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Detail {
    /// The line's time, later or earlier than it may be.
    Time {
        /// Milliseconds since 1970.
        timestamp: i64,
    },
    /// A test word.
    Word {
        /// Where the word stands.
        column: Column,
        /// The row that has it: another line of the same order, or the line itself.
        row: u64,
    },
    /// The line or event that was there before.
    Again {
        /// The other line's source.
        source: u16,
        /// The other line's row.
        row: u64,
        /// How long before this line, in milliseconds; negative where it is later.
        after: i64,
    },
    /// A session of too many events.
    Events {
        /// The number of events.
        events: u32,
    },
    /// A session faster than a person is.
    Pause {
        /// The number of events.
        events: u32,
        /// The median pause in milliseconds.
        median: i64,
    },
    /// A session that says itself that it is a bot's.
    Flag,
    /// A session that lasts too long.
    Length {
        /// Milliseconds from the first event to the last.
        length: i64,
    },
    /// A session of too many orders.
    Orders {
        /// The number of orders.
        orders: u32,
    },
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time { timestamp } => match as_datetime::<TimestampMillisecondType>(timestamp) {
                Some(time) => write!(f, "{time} UTC"),
                None => write!(f, "{timestamp} ms"),
            },
            Self::Word { column, row } => write!(f, "in {} of row {row}", column.name()),
            Self::Again { source, row, after } => {
                let side = if after < 0 { "before" } else { "after" };
                write!(f, "{} ms {side} row {row} of source {source}", after.abs())
            }
            Self::Events { events } => write!(f, "session of {events} events"),
            Self::Pause { events, median } => {
                write!(f, "session of {events} events, median pause {median} ms")
            }
            Self::Flag => f.write_str("the context says bot"),
            Self::Length { length } => {
                write!(f, "session of {:.1} hours", length as f64 / 3_600_000.0)
            }
            Self::Orders { orders } => write!(f, "session of {orders} orders"),
        }
    }
}

impl Verdicts {
    /// Empties the lists for the next batch. The counts go on.
    pub fn clear(&mut self) {
        self.removed.clear();
        self.repaired.clear();
        self.places.clear();
        self.sessions.clear();
        self.contexts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::write_number;

    #[test]
    fn numbers_are_written_as_usual() {
        for number in [0, 1, 9, 10, 1_234_567_890, u32::MAX] {
            let mut text = String::new();
            write_number(number, &mut text).expect("a String");
            assert_eq!(text, number.to_string());
        }
    }
}
