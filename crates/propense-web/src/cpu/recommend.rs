//! Which items would raise the propensity most if they were viewed next.

use propense_events::{Event, EventKind, Item};
use propense_features::{FeatureSpec, Measure, RowFeature, Transform};
use propense_model::CpuStream;
use serde::Serialize;

use super::catalogue::{Candidate, Catalogue};
use super::recorder::Recorder;

/// Seconds between two events where the specification does not have the gap.
const GAP: f32 = 10.0;

/// An item and the propensity after viewing it.
#[derive(Debug, Serialize)]
pub(crate) struct Recommendation {
    pub(crate) item_id: String,
    pub(crate) propensity: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_category: Option<String>,
}

/// The `k` best candidates, the best first: those after whose view the propensity would be highest, times
/// what else speaks for them. `stream` is the session's; `probability` makes a propensity of a logit.
pub(crate) fn recommend(
    spec: &FeatureSpec,
    catalogue: &Catalogue,
    session: &Recorder,
    stream: &CpuStream,
    k: usize,
    probability: impl Fn(f32) -> f32,
) -> Vec<Recommendation> {
    let candidates = catalogue.candidates(session.seen(), &session.cart());
    let items: Vec<&Item> = candidates.iter().map(|candidate| &candidate.item).collect();
    let logits = after_views(spec, session, stream, &items);
    let mut ranked: Vec<(f32, f32, Candidate)> = Vec::with_capacity(candidates.len());
    for (logit, candidate) in logits.into_iter().zip(candidates) {
        let score = candidate.share * probability(logit);
        // Equals stay in the order of the candidates, neighbours before popular items. A few hundred are
        // put in place sooner than the code of a sort is loaded.
        let place = ranked.partition_point(|(best, then, _)| (*best, *then) >= (score, logit));
        ranked.insert(place, (score, logit, candidate));
    }
    ranked.truncate(k);
    ranked
        .into_iter()
        .map(|(_, logit, Candidate { item, .. })| Recommendation {
            item_id: item.item_id,
            propensity: probability(logit),
            item_category: item.item_category,
        })
        .collect()
}

/// What the logit would be if each of these items were viewed next, after a usual pause. `stream` is
/// the session's.
pub(crate) fn after_views(
    spec: &FeatureSpec,
    session: &Recorder,
    stream: &CpuStream,
    items: &[&Item],
) -> Vec<f32> {
    let at = session.latest() + (typical_gap(spec) * 1000.0) as i64;
    let mut row = Vec::with_capacity(spec.row_len());
    let mut rows = Vec::with_capacity(items.len() * spec.row_len());
    for item in items {
        let mut event = Event::new(EventKind::ViewItem, at);
        event.page_type = Some("product".into());
        event.items = vec![(*item).clone()];
        session.imagine(&event, &mut row);
        rows.extend_from_slice(&row);
    }
    stream.what_if(&rows, session.context())
}

/// Seconds between two events, as they were on average in training (in the transform's scale).
fn typical_gap(spec: &FeatureSpec) -> f32 {
    let gap = spec.row.iter().find_map(|feature| match feature {
        RowFeature::Number {
            measure: Measure::Gap,
            transform,
            normal,
            ..
        } => Some(match transform {
            Transform::Identity => normal.mean,
            Transform::Log1p => normal.mean.exp_m1(),
        }),
        _ => None,
    });
    gap.unwrap_or(GAP).clamp(1.0, 600.0)
}
