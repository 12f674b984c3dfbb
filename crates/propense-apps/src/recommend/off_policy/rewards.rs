//! What an item earns by itself.

use std::collections::BTreeMap;

use xxhash_rust::xxh64::xxh64;

use super::ShownLog;

/// An item's mean is drawn to that of all as if it had been shown this many times more.
const DRAWN: f64 = 20.0;
/// Parts of the visits, for the mean of an item in the others.
const FOLDS: u64 = 5;

/// Times shown, and their rewards.
type Count = (f64, f64);

/// The mean reward of each item, as the visits of other folds met it.
pub(super) struct Rewards<'a> {
    items: BTreeMap<&'a str, [Count; FOLDS as usize]>,
    /// Over all items.
    all: [Count; FOLDS as usize],
}

impl<'a> Rewards<'a> {
    pub(super) fn learn(log: &'a ShownLog) -> Self {
        let mut found = Self {
            items: BTreeMap::new(),
            all: Default::default(),
        };
        for moment in &log.moments {
            let fold = fold(&moment.visit);
            for (item, _, reward) in &moment.shown {
                let folds = found.items.entry(item).or_default();
                for folds in [folds, &mut found.all] {
                    if let Some((times, sum)) = folds.get_mut(fold) {
                        *times += 1.0;
                        *sum += reward;
                    }
                }
            }
        }
        found
    }

    pub(super) fn mean(&self, visit: &str, item: &str) -> f64 {
        let own = fold(visit);
        let others = |folds: &[Count; FOLDS as usize]| {
            let others = folds.iter().enumerate().filter(|(fold, _)| *fold != own);
            others.fold((0.0, 0.0), |sum, (_, (times, reward))| {
                (sum.0 + times, sum.1 + reward)
            })
        };
        let (times, reward) = others(&self.all);
        let usual = if times > 0.0 { reward / times } else { 0.0 };
        let (times, reward) = self.items.get(item).map_or((0.0, 0.0), others);
        (reward + DRAWN * usual) / (times + DRAWN)
    }
}

fn fold(visit: &str) -> usize {
    (xxh64(visit.as_bytes(), 0) % FOLDS) as usize
}
