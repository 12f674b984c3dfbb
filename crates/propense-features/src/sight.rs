//! Which events a model sees: one rule, for training files and for live visits.

use propense_events::EventKind;

use crate::{FeatureSpec, RowFeature};

/// Whether events of this kind only follow orders, as a review does. A model that forecasts the
/// order of a session is neither taught nor shown them: to it they have not happened.
#[must_use]
pub const fn follows_orders(kind: EventKind) -> bool {
    matches!(kind, EventKind::Review)
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
