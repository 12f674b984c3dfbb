//! The figures of a table, taken batch by batch.

mod distinct;
mod finish;
mod orders;
mod periods;
mod stability;
mod table;
mod time;
mod visit;
mod visitors;
mod written;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arrow::array::RecordBatch;
use propense_events::EventKind;
use twox_hash::XxHash64;

use crate::table::{LATEST, NotTheTable, number_at, text_at};

use super::calendar::{DAY_MS, HOUR_MS};
use super::figures::Unit;
use super::scale::Sketch;
use distinct::{AsIs, Distinct};
use orders::Order;
pub use table::measure_table;
use time::{Days, TimeSlots, Tracked, Volume};
use visit::{Visit, Visits};
use visitors::{Known, People, Person};
use written::{MAY_LACK, Written};

/// Items and category paths that are counted one by one, before a sample of them is.
const NAMES: usize = 1 << 17;

/// The same for outermost categories and currencies.
const FEW_NAMES: usize = 1 << 10;

/// Sessions of one visitor that are open at once, at most.
const OPEN: usize = 4096;

/// Figures of the written table, in bounded memory (about 40 MB at most, whatever the table's
/// size). Parts of a table, each cut between two owners, are measured apart and added up with
/// [`Measure::merge`], in any order.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The offset from UTC of each source, in milliseconds.
    offsets: Vec<i64>,
    lines: u64,
    events: u64,
    orders: u64,
    /// Time of the first and the last event.
    span: Option<(i64, i64)>,
    days: Days,
    slots: TimeSlots,
    kinds: [KindCount; EventKind::ALL.len()],
    missing: [[u64; EventKind::ALL.len()]; MAY_LACK.len()],
    visits: Visits,
    people: People,
    items: Distinct,
    paths: Distinct,
    outermost: Distinct,
    currencies: Distinct,
    price: Sketch,
    quantity: Sketch,
    gap: Sketch,
    order_value: Sketch,
    order_units: Sketch,
    now: Now,
}

/// Counts of one kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct KindCount {
    events: u64,
    lines: u64,
    after_order: u64,
}

/// Where the measuring stands: the visitor, the session and the event of the line before.
#[derive(Debug, Clone, Default)]
struct Now {
    owner: Option<Person>,
    session: Option<(u64, Visit)>,
    /// The session's name: most lines are in the session of the line before, and comparing is
    /// quicker than hashing.
    session_name: String,
    /// Other sessions of the visitor.
    others: HashMap<u64, Visit, BuildHasherDefault<AsIs>>,
    event_no: u32,
    order: Option<Order>,
}

impl Measure {
    /// Begins, with the shop's offset from UTC in minutes for each source of the table.
    #[must_use]
    pub fn new(utc_offset_minutes: &[i32]) -> Self {
        Self {
            offsets: utc_offset_minutes
                .iter()
                .map(|minutes| i64::from(*minutes) * 60_000)
                .collect(),
            lines: 0,
            events: 0,
            orders: 0,
            span: None,
            days: Days::default(),
            slots: TimeSlots::default(),
            kinds: Default::default(),
            missing: Default::default(),
            visits: Visits::default(),
            people: People::default(),
            items: Distinct::new(NAMES),
            paths: Distinct::new(NAMES),
            outermost: Distinct::new(FEW_NAMES),
            currencies: Distinct::new(FEW_NAMES),
            price: Sketch::default(),
            quantity: Sketch::default(),
            gap: Sketch::default(),
            order_value: Sketch::default(),
            order_units: Sketch::default(),
            now: Now::default(),
        }
    }

    /// Takes the next lines of the written table, in its order.
    ///
    /// # Errors
    /// The batch is not in the schema of [`crate::table::output_schema`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), NotTheTable> {
        let lines = Written::new(batch)?;
        lines.count_missing(&mut self.missing);
        for line in 0..lines.len() {
            self.line(&lines, line);
        }
        Ok(())
    }

    /// Adds the figures of another part of the same table.
    pub fn merge(&mut self, mut other: Self) {
        self.end_visitor();
        other.end_visitor();
        if self.offsets.len() < other.offsets.len() {
            self.offsets = other.offsets;
        }
        self.lines += other.lines;
        self.events += other.events;
        self.orders += other.orders;
        self.span = match (self.span, other.span) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        self.days.merge(std::mem::take(&mut other.days));
        self.slots.merge(&other.slots);
        for (mine, theirs) in self.kinds.iter_mut().zip(other.kinds) {
            mine.events += theirs.events;
            mine.lines += theirs.lines;
            mine.after_order += theirs.after_order;
        }
        let mine = self.missing.iter_mut().flatten();
        for (mine, theirs) in mine.zip(other.missing.iter().flatten()) {
            *mine += theirs;
        }
        self.visits.merge(&other.visits);
        self.people.merge(&other.people);
        self.items.merge(&other.items);
        self.paths.merge(&other.paths);
        self.outermost.merge(&other.outermost);
        self.currencies.merge(&other.currencies);
        self.price.merge(&other.price);
        self.quantity.merge(&other.quantity);
        self.gap.merge(&other.gap);
        self.order_value.merge(&other.order_value);
        self.order_units.merge(&other.order_units);
    }

    fn line(&mut self, lines: &Written<'_>, line: usize) {
        let code = lines.kind.get(line).copied().unwrap_or_default();
        let kind = EventKind::from_code(code).unwrap_or(EventKind::Other);
        // As the table's order has it; the time rules take other times out.
        let time = lines.timestamp.get(line).copied().unwrap_or_default();
        let time = time.clamp(0, LATEST);
        let source = lines.source.get(line).copied().unwrap_or_default();
        let event_no = lines.event_no.get(line).copied().unwrap_or_default();
        let session = text_at(Some(lines.session_id), line).unwrap_or_default();
        let new_visitor = self.enter_visitor(lines, line, session);
        let new_session = self.enter_session(session, time, source);
        self.lines += 1;
        if let Some(count) = self.kinds.get_mut(usize::from(code)) {
            count.lines += 1;
        }
        if new_visitor || new_session || event_no != self.now.event_no {
            self.now.event_no = event_no;
            self.event(kind, time, source);
        }
        self.item(lines, line, kind, time);
    }

    /// Takes up the visitor of a line; true where it is another one than before.
    fn enter_visitor(&mut self, lines: &Written<'_>, line: usize, session: &str) -> bool {
        let (known, name) = Known::of(
            text_at(lines.user_id, line),
            text_at(lines.anonymous_id, line),
            session,
        );
        let same = |person: &Person| person.known == known && person.name == name;
        if self.now.owner.as_ref().is_some_and(same) {
            return false;
        }
        self.end_visitor();
        self.now.owner = Some(Person {
            known,
            name: name.to_owned(),
            events: 0,
            orders: 0,
            sessions: 0,
        });
        true
    }

    fn enter_session(&mut self, name: &str, time: i64, source: u16) -> bool {
        if self.now.session.is_some() && self.now.session_name == name {
            return false;
        }
        name.clone_into(&mut self.now.session_name);
        let hash = XxHash64::oneshot(5, name.as_bytes());
        if let Some((before, visit)) = self.now.session.take() {
            self.now.others.insert(before, visit);
        }
        self.close_old(time);
        let known = self.now.others.remove(&hash);
        if known.is_none()
            && let Some(person) = &mut self.now.owner
        {
            person.sessions += 1;
        }
        let visit = known.unwrap_or(Visit::new(time, source));
        self.now.session = Some((hash, visit));
        true
    }

    /// Ends sessions of a visitor who has very many: those of more than a day ago, and if that is
    /// not enough, all. One that goes on nevertheless is then counted twice.
    fn close_old(&mut self, time: i64) {
        if self.now.others.len() < OPEN {
            return;
        }
        let mut others = std::mem::take(&mut self.now.others);
        others.retain(|_, visit| {
            let open = time.saturating_sub(visit.last) <= DAY_MS;
            if !open {
                self.close(visit);
            }
            open
        });
        if others.len() >= OPEN / 2 {
            for (_, visit) in others.drain() {
                self.close(&visit);
            }
        }
        self.now.others = others;
    }

    /// Counts a session that has ended.
    fn close(&mut self, visit: &Visit) {
        self.visits.add(visit);
        let hour = self.local_hour(visit.first, visit.source);
        let begun = Volume {
            sessions: 1,
            ..Volume::default()
        };
        self.days.add(hour, &begun);
        let slot = self.slots.at(visit.first);
        slot.sessions += 1;
        slot.order_sessions += u64::from(visit.ordered);
    }

    fn end_visitor(&mut self) {
        self.end_order();
        if let Some((_, visit)) = self.now.session.take() {
            self.close(&visit);
        }
        let mut others = std::mem::take(&mut self.now.others);
        for (_, visit) in others.drain() {
            self.close(&visit);
        }
        self.now.others = others;
        if let Some(person) = self.now.owner.take() {
            self.people.add(&person);
        }
    }

    fn local_hour(&self, time: i64, source: u16) -> i64 {
        let offset = self
            .offsets
            .get(usize::from(source))
            .copied()
            .unwrap_or_default();
        time.saturating_add(offset).div_euclid(HOUR_MS)
    }

    fn event(&mut self, kind: EventKind, time: i64, source: u16) {
        self.end_order();
        let order = kind == EventKind::Purchase;
        self.events += 1;
        self.orders += u64::from(order);
        self.span = Some(match self.span {
            None => (time, time),
            Some((first, last)) => (first.min(time), last.max(time)),
        });
        if let Some(person) = &mut self.now.owner {
            person.events += 1;
            person.orders += u64::from(order);
        }
        let mut gap = None;
        if let Some((_, visit)) = &mut self.now.session {
            // The first event of a session has nothing before it.
            if visit.events() > 0 {
                gap = Some(time.saturating_sub(visit.last).max(0) as f64 / 1000.0);
            }
            let after = visit.event(kind, time);
            if let Some(count) = self.kinds.get_mut(usize::from(kind.code())) {
                count.events += 1;
                count.after_order += u64::from(after);
            }
        }
        if order {
            self.now.order = Some(Order::default());
        }
        let hour = self.local_hour(time, source);
        let volume = Volume {
            events: 1,
            orders: u64::from(order),
            sessions: 0,
        };
        self.days.add(hour, &volume);
        let slot = self.slots.at(time);
        slot.events += 1;
        slot.count(Tracked::Kind, usize::from(kind.code()));
        let of_day = usize::try_from(hour.rem_euclid(24)).unwrap_or_default();
        slot.count(Tracked::Hour, of_day);
        slot.count(
            Tracked::Weekday,
            super::calendar::weekday(hour.div_euclid(24)),
        );
        match gap {
            Some(gap) => {
                self.gap.add(gap);
                slot.count(Tracked::Gap, Unit::Seconds.bin(gap));
            }
            None => self.gap.add_missing(1),
        }
    }

    /// What stands on each line: the item, and the amounts.
    fn item(&mut self, lines: &Written<'_>, line: usize, kind: EventKind, time: i64) {
        let price = number_at(lines.price, line);
        let quantity = number_at(lines.quantity, line);
        let value = number_at(lines.value, line);
        let ordered = kind == EventKind::Purchase;
        if let Some(order) = &mut self.now.order {
            order.line(price, quantity, value);
        }
        if (price.is_some() || value.is_some())
            && let Some(currency) = text_at(lines.currency, line)
        {
            self.currencies.add(currency, ordered);
        }
        let Some(item) = text_at(lines.item_id, line) else {
            return;
        };
        self.items.add(item, ordered);
        if let Some(path) = text_at(lines.item_category, line) {
            let hash = Distinct::hash(path);
            self.paths.add_hashed(hash, path, ordered);
            match path.split_once('/') {
                Some((outermost, _)) => self.outermost.add(outermost, ordered),
                None => self.outermost.add_hashed(hash, path, ordered),
            }
        }
        let slot = self.slots.at(time);
        match price {
            Some(price) => {
                self.price.add(price);
                slot.count(Tracked::Price, Unit::Amount.bin(price));
            }
            None => self.price.add_missing(1),
        }
        match quantity {
            Some(quantity) => {
                self.quantity.add(quantity);
                slot.count(Tracked::Quantity, Unit::Count.bin(quantity));
            }
            None => self.quantity.add_missing(1),
        }
    }

    fn end_order(&mut self) {
        if let Some(order) = self.now.order.take() {
            match order.value() {
                Some(value) => self.order_value.add(value),
                None => self.order_value.add_missing(1),
            }
            self.order_units.add(order.units());
        }
    }
}
