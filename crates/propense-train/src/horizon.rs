//! How far ahead a forecast looks, and for what: the label of each prefix of a session.
//!
//! After event *n* of a session, the label says whether the visitor orders within the horizon from
//! that event on. A visitor with a user id, or a browser with an anonymous one, is followed across
//! sessions; one without either to the end of the session, since nothing tells the next one. A prefix whose horizon ends
//! after what is known has no label, whether an order has been seen by then or not: keeping those
//! with an order would make the end of the data look like a rush of buyers.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use propense_events::{Event, EventKind, Session};
use serde::{Deserialize, Serialize};

use crate::example::Label;

/// How far ahead a session's forecasts look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Horizon {
    /// To the end of the session.
    #[default]
    Session,
    /// This many milliseconds, into later sessions of the same user too.
    Within(i64),
}

/// Longest horizon: ten years, in milliseconds.
const LONGEST: i64 = 3_653 * 24 * 60 * 60 * 1000;

/// Units of a horizon on the command line, in milliseconds, the largest first.
const UNITS: [(char, i64); 3] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000)];

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Session => f.write_str("session"),
            Self::Within(ms) => {
                let whole = |&(_, unit): &(char, i64)| ms % unit == 0;
                match UNITS.into_iter().find(whole) {
                    Some((name, unit)) => write!(f, "{}{name}", ms / unit),
                    None => write!(f, "{ms}ms"),
                }
            }
        }
    }
}

impl FromStr for Horizon {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no horizon: session, or a whole number of minutes, hours or days up to ten years, as 30m, 12h, 7d"
            )
        };
        if text == "session" {
            return Ok(Self::Session);
        }
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => UNITS
                .into_iter()
                .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
                .ok_or_else(wrong)?,
        };
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let ms = number.checked_mul(unit).ok_or_else(wrong)?;
        if (1..=LONGEST).contains(&ms) {
            Ok(Self::Within(ms))
        } else {
            Err(wrong())
        }
    }
}

impl From<Horizon> for String {
    fn from(horizon: Horizon) -> Self {
        horizon.to_string()
    }
}

impl TryFrom<String> for Horizon {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What is forecast of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// How far ahead.
    #[serde(default)]
    pub horizon: Horizon,
    /// Whether it must be an order of the item that the newest event is about.
    #[serde(default)]
    pub this_item: bool,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.this_item { " of this item" } else { "" };
        match self.horizon {
            Horizon::Session => write!(f, "an order{what} later in the session"),
            within => write!(f, "an order{what} within {within}"),
        }
    }
}

/// The orders of every visitor, in time order: under the user id, and under the browser's.
pub(crate) struct Orders<'a> {
    of_visitor: HashMap<&'a str, Vec<&'a Event>>,
}

impl<'a> Orders<'a> {
    pub(crate) fn new(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut of_visitor: HashMap<&str, Vec<&Event>> = HashMap::new();
        for event in events {
            if event.kind != EventKind::Purchase {
                continue;
            }
            let (user, browser) = (event.user_id.as_deref(), event.anonymous_id.as_deref());
            for visitor in user
                .into_iter()
                .chain(browser.filter(|id| user != Some(*id)))
            {
                of_visitor.entry(visitor).or_default().push(event);
            }
        }
        for orders in of_visitor.values_mut() {
            orders.sort_by_key(|order| order.timestamp);
        }
        Self { of_visitor }
    }
}

/// What makes a session's label: the target, the orders, and up to when (milliseconds since 1970)
/// everything is known.
#[derive(Clone, Copy)]
pub(crate) struct Labelling<'a> {
    pub(crate) target: Target,
    pub(crate) orders: &'a Orders<'a>,
    pub(crate) known_until: i64,
}

impl Labelling<'_> {
    /// The label of each prefix of the session's first `seen` events, those before its first order.
    pub(crate) fn label(self, session: &Session, seen: &[Event]) -> Label {
        let Self {
            target,
            orders,
            known_until,
        } = self;
        if target == Target::default() {
            return Label::Whole(session.converted());
        }
        let own: Vec<&Event> = session
            .events
            .iter()
            .filter(|event| event.kind == EventKind::Purchase)
            .collect();
        let of_user = session
            .user
            .as_deref()
            .and_then(|u| orders.of_visitor.get(u));
        let (orders, followed) = match (target.horizon, of_user) {
            (Horizon::Within(_), Some(orders)) => (orders.as_slice(), true),
            (Horizon::Within(_), None) => (own.as_slice(), session.user.is_some()),
            (Horizon::Session, _) => (own.as_slice(), false),
        };
        let label = |prefix: usize| -> Option<bool> {
            let newest = prefix.checked_sub(1).and_then(|last| seen.get(last));
            let from = newest.map_or(session.start, |event| event.timestamp);
            let to = match target.horizon {
                Horizon::Session => i64::MAX,
                Horizon::Within(ms) => from.saturating_add(ms),
            };
            if followed && to >= known_until {
                return None;
            }
            let item = match target.this_item {
                false => None,
                true => Some(newest?.items.first()?.item_id.as_str()),
            };
            let first = orders.partition_point(|order| order.timestamp < from);
            let later = orders.get(first..).unwrap_or_default();
            Some(
                later
                    .iter()
                    .take_while(|order| order.timestamp <= to)
                    .any(|order| {
                        item.is_none_or(|item| order.items.iter().any(|i| i.item_id == item))
                    }),
            )
        };
        Label::Prefixes((0..=seen.len()).map(label).collect())
    }
}

#[cfg(test)]
mod tests {
    use propense_events::{Item, sessionise};

    use super::*;

    const MINUTE: i64 = 60_000;

    fn event(user: &str, minute: i64, kind: EventKind, item: &str) -> Event {
        let mut event = Event::new(kind, minute * MINUTE);
        event.user_id = (!user.is_empty()).then(|| user.to_owned());
        // Without a user the shop names its sessions.
        event.session_id = user.is_empty().then(|| format!("s{}", minute / 100));
        event.items = vec![Item {
            item_id: item.to_owned(),
            ..Item::default()
        }];
        event
    }

    fn labels(events: &[Event], session: usize, target: &str, known_until: i64) -> Label {
        let (sessions, _) = sessionise(events.to_vec(), 30 * MINUTE);
        let session = &sessions[session];
        let (horizon, this_item) = match target.strip_suffix(" item") {
            Some(horizon) => (horizon, true),
            None => (target, false),
        };
        let target = Target {
            horizon: horizon.parse().expect("a horizon"),
            this_item,
        };
        let known_until = known_until * MINUTE;
        let labelling = Labelling {
            target,
            orders: &Orders::new(events),
            known_until,
        };
        labelling.label(session, session.before_purchase())
    }

    #[test]
    fn each_prefix_is_labelled_by_what_follows_within_the_horizon() {
        use EventKind::{Purchase, ViewItem};
        // Two views; two hours later two more and an order of the second of these.
        let shop = |user: &str| {
            vec![
                event(user, 0, ViewItem, "a"),
                event(user, 10, ViewItem, "b"),
                event(user, 130, ViewItem, "a"),
                event(user, 140, ViewItem, "b"),
                event(user, 150, Purchase, "b"),
            ]
        };
        let (yes, no) = (Some(true), Some(false));
        let rows: [(&str, usize, &str, i64, Label); 12] = [
            ("u", 0, "session", 9_000, Label::Whole(false)),
            ("u", 1, "session", 9_000, Label::Whole(true)),
            ("u", 0, "30m", 9_000, Label::Prefixes(vec![no, no, no])),
            ("u", 0, "140m", 9_000, Label::Prefixes(vec![no, no, yes])),
            ("u", 1, "15m", 9_000, Label::Prefixes(vec![no, no, yes])),
            ("u", 1, "1d", 9_000, Label::Prefixes(vec![yes, yes, yes])),
            // An order a moment after the horizon is none; at its last moment it is one.
            ("u", 1, "10m", 9_000, Label::Prefixes(vec![no, no, yes])),
            // The items of the events are a and b, the order is of b.
            (
                "u",
                1,
                "session item",
                9_000,
                Label::Prefixes(vec![None, no, yes]),
            ),
            (
                "u",
                0,
                "1d item",
                9_000,
                Label::Prefixes(vec![None, no, yes]),
            ),
            // Known up to minute 145: the horizons of both ends reach beyond it.
            ("u", 1, "10m", 145, Label::Prefixes(vec![no, no, None])),
            ("u", 1, "1d", 145, Label::Prefixes(vec![None, None, None])),
            // A visitor without an identifier is not followed into the next session.
            ("", 0, "1d", 9_000, Label::Prefixes(vec![no, no, no])),
        ];
        for (user, session, target, known_until, expected) in rows {
            let found = labels(&shop(user), session, target, known_until);
            assert_eq!(found, expected, "{user:?} {session} {target} {known_until}");
        }
        // A user without any order is followed all the same, and not known at the end.
        let views = &shop("u")[..2];
        let end = Label::Prefixes(vec![no, no, None]);
        assert_eq!(labels(views, 0, "30m", 35), end);
    }

    #[test]
    fn horizons_are_read_and_written() {
        for (text, ms) in [
            ("30m", 30 * MINUTE),
            ("12h", 720 * MINUTE),
            ("7d", 7 * 1440 * MINUTE),
            ("1500ms", 1500),
        ] {
            let horizon: Horizon = text.parse().expect("a horizon");
            assert_eq!(horizon, Horizon::Within(ms));
            assert_eq!(horizon.to_string(), text);
        }
        assert_eq!("session".parse(), Ok(Horizon::Session));
        for wrong in [
            "",
            "m",
            "0d",
            "-1d",
            "1.5h",
            "1w",
            "4000d",
            "99999999999999999d",
        ] {
            assert!(wrong.parse::<Horizon>().is_err(), "{wrong}");
        }
    }
}
