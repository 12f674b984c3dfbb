//! The candidates of a moment and what is known of each.

use ndarray::Array2;

use super::embedding::Embedding;
use super::index::distinct;
use super::log::Click;
use super::tables::{SIGNALS, Tables};

/// Numbers that describe a candidate.
pub(crate) const FEATURES: usize = SIGNALS + 15;

/// Arrays that are used again from moment to moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    signals: [Vec<f32>; SIGNALS],
    likely: Vec<f32>,
    /// A first, coarse score of every item.
    pub(crate) coarse: Vec<f32>,
}

impl Scratch {
    /// Fills the arrays for a moment.
    pub(crate) fn fill(
        &mut self,
        tables: &Tables,
        embedding: &Embedding,
        seen: &[Click],
        items: usize,
    ) {
        for array in self
            .signals
            .iter_mut()
            .chain([&mut self.likely, &mut self.coarse])
        {
            array.clear();
            array.resize(items, 0.0);
        }
        tables.signals(seen, &mut self.signals);
        embedding.score(seen, &mut self.likely);
        let largest = |array: &[f32]| array.iter().copied().fold(0.0_f32, f32::max).max(1e-9);
        for signal in &self.signals {
            let scale = 1.0 / largest(signal);
            for (coarse, value) in self.coarse.iter_mut().zip(signal) {
                *coarse += value * scale;
            }
        }
        let best = self
            .likely
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        let last = seen.last().map(|click| click.item);
        for (item, (coarse, likely)) in (0..).zip(self.coarse.iter_mut().zip(&self.likely)) {
            let (popular, _) = tables.popularity(item);
            *coarse += 2.0 * (likely - best).exp() + 1e-4 * popular;
            if let Some(last) = last {
                *coarse += 0.3 / (1.0 + tables.apart(last, item) as f32);
            }
        }
        // What was seen before is always a candidate.
        for click in seen {
            if let Some(coarse) = self.coarse.get_mut(click.item as usize) {
                *coarse = coarse.max(5.0);
            }
        }
    }

    /// The features of these candidates: `[candidates, features]`.
    pub(crate) fn features(
        &self,
        tables: &Tables,
        seen: &[Click],
        candidates: &[u32],
    ) -> Array2<f32> {
        let mut features = Array2::zeros((candidates.len(), FEATURES));
        let Some(last) = seen.last() else {
            return features;
        };
        let previous = seen.len().checked_sub(2).and_then(|place| seen.get(place));
        let pause = previous.map_or(-1.0, |previous| {
            ((last.at.saturating_sub(previous.at)) as f32 / 1000.0)
                .max(0.0)
                .ln_1p()
        });
        let repeated = previous.is_some_and(|previous| previous.item == last.item);
        let seen_items = distinct(seen);
        let moment = [
            (seen.len() as f32).ln_1p(),
            (seen_items.len() as f32).ln_1p(),
            pause,
            f32::from(u8::from(repeated)),
            tables.popularity(last.item).0,
        ];
        for (item, mut row) in candidates.iter().zip(features.rows_mut()) {
            let at = |array: &[f32]| array.get(*item as usize).copied().unwrap_or(0.0);
            let ago = seen_items.iter().find(|seen| seen.item == *item);
            let ago = ago.map(|found| (seen.len() as u32 - found.place) as f32);
            let times = seen.iter().filter(|click| click.item == *item).count();
            let began = seen.first().is_some_and(|click| click.item == *item);
            let (popular, lately) = tables.popularity(*item);
            let apart = tables.apart(last.item, *item) as f32;
            let own = [
                at(&self.likely),
                popular,
                lately,
                f32::from(u8::from(ago.is_some())),
                ago.map_or(0.0, |ago| 1.0 / ago),
                (times as f32).min(10.0),
                f32::from(u8::from(began)),
                f32::from(u8::from(*item == last.item)),
                1.0 / (1.0 + apart),
                apart.ln_1p(),
            ];
            let signals = self.signals.iter().map(|signal| at(signal));
            for (cell, value) in row.iter_mut().zip(signals.chain(own).chain(moment)) {
                *cell = value;
            }
        }
        features
    }
}
