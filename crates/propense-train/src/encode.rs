//! From a session to the numbers of an example: the one place where training and measuring call
//! the featuriser.

use std::sync::Arc;

use propense_events::{Event, Session};
use propense_features::{FeatureSpec, Featuriser};

use crate::example::{Example, Label};

/// The examples of one part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    pub(crate) examples: Vec<Example>,
}

/// Which rows are kept where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The first: what a live session gives.
    First,
    /// The last: the newest of a long history. Counters still know the whole.
    Last,
}

/// Rows and context of one session. `events` is what may be seen; the session's own list is not
/// looked at.
pub(crate) fn encode(
    spec: &Arc<FeatureSpec>,
    session: &Session,
    events: &[Event],
    label: Label,
    max_events: usize,
    keep: Keep,
) -> Example {
    let width = spec.row_len();
    let mut featuriser = Featuriser::new(Arc::clone(spec), session.start, &session.context);
    let (seen, skipped) = match keep {
        Keep::First => (events.get(..max_events).unwrap_or(events), 0),
        Keep::Last => (events, events.len().saturating_sub(max_events)),
    };
    let kept = seen.len() - skipped;
    let mut rows = Vec::with_capacity(kept * width);
    let mut row = Vec::with_capacity(width);
    for (number, event) in seen.iter().enumerate() {
        featuriser.push(event, &mut row);
        if number >= skipped {
            rows.extend_from_slice(&row);
        }
    }
    Example {
        id: session.id.clone(),
        user: session.user.clone(),
        start: session.start,
        rows,
        events: kept,
        context: featuriser.context().to_vec(),
        label,
    }
}
