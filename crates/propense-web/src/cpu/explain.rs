//! What each event did to the score.

use propense_features::FeatureSpec;
use propense_model::CpuStream;
use serde::Serialize;

use super::recorder::{Recorder, Subject};
use super::words;

/// One event's part in the score.
#[derive(Debug, Serialize)]
pub(crate) struct Reason {
    event: &'static str,
    index: usize,
    feature: &'static str,
    /// Change of the logit by this event.
    effect: f64,
    /// What the event was about, where it had an item.
    #[serde(flatten)]
    subject: Option<Subject>,
}

/// The reasons of a session so far. Later events change nothing about earlier reasons, so that only
/// what is new is computed.
///
/// An event's effect is the logit after it less the logit before it, so that all effects sum to
/// the change since before the first event. The feature is the group of columns without which the
/// step would have come out most differently: the step is taken again from the same state with one
/// group after the other at zero, which is the training mean of a number and "none" of a category.
pub(crate) struct Explainer {
    /// The stream after the events explained so far.
    stream: CpuStream,
    reasons: Vec<Reason>,
}

impl Explainer {
    /// Nothing explained yet. `fresh` is a stream without events.
    pub(crate) const fn new(fresh: CpuStream) -> Self {
        Self {
            stream: fresh,
            reasons: Vec::new(),
        }
    }

    /// The reasons of all events of this session, which is the same one at every call.
    pub(crate) fn reasons(&mut self, spec: &FeatureSpec, session: &Recorder) -> &[Reason] {
        let known = self.reasons.len();
        let rows = session.rows().chunks_exact(spec.row_len());
        let events = rows.zip(session.kinds()).zip(session.subjects());
        for (index, ((row, kind), subject)) in events.enumerate().skip(known) {
            let logit = self.stream.logit(session.context());
            let feature = self.most_important(spec, row, session.context());
            self.stream.push(row);
            let after = self.stream.logit(session.context());
            self.reasons.push(Reason {
                event: kind.name(),
                index,
                feature,
                effect: f64::from(after) - f64::from(logit),
                subject: subject.clone(),
            });
        }
        &self.reasons
    }

    /// What about the next row matters most.
    fn most_important(&self, spec: &FeatureSpec, row: &[f32], context: &[f32]) -> &'static str {
        // The row as it is, then once without each group.
        let mut rows = row.repeat(spec.row.len() + 1);
        let mut start = 0;
        for (group, altered) in spec
            .row
            .iter()
            .zip(rows.chunks_exact_mut(row.len()).skip(1))
        {
            let end = start + group.len();
            if let Some(own) = altered.get_mut(start..end) {
                own.fill(0.0);
            }
            start = end;
        }
        let logits = self.stream.what_if(&rows, context);
        let (mut feature, mut most) = ("", -1.0);
        let Some((after, without)) = logits.split_first() else {
            return feature;
        };
        for (group, logit) in spec.row.iter().zip(without) {
            let change = (after - logit).abs();
            if change > most {
                (feature, most) = (words::feature(group), change);
            }
        }
        feature
    }
}
