//! Examples as flat rows: what the ensemble reads at each moment that is learnt from.

use crate::example::{Example, Positions, Weighting, spread};
use crate::split::fold_of;

/// One row for each moment.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Numbers in a row: the context's, then the newest event's.
    pub(crate) width: usize,
    /// `[rows, width]`.
    pub(crate) inputs: Vec<f32>,
    /// Outcomes.
    pub(crate) labels: Vec<bool>,
    /// Weight in the loss.
    pub(crate) weights: Vec<f32>,
    /// The part of the data to which the row belongs: all rows of a user (or of a session whose
    /// user is unknown) to the same.
    pub(crate) folds: Vec<usize>,
    /// Place of the example, and number of its events that are known.
    pub(crate) moments: Vec<(usize, usize)>,
    /// Columns that say what was learnt of the newest item, each with what stands there of an item that
    /// nothing was learnt of.
    pub(crate) of_items: Vec<(usize, f32)>,
}

impl Table {
    /// The moments of these examples that have any weight worth a row.
    pub(crate) fn new(
        examples: &[Example],
        features: usize,
        weighting: Weighting,
        folds: usize,
    ) -> Self {
        let mut table = Self {
            width: features + examples.first().map_or(0, |example| example.context.len()),
            ..Self::default()
        };
        for (place, example) in examples.iter().enumerate() {
            let owner = example.user.as_deref().unwrap_or(&example.id);
            let fold = fold_of(owner, folds);
            for (events, weight) in moments(example.events, weighting) {
                // Nothing is learnt from a moment whose outcome is not known.
                let Some(label) = example.label.at(events) else {
                    continue;
                };
                write(example, events, features, &mut table.inputs);
                table.labels.push(label);
                table.weights.push(weight);
                table.folds.push(fold);
                table.moments.push((place, events));
            }
        }
        table
    }

    /// The moments at which these examples are measured, each with a weight of one, in the order of
    /// [`crate::scoring::pick`].
    pub(crate) fn at(examples: &[Example], features: usize, positions: Positions) -> Self {
        let mut table = Self {
            width: features + examples.first().map_or(0, |example| example.context.len()),
            ..Self::default()
        };
        for (place, example) in examples.iter().enumerate() {
            for events in positions.of(example.events) {
                let Some(label) = example.label.at(events) else {
                    continue;
                };
                write(example, events, features, &mut table.inputs);
                table.labels.push(label);
                table.weights.push(1.0);
                table.folds.push(0);
                table.moments.push((place, events));
            }
        }
        table
    }

    /// A table of these rows, of equal weight: inputs, outcome, part.
    #[cfg(test)]
    pub(crate) fn of<const WIDTH: usize>(
        rows: impl Iterator<Item = ([f32; WIDTH], bool, usize)>,
    ) -> Self {
        let mut table = Self {
            width: WIDTH,
            ..Self::default()
        };
        for (place, (inputs, label, fold)) in rows.enumerate() {
            table.inputs.extend(inputs);
            table.labels.push(label);
            table.weights.push(1.0);
            table.folds.push(fold);
            table.moments.push((place, 1));
        }
        table
    }

    /// Adds what is known of an example after so many events, under a label of the caller's.
    pub(crate) fn push(
        &mut self,
        example: &Example,
        events: usize,
        features: usize,
        label: bool,
        fold: usize,
    ) {
        write(example, events, features, &mut self.inputs);
        self.labels.push(label);
        self.weights.push(1.0);
        self.folds.push(fold);
        self.moments.push((self.moments.len(), events));
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// One row.
    pub(crate) fn row(&self, index: usize) -> &[f32] {
        let start = index * self.width;
        self.inputs
            .get(start..start + self.width)
            .unwrap_or_default()
    }
}

/// What is known after so many events: the context, then the newest row, zeros before the first.
fn write(example: &Example, events: usize, features: usize, inputs: &mut Vec<f32>) {
    inputs.extend_from_slice(&example.context);
    let newest = events
        .checked_sub(1)
        .and_then(|last| example.rows.chunks_exact(features.max(1)).nth(last));
    match newest {
        Some(row) => inputs.extend_from_slice(row),
        None => inputs.resize(inputs.len() + features, 0.0),
    }
}

/// Numbers of events known, with weights.
fn moments(events: usize, weighting: Weighting) -> Vec<(usize, f32)> {
    let weights = weighting.weights(events);
    let at = |place: usize| weights.get(place).map(|weight| (place, *weight));
    match weighting {
        Weighting::EveryPrefix => {
            let places = spread(events);
            let weight = 1.0 / places.len() as f32;
            places.map(|place| (place, weight)).collect()
        }
        // Those in between count so little that they are not worth their time.
        Weighting::Protocol => crate::example::PREFIXES
            .into_iter()
            .filter_map(at)
            .collect(),
        Weighting::Context | Weighting::Whole => {
            let kept = |(_, weight): &(usize, f32)| *weight > 0.0;
            (0..=events).filter_map(at).filter(kept).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_by_weighting() {
        let check = |events: usize, weighting: Weighting, expected: &[usize]| {
            let found: Vec<usize> = moments(events, weighting).iter().map(|m| m.0).collect();
            assert_eq!(found, expected, "{weighting:?} of {events}");
        };
        check(0, Weighting::Context, &[0]);
        check(7, Weighting::Whole, &[7]);
        check(1, Weighting::Protocol, &[]);
        check(5, Weighting::Protocol, &[2, 3, 5]);
        check(0, Weighting::EveryPrefix, &[0]);
        check(3, Weighting::EveryPrefix, &[0, 1, 2, 3]);
        check(70, Weighting::EveryPrefix, &[0, 10, 20, 30, 40, 50, 60, 70]);
    }

    #[test]
    fn a_row_is_the_context_and_the_newest_event() {
        let example = Example {
            id: "s".to_owned(),
            user: None,
            start: 0,
            rows: vec![1.0, 2.0, 3.0, 4.0],
            events: 2,
            context: vec![9.0],
            label: true.into(),
        };
        let table = Table::new(&[example], 2, Weighting::EveryPrefix, 5);
        assert_eq!((table.len(), table.width), (3, 3));
        assert_eq!(table.row(0), [9.0, 0.0, 0.0]);
        assert_eq!(table.row(2), [9.0, 3.0, 4.0]);
        assert_eq!(table.moments[2], (0, 2));
    }
}
