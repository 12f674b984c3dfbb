//! What the rules go by: which are on, and their bounds.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::DAY;
use serde::{Deserialize, Serialize};

use super::CleaningRule;
use crate::usual_price::UsualPrices;

/// Which rules are on, with their bounds. The default is every rule on, with the bounds of
/// [`CleaningRule::default_bounds`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Rules switched off.
    pub without: BTreeSet<CleaningRule>,
    /// `future_timestamp`: the latest time in milliseconds since 1970; without it the rule does
    /// nothing. No clock is read here: see [`Options::prepared_at`].
    pub latest: Option<i64>,
    /// `outside_period`: the period to keep; without it the rule does nothing.
    pub period: Option<Period>,
    /// `double_fire`: the longest pause between two events that are one, in milliseconds.
    pub double_fire_ms: i64,
    /// `bot`: from this many events on a session is a bot's, however slow.
    pub bot_events: u32,
    /// `bot`: from this many events on the pauses are looked at.
    pub bot_fast_events: u32,
    /// `bot`: a median pause below this is a bot's, in milliseconds.
    pub bot_fast_ms: i64,
    /// `impossible_session`: the longest that a session of the shop's own may last, in
    /// milliseconds.
    pub session_longest_ms: i64,
    /// `impossible_session`: the most orders in one session.
    pub session_most_orders: u32,
    /// `test_order`: the words, of three or more ASCII letters and digits each.
    pub test_words: Vec<String>,
    /// `foreign_currency`: the shop's currency; without it the rule does nothing.
    pub currency: Option<String>,
    /// `foreign_currency`: what one unit of another currency is worth in the shop's.
    pub rates: BTreeMap<String, f64>,
    /// `price_unit`: how many of the smaller unit make the larger.
    pub price_factor: f64,
    /// `price_unit`: the tolerance, as a share of the expected price.
    pub price_tolerance: f64,
    /// How events without a session of the shop's own become sessions.
    pub sessions: SessionOptions,
}

/// The time from `from` (included) to `to` (excluded), in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first moment in the period.
    pub from: i64,
    /// The first moment after the period.
    pub to: i64,
}

/// How events without a session of the shop's own become sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionOptions {
    /// A pause longer than this begins a new session, in milliseconds. Half an hour, as Google
    /// Analytics and most of the literature have it.
    pub gap_ms: i64,
    /// Whether midnight, too, begins a new session.
    pub midnight: bool,
    /// The shop's offset from UTC in minutes: whose midnight it is.
    pub utc_offset_minutes: i32,
}

impl SessionOptions {
    /// The day of the shop in which a time falls.
    pub(super) fn day(&self, time: i64) -> i64 {
        let offset = i64::from(self.utc_offset_minutes) * 60_000;
        time.saturating_add(offset).div_euclid(DAY)
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            gap_ms: 30 * 60_000,
            midnight: false,
            utc_offset_minutes: 0,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            without: BTreeSet::new(),
            latest: None,
            period: None,
            double_fire_ms: 1000,
            bot_events: 1000,
            bot_fast_events: 100,
            bot_fast_ms: 300,
            session_longest_ms: DAY,
            session_most_orders: 50,
            test_words: vec!["test".to_owned(), "dummy".to_owned()],
            currency: None,
            rates: BTreeMap::new(),
            price_factor: 100.0,
            price_tolerance: 0.02,
            sessions: SessionOptions::default(),
        }
    }
}

impl Options {
    /// Sets the latest acceptable time to a day after the moment of preparation (milliseconds
    /// since 1970): local times taken for UTC are up to 14 hours ahead.
    #[must_use]
    pub const fn prepared_at(mut self, now: i64) -> Self {
        self.latest = Some(now.saturating_add(DAY));
        self
    }
}

/// Why the rules cannot be applied as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A bound that makes no sense.
    #[error("{rule}: {option} is {value}; give {remedy}")]
    Bound {
        /// The rule's name, or `sessions`.
        rule: &'static str,
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        remedy: &'static str,
    },
}

/// Everything that the rules go by, checked and looked up once.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) options: Options,
    /// In lower case.
    pub(super) words: Vec<Vec<u8>>,
    pub(super) usual: UsualPrices,
    on: [bool; CleaningRule::ALL.len()],
}

impl Default for Rules {
    /// The rules with their default bounds, and without usual prices.
    fn default() -> Self {
        Self::from_checked(Options::default(), UsualPrices::default())
    }
}

impl Rules {
    /// Checks the options. The usual prices are those of the whole input, for `price_unit`; empty
    /// ones are fine.
    ///
    /// # Errors
    /// A bound that makes no sense, named with its rule.
    pub fn new(options: Options, usual: UsualPrices) -> Result<Self, OptionsError> {
        check(&options)?;
        Ok(Self::from_checked(options, usual))
    }

    fn from_checked(options: Options, usual: UsualPrices) -> Self {
        let words = options
            .test_words
            .iter()
            .map(|word| word.to_ascii_lowercase().into_bytes())
            .collect();
        let on = CleaningRule::ALL.map(|rule| {
            let told = match rule {
                CleaningRule::FutureTimestamp => options.latest.is_some(),
                CleaningRule::OutsidePeriod => options.period.is_some(),
                CleaningRule::ForeignCurrency => options.currency.is_some(),
                CleaningRule::PriceUnit => !usual.is_empty(),
                _ => true,
            };
            told && !options.without.contains(&rule)
        });
        Self {
            options,
            words,
            usual,
            on,
        }
    }

    /// The options as given.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Whether the rule is on and knows what it needs.
    #[must_use]
    pub fn applies(&self, rule: CleaningRule) -> bool {
        self.on[rule as usize]
    }
}

fn check(options: &Options) -> Result<(), OptionsError> {
    let positive = |rule, option, value: i64| {
        if value > 0 {
            return Ok(());
        }
        Err(OptionsError::Bound {
            rule,
            option,
            value: value.to_string(),
            remedy: "a number above zero, or switch the rule off",
        })
    };
    positive("double_fire", "double_fire_ms", options.double_fire_ms)?;
    positive("bot", "bot_events", i64::from(options.bot_events))?;
    positive("bot", "bot_fast_events", i64::from(options.bot_fast_events))?;
    positive("bot", "bot_fast_ms", options.bot_fast_ms)?;
    positive(
        "impossible_session",
        "session_longest_ms",
        options.session_longest_ms,
    )?;
    positive("sessions", "gap_ms", options.sessions.gap_ms)?;
    let bound = |rule, option, value: String, remedy| {
        Err(OptionsError::Bound {
            rule,
            option,
            value,
            remedy,
        })
    };
    if let Some(period) = options.period
        && period.from >= period.to
    {
        let value = format!("{} to {}", period.from, period.to);
        return bound(
            "outside_period",
            "period",
            value,
            "a period that ends after it begins",
        );
    }
    for word in &options.test_words {
        if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let remedy = "words of three or more ASCII letters and digits";
            return bound("test_order", "test_words", format!("{word:?}"), remedy);
        }
    }
    for (currency, rate) in &options.rates {
        if !(rate.is_finite() && *rate > 0.0) {
            let value = format!("{currency} {rate}");
            let remedy = "the worth of one unit in the shop's currency, above zero";
            return bound("foreign_currency", "rates", value, remedy);
        }
    }
    if !(options.price_factor.is_finite() && options.price_factor > 1.0) {
        let value = options.price_factor.to_string();
        return bound("price_unit", "price_factor", value, "a number above one");
    }
    if !(0.0..1.0).contains(&options.price_tolerance) {
        let value = options.price_tolerance.to_string();
        return bound("price_unit", "price_tolerance", value, "a share below one");
    }
    Ok(())
}
