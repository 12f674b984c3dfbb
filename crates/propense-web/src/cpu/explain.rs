//! What each event did to the score, as the page is told.

use propense_features::FeatureSpec;
use propense_model::{CpuStream, EventEffects};
use serde::Serialize;

use super::recorder::{Recorder, Subject};

/// One event's part in the score.
#[derive(Debug, Serialize)]
pub(crate) struct Reason<'a> {
    event: &'static str,
    index: usize,
    feature: &'static str,
    /// Change of the logit by this event.
    effect: f64,
    /// What the event was about, where it had an item.
    #[serde(flatten)]
    subject: Option<&'a Subject>,
}

/// The reasons of a session so far.
pub(crate) struct Explainer {
    effects: EventEffects,
}

impl Explainer {
    /// Nothing explained yet. `fresh` is a stream without events.
    pub(crate) const fn new(fresh: CpuStream) -> Self {
        Self {
            effects: EventEffects::new(fresh),
        }
    }

    /// The reasons of all events of this session, which is the same one at every call.
    pub(crate) fn reasons<'a>(
        &mut self,
        spec: &FeatureSpec,
        session: &'a Recorder,
    ) -> Vec<Reason<'a>> {
        let effects = self.effects.of(spec, session.rows(), session.context());
        let events = session.kinds().iter().zip(session.subjects());
        let reasons = effects.iter().zip(events).enumerate();
        reasons
            .map(|(index, (effect, (kind, subject)))| Reason {
                event: kind.name(),
                index,
                feature: spec.row.get(effect.feature).map_or("", |f| f.words()),
                effect: effect.effect,
                subject: subject.as_ref(),
            })
            .collect()
    }
}
