//! The accounts of one reading. Adapters go through it, so that no row can be dropped uncounted.

use crate::{Action, Event, Limits, Place, Problem, Rule, Session, Sink, check::check_in_place};

/// Rows read, and how many of them were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Data rows, without header and blank lines.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
}

/// Counts rows, checks events, and hands on what was found.
pub(crate) struct Ledger<'a> {
    pub(crate) limits: Limits,
    /// Added to an adapter's own count of records: what stands before its block in the file.
    pub(crate) base: u64,
    /// Whether a set's own period is kept to.
    pub(crate) period: bool,
    pub(crate) counts: Counts,
    sink: &'a mut dyn Sink,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, limits: Limits, base: u64) -> Self {
        Self {
            limits,
            base,
            period: true,
            counts: Counts::default(),
            sink,
        }
    }

    /// Counts one more data row.
    pub(crate) fn count_row(&mut self) {
        self.counts.rows += 1;
    }

    /// Notes a repair; the row stays.
    pub(crate) fn repaired(&mut self, row: u64, rule: Rule, field: &str, detail: &str) {
        self.sink.problem(
            Problem::new(rule, Action::Repaired, row)
                .field(field)
                .detail(detail),
        );
    }

    /// Hands on a repair that is already written down.
    pub(crate) fn note(&mut self, problem: Problem) {
        debug_assert_eq!(problem.action, Action::Repaired);
        self.sink.problem(problem);
    }

    /// Sets the row aside. To be called at most once a row.
    pub(crate) fn reject(&mut self, problem: Problem) {
        debug_assert_eq!(problem.action, Action::Rejected);
        self.counts.rejected += 1;
        self.sink.problem(problem);
    }

    /// Passes the event of one row through [`crate::check_event`] and hands it on; a row that
    /// fails is rejected and counted.
    pub(crate) fn emit(&mut self, mut event: Event, place: Place<'_>) {
        let (kept, problems) = check_in_place(&mut event, place.row, &self.limits);
        for problem in problems {
            self.sink.problem(problem);
        }
        if kept {
            self.sink.event(event, place);
        } else {
            self.counts.rejected += 1;
        }
    }

    /// The same for an event that the adapter fills again for the next row. What comes back is of no
    /// meaning.
    pub(crate) fn emit_reused(&mut self, event: &mut Event, place: Place<'_>) {
        let (kept, problems) = check_in_place(event, place.row, &self.limits);
        for problem in problems {
            self.sink.problem(problem);
        }
        if kept {
            self.sink.look(event, place);
        } else {
            self.counts.rejected += 1;
        }
    }

    /// The same for one of several events of a row: where it fails, the row stays without it, and
    /// the problem says so. Returns whether the event was handed on.
    pub(crate) fn emit_part(&mut self, mut event: Event, place: Place<'_>) -> bool {
        let (kept, problems) = check_in_place(&mut event, place.row, &self.limits);
        for mut problem in problems {
            problem.action = Action::Repaired;
            self.sink.problem(problem);
        }
        if kept {
            self.sink.event(event, place);
        }
        kept
    }

    /// Hands on a session that the data set holds only as a summary.
    pub(crate) fn emit_session(&mut self, session: Session, row: u64) {
        self.sink.session(session, row);
    }
}
