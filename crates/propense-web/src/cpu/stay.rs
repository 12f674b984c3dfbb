//! What it tells that a visitor stays on a page and does nothing new.
//!
//! The network has no input for the time since the newest event: a row says how long *its* event
//! was waited for, so a stay is known with the event that ends it. Until then it can be told what
//! that event would change. Let `f(g)` be the logit if the visitor's next step came `g` seconds
//! after the newest event. Before any waiting, every gap `g` is possible, as often as training
//! saw it; after `t` seconds only those of at least `t` are left. The effect of the stay is
//!
//! ```text
//! mean of f(g) over g ≥ t   -   mean of f(g) over all g
//! ```
//!
//! It begins at zero and is all of it the model's own: each `f(g)` is a step of the network on the
//! row that the featuriser writes for that event at that time, as in training. Two things are
//! assumed. The next step is one like the last page opened; what it has besides its time cancels in
//! the difference, save where it works together with the time. And the visitor is still there: what
//! it says about a visit's end that nothing comes, the model has not learnt.

use propense_features::{FeatureSpec, Wait};
use propense_model::{CpuStream, Manifest};

use super::recorder::Recorder;

/// The effect of staying, for one session at a time.
pub(crate) struct Stay {
    /// None where the model does not know gaps.
    wait: Option<Wait>,
    /// Mean logit over all gaps, after so many events.
    usual: Option<(usize, f64)>,
}

impl Stay {
    /// Nothing is known of any session.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        Self {
            wait: Wait::of(
                &manifest.features,
                manifest.session_gap_ms() as f64 / 1000.0,
            ),
            usual: None,
        }
    }

    /// Another session begins.
    pub(crate) fn forget(&mut self) {
        self.usual = None;
    }

    /// The change of the logit by a stay that has lasted up to `now` (milliseconds since 1970).
    pub(crate) fn effect(
        &mut self,
        spec: &FeatureSpec,
        session: &Recorder,
        stream: &CpuStream,
        now: f64,
    ) -> f32 {
        let waited = (now - session.latest() as f64) / 1000.0;
        let (Some(wait), true) = (self.wait, waited > 0.0 && !session.ordered()) else {
            return 0.0;
        };
        let events = session.len();
        let usual = match self.usual {
            Some((known, usual)) if known == events => usual,
            _ => {
                let usual = mean_logit(&wait.gaps(0.0), spec, session, stream);
                self.usual = Some((events, usual));
                usual
            }
        };
        (mean_logit(&wait.gaps(waited), spec, session, stream) - usual) as f32
    }
}

/// The mean logit after a next step that comes after one of these gaps, with these weights. Zero
/// before the first event.
fn mean_logit(
    gaps: &[(f64, f64)],
    spec: &FeatureSpec,
    session: &Recorder,
    stream: &CpuStream,
) -> f64 {
    let Some(mut next) = session.page().cloned() else {
        return 0.0;
    };
    let mut row = Vec::with_capacity(spec.row_len());
    let mut rows = Vec::with_capacity(gaps.len() * spec.row_len());
    for (gap, _) in gaps {
        next.timestamp = session.latest().saturating_add((gap * 1000.0) as i64);
        session.imagine(&next, &mut row);
        rows.extend_from_slice(&row);
    }
    let logits = stream.what_if(&rows, session.context());
    gaps.iter()
        .zip(logits)
        .map(|((_, weight), logit)| weight * f64::from(logit))
        .sum()
}
