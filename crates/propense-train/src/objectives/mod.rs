//! Something else to forecast than the order, to see whether a network that reads the events in turn
//! learns more from them: auxiliary losses, heads for several tasks, training beforehand.
//!
//! Further heads stand on the state after each event, and no bundle holds them: what is forecast of an
//! order is computed by the same network as without. What they forecast is in the rows of the
//! examples, so that nothing is learnt from events that the examples do not show.

mod beforehand;
mod heads;
mod network;

use propense_features::{FeatureSpec, HashedField, RowFeature};
use propense_model::HashedColumns;

use crate::task::Task;

pub(crate) use beforehand::beforehand;
pub(crate) use heads::{HeadSizes, Heads};
pub(crate) use network::HeadedConfig;

/// What a network is to forecast besides the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The kind of the next event.
    NextEvent,
    /// The next event's item, by its hash.
    NextItem,
    /// Which kinds of events still come.
    LaterEvents,
    /// All of these.
    Several,
    /// All of these, but beforehand; then the order alone.
    Beforehand,
}

/// One further head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    NextEvent,
    NextItem,
    LaterEvents,
}

impl Objective {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NextEvent,
        Self::NextItem,
        Self::LaterEvents,
        Self::Several,
        Self::Beforehand,
    ];

    /// Those that a task's rows bear: without items nothing is told of the next one.
    #[must_use]
    pub fn of(task: Task) -> Vec<Self> {
        let bears = |objective: &Self| match task {
            Task::Shoppers | Task::ShoppersNoPagevalues => false,
            Task::NextDay | Task::ThirtyDay => *objective != Self::NextItem,
            Task::InSession => true,
        };
        Self::ALL.into_iter().filter(bears).collect()
    }

    /// What is added, for a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NextEvent => "+ next event",
            Self::NextItem => "+ next item",
            Self::LaterEvents => "+ later events",
            Self::Several => "+ all three",
            Self::Beforehand => "+ all three beforehand",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NextEvent => "the same, which forecasts the next event's kind as well",
            Self::NextItem => "the same, which forecasts the next event's item as well",
            Self::LaterEvents => "the same, which forecasts the kinds that still come as well",
            Self::Several => "the same, which forecasts all three as well",
            Self::Beforehand => "the same, trained on all three before it learns of orders",
        }
    }

    /// Its heads, where the rows tell everything.
    const fn heads(self) -> &'static [Aim] {
        match self {
            Self::NextEvent => &[Aim::NextEvent],
            Self::NextItem => &[Aim::NextItem],
            Self::LaterEvents => &[Aim::LaterEvents],
            Self::Several | Self::Beforehand => &[Aim::NextEvent, Aim::NextItem, Aim::LaterEvents],
        }
    }

    /// Whether the rows have to tell items.
    pub(crate) fn tells_items(self) -> bool {
        self.heads().contains(&Aim::NextItem)
    }

    /// The heads that rows with these columns bear.
    pub(crate) fn aims(self, columns: &Columns) -> Vec<Aim> {
        let borne = |aim: &Aim| columns.items.is_some() || *aim != Aim::NextItem;
        self.heads().iter().copied().filter(borne).collect()
    }
}

/// Where a row tells what is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    /// One column for each kind of event: the first, and how many.
    pub(crate) kinds: (usize, usize),
    /// The hash of the item, where there is one.
    pub(crate) items: Option<HashedColumns>,
}

impl Columns {
    /// Those of this specification; none where its rows do not tell kinds.
    pub(crate) fn of(spec: &FeatureSpec) -> Option<Self> {
        let kinds = find(spec, |feature| matches!(feature, RowFeature::Kind { .. }))?;
        Some(Self {
            kinds,
            items: item_columns(spec),
        })
    }
}

/// The columns of hashed items, where there are any.
pub(crate) fn item_columns(spec: &FeatureSpec) -> Option<HashedColumns> {
    let hashed = |feature: &RowFeature| {
        let field = HashedField::ItemId;
        matches!(feature, RowFeature::Hashed { field: of, .. } if *of == field)
    };
    find(spec, hashed).map(|(first, count)| HashedColumns { first, count })
}

/// First column and number of columns of the first feature that is wanted.
fn find(spec: &FeatureSpec, wanted: impl Fn(&RowFeature) -> bool) -> Option<(usize, usize)> {
    let place = spec.row.iter().position(wanted)?;
    let before = spec.row.get(..place)?.iter().map(RowFeature::len).sum();
    Some((before, spec.row.get(place)?.len()))
}
