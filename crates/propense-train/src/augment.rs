//! Augmentation: changed copies of training sessions, made before features are written, so that every
//! count, gap and rate of a copy is that of what happened in it. The same changes, made to the test
//! part, simulate a shift: fewer events reach the model, items are new, visitors are slower.
//!
//! Only the training fold is ever augmented, and features are fitted on the sessions as they were.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use propense_events::{Event, EventKind, Item, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::example::Example;

/// One way to make more of the training fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// The copy begins later: up to half of its events are left out at its start.
    Crop,
    /// Some events of the copy are missing.
    Mask,
    /// Some items of the copy are others that were ordered together with them.
    Substitute,
    /// The pauses of the copy are longer or shorter.
    Jitter,
    /// Sessions of the rarer outcome count several times.
    Resample,
}

impl Augmentation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crop,
        Self::Mask,
        Self::Substitute,
        Self::Jitter,
        Self::Resample,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Mask => "mask",
            Self::Substitute => "substitute",
            Self::Jitter => "jitter",
            Self::Resample => "resample",
        }
    }

    /// What it does to a session; none where it changes no session.
    const fn change(self) -> Option<Change> {
        match self {
            Self::Crop => Some(Change::Crop),
            Self::Mask => Some(Change::Mask(0.15)),
            Self::Substitute => Some(Change::Substitute(0.25)),
            Self::Jitter => Some(Change::Jitter(0.3)),
            Self::Resample => None,
        }
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Augmentation {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| TrainError::Option {
            option: "--augment",
            reason: format!(
                "unknown `{name}`; one or several of: {}",
                Self::ALL.map(Self::name).join(",")
            ),
        })
    }
}

/// How the test part is changed, to see what a model is worth when things change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shift {
    /// Three events in ten do not reach the model.
    LostEvents,
    /// The page learns of the visit late: up to half of its first events are missing.
    LateStart,
    /// Every item is one that training never saw.
    NewItems,
    /// Pauses are half or twice as long.
    OtherPace,
}

impl Shift {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::LostEvents,
        Self::LateStart,
        Self::NewItems,
        Self::OtherPace,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LostEvents => "lost events",
            Self::LateStart => "late start",
            Self::NewItems => "new items",
            Self::OtherPace => "other pace",
        }
    }

    const fn change(self) -> Change {
        match self {
            Self::LostEvents => Change::Mask(0.3),
            Self::LateStart => Change::Crop,
            Self::NewItems => Change::NewItems,
            Self::OtherPace => Change::Jitter(0.7),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Crop,
    /// Chance that an event is left out.
    Mask(f64),
    /// Chance that an item becomes another.
    Substitute(f64),
    /// Deviation of the logarithm of a pause's factor.
    Jitter(f64),
    NewItems,
}

/// A copy of each session, changed in one of the ways named; none where no way changes a session.
pub(crate) fn copies(sessions: &[&Session], kinds: &[Augmentation], seed: u64) -> Vec<Session> {
    let changes: Vec<Change> = kinds.iter().filter_map(|kind| kind.change()).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let partners = Partners::new(sessions);
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    sessions
        .iter()
        .map(|session| {
            let change = changes[random.random_range(0..changes.len())];
            changed(session, change, &partners, &mut random)
        })
        .collect()
}

/// The sessions after a shift.
pub(crate) fn shifted(sessions: &[&Session], shift: Shift, seed: u64) -> Vec<Session> {
    let partners = Partners::default();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    sessions
        .iter()
        .map(|session| changed(session, shift.change(), &partners, &mut random))
        .collect()
}

/// Repeats examples of the rarer outcome until both are as many, but none more than four times.
/// Calibration is fitted on the validation part, which is left as it is.
pub(crate) fn resample(examples: &mut Vec<Example>) {
    const MOST: usize = 4;
    let of = |outcome: bool| -> Vec<usize> {
        let places = examples.iter().enumerate();
        let of = places.filter(|(_, example)| example.label.last() == Some(outcome));
        of.map(|(place, _)| place).collect()
    };
    let (orders, others) = (of(true), of(false));
    let (few, many) = if orders.len() <= others.len() {
        (orders, others.len())
    } else {
        (others, orders.len())
    };
    let more = many.min(MOST * few.len()).saturating_sub(few.len());
    let (whole, rest) = match few.len() {
        0 => (0, 0),
        n => (more / n, more % n),
    };
    // What is left beside whole rounds is spread over all of them.
    let spread = (0..rest).map(|k| few[k * few.len() / rest]);
    let rounds = std::iter::repeat_n(&few, whole).flatten().copied();
    let copies: Vec<Example> = rounds
        .chain(spread)
        .filter_map(|place| examples.get(place).cloned())
        .collect();
    examples.extend(copies);
}

/// What was ordered together: for each item others of the same visit.
#[derive(Default)]
struct Partners<'a>(BTreeMap<&'a str, Vec<&'a Item>>);

impl<'a> Partners<'a> {
    /// Partners kept of an item.
    const MOST: usize = 20;

    fn new(sessions: &[&'a Session]) -> Self {
        let mut partners: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for session in sessions {
            let orders = session.events.iter();
            let orders = orders.filter(|event| event.kind == EventKind::Purchase);
            let items: Vec<&Item> = orders.flat_map(|event| &event.items).take(50).collect();
            for item in &items {
                let own = partners.entry(&item.item_id).or_default();
                let others = items.iter().filter(|other| other.item_id != item.item_id);
                let free = Self::MOST.saturating_sub(own.len());
                own.extend(others.take(free));
            }
        }
        Self(partners)
    }

    fn of(&self, item: &str, random: &mut ChaCha12Rng) -> Option<Item> {
        let partners = self.0.get(item).filter(|list| !list.is_empty())?;
        let place = random.random_range(0..partners.len());
        partners.get(place).map(|item| (*item).clone())
    }
}

/// A session with its events before the order changed; the order itself stays.
fn changed(
    session: &Session,
    change: Change,
    partners: &Partners<'_>,
    random: &mut ChaCha12Rng,
) -> Session {
    let known = session.before_purchase().len();
    let (before, after) = session.events.split_at(known);
    let mut events = before.to_vec();
    match change {
        Change::Crop => {
            let dropped = random.random_range(0..=events.len() / 2);
            events.drain(..dropped);
        }
        Change::Mask(share) => {
            let kept = random.random_range(0..events.len().max(1));
            let mut place = 0;
            events.retain(|_| {
                place += 1;
                // One stays in any case: a visit without events is none.
                let keep = random.random::<f64>() >= share;
                keep || place == kept + 1
            });
        }
        Change::Substitute(share) => {
            for item in events.iter_mut().flat_map(|event| &mut event.items) {
                let other = (random.random::<f64>() < share)
                    .then(|| partners.of(&item.item_id, random))
                    .flatten();
                if let Some(other) = other {
                    let quantity = item.quantity;
                    *item = Item { quantity, ..other };
                }
            }
        }
        Change::NewItems => {
            for item in events.iter_mut().flat_map(|event| &mut event.items) {
                item.item_id.insert_str(0, "unseen ");
            }
        }
        Change::Jitter(spread) => stretch(&mut events, spread, random),
    }
    let start = events
        .first()
        .map_or(session.start, |event| event.timestamp);
    events.extend_from_slice(after);
    Session {
        // Whose it is decides the fold: a copy learns and is rated as its original.
        id: session.id.clone(),
        user: session.user.clone(),
        start: match change {
            Change::Crop | Change::Mask(_) => start,
            _ => session.start,
        },
        events,
        context: session.context.clone(),
        outcome: session.outcome,
    }
}

/// Every pause becomes longer or shorter by a factor of its own.
fn stretch(events: &mut [Event], spread: f64, random: &mut ChaCha12Rng) {
    let Some(mut before) = events.first().map(|event| event.timestamp) else {
        return;
    };
    let mut now = before;
    for event in events.iter_mut().skip(1) {
        let pause = (event.timestamp - before).max(0) as f64;
        before = event.timestamp;
        // The sum of twelve even draws is all but normal, and the same everywhere.
        let normal = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        now += (pause * (spread * normal).exp()) as i64;
        event.timestamp = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(views: usize, ordered: &[&str]) -> Session {
        let item = |id: &str| Item {
            item_id: id.to_owned(),
            ..Item::default()
        };
        let mut events: Vec<Event> = (0..views)
            .map(|view| {
                let mut event = Event::new(EventKind::ViewItem, 1_000 * (1 + view as i64));
                event.items = vec![item("a")];
                event
            })
            .collect();
        if !ordered.is_empty() {
            let mut order = Event::new(EventKind::Purchase, 1_000_000);
            order.items = ordered.iter().map(|id| item(id)).collect();
            events.push(order);
        }
        Session {
            id: "s".to_owned(),
            user: None,
            start: 1_000,
            events,
            context: Default::default(),
            outcome: None,
        }
    }

    fn copy(original: &Session, kind: Augmentation, seed: u64) -> Session {
        copies(&[original], &[kind], seed).remove(0)
    }

    #[test]
    fn each_change_does_what_it_says_and_keeps_the_order() {
        let original = session(20, &["a", "b"]);
        for seed in 0..20 {
            for kind in [
                Augmentation::Crop,
                Augmentation::Mask,
                Augmentation::Substitute,
                Augmentation::Jitter,
            ] {
                let copy = copy(&original, kind, seed);
                assert_eq!(copy.converted(), original.converted(), "{kind}");
                assert_eq!(copy.events.last(), original.events.last(), "{kind}");
                let (before, known) = (copy.before_purchase(), original.before_purchase());
                assert!(!before.is_empty() && before.len() <= known.len(), "{kind}");
                assert!(before.windows(2).all(|w| w[0].timestamp <= w[1].timestamp));
                if kind == Augmentation::Crop {
                    assert!(known.ends_with(before) && before.len() >= 10, "{kind}");
                    assert_eq!(copy.start, before[0].timestamp);
                }
            }
        }
        let items = |session: &Session| -> Vec<String> {
            let events = session.before_purchase().iter();
            events.map(|event| event.items[0].item_id.clone()).collect()
        };
        let substituted = items(&copy(&original, Augmentation::Substitute, 1));
        assert!(substituted.iter().any(|id| id == "b"), "{substituted:?}");
        // Nothing was ever ordered together with it: it stays what it is.
        let alone = session(20, &["a"]);
        assert_eq!(
            items(&copy(&alone, Augmentation::Substitute, 1)),
            items(&alone)
        );
        let jittered = copy(&original, Augmentation::Jitter, 1);
        assert_ne!(jittered.events[5].timestamp, original.events[5].timestamp);
        assert!(copies(&[&original], &[Augmentation::Resample], 1).is_empty());
    }

    #[test]
    fn the_seed_decides() {
        let original = session(30, &["a", "b"]);
        let of = |seed| copy(&original, Augmentation::Mask, seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let shift = |shift| shifted(&[&original], shift, 1).remove(0);
        assert_eq!(
            shift(Shift::NewItems).events[0].items[0].item_id,
            "unseen a"
        );
        assert!(shift(Shift::LostEvents).events.len() < original.events.len());
    }

    #[test]
    fn the_rarer_outcome_is_repeated_up_to_four_times() {
        let check = |orders: usize, others: usize, expected: usize| {
            let example = |order: bool| Example {
                id: String::new(),
                user: None,
                start: 0,
                rows: Vec::new(),
                events: 0,
                context: Vec::new(),
                label: order.into(),
            };
            let all = (0..orders + others).map(|place| example(place < orders));
            let mut all: Vec<Example> = all.collect();
            resample(&mut all);
            let found = all.iter().filter(|e| e.label.last() == Some(true)).count();
            assert_eq!(found, expected, "{orders} of {}", orders + others);
        };
        check(10, 25, 25);
        check(10, 1000, 40);
        check(10, 12, 12);
        check(0, 12, 0);
    }
}
