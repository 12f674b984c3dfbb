//! The rules by name, what each does in a sentence, and how often each was applied.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// A cleaning rule that looks at the lines of one owner together. (What is wrong with a single
/// record is found while it is read: [`propense_events::Rule`].)
///
/// The order of the variants is the order in which the rules are asked: a line that one rule sets
/// aside is not shown to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleaningRule {
    /// A time after the moment of preparation.
    FutureTimestamp,
    /// A time outside the period asked for.
    OutsidePeriod,
    /// A shop's own trial.
    TestOrder,
    /// All fields equal to those of an earlier line.
    Duplicate,
    /// An order that was there before.
    RepeatedOrder,
    /// The same action again within a second.
    DoubleFire,
    /// A session that no person made.
    Bot,
    /// A session that is none.
    ImpossibleSession,
    /// A line that stood after a younger one.
    OutOfOrder,
    /// An amount in another currency than the shop's.
    ForeignCurrency,
    /// A price in cents among prices in euros.
    PriceUnit,
}

impl CleaningRule {
    /// Every rule, in the order in which they are asked.
    pub const ALL: [Self; 11] = [
        Self::FutureTimestamp,
        Self::OutsidePeriod,
        Self::TestOrder,
        Self::Duplicate,
        Self::RepeatedOrder,
        Self::DoubleFire,
        Self::Bot,
        Self::ImpossibleSession,
        Self::OutOfOrder,
        Self::ForeignCurrency,
        Self::PriceUnit,
    ];

    /// The public name: what reports count by, and what `--without` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FutureTimestamp => "future_timestamp",
            Self::OutsidePeriod => "outside_period",
            Self::TestOrder => "test_order",
            Self::Duplicate => "duplicate",
            Self::RepeatedOrder => "repeated_order",
            Self::DoubleFire => "double_fire",
            Self::Bot => "bot",
            Self::ImpossibleSession => "impossible_session",
            Self::OutOfOrder => "out_of_order",
            Self::ForeignCurrency => "foreign_currency",
            Self::PriceUnit => "price_unit",
        }
    }

    /// The rule with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// What the rule does, in one sentence.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::FutureTimestamp => {
                "A line later than the moment of preparation (and a day, for clocks in another \
                 time zone) is set aside."
            }
            Self::OutsidePeriod => "A line before or after the period asked for is set aside.",
            Self::TestOrder => {
                "A line with the word `test` or `dummy` in its order, user or item is set aside; \
                 an order with one such item as a whole."
            }
            Self::Duplicate => {
                "A line whose fields all equal those of an earlier line is set aside."
            }
            Self::RepeatedOrder => {
                "An order is counted once: its lines that come again under the same \
                 transaction_id, or from a second source, are set aside."
            }
            Self::DoubleFire => {
                "An event of the same kind, first item and page as one of the same visitor at \
                 most a second before is set aside."
            }
            Self::Bot => {
                "A session with more events, or faster ones, than a person makes, or with `bot` \
                 true in its context, is set aside as a whole."
            }
            Self::ImpossibleSession => {
                "A session under one of the shop's own session ids that lasts longer than a day, \
                 or with more orders than a person places, is set aside as a whole."
            }
            Self::OutOfOrder => {
                "A line that stood in its file after a younger one of the same owner is put in \
                 its place by time."
            }
            Self::ForeignCurrency => {
                "A price or value in another currency is converted where its rate is given, and \
                 otherwise taken as missing."
            }
            Self::PriceUnit => {
                "A price a hundred times the item's usual one (cents among euros) is divided by \
                 100."
            }
        }
    }

    /// The bounds where nothing else is asked for, in words.
    #[must_use]
    pub const fn default_bounds(self) -> &'static str {
        match self {
            Self::FutureTimestamp => "24 h after the moment of preparation",
            Self::OutsidePeriod => "no period: the rule does nothing",
            Self::TestOrder => {
                "the whole words `test` and `dummy` in transaction_id, user_id, item_id, item_name"
            }
            Self::Duplicate => "every field but source and row",
            Self::RepeatedOrder => "the whole history of an owner",
            Self::DoubleFire => "1,000 ms",
            Self::Bot => {
                "1,000 events; or 100 events with a median pause below 300 ms; or the flag"
            }
            Self::ImpossibleSession => "24 h; 50 orders",
            Self::OutOfOrder => "none",
            Self::ForeignCurrency => "no currency of the shop given: the rule does nothing",
            Self::PriceUnit => "100 times the median of at least 3 prices, within 2 %",
        }
    }

    /// Whether the rule repairs the line (which stays) instead of setting it aside.
    #[must_use]
    pub const fn repairs(self) -> bool {
        matches!(
            self,
            Self::OutOfOrder | Self::ForeignCurrency | Self::PriceUnit
        )
    }
}

impl std::fmt::Display for CleaningRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Lines to which each rule was applied: set aside, or repaired. A line that one rule repaired in
/// two places counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([u64; CleaningRule::ALL.len()]);

impl Counts {
    /// Lines to which the rule was applied.
    #[must_use]
    pub fn get(&self, rule: CleaningRule) -> u64 {
        self.0[rule as usize]
    }

    /// Every rule with its count.
    pub fn iter(&self) -> impl Iterator<Item = (CleaningRule, u64)> {
        CleaningRule::ALL.into_iter().zip(self.0)
    }

    /// Lines set aside by any rule.
    #[must_use]
    pub fn set_aside(&self) -> u64 {
        self.iter()
            .filter(|(rule, _)| !rule.repairs())
            .map(|(_, lines)| lines)
            .sum()
    }

    /// Adds the counts of another part of the table.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    pub(super) fn add(&mut self, rule: CleaningRule, lines: u64) {
        self.0[rule as usize] += lines;
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (rule, lines) in self.iter() {
            map.serialize_entry(rule.name(), &lines)?;
        }
        map.end()
    }
}
