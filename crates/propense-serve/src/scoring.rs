//! Sessions of events to propensities: what `propense score` does with a file, for a request.

use std::sync::Arc;

use propense_events::{Event, Session};
use propense_features::{FeatureSpec, UserHistory, featurise, sessions_shown};
use propense_model::{Bundle, CpuModel, Manifest, ModelError};
use serde::Serialize;

use crate::store::Rollout;

/// A bundle that is ready to score.
#[derive(Debug)]
pub(crate) struct Scorer {
    manifest: Manifest,
    spec: Arc<FeatureSpec>,
    model: Arc<CpuModel>,
}

/// One scored session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Score {
    pub(crate) id: String,
    pub(crate) user: Option<String>,
    /// Events that the score is based on.
    pub(crate) events: usize,
    pub(crate) propensity: f32,
    pub(crate) percentile: f32,
    pub(crate) model_version: String,
}

impl Scorer {
    pub(crate) fn new(bundle: Bundle) -> Result<Self, ModelError> {
        Ok(Self {
            model: bundle.cpu_model()?,
            spec: Arc::new(bundle.manifest.features.clone()),
            manifest: bundle.manifest,
        })
    }

    /// The task whose models score sessions.
    pub(crate) fn scores_sessions(&self) -> bool {
        self.manifest.task == "in-session"
    }

    pub(crate) fn task(&self) -> &str {
        &self.manifest.task
    }

    /// The sessions of these events as training cut them, each with what its visitor did in the
    /// earlier ones; those that begin with their order show nothing to score.
    pub(crate) fn sessions(&self, events: Vec<Event>) -> Vec<Session> {
        let (gap, midnight) = (self.manifest.session_gap_ms(), self.manifest.midnight());
        let mut sessions = sessions_shown(events, gap, midnight, self.spec.utc_offset_minutes);
        UserHistory::annotate(&mut sessions);
        sessions.retain(|session| !session.before_purchase().is_empty());
        sessions
    }

    /// Scores each session on its events before its first order.
    pub(crate) fn score(&self, sessions: &[&Session]) -> Vec<Score> {
        let rows: Vec<(Vec<f32>, Vec<f32>)> = sessions
            .iter()
            .map(|session| featurise(&self.spec, session, session.before_purchase()))
            .collect();
        let rows: Vec<(&[f32], &[f32])> = rows
            .iter()
            .map(|(rows, context)| (rows.as_slice(), context.as_slice()))
            .collect();
        let logits = self.model.score_batch(&rows, 1);
        let version = self.manifest.version();
        sessions
            .iter()
            .zip(logits)
            .map(|(session, logit)| {
                let propensity = self.manifest.probability(logit);
                Score {
                    id: session.id.clone(),
                    user: session.user.clone(),
                    events: session.before_purchase().len(),
                    propensity,
                    percentile: self.manifest.percentile(propensity),
                    model_version: version.clone(),
                }
            })
            .collect()
    }
}

/// The share of a visitor, from 0 up to but not 100: the same at each visit, and spread evenly.
pub(crate) fn share(session: &Session) -> f64 {
    let visitor = session.user.as_deref().unwrap_or(&session.id);
    let digest = crate::files::hex(visitor.as_bytes());
    let digits = digest.get(..8).unwrap_or_default();
    let number = u32::from_str_radix(digits, 16).unwrap_or(0);
    f64::from(number) * 100.0 / 4_294_967_296.0
}

/// Scores with the bundles of a roll-out: each visitor with theirs.
pub(crate) fn score_for(
    rollout: &Rollout,
    current: &Scorer,
    previous: Option<&Scorer>,
    events: Vec<Event>,
) -> Vec<Score> {
    // Both cut sessions alike unless they were trained otherwise; the current one's way counts.
    let sessions = current.sessions(events);
    let of_current = |session: &Session| rollout.for_share(share(session)) == rollout.current;
    let Some(previous) = previous else {
        return current.score(&sessions.iter().collect::<Vec<_>>());
    };
    let (own, others): (Vec<&Session>, Vec<&Session>) =
        sessions.iter().partition(|session| of_current(session));
    let (mut own, mut others) = (
        current.score(&own).into_iter(),
        previous.score(&others).into_iter(),
    );
    let next = |session| match of_current(session) {
        true => own.next(),
        false => others.next(),
    };
    // In the order of the sessions again.
    sessions.iter().filter_map(next).collect()
}
