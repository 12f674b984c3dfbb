//! Which events a model sees: one rule, for training files and for live visits.

use propense_events::{Event, EventKind, Session, sessionise, sessionise_by_day};

use crate::{FeatureSpec, RowFeature};

/// Whether events of this kind only follow orders, as a review does. A model that forecasts the
/// order of a session is neither taught nor shown them: to it they have not happened.
#[must_use]
pub const fn follows_orders(kind: EventKind) -> bool {
    matches!(kind, EventKind::Review)
}

/// The sessions of these events as a model that forecasts a session's order is shown them: without
/// what only follows orders, a pause longer than `gap_ms` beginning a new one, and with `midnight` the
/// shop's midnight too.
#[must_use]
pub fn sessions_shown(
    events: impl IntoIterator<Item = Event>,
    gap_ms: i64,
    midnight: bool,
    utc_offset_minutes: i32,
) -> Vec<Session> {
    let shown = events.into_iter();
    let shown = shown.filter(|event| !follows_orders(event.kind)).collect();
    match midnight {
        true => sessionise_by_day(shown, gap_ms, utc_offset_minutes).0,
        false => sessionise(shown, gap_ms).0,
    }
}

impl FeatureSpec {
    /// Whether the model was trained on orders, because its histories hold them. Otherwise training
    /// saw each session up to its first order.
    #[must_use]
    pub fn sees_orders(&self) -> bool {
        self.row.iter().any(|feature| {
            matches!(feature, RowFeature::Kind { kinds } if kinds.contains(&EventKind::Purchase))
        })
    }

    /// Whether training left events of this kind out, as if they had not happened.
    #[must_use]
    pub fn leaves_out(&self, kind: EventKind) -> bool {
        follows_orders(kind) && !self.sees_orders()
    }
}
