//! Volumes over time: by local day, by local hour while the span is short, and by slots of an
//! even width for splitting the time.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use propense_events::EventKind;

use crate::report::calendar::HOUR_MS;
use crate::report::figures::Unit;

use super::distinct::AsIs;

/// Hours that are told apart: a fortnight.
const HOURS: usize = 14 * 24;

/// Hours that are held lately; a power of two.
const LATELY: usize = 256;

/// Slots at most: a border between two parts is off by at most a 256th of the busy time.
const SLOTS: usize = 512;

/// Events, orders, sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Volume {
    pub(super) events: u64,
    pub(super) orders: u64,
    pub(super) sessions: u64,
}

impl Volume {
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.orders += other.orders;
        self.sessions += other.sessions;
    }
}

/// Volumes by day and hour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Days {
    pub(super) days: BTreeMap<i64, Volume>,
    /// Given up once there are too many.
    pub(super) hours: Option<BTreeMap<i64, Volume>>,
    /// Events by local weekday and hour.
    pub(super) week: [u64; 168],
    /// Hours met lately and what they have had since, each at the place that its number says: the
    /// visitors of a table come in no order of time.
    lately: Box<[(i64, Volume); LATELY]>,
}

impl Default for Days {
    fn default() -> Self {
        Self {
            lately: Box::new([(0, Volume::default()); LATELY]),
            days: BTreeMap::new(),
            hours: Some(BTreeMap::new()),
            week: [0; 168],
        }
    }
}

impl Days {
    /// Counts at a local hour since 1970.
    pub(super) fn add(&mut self, hour: i64, volume: &Volume) {
        let place = usize::try_from(hour.rem_euclid(LATELY as i64)).unwrap_or_default();
        let Some(lately) = self.lately.get_mut(place) else {
            return;
        };
        let before = *lately;
        if before.0 == hour {
            lately.1.add(volume);
        } else {
            *lately = (hour, *volume);
            self.put(before);
        }
    }

    /// Puts what was added lately in its place; to be called before anything is read.
    pub(super) fn settle(&mut self) {
        for place in 0..LATELY {
            let lately = self.lately.get_mut(place).map(std::mem::take);
            self.put(lately.unwrap_or_default());
        }
    }

    fn put(&mut self, (hour, volume): (i64, Volume)) {
        if volume == Volume::default() {
            return;
        }
        self.days
            .entry(hour.div_euclid(24))
            .or_default()
            .add(&volume);
        if let Some(hours) = &mut self.hours {
            hours.entry(hour).or_default().add(&volume);
        }
        if volume.events > 0
            && let Some(count) = self.week.get_mut(hour_of_week(hour))
        {
            *count += volume.events;
        }
        self.give_up_hours();
    }

    /// Adds another part.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (day, volume) in &other.days {
            self.days.entry(*day).or_default().add(volume);
        }
        match (&mut self.hours, &other.hours) {
            (Some(mine), Some(theirs)) => {
                for (hour, volume) in theirs {
                    mine.entry(*hour).or_default().add(volume);
                }
            }
            (mine, _) => *mine = None,
        }
        for (mine, theirs) in self.week.iter_mut().zip(other.week) {
            *mine += theirs;
        }
        self.give_up_hours();
    }

    fn give_up_hours(&mut self) {
        if self.hours.as_ref().is_some_and(|hours| hours.len() > HOURS) {
            self.hours = None;
        }
    }
}

/// 0 for Monday, midnight to 1 o'clock.
fn hour_of_week(hour: i64) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((hour + 72).rem_euclid(168)).unwrap_or_default()
}

/// The numbers of which the distribution is compared between parts of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracked {
    Kind,
    Price,
    Quantity,
    Gap,
    Hour,
    Weekday,
}

impl Tracked {
    pub(super) const ALL: [Self; 6] = [
        Self::Kind,
        Self::Price,
        Self::Quantity,
        Self::Gap,
        Self::Hour,
        Self::Weekday,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::Gap => "gap",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
        }
    }

    pub(super) const fn bins(self) -> usize {
        match self {
            Self::Kind => EventKind::ALL.len(),
            Self::Price => Unit::Amount.edges().len() + 1,
            Self::Quantity => Unit::Count.edges().len() + 1,
            Self::Gap => Unit::Seconds.edges().len() + 1,
            Self::Hour => 24,
            Self::Weekday => 7,
        }
    }

    /// Where the bins of the feature begin among those of all.
    const fn offset(self) -> usize {
        let mut offset = 0;
        let mut before = 0;
        while before < self as usize {
            offset += Self::ALL[before].bins();
            before += 1;
        }
        offset
    }

    const BINS: usize = Self::Weekday.offset() + Self::Weekday.bins();

    /// [`Self::offset`] of each: it is asked for several times a line.
    const OFFSETS: [usize; Self::ALL.len()] = {
        let mut offsets = [0; Self::ALL.len()];
        let mut at = 0;
        while at < offsets.len() {
            offsets[at] = Self::ALL[at].offset();
            at += 1;
        }
        offsets
    };
}

/// What happened in a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeSlot {
    pub(super) events: u64,
    pub(super) sessions: u64,
    pub(super) order_sessions: u64,
    bins: Box<[u64; Tracked::BINS]>,
}

impl Default for TimeSlot {
    fn default() -> Self {
        Self {
            events: 0,
            sessions: 0,
            order_sessions: 0,
            bins: Box::new([0; Tracked::BINS]),
        }
    }
}

impl TimeSlot {
    #[inline]
    pub(super) fn count(&mut self, feature: Tracked, bin: usize) {
        let offset = Tracked::OFFSETS.get(feature as usize).copied();
        if let Some(count) = self.bins.get_mut(offset.unwrap_or_default() + bin) {
            *count += 1;
        }
    }

    pub(super) fn of(&self, feature: Tracked) -> &[u64] {
        self.bins
            .get(feature.offset()..feature.offset() + feature.bins())
            .unwrap_or_default()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.sessions += other.sessions;
        self.order_sessions += other.order_sessions;
        for (mine, theirs) in self.bins.iter_mut().zip(other.bins.iter()) {
            *mine += theirs;
        }
    }
}

/// Slots of an even width: an hour, doubled as often as needed to hold no more than [`SLOTS`].
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TimeSlots {
    doublings: u32,
    slots: Vec<(i64, TimeSlot)>,
    /// Where the slot of a number lies.
    places: HashMap<i64, usize, BuildHasherDefault<AsIs>>,
    /// The place of the slot met last, which is most often the next one too.
    last: usize,
    spare: TimeSlot,
}

impl TimeSlots {
    fn width(&self) -> i64 {
        HOUR_MS << self.doublings
    }

    /// The slot of a time.
    pub(super) fn at(&mut self, time: i64) -> &mut TimeSlot {
        self.slot(time.div_euclid(HOUR_MS) >> self.doublings)
    }

    fn slot(&mut self, number: i64) -> &mut TimeSlot {
        let mut number = number;
        let last = self.slots.get(self.last);
        if last.is_none_or(|(last, _)| *last != number) {
            let place = self.places.get(&number).copied();
            self.last = place.unwrap_or_else(|| {
                while self.slots.len() >= SLOTS {
                    self.double();
                    number >>= 1;
                }
                self.place(number)
            });
        }
        match self.slots.get_mut(self.last) {
            Some((_, slot)) => slot,
            // Not reached: `last` is a place of `slots`.
            None => &mut self.spare,
        }
    }

    /// The place of a slot, which is made where there is none.
    fn place(&mut self, number: i64) -> usize {
        let next = self.slots.len();
        let place = *self.places.entry(number).or_insert(next);
        if place == next {
            self.slots.push((number, TimeSlot::default()));
        }
        place
    }

    fn double(&mut self) {
        self.doublings += 1;
        self.places.clear();
        for (number, slot) in std::mem::take(&mut self.slots) {
            let place = self.place(number >> 1);
            if let Some((_, mine)) = self.slots.get_mut(place) {
                mine.add(&slot);
            }
        }
    }

    /// Adds another part.
    pub(super) fn merge(&mut self, other: &Self) {
        while self.doublings < other.doublings {
            self.double();
        }
        for (number, slot) in &other.slots {
            // Adding may double the width, too.
            self.slot(number >> (self.doublings - other.doublings))
                .add(slot);
        }
    }

    /// The slots in order, each with its begin and its end in milliseconds since 1970.
    pub(super) fn finish(&self) -> Vec<(i64, i64, &TimeSlot)> {
        let width = self.width();
        let mut slots: Vec<(i64, i64, &TimeSlot)> = self
            .slots
            .iter()
            .map(|(number, slot)| {
                let from = number.saturating_mul(width);
                (from, from.saturating_add(width), slot)
            })
            .collect();
        slots.sort_by_key(|(from, ..)| *from);
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monday_is_the_first_day_of_the_week() {
        // 1970-01-05 was a Monday.
        for (hour, expected) in [(4 * 24, 0), (4 * 24 + 167, 167), (0, 72), (-1, 71)] {
            assert_eq!(hour_of_week(hour), expected);
        }
    }

    #[test]
    fn slots_widen_and_lose_nothing() {
        let mut slots = TimeSlots::default();
        for hour in 0..5000 {
            let slot = slots.at(hour * HOUR_MS);
            slot.events += 1;
            slot.count(Tracked::Weekday, 6);
            slot.count(Tracked::Kind, 0);
        }
        let found = slots.finish();
        assert!(
            found.len() <= SLOTS && found.len() > SLOTS / 4,
            "{}",
            found.len()
        );
        assert_eq!(
            found.iter().map(|(_, _, slot)| slot.events).sum::<u64>(),
            5000
        );
        let count = |feature: Tracked, bin: usize| -> u64 {
            found.iter().map(|(_, _, slot)| slot.of(feature)[bin]).sum()
        };
        assert_eq!(
            (count(Tracked::Weekday, 6), count(Tracked::Kind, 0)),
            (5000, 5000)
        );
        assert_eq!(count(Tracked::Weekday, 5), 0);
    }

    #[test]
    fn slots_of_parts_add_up() {
        let of = |hours: std::ops::Range<i64>| {
            let mut slots = TimeSlots::default();
            for hour in hours {
                slots.at(hour * HOUR_MS).events += 1;
            }
            slots
        };
        let mut both = of(0..300);
        both.merge(&of(100..3000));
        let mut whole = of(0..3000);
        for hour in 100..300 {
            whole.at(hour * HOUR_MS).events += 1;
        }
        assert_eq!(both.finish(), whole.finish());
    }

    #[test]
    fn hours_are_kept_for_a_fortnight() {
        let of = |hours: std::ops::Range<i64>| {
            let mut days = Days::default();
            for hour in hours {
                days.add(
                    hour,
                    &Volume {
                        events: 1,
                        ..Volume::default()
                    },
                );
            }
            days.settle();
            days
        };
        assert_eq!(of(0..336).hours.map(|hours| hours.len()), Some(336));
        assert_eq!(of(0..337).hours, None);
        let mut both = of(0..200);
        both.merge(of(150..400));
        assert_eq!(both.hours, None);
        assert_eq!(both.days.len(), 17);
        assert_eq!(both.week.iter().sum::<u64>(), 450);
    }
}
