//! Which dirt falls on which event.

use super::{EventsLayout, line::Flaw, rates, traffic::DAY};
use crate::draw::Draws;

/// A kind of dirt, by the name of the cleaning rule that must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dirt {
    Duplicate,
    DoubleFire,
    RepeatedOrder,
    FutureTimestamp,
    OutsidePeriod,
    AbsurdTimestamp,
    MissingField,
    Malformed,
    Bot,
    ImpossibleSession,
    TestOrder,
    OutOfOrder,
    AbsurdPrice,
    PriceUnit,
    ForeignCurrency,
}

impl Dirt {
    /// All, with the names of the rules, and whether the rule only repairs.
    pub(crate) const ALL: [(Self, &'static str, bool); 15] = [
        (Self::Duplicate, "duplicate", false),
        (Self::DoubleFire, "double_fire", false),
        (Self::RepeatedOrder, "repeated_order", false),
        (Self::FutureTimestamp, "future_timestamp", false),
        (Self::OutsidePeriod, "outside_period", false),
        (Self::AbsurdTimestamp, "absurd_timestamp", false),
        (Self::MissingField, "missing_field", false),
        (Self::Malformed, "malformed", false),
        (Self::Bot, "bot", false),
        (Self::ImpossibleSession, "impossible_session", false),
        (Self::TestOrder, "test_order", false),
        (Self::OutOfOrder, "out_of_order", true),
        (Self::AbsurdPrice, "absurd_price", true),
        (Self::PriceUnit, "price_unit", true),
        (Self::ForeignCurrency, "foreign_currency", true),
    ];
}

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Clean,
    /// Written, and the same bytes again this many milliseconds later.
    Again(i64),
    /// Written, and once more as an event of its own with a stamp this much later.
    Twice(i64),
    /// Written only after the session's next event.
    Late,
    /// Written so that it must be set aside.
    Spoilt(Dirt, Stamp, Flaw),
}

/// What the row says of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    True,
    /// This many milliseconds later, or earlier where it is below zero.
    Off(i64),
    /// This moment.
    At(i64),
}

/// Future stamps lie this many days ahead at least: twenty years.
const FAR: i64 = 7_305 * DAY;

/// Draws what happens to one event of an ordinary session. `since_start` is the time since the
/// period began, in milliseconds.
pub(crate) fn fate(layout: EventsLayout, since_start: i64, draws: &mut Draws) -> Fate {
    let share = draws.unit();
    let mut bound = rates::DUPLICATE;
    if share < bound {
        return Fate::Again(1_000 + draws.below(20_000) as i64);
    }
    bound += rates::DOUBLE_FIRE;
    if share < bound {
        return Fate::Twice(match layout {
            EventsLayout::Events => 50 + draws.below(850) as i64,
            EventsLayout::Taobao => 1_000,
        });
    }
    bound += rates::OUT_OF_ORDER;
    if share < bound {
        return Fate::Late;
    }
    bound += rates::OUTSIDE_PERIOD;
    if share < bound {
        let back = since_start + 3_600_000 + draws.below(60 * DAY as u64) as i64;
        return Fate::Spoilt(Dirt::OutsidePeriod, Stamp::Off(-back), Flaw::None);
    }
    bound += rates::FUTURE;
    if share < bound {
        let ahead = FAR + draws.below(1_000 * DAY as u64) as i64;
        // The set has a period, so its reader calls the future outside of it.
        let rule = match layout {
            EventsLayout::Events => Dirt::FutureTimestamp,
            EventsLayout::Taobao => Dirt::OutsidePeriod,
        };
        return Fate::Spoilt(rule, Stamp::Off(ahead), Flaw::None);
    }
    bound += rates::MISSING_FIELD;
    if share < bound {
        let flaw = if draws.chance(0.5) {
            Flaw::NoTimestamp
        } else {
            Flaw::NoKind
        };
        return Fate::Spoilt(Dirt::MissingField, Stamp::True, flaw);
    }
    bound += rates::MALFORMED;
    if share < bound {
        return Fate::Spoilt(Dirt::Malformed, Stamp::True, Flaw::Malformed);
    }
    bound += rates::ABSURD_TIMESTAMP;
    if share < bound && layout == EventsLayout::Events {
        let stamp = Stamp::At(draws.below(DAY as u64) as i64);
        return Fate::Spoilt(Dirt::AbsurdTimestamp, stamp, Flaw::None);
    }
    Fate::Clean
}
