//! Reading a whole input into memory.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use crate::{
    Action, Block, Counts, Event, EventsError, Format, Key, Limits, Mapping, Place, Problem,
    Reader, Rule, Session, Sink,
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
    let limits = Limits::file();
    let mut reader = Reader::open(input, format, mapping, limits)?;
    let plan = reader.plan().clone();
    let mut collector = Collector::new(plan.format(), limits);
    let mut counts = Counts::default();
    let mut block = Block::default();
    // Even without a single record the adapter must see the header: a column may be missing.
    let mut first = true;
    while reader.next_block(&mut block)? || first {
        first = false;
        let found = plan.parse(&block, &mut collector)?;
        counts.rows += found.rows;
        counts.rejected += found.rejected;
    }
    collector.into_table(counts, plan.utc_offset_minutes())
}

/// Puts events together from their rows.
struct Collector {
    format: Format,
    limits: Limits,
    events: Vec<Event>,
    sessions: Vec<Session>,
    problems: Vec<Problem>,
    /// Rows that the adapter kept and the collector set aside.
    rejected: u64,
    /// Key of the event before, under [`Key::Next`].
    last: Option<String>,
    /// Position of the event with each key, under [`Key::Anywhere`].
    position: HashMap<String, usize>,
    /// Rows so far, where exact repetitions are set aside.
    seen: HashSet<TaobaoRow>,
}

/// A row of the Taobao set: user, item, category, kind, time.
type TaobaoRow = (Option<String>, Option<String>, Option<String>, u8, i64);

impl Collector {
    fn new(format: Format, limits: Limits) -> Self {
        Self {
            format,
            limits,
            events: Vec::new(),
            sessions: Vec::new(),
            problems: Vec::new(),
            rejected: 0,
            last: None,
            position: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    fn reject(&mut self, rule: Rule, row: u64, field: &str, detail: &str) {
        self.rejected += 1;
        let problem = Problem::new(rule, Action::Rejected, row);
        self.problems.push(problem.field(field).detail(detail));
    }

    /// Adds a row's items to the event at this position.
    fn extend(&mut self, position: usize, event: Event, row: u64) {
        match self.events.get_mut(position) {
            Some(before) if before.items.len() + event.items.len() <= self.limits.max_items => {
                before.items.extend(event.items);
            }
            _ => self.reject(Rule::TooManyItems, row, "item_id", ""),
        }
    }

    /// Whether the event continues the last one.
    fn continues(&self, event: &Event, key: &str) -> bool {
        self.last.as_deref() == Some(key)
            && self.events.last().is_some_and(|before| {
                before.timestamp == event.timestamp
                    && before.kind == event.kind
                    && before.user_id == event.user_id
                    && before.session_id == event.session_id
            })
    }

    fn into_table(mut self, counts: Counts, utc_offset_minutes: i32) -> Result<Table, EventsError> {
        let rejected = counts.rejected + self.rejected;
        if counts.rows > 0 && rejected == counts.rows {
            let first = self
                .problems
                .into_iter()
                .find(|problem| problem.action == Action::Rejected);
            let first = first.unwrap_or(Problem::new(Rule::Malformed, Action::Rejected, 1));
            return Err(EventsError::NothingReadable {
                format: self.format,
                rows: counts.rows,
                first: Box::new(first),
            });
        }
        for position in self.position.into_values() {
            if let Some(event) = self.events.get_mut(position) {
                sum_value(event);
            }
        }
        Ok(Table {
            format: self.format,
            events: self.events,
            sessions: self.sessions,
            problems: self.problems,
            rows: counts.rows,
            kept: counts.rows - rejected,
            rejected,
            utc_offset_minutes,
        })
    }
}

/// The value of an order that came line by line: the sum of quantity times price, where the set
/// has prices.
fn sum_value(event: &mut Event) {
    let amounts = event
        .items
        .iter()
        .filter_map(|item| Some(item.price? * item.quantity?));
    event.value = event.value.or(amounts.reduce(|sum, amount| sum + amount));
}

impl Sink for Collector {
    fn event(&mut self, event: Event, place: Place<'_>) {
        if self.format == Format::Taobao {
            let item = event.items.first();
            let row = (
                event.user_id.clone(),
                item.map(|item| item.item_id.clone()),
                item.and_then(|item| item.item_category.clone()),
                event.kind.code(),
                event.timestamp,
            );
            if !self.seen.insert(row) {
                let detail = event.timestamp.to_string();
                self.reject(Rule::Duplicate, place.row, "seconds", &detail);
                return;
            }
        }
        match place.key {
            Key::Own => {
                self.last = None;
                self.events.push(event);
            }
            Key::Next(key) if self.continues(&event, key) => {
                let last = self.events.len() - 1;
                self.extend(last, event, place.row);
            }
            Key::Next(key) => {
                self.last = Some(key.to_owned());
                self.events.push(event);
            }
            Key::Anywhere(key) => match self.position.get(key) {
                Some(position) => self.extend(*position, event, place.row),
                None => {
                    self.position.insert(key.to_owned(), self.events.len());
                    self.events.push(event);
                }
            },
        }
    }

    fn session(&mut self, session: Session, _row: u64) {
        self.sessions.push(session);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}
