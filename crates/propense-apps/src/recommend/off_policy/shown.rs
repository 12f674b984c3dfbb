//! The log of what was shown by lot, cleaned.

use std::collections::{BTreeMap, BTreeSet};

use super::{Estimate, ratio};

/// A line of the log: an item that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Session or visitor.
    pub visit: String,
    /// When, in milliseconds since 1970. Lines of one visit and time are one list.
    pub at: i64,
    /// The item.
    pub item_id: String,
    /// Probability that it was shown then; none where it is not known.
    pub propensity: Option<f64>,
    /// What came of it: 1 for a click or an order, or an amount.
    pub reward: f64,
}

/// A list that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Session or visitor.
    pub visit: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The items with the probability that each was shown, and its reward.
    pub shown: Vec<(String, f64, f64)>,
}

/// A log of what was shown, cleaned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownLog {
    /// By visit, then time.
    pub moments: Vec<Moment>,
    /// Lines read.
    pub lines: usize,
    /// Moments left out because the probability of an item in them is missing, zero, or no probability.
    pub left_out: usize,
    /// Lines that named an item of their moment again; the higher reward was kept.
    pub repeated: usize,
}

impl ShownLog {
    /// Joins the lines to lists. A list with an unusable probability is left out as a whole: without that
    /// line alone it would seem to have earned less.
    #[must_use]
    pub fn new(lines: Vec<Shown>) -> Self {
        let mut log = Self {
            lines: lines.len(),
            ..Self::default()
        };
        /// Probability, where it is usable, and reward, by item.
        type List = BTreeMap<String, (Option<f64>, f64)>;
        let mut lists: BTreeMap<(String, i64), List> = BTreeMap::new();
        for line in lines {
            let list = lists.entry((line.visit, line.at)).or_default();
            let usable = line.propensity.filter(|p| *p > 0.0 && *p <= 1.0);
            match list.get_mut(&line.item_id) {
                None => {
                    list.insert(line.item_id, (usable, line.reward));
                }
                Some((known, reward)) => {
                    log.repeated += 1;
                    // Two probabilities for one item are none.
                    if *known != usable {
                        *known = None;
                    }
                    *reward = reward.max(line.reward);
                }
            }
        }
        for ((visit, at), list) in lists {
            let shown: Option<Vec<_>> = list
                .into_iter()
                .map(|(item, (propensity, reward))| Some((item, propensity?, reward)))
                .collect();
            match shown {
                Some(shown) => log.moments.push(Moment { visit, at, shown }),
                None => log.left_out += 1,
            }
        }
        log
    }

    /// The first moment.
    #[must_use]
    pub fn begin(&self) -> Option<i64> {
        self.moments.iter().map(|moment| moment.at).min()
    }

    /// What the lists that were shown earned, each.
    #[must_use]
    pub fn earned(&self) -> Estimate {
        let sums = self.moments.iter().map(|moment| {
            let all = moment.shown.iter().map(|(_, _, reward)| reward).sum();
            (moment.visit.as_str(), all, 1.0)
        });
        ratio(sums)
    }

    /// What should be known of the log before anything is read from it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.left_out > 0 {
            found.push(format!(
                "{} of {} lists of the log are left out: the probability of an item in them is missing, zero or no \
                 probability. Where that has to do with what was clicked, the figures are biased.",
                self.left_out,
                self.left_out + self.moments.len()
            ));
        }
        if self.repeated > 0 {
            found.push(format!(
                "{} lines of the log name an item of their list again; the higher reward is kept.",
                self.repeated
            ));
        }
        let visits: BTreeSet<&str> = self.moments.iter().map(|m| m.visit.as_str()).collect();
        let sure = |moment: &&Moment| moment.shown.iter().all(|(_, p, _)| *p >= 1.0);
        let sure = self.moments.iter().filter(sure).count();
        if sure * 10 > self.moments.len() {
            found.push(format!(
                "{sure} of {} lists were shown with certainty: they tell nothing of what was not shown.",
                self.moments.len()
            ));
        }
        if visits.len() < 30 {
            found.push(format!(
                "The log has {} visits: too few for intervals.",
                visits.len()
            ));
        }
        found
    }
}
