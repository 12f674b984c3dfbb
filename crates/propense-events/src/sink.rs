//! Where a reader puts what it finds.

use crate::{Event, Problem, Session};

/// Receives what a reader finds, in file order.
pub trait Sink {
    /// An event, or a part of one: [`Place::key`] says which lines belong together.
    fn event(&mut self, event: Event, place: Place<'_>);

    /// The same for an event whose reader uses it again: a sink that only looks at events leaves it
    /// where it is, and spares the reader an allocation for each text.
    fn look(&mut self, event: &mut Event, place: Place<'_>) {
        let kept = std::mem::replace(event, Event::new(event.kind, event.timestamp));
        self.event(kept, place);
    }

    /// A session that the data set holds only as a summary.
    fn session(&mut self, session: Session, row: u64);

    /// What was repaired or set aside.
    fn problem(&mut self, problem: Problem);
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The row, as in [`Problem::row`].
    pub row: u64,
    /// What makes the row a part of an event with others.
    pub key: Key<'a>,
}

impl<'a> Place<'a> {
    /// A row that is an event of its own.
    #[must_use]
    pub const fn own(row: u64) -> Self {
        Self { row, key: Key::Own }
    }

    /// A row that may be a part of an event with others.
    #[must_use]
    pub const fn new(row: u64, key: Key<'a>) -> Self {
        Self { row, key }
    }
}

/// Which rows are one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// The row is an event of its own.
    Own,
    /// The row belongs to the event directly before it if that has the same key, time, kind,
    /// user and session.
    Next(&'a str),
    /// The row belongs to the same event as every other row of the file with this key: the lines
    /// of an invoice.
    Anywhere(&'a str),
}
