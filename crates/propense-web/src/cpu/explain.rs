//! What each event did to the score.

use propense_features::FeatureSpec;
use propense_model::CpuStream;
use serde::Serialize;

use super::recorder::Recorder;
use super::words;

/// One event's part in the score.
#[derive(Debug, Serialize)]
pub(crate) struct Reason {
    event: &'static str,
    index: usize,
    feature: &'static str,
    /// Change of the logit by this event.
    effect: f64,
}

/// The reasons of a session. `fresh` is a stream without events.
///
/// An event's effect is the logit after it less the logit before it, so that all effects sum to
/// the change since before the first event. The feature is the group of columns without which the
/// step would have come out most differently: the step is taken again from the same state with one
/// group after the other at zero, which is the training mean of a number and "none" of a category.
pub(crate) fn reasons(spec: &FeatureSpec, fresh: &CpuStream, session: &Recorder) -> Vec<Reason> {
    let context = session.context();
    let mut stream = fresh.clone();
    let mut logit = stream.logit(context);
    let mut reasons = Vec::with_capacity(session.len());
    let mut altered = Vec::with_capacity(spec.row_len());
    let rows = session.rows().chunks_exact(spec.row_len());
    for (index, (row, kind)) in rows.zip(session.kinds()).enumerate() {
        let before = stream.clone();
        stream.push(row);
        let after = stream.logit(context);
        let mut feature = "";
        let mut most = -1.0;
        let mut start = 0;
        for group in &spec.row {
            let end = start + group.len();
            altered.clear();
            altered.extend_from_slice(row);
            if let Some(own) = altered.get_mut(start..end) {
                own.fill(0.0);
            }
            start = end;
            let mut other = before.clone();
            other.push(&altered);
            let change = (after - other.logit(context)).abs();
            if change > most {
                (feature, most) = (words::feature(group), change);
            }
        }
        let effect = f64::from(after) - f64::from(logit);
        reasons.push(Reason {
            event: kind.name(),
            index,
            feature,
            effect,
        });
        logit = after;
    }
    reasons
}
