//! From events to rows: the one path, for files and live.

use std::sync::Arc;

use propense_events::{Context, Event, Session, Value};

use crate::{
    ContextFeature, FeatureSpec, Normal, RowFeature, Transform,
    state::{Observation, State},
};

/// Every number lies within `-LIMIT..=LIMIT`: eight standard deviations. What lies beyond is an
/// error in the data more often than news, and would drown the rest.
pub const LIMIT: f32 = 8.0;

/// Turns the events of one session into rows, one by one.
///
/// Cheap to clone, so that a caller can ask "what if this event came next".
#[derive(Debug, Clone)]
pub struct Featuriser {
    spec: Arc<FeatureSpec>,
    state: State,
    context: Vec<f32>,
}

impl Featuriser {
    /// Begins a session at `start_ms` (milliseconds since 1970) with what is known of the
    /// visitor and the visit at that moment.
    #[must_use]
    pub fn new(spec: Arc<FeatureSpec>, start_ms: i64, context: &Context) -> Self {
        let context = context_row(&spec, start_ms, context);
        Self {
            spec,
            state: State::new(start_ms),
            context,
        }
    }

    /// Takes in the next event and replaces `row` with its `[row_len]` numbers, all finite and
    /// within [`LIMIT`]. An event older than the one before it counts as simultaneous with it.
    pub fn push(&mut self, event: &Event, row: &mut Vec<f32>) {
        let seen = self.state.observe(event, self.spec.as_ref());
        row.clear();
        write_row(&self.spec, event, &seen, row);
    }

    /// The session's `[context_len]` numbers.
    #[must_use]
    pub fn context(&self) -> &[f32] {
        &self.context
    }

    /// The specification in use.
    #[must_use]
    pub fn spec(&self) -> &Arc<FeatureSpec> {
        &self.spec
    }

    /// The number of events so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.len()
    }

    /// Whether no event has come yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The rows of the given events of a session, row-major `[events, row_len]`, and the session's
/// context `[context_len]`. Pass [`Session::before_purchase`], or as much of it as the model may
/// see: nothing here cuts the session.
#[must_use]
pub fn featurise(
    spec: &Arc<FeatureSpec>,
    session: &Session,
    events: &[Event],
) -> (Vec<f32>, Vec<f32>) {
    let mut featuriser = Featuriser::new(Arc::clone(spec), session.start, &session.context);
    let mut rows = Vec::with_capacity(events.len() * spec.row_len());
    let mut row = Vec::with_capacity(spec.row_len());
    for event in events {
        featuriser.push(event, &mut row);
        rows.extend_from_slice(&row);
    }
    (rows, featuriser.context)
}

fn write_row(spec: &FeatureSpec, event: &Event, seen: &Observation, row: &mut Vec<f32>) {
    for feature in &spec.row {
        match feature {
            RowFeature::Kind { kinds } => one_hot(kinds.iter(), Some(&event.kind), row),
            RowFeature::PageType { names } => {
                one_hot(names.iter(), event.page_type.as_ref(), row);
            }
            RowFeature::Number {
                measure,
                transform,
                normal,
                flag,
            } => number(seen.get(*measure), *transform, *normal, *flag, row),
            RowFeature::Hashed { field, buckets } => {
                field.write(event.items.first(), *buckets, row);
            }
        }
    }
}

fn context_row(spec: &FeatureSpec, start_ms: i64, context: &Context) -> Vec<f32> {
    /// Seconds in a day.
    const DAY: i64 = 86_400;
    let mut row = Vec::with_capacity(spec.context_len());
    let local = (start_ms.div_euclid(1000))
        .saturating_add(i64::from(spec.utc_offset_minutes).saturating_mul(60));
    for feature in &spec.context {
        match feature {
            ContextFeature::Number {
                name,
                transform,
                normal,
                flag,
            } => {
                let found = match context.get(name) {
                    Some(Value::Number(number)) => Some(*number),
                    Some(Value::Flag(flag)) => Some(f64::from(u8::from(*flag))),
                    Some(Value::Category(_)) | None => None,
                };
                number(found, *transform, *normal, *flag, &mut row);
            }
            ContextFeature::Category { name, names } => {
                let written;
                let found = match context.get(name) {
                    Some(Value::Category(text)) => Some(text),
                    // A code that one source writes as a number and another as a text.
                    Some(Value::Number(number)) => {
                        written = number.to_string();
                        Some(&written)
                    }
                    Some(Value::Flag(flag)) => {
                        written = flag.to_string();
                        Some(&written)
                    }
                    None => None,
                };
                one_hot(names.iter(), found, &mut row);
            }
            ContextFeature::Hour => cycle(local.rem_euclid(DAY) as f64 / DAY as f64, &mut row),
            ContextFeature::Weekday => {
                let day = local.div_euclid(DAY).rem_euclid(7);
                cycle(day as f64 / 7.0, &mut row);
            }
        }
    }
    row
}

/// One column for each listed value, then one for all others; all zero where it is missing.
fn one_hot<'a, T: PartialEq + 'a>(
    listed: impl Iterator<Item = &'a T>,
    found: Option<&T>,
    row: &mut Vec<f32>,
) {
    let mut hit = false;
    for value in listed {
        let same = found == Some(value);
        hit |= same;
        row.push(f32::from(same));
    }
    row.push(f32::from(found.is_some() && !hit));
}

/// The normalised number, zero (the mean) where it is missing; then the flag.
fn number(
    found: Option<f64>,
    transform: Transform,
    normal: Normal,
    flag: bool,
    row: &mut Vec<f32>,
) {
    let found = found.filter(|number| number.is_finite());
    let normalised = found.map_or(0.0, |number| {
        (transform.apply(number) - f64::from(normal.mean)) / f64::from(normal.std)
    });
    row.push((normalised as f32).clamp(-LIMIT, LIMIT));
    if flag {
        row.push(f32::from(found.is_none()));
    }
}

/// A point on a circle, so that the last hour lies beside the first.
fn cycle(turn: f64, row: &mut Vec<f32>) {
    let angle = turn * std::f64::consts::TAU;
    row.push(angle.sin() as f32);
    row.push(angle.cos() as f32);
}
