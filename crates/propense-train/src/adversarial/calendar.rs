//! Columns that only say when: an hour, a weekday, a month. Where the two parts do not both see the
//! whole of such a cycle, a split by time tells them apart outright, whatever the data.

use std::collections::HashMap;
use std::ops::Range;

use propense_events::DAY;
use propense_features::FeatureSpec;

use crate::calendar::cycle;
use crate::example::Example;

const HOUR: i64 = DAY / 24;

/// Examples in a hundred that may differ from the others of their hour or day: clocks.
const STRAY: usize = 2;

/// How far numbers of one hour may lie apart: on the circle of a day it is an angle of 0.26.
const APART: f32 = 0.3;

/// A feature of the context that only says when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) name: String,
    /// Its columns in the context.
    pub(super) columns: Range<usize>,
}

/// The features of the context that a split by time gives away. A shop's key is one by its name *and*
/// in fact: all examples of one local day (of one hour) have the same value. What merely changed on
/// some day is none: that is a shift. None where the examples have no times.
pub(super) fn uncovered(spec: &FeatureSpec, parts: [&[&Example]; 2]) -> Vec<Calendar> {
    let spans = parts.map(span);
    let all: Vec<&Example> = parts.concat();
    if span(&all) == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut column = 0;
    for feature in &spec.context {
        let columns = column..column + feature.len();
        column = columns.end;
        let Some((name, cycle)) = cycle(feature) else {
            continue;
        };
        let period = if cycle == DAY { HOUR } else { DAY };
        if spans.iter().any(|span| *span < cycle)
            && is_constant(&all, &columns, period, spec.utc_offset_minutes)
        {
            let name = name.to_owned();
            found.push(Calendar { name, columns });
        }
    }
    found
}

/// From the first start to the last, in milliseconds.
fn span(examples: &[&Example]) -> i64 {
    let starts = || examples.iter().map(|example| example.start);
    match (starts().min(), starts().max()) {
        (Some(first), Some(last)) => last.saturating_sub(first),
        _ => 0,
    }
}

/// Whether the examples of one period have the same values, but for strays.
fn is_constant(
    examples: &[&Example],
    columns: &Range<usize>,
    period: i64,
    utc_offset_minutes: i32,
) -> bool {
    let mut first: HashMap<i64, &[f32]> = HashMap::new();
    let mut strays = 0;
    for example in examples {
        let local = example.start + i64::from(utc_offset_minutes) * 60_000;
        let values = example.context.get(columns.clone()).unwrap_or_default();
        let known = *first.entry(local.div_euclid(period)).or_insert(values);
        let same = known
            .iter()
            .zip(values)
            .all(|(a, b)| (a - b).abs() <= APART);
        strays += usize::from(!same);
    }
    100 * strays <= STRAY * examples.len()
}
