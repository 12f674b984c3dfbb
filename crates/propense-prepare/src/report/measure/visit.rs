//! What is counted of a session while its events go by, and of all sessions together.

use propense_events::EventKind;

use crate::report::figures::{Balance, Prefix, Step};
use crate::report::scale::Sketch;

/// Numbers of first events at which examples are counted.
pub(super) const PREFIXES: [u32; 4] = [2, 3, 5, 10];

/// The steps of the funnel after the visit itself.
const STEPS: [&str; 4] = ["view", "cart", "checkout", "purchase"];

/// The step that an event is.
const fn step(kind: EventKind) -> Option<u32> {
    match kind {
        EventKind::ViewItem | EventKind::SelectItem => Some(0),
        EventKind::AddToCart => Some(1),
        EventKind::BeginCheckout | EventKind::AddShippingInfo | EventKind::AddPaymentInfo => {
            Some(2)
        }
        EventKind::Purchase => Some(3),
        _ => None,
    }
}

/// Whether the visitor saw something of the shop by it.
const fn shows(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::PageView
            | EventKind::Search
            | EventKind::ViewItemList
            | EventKind::SelectItem
            | EventKind::ViewItem
    )
}

/// One session so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visit {
    /// Time of the first event, and of the last.
    pub(super) first: i64,
    pub(super) last: i64,
    /// The input of the first event, whose clock the session goes by.
    pub(super) source: u16,
    pub(super) ordered: bool,
    events: u32,
    /// Events before the first order, reviews apart.
    before: u32,
    /// Whether anything at all came before the first order.
    begun: bool,
    seen: bool,
    /// Orders of a session that had shown nothing before.
    unseen: u32,
    /// Kinds of the events before the first order, as bits.
    kinds: u16,
    /// Which sequences of steps have been met, as bits: bit 0b1010 stands for a cart and, later, a
    /// purchase.
    sequences: u16,
}

impl Visit {
    pub(super) const fn new(time: i64, source: u16) -> Self {
        Self {
            first: time,
            last: time,
            source,
            ordered: false,
            events: 0,
            before: 0,
            begun: false,
            seen: false,
            unseen: 0,
            kinds: 0,
            // The empty sequence.
            sequences: 1,
        }
    }

    /// Events so far.
    pub(super) const fn events(&self) -> u32 {
        self.events
    }

    /// Takes the next event; true where it comes after an order.
    pub(super) fn event(&mut self, kind: EventKind, time: i64) -> bool {
        self.last = self.last.max(time);
        self.events = self.events.saturating_add(1);
        let after = self.ordered;
        if kind == EventKind::Purchase {
            self.ordered = true;
            self.unseen += u32::from(!self.seen);
        } else if !after {
            self.begun = true;
            self.kinds |= 1 << kind.code();
            self.before += u32::from(kind != EventKind::Review);
        }
        self.seen |= shows(kind);
        if let Some(step) = step(kind) {
            // Every sequence of earlier steps met so far may be followed by this step.
            let earlier = self.sequences & ((1 << (1 << step)) - 1);
            self.sequences |= earlier << (1 << step);
        }
        after
    }
}

/// All sessions together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Visits {
    pub(super) count: u64,
    pub(super) ordered: u64,
    with_history: u64,
    pub(super) single: u64,
    pub(super) unseen: u64,
    pub(super) events: Sketch,
    pub(super) seconds: Sketch,
    examples: [(u64, u64); PREFIXES.len()],
    /// Sessions by sequence of steps.
    sequences: [u64; 16],
    /// Sessions with a kind before the first order, and those of them with an order.
    kinds: [(u64, u64); EventKind::ALL.len()],
}

impl Visits {
    /// Takes a session that has ended.
    pub(super) fn add(&mut self, visit: &Visit) {
        let ordered = u64::from(visit.ordered);
        self.count += 1;
        self.ordered += ordered;
        self.with_history += u64::from(visit.ordered && visit.begun);
        self.single += u64::from(visit.events == 1);
        self.unseen += u64::from(visit.unseen);
        self.events.add(f64::from(visit.events));
        self.seconds
            .add(visit.last.saturating_sub(visit.first) as f64 / 1000.0);
        for (k, (examples, positives)) in PREFIXES.into_iter().zip(&mut self.examples) {
            if visit.before >= k {
                *examples += 1;
                *positives += ordered;
            }
        }
        for (sequence, count) in self.sequences.iter_mut().enumerate() {
            *count += u64::from(visit.sequences >> sequence & 1);
        }
        for (kind, (with, orders)) in self.kinds.iter_mut().enumerate() {
            if visit.kinds >> kind & 1 == 1 {
                *with += 1;
                *orders += ordered;
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.ordered += other.ordered;
        self.with_history += other.with_history;
        self.single += other.single;
        self.unseen += other.unseen;
        self.events.merge(&other.events);
        self.seconds.merge(&other.seconds);
        let pairs = self.examples.iter_mut().chain(&mut self.kinds);
        for (mine, theirs) in pairs.zip(other.examples.iter().chain(&other.kinds)) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
        for (mine, theirs) in self.sequences.iter_mut().zip(other.sequences) {
            *mine += theirs;
        }
    }

    /// Sessions with a kind before the first order, and those of them with an order.
    pub(super) fn with_kind(&self, kind: EventKind) -> (u64, u64) {
        self.kinds
            .get(usize::from(kind.code()))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn funnel(&self) -> Vec<Step> {
        let of = |sequence: usize| self.sequences.get(sequence).copied().unwrap_or_default();
        let mut steps = vec![Step {
            name: "visit".to_owned(),
            recorded: true,
            sessions: self.count,
            in_order: self.count,
        }];
        let mut sequence = 0;
        for (number, name) in STEPS.into_iter().enumerate() {
            let sessions = of(1 << number);
            let recorded = sessions > 0;
            if recorded {
                sequence |= 1 << number;
            }
            steps.push(Step {
                name: name.to_owned(),
                recorded,
                sessions,
                in_order: if recorded { of(sequence) } else { 0 },
            });
        }
        steps
    }

    pub(super) fn balance(&self) -> Balance {
        Balance {
            sessions: self.count,
            with_order: self.ordered,
            with_history: self.with_history,
            prefixes: PREFIXES
                .into_iter()
                .zip(self.examples)
                .map(|(k, (examples, positives))| Prefix {
                    k,
                    examples,
                    positives,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions of the kinds `v`iew, `c`art, `b`egin checkout, `p`urchase, `r`eview, refund (`x`).
    fn visits(texts: &[&str]) -> Visits {
        let mut visits = Visits::default();
        for text in texts {
            let mut visit = Visit::new(0, 0);
            for (second, letter) in (0..).zip(text.chars()) {
                let kind = match letter {
                    'v' => EventKind::ViewItem,
                    'c' => EventKind::AddToCart,
                    'b' => EventKind::BeginCheckout,
                    'p' => EventKind::Purchase,
                    'r' => EventKind::Review,
                    _ => EventKind::Refund,
                };
                visit.event(kind, second * 1000);
            }
            visits.add(&visit);
        }
        visits
    }

    #[test]
    fn the_funnel_by_hand() {
        // (sessions with the step, in order) for visit, view, cart, checkout, purchase
        for (sessions, expected) in [
            (vec!["v"], [(1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]),
            (vec!["vcbp"], [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]),
            // A purchase before everything else: the steps are there, not in order.
            (vec!["pv"], [(1, 1), (1, 1), (0, 0), (0, 0), (1, 0)]),
            (vec!["cv"], [(1, 1), (1, 1), (1, 0), (0, 0), (0, 0)]),
            // The first cart comes too early, the second does not.
            (vec!["cvcp"], [(1, 1), (1, 1), (1, 1), (0, 0), (1, 1)]),
            // No checkout is recorded anywhere, so it is skipped.
            (
                vec!["vcp", "vp", "v"],
                [(3, 3), (3, 3), (1, 1), (0, 0), (2, 1)],
            ),
            // It is recorded once, so a purchase without it is out of order.
            (
                vec!["vcp", "vcbp"],
                [(2, 2), (2, 2), (2, 2), (1, 1), (2, 1)],
            ),
        ] {
            let found: Vec<(u64, u64)> = visits(&sessions)
                .funnel()
                .iter()
                .map(|step| (step.sessions, step.in_order))
                .collect();
            assert_eq!(found, expected, "{sessions:?}");
        }
    }

    #[test]
    fn the_balance_by_hand() {
        // (with order, with something before it, examples at 2, 3, 5, 10 as (all, positive))
        for (sessions, order, history, examples) in [
            (vec!["vvp"], 1, 1, [(1, 1), (0, 0), (0, 0), (0, 0)]),
            (vec!["vp", "p"], 2, 1, [(0, 0); 4]),
            (vec!["vvvvv"], 0, 0, [(1, 0), (1, 0), (1, 0), (0, 0)]),
            // What follows the order is not seen.
            (vec!["vvpvvvvvvvvv"], 1, 1, [(1, 1), (0, 0), (0, 0), (0, 0)]),
            // A review is no event that a model sees.
            (vec!["vr"], 0, 0, [(0, 0); 4]),
        ] {
            let balance = visits(&sessions).balance();
            assert_eq!((balance.with_order, balance.with_history), (order, history));
            let found: Vec<(u64, u64)> = balance
                .prefixes
                .iter()
                .map(|prefix| (prefix.examples, prefix.positives))
                .collect();
            assert_eq!(found, examples, "{sessions:?}");
        }
    }

    #[test]
    fn kinds_count_before_the_first_order_only() {
        let visits = visits(&["vcp", "vpx", "vc", "px"]);
        assert_eq!(visits.with_kind(EventKind::AddToCart), (2, 1));
        assert_eq!(visits.with_kind(EventKind::Refund), (0, 0));
        assert_eq!((visits.unseen, visits.single), (1, 0));
        assert_eq!(visits.seconds.quantile(1.0), 2.0);
    }
}
