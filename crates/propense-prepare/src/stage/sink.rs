//! From the events of a reader to lines in buckets.

use arrow::array::RecordBatch;
use propense_events::{Action, Event, Format, Item, Place as Record, Problem, Session, Sink};
use twox_hash::XxHash64;

use super::columns::{Columns, NumberColumn, Place, TextColumn};
use crate::PrepareError;
use crate::account::InputAccount;
use crate::quarantine::Quarantine;
use crate::several::tell_apart;
use crate::table::{ColumnSet, Key, Owner, Record as Origin, bucket, group};

/// Part of an input, ready to be laid down.
pub(super) struct Laid {
    /// Batches with their buckets.
    pub(super) batches: Vec<Batch>,
    /// Lines of `quarantine.csv`.
    pub(super) quarantine: Vec<u8>,
    /// Summary sessions as JSON lines.
    pub(super) summaries: Vec<u8>,
    /// The accounts; `rows` and `rejected` are the reader's to fill in.
    pub(super) account: InputAccount,
    /// Lines in quarantine.
    pub(super) quarantined: u64,
}

/// Lines of one bucket.
pub(super) struct Batch {
    pub(super) bucket: usize,
    pub(super) set: ColumnSet,
    pub(super) lines: RecordBatch,
}

/// Takes events and lays their lines out by bucket.
pub(super) struct Layout {
    source: u16,
    format: Format,
    bits: u32,
    buckets: Vec<Columns>,
    batches: Vec<Batch>,
    quarantine: Quarantine,
    summaries: Vec<u8>,
    account: InputAccount,
    /// The last row seen, and how many events of its own it has had.
    last: (u64, u64),
    context: Vec<u8>,
    error: Option<PrepareError>,
}

impl Layout {
    pub(super) fn new(source: u16, format: Format, bits: u32) -> Self {
        Self {
            source,
            format,
            bits,
            buckets: (0..1usize << bits).map(|_| Columns::default()).collect(),
            batches: Vec::new(),
            quarantine: Quarantine::default(),
            summaries: Vec::new(),
            account: InputAccount::default(),
            last: (0, 0),
            context: Vec::new(),
            error: None,
        }
    }

    /// What was laid out since the last call.
    pub(super) fn finish(&mut self) -> Result<Laid, PrepareError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        for bucket in 0..self.buckets.len() {
            self.take(bucket)?;
        }
        let (quarantine, quarantined) = std::mem::take(&mut self.quarantine)
            .finish()
            .map_err(PrepareError::engine("quarantine.csv"))?;
        Ok(Laid {
            batches: std::mem::take(&mut self.batches),
            quarantine,
            quarantined,
            summaries: std::mem::take(&mut self.summaries),
            account: std::mem::take(&mut self.account),
        })
    }

    fn take(&mut self, bucket: usize) -> Result<(), PrepareError> {
        let Some(columns) = self.buckets.get_mut(bucket) else {
            return Ok(());
        };
        let taken = columns
            .finish()
            .map_err(PrepareError::engine("laying out lines"))?;
        if let Some((set, lines)) = taken {
            self.account.carried = self.account.carried.union(set);
            self.batches.push(Batch { bucket, set, lines });
        }
        Ok(())
    }

    /// The number that is the same on the lines of one event.
    fn group(&mut self, record: &Record<'_>) -> u64 {
        let hash = |key: &str| XxHash64::oneshot(0, key.as_bytes());
        match &record.key {
            propense_events::Key::Own => {
                let before = if self.last.0 == record.row {
                    self.last.1 + 1
                } else {
                    0
                };
                self.last = (record.row, before);
                group::OWN | before
            }
            propense_events::Key::Next(key) => group::new(group::NEXT, hash(key)),
            propense_events::Key::Anywhere(key) => group::new(group::ANYWHERE, hash(key)),
        }
    }
}

/// Price times quantity.
fn amount(item: Option<&Item>) -> Option<f64> {
    let item = item?;
    Some(item.price? * item.quantity?)
}

impl Sink for Layout {
    fn event(&mut self, mut event: Event, record: Record<'_>) {
        self.look(&mut event, record);
    }

    fn look(&mut self, event: &mut Event, record: Record<'_>) {
        tell_apart(event, self.format, usize::from(self.source));
        let group = self.group(&record);
        let owner = Owner::of(
            event.user_id.as_deref(),
            event.anonymous_id.as_deref(),
            event.session_id.as_deref(),
            Origin::new(self.source, record.row, group, event.timestamp),
        )
        .hash();
        let bucket = bucket(owner, self.bits);
        let Some(columns) = self.buckets.get_mut(bucket) else {
            return;
        };
        let count = event.items.len().max(1);
        let scattered = group::kind(group) == group::ANYWHERE;
        for position in 0..count {
            columns.line(&Place {
                timestamp: event.timestamp,
                kind: event.kind.code(),
                source: self.source,
                row: record.row,
                group,
                // Numbered within this part of the input; `Keeper` adds those before it.
                key: Key::new(owner, event.timestamp, self.account.lines),
            });
            self.account.lines += 1;
            columns.text(TextColumn::UserId, event.user_id.as_deref());
            columns.text(TextColumn::AnonymousId, event.anonymous_id.as_deref());
            columns.text(TextColumn::SessionId, event.session_id.as_deref());
            columns.text(TextColumn::PageType, event.page_type.as_deref());
            columns.text(TextColumn::Currency, event.currency.as_deref());
            columns.text(TextColumn::TransactionId, event.transaction_id.as_deref());
            columns.text(TextColumn::SearchTerm, event.search_term.as_deref());
            // The value of an order that comes line by line is the sum of its lines, which is
            // known when they stand together: until then each line has its own amount.
            let amount = scattered
                .then(|| amount(event.items.get(position)))
                .flatten();
            columns.number(NumberColumn::Value, event.value.or(amount));
            columns.number(NumberColumn::Rating, event.rating);
            if let Some(item) = event.items.get(position) {
                columns.text(TextColumn::ItemId, Some(&item.item_id));
                columns.text(TextColumn::ItemName, item.item_name.as_deref());
                columns.text(TextColumn::ItemCategory, item.item_category.as_deref());
                columns.text(TextColumn::ItemBrand, item.item_brand.as_deref());
                columns.number(NumberColumn::Price, item.price);
                columns.number(NumberColumn::Quantity, item.quantity);
            }
            // On the event's first line only: an order of a thousand items would otherwise carry
            // a thousand copies of a context that can be half a megabyte.
            if position == 0 && !event.context.is_empty() {
                self.context.clear();
                // Writing a map of numbers and texts to memory cannot fail.
                let _ = serde_json::to_writer(&mut self.context, &event.context);
                columns.text(TextColumn::Context, std::str::from_utf8(&self.context).ok());
            }
        }
        if columns.full()
            && let Err(error) = self.take(bucket)
        {
            self.error.get_or_insert(error);
        }
    }

    fn session(&mut self, session: Session, _row: u64) {
        self.account.summaries += 1;
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.summaries, &session);
        self.summaries.push(b'\n');
    }

    fn problem(&mut self, problem: Problem) {
        self.account.note(&problem);
        if problem.action == Action::Rejected
            && let Err(error) = self.quarantine.problem(self.source, &problem)
        {
            self.error
                .get_or_insert(PrepareError::engine("quarantine.csv")(error));
        }
    }
}
