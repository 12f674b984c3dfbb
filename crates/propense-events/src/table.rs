//! Reading a whole input: recognise it, hand it to its adapter, keep the accounts.

use std::io::{Chain, Cursor, Read};

use crate::{
    Action, Event, EventsError, Format, Limits, Mapping, Problem, Rule, Session, adapters,
};

/// What was read from one input.
///
/// Every row is accounted for: `rows == kept + rejected`, and there are exactly `rejected`
/// problems with [`Action::Rejected`].
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The format that was read.
    pub format: Format,
    /// The events in file order. A row is an event, or one item of an event with several, or
    /// (`jd-micro`) a whole session of them.
    pub events: Vec<Event>,
    /// Sessions that the data set holds only as summaries; empty for all other formats.
    pub sessions: Vec<Session>,
    /// What was repaired or set aside, in file order.
    pub problems: Vec<Problem>,
    /// Data rows, without header and blank lines.
    pub rows: u64,
    /// Rows that went into an event or a session, repaired or not.
    pub kept: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// The shop's offset from UTC in minutes, where the format or the mapping says it. Timestamps
    /// are UTC; this is for hours and weekdays.
    pub utc_offset_minutes: i32,
}

/// How much of the input is looked at to recognise it, in bytes.
const START: u64 = 64 * 1024;

/// What an adapter reads from: the bytes already looked at, then the rest.
pub(crate) type Input<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads events (or summary sessions) from an input of any supported format.
///
/// With `format` absent the format is recognised by content, or is [`Format::Csv`] where a
/// mapping is given. A byte-order mark, either line end, columns in another order and extra
/// columns are fine. Every event passes [`crate::check_event`] with the default [`Limits`].
///
/// # Errors
/// Where nothing can be read at all: the input is empty, compressed or of no known format, a
/// column is missing, the bytes cannot be read, or not one row could be kept.
pub fn read<R: Read>(
    input: R,
    format: Option<Format>,
    mapping: Option<&Mapping>,
) -> Result<Table, EventsError> {
    let (start, input) = peek(input)?;
    let format = match (format, mapping) {
        (Some(format), _) => format,
        (None, Some(_)) => Format::Csv,
        (None, None) => Format::recognise(&start)?,
    };
    let own;
    let mut ledger = Ledger::new();
    match format {
        Format::Events => {
            own = Mapping::own();
            adapters::mapped::read(input, format, &own, &mut ledger)?;
        }
        Format::Csv => {
            let mapping = mapping.ok_or(EventsError::MissingMapping)?;
            adapters::mapped::read(input, format, mapping, &mut ledger)?;
            ledger.utc_offset_minutes = Some(mapping.utc_offset_minutes);
        }
        Format::OnlineRetail => adapters::online_retail::read(input, &mut ledger)?,
        Format::OnlineShoppers => adapters::online_shoppers::read(input, &mut ledger)?,
        Format::Taobao => adapters::taobao::read(input, &mut ledger)?,
        Format::Jdata => adapters::jdata::read(input, &mut ledger)?,
        Format::JdMicro => adapters::jd_micro::read(input, &mut ledger)?,
    }
    ledger.into_table(format)
}

/// Looks at the beginning, refuses what is not plain UTF-8 text, and takes off a byte-order mark.
fn peek<R: Read>(mut input: R) -> Result<(Vec<u8>, Input<R>), EventsError> {
    let mut start = Vec::new();
    input
        .by_ref()
        .take(START)
        .read_to_end(&mut start)
        .map_err(EventsError::Read)?;
    let compressed = match start.as_slice() {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some("bzip2"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(EventsError::Utf16),
        _ => None,
    };
    if let Some(kind) = compressed {
        return Err(EventsError::Compressed { kind });
    }
    if start.starts_with(&[0xef, 0xbb, 0xbf]) {
        start.drain(..3);
    }
    if start.iter().all(u8::is_ascii_whitespace) {
        return Err(EventsError::Empty);
    }
    let input = Cursor::new(start.clone()).chain(input);
    Ok((start, input))
}

/// The accounts of one reading. Adapters go through it, so that no row can be dropped uncounted.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) limits: Limits,
    pub(crate) events: Vec<Event>,
    pub(crate) sessions: Vec<Session>,
    problems: Vec<Problem>,
    rows: u64,
    rejected: u64,
    utc_offset_minutes: Option<i32>,
}

impl Ledger {
    fn new() -> Self {
        Self {
            limits: Limits::default(),
            events: Vec::new(),
            sessions: Vec::new(),
            problems: Vec::new(),
            rows: 0,
            rejected: 0,
            utc_offset_minutes: None,
        }
    }

    /// Counts one more data row.
    pub(crate) fn count_row(&mut self) {
        self.rows += 1;
    }

    /// Notes a repair; the row stays.
    pub(crate) fn repaired(&mut self, row: u64, rule: Rule, field: &str, detail: &str) {
        self.problems.push(
            Problem::new(rule, Action::Repaired, row)
                .field(field)
                .detail(detail),
        );
    }

    /// Sets the row aside. To be called at most once a row.
    pub(crate) fn reject(&mut self, problem: Problem) {
        debug_assert_eq!(problem.action, Action::Rejected);
        self.rejected += 1;
        self.problems.push(problem);
    }

    /// Passes an event, read from one row, through [`crate::check_event`]. `None`: the row is
    /// rejected and counted.
    pub(crate) fn check(&mut self, event: Event, row: u64) -> Option<Event> {
        let (event, problems) = crate::check_event(event, row, &self.limits);
        if event.is_none() {
            self.rejected += 1;
        }
        self.problems.extend(problems);
        event
    }

    fn into_table(self, format: Format) -> Result<Table, EventsError> {
        if self.rows > 0 && self.rejected == self.rows {
            let first = self
                .problems
                .into_iter()
                .find(|problem| problem.action == Action::Rejected);
            let first = first.unwrap_or(Problem::new(Rule::Malformed, Action::Rejected, 1));
            return Err(EventsError::NothingReadable {
                format,
                rows: self.rows,
                first: Box::new(first),
            });
        }
        Ok(Table {
            format,
            events: self.events,
            sessions: self.sessions,
            problems: self.problems,
            rows: self.rows,
            kept: self.rows - self.rejected,
            rejected: self.rejected,
            utc_offset_minutes: self
                .utc_offset_minutes
                .unwrap_or(format.utc_offset_minutes()),
        })
    }
}
