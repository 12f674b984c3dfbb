//! Which items were seen in which earlier visit: the memory behind the neighbour methods.

use super::log::{Click, Log};

/// An item of a visit and the place of its last click there, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The item's number.
    pub item: u32,
    /// Place of the item's last click in the visit.
    pub place: u32,
}

/// Earlier visits by number, and the visits of each item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VisitIndex {
    items: Vec<Vec<Seen>>,
    starts: Vec<i64>,
    /// By item, visits in ascending number, which is ascending start.
    visits_of: Vec<Vec<u32>>,
}

impl VisitIndex {
    /// The index of a log. Visits without an item count as none.
    #[must_use]
    pub fn new(log: &Log) -> Self {
        let mut index = Self {
            visits_of: vec![Vec::new(); log.items.len()],
            ..Self::default()
        };
        for (number, clicks) in (0..).zip(&log.visits) {
            let seen = distinct(clicks);
            for Seen { item, .. } in &seen {
                if let Some(visits) = index.visits_of.get_mut(*item as usize) {
                    visits.push(number);
                }
            }
            index.items.push(seen);
            index
                .starts
                .push(clicks.first().map_or(i64::MIN, |click| click.at));
        }
        index
    }

    /// How many visits there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// How many numbers it holds.
    #[must_use]
    pub(super) fn numbers(&self) -> usize {
        let seen: usize = self.items.iter().map(Vec::len).sum();
        let visits: usize = self.visits_of.iter().map(Vec::len).sum();
        // Of each item of a visit its number and its place.
        2 * seen + visits + self.starts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The distinct items of a visit, by the place of their last click.
    #[must_use]
    pub fn items(&self, visit: u32) -> &[Seen] {
        self.items.get(visit as usize).map_or(&[], Vec::as_slice)
    }

    /// When a visit began.
    #[must_use]
    pub fn start(&self, visit: u32) -> i64 {
        self.starts.get(visit as usize).copied().unwrap_or(i64::MIN)
    }

    /// The visits in which an item was seen, the oldest first.
    #[must_use]
    pub fn visits_of(&self, item: u32) -> &[u32] {
        self.visits_of.get(item as usize).map_or(&[], Vec::as_slice)
    }
}

/// The distinct items of some clicks with the place of the last click on each, by that place.
#[must_use]
pub fn distinct(clicks: &[Click]) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for (place, click) in (0..).zip(clicks) {
        seen.retain(|seen| seen.item != click.item);
        seen.push(Seen {
            item: click.item,
            place,
        });
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::Items;
    use crate::recommend::log::tests::clicks;

    #[test]
    fn an_index_knows_who_saw_what() {
        let log = Log {
            items: Items::new((0..3).map(|n| (n.to_string(), 9 - n))),
            visits: vec![clicks(&[0, 1, 0], 5), clicks(&[2, 0], 7)],
        };
        let index = VisitIndex::new(&log);
        let pairs = |visit| {
            let items = index.items(visit).iter();
            items
                .map(|seen| (seen.item, seen.place))
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs(0), [(1, 1), (0, 2)]);
        assert_eq!(pairs(1), [(2, 0), (0, 1)]);
        assert_eq!(index.visits_of(0), [0, 1]);
        assert_eq!((index.visits_of(9), index.items(9)), (&[][..], &[][..]));
        assert_eq!((index.len(), index.start(1)), (2, 7));
    }
}
