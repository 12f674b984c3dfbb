//! What a visitor did in earlier sessions, as context of the next one.

use std::collections::{BTreeMap, VecDeque};

use propense_events::{Context, DAY, EventKind, Session, Value};

use crate::state::rating;

/// One visitor's past. Feed it finished sessions with [`UserHistory::add`]; ask it before a new
/// one with [`UserHistory::write`].
///
/// | key | meaning |
/// |---|---|
/// | `prior_sessions` | earlier sessions |
/// | `prior_events` | events in them |
/// | `prior_views`, `prior_wishlist`, `prior_carts` | of which views of an item, additions to the wish list, to the cart |
/// | `prior_purchases`, `prior_refunds` | of which orders, cancellations |
/// | `prior_spend` | total value of the orders, in the shop's currency, where it is known |
/// | `prior_conversion` | share of the earlier sessions with an order; missing where there is none |
/// | `days_since_session`, `days_since_purchase` | days from the end of the last session, from the last order, to the start of this one; missing where there is none |
/// | `prior_searches`, `prior_reviews` | searches, reviews written |
/// | `prior_rating` | mean stars of the reviews; missing where there is none |
/// | `prior_abandoned` | earlier sessions with an addition to the cart and no order |
/// | `prior_order_value` | mean value of the orders whose value is known, in the shop's currency; missing where there is none |
/// | `days_since_first_session`, `days_since_cart` | days from the start of the first session, from the last addition to the cart, to the start of this one; missing where there is none |
/// | `days_between_orders` | mean days between one order and the next; missing before the second |
/// | `sessions_7_days`, `sessions_30_days` | earlier sessions that ended in the last 7, 30 days |
///
/// Each session costs the logarithm of the number of sessions in the last thirty days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserHistory {
    sessions: u32,
    converted: u32,
    events: u64,
    views: u64,
    wishlist: u64,
    carts: u64,
    purchases: u64,
    refunds: u64,
    spend: f64,
    last_event: Option<i64>,
    last_purchase: Option<i64>,
    searches: u64,
    reviews: u64,
    /// Number and sum of the stars.
    stars: (u64, f64),
    abandoned: u32,
    /// Orders whose value is known.
    valued: u64,
    first_session: Option<i64>,
    first_purchase: Option<i64>,
    last_cart: Option<i64>,
    /// Ends of the sessions in the thirty days before the last end, in order.
    recent: VecDeque<i64>,
}

impl UserHistory {
    /// The keys that become context unless [`crate::FitOptions::full_history`] asks for all.
    pub const BASE_KEYS: [&'static str; 11] = [
        "prior_sessions",
        "prior_events",
        "prior_views",
        "prior_wishlist",
        "prior_carts",
        "prior_purchases",
        "prior_refunds",
        "prior_spend",
        "prior_conversion",
        "days_since_session",
        "days_since_purchase",
    ];

    /// The other keys.
    pub const MORE_KEYS: [&'static str; 10] = [
        "prior_searches",
        "prior_reviews",
        "prior_rating",
        "prior_abandoned",
        "prior_order_value",
        "days_since_first_session",
        "days_since_cart",
        "days_between_orders",
        "sessions_7_days",
        "sessions_30_days",
    ];

    /// Every key that [`UserHistory::write`] can write.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        Self::BASE_KEYS.into_iter().chain(Self::MORE_KEYS)
    }

    /// A visitor who was never seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes what is known at `start_ms`, the start of the visitor's next session.
    pub fn write(&self, start_ms: i64, context: &mut Context) {
        let mut put = |key: &str, number: f64| {
            context.insert(key.to_owned(), Value::Number(number));
        };
        put("prior_sessions", f64::from(self.sessions));
        put("prior_events", self.events as f64);
        put("prior_views", self.views as f64);
        put("prior_wishlist", self.wishlist as f64);
        put("prior_carts", self.carts as f64);
        put("prior_purchases", self.purchases as f64);
        put("prior_refunds", self.refunds as f64);
        put("prior_spend", self.spend);
        if self.sessions > 0 {
            let share = f64::from(self.converted) / f64::from(self.sessions);
            put("prior_conversion", share);
        }
        for (key, time) in [
            ("days_since_session", self.last_event),
            ("days_since_purchase", self.last_purchase),
            ("days_since_first_session", self.first_session),
            ("days_since_cart", self.last_cart),
        ] {
            if let Some(time) = time {
                put(key, days(time, start_ms));
            }
        }
        put("prior_searches", self.searches as f64);
        put("prior_reviews", self.reviews as f64);
        put("prior_abandoned", f64::from(self.abandoned));
        for (key, sum, count) in [
            ("prior_rating", self.stars.1, self.stars.0),
            ("prior_order_value", self.spend, self.valued),
        ] {
            if count > 0 {
                put(key, sum / count as f64);
            }
        }
        if let (Some(first), Some(last), 2..) =
            (self.first_purchase, self.last_purchase, self.purchases)
        {
            put(
                "days_between_orders",
                days(first, last) / (self.purchases - 1) as f64,
            );
        }
        for (key, window) in [("sessions_7_days", 7), ("sessions_30_days", 30)] {
            let since = start_ms.saturating_sub(window * DAY);
            let before = self.recent.partition_point(|end| *end < since);
            put(key, (self.recent.len() - before) as f64);
        }
    }

    /// Adds a session that is over.
    pub fn add(&mut self, session: &Session) {
        self.sessions = self.sessions.saturating_add(1);
        self.converted = self
            .converted
            .saturating_add(u32::from(session.converted()));
        let end = end(session);
        self.last_event = later(self.last_event, end);
        self.first_session = earlier(self.first_session, session.start);
        self.remember(end);
        let (mut carts, mut orders) = (0_u64, 0_u64);
        for event in &session.events {
            self.events += 1;
            match event.kind {
                EventKind::ViewItem | EventKind::SelectItem => self.views += 1,
                EventKind::AddToWishlist => self.wishlist += 1,
                EventKind::AddToCart => {
                    carts += 1;
                    self.last_cart = later(self.last_cart, event.timestamp);
                }
                EventKind::Search => self.searches += 1,
                EventKind::Review => {
                    self.reviews += 1;
                    if let Some(stars) = rating(event) {
                        self.stars.0 += 1;
                        self.stars.1 += stars;
                    }
                }
                EventKind::Refund => self.refunds += 1,
                EventKind::Purchase => {
                    orders += 1;
                    if let Some(value) = event.value.filter(|value| value.is_finite()) {
                        self.valued += 1;
                        self.spend += value;
                    }
                    self.last_purchase = later(self.last_purchase, event.timestamp);
                    self.first_purchase = earlier(self.first_purchase, event.timestamp);
                }
                _ => {}
            }
        }
        self.carts += carts;
        self.purchases += orders;
        self.abandoned = self
            .abandoned
            .saturating_add(u32::from(carts > 0 && orders == 0));
    }

    /// Keeps the end of a session as long as a window can reach it.
    fn remember(&mut self, end: i64) {
        let position = self.recent.partition_point(|known| *known <= end);
        self.recent.insert(position, end);
        if let Some(newest) = self.recent.back().copied() {
            let since = newest.saturating_sub(30 * DAY);
            while self.recent.pop_front_if(|oldest| *oldest < since).is_some() {}
        }
    }

    /// Writes each session's context from the same user's sessions that had ended before it
    /// began; a session still open at that moment does not count. Sessions without a user are
    /// left as they are. The order of `sessions` does not matter and is kept.
    pub fn annotate(sessions: &mut [Session]) {
        let mut of_user: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, session) in sessions.iter().enumerate() {
            if let Some(user) = &session.user {
                of_user.entry(user.clone()).or_default().push(position);
            }
        }
        for mut by_start in of_user.into_values() {
            let start = |position: &usize| sessions.get(*position).map_or(0, |s| s.start);
            let close = |position: &usize| sessions.get(*position).map_or(0, end);
            let mut by_end = by_start.clone();
            by_start.sort_by_key(start);
            by_end.sort_by_key(close);

            let mut history = Self::new();
            let mut contexts = Vec::with_capacity(by_start.len());
            let mut ended = by_end.into_iter().peekable();
            for position in by_start {
                let begins = start(&position);
                while let Some(over) = ended.next_if(|over| close(over) < begins) {
                    if let Some(session) = sessions.get(over) {
                        history.add(session);
                    }
                }
                let mut context = Context::new();
                history.write(begins, &mut context);
                contexts.push((position, context));
            }
            for (position, mut context) in contexts {
                if let Some(session) = sessions.get_mut(position) {
                    session.context.append(&mut context);
                }
            }
        }
    }
}

/// The time of a session's last event.
fn end(session: &Session) -> i64 {
    session
        .events
        .iter()
        .map(|event| event.timestamp)
        .fold(session.start, i64::max)
}

/// Days from one time to another, at least zero.
fn days(from: i64, to: i64) -> f64 {
    to.saturating_sub(from).max(0) as f64 / DAY as f64
}

fn later(known: Option<i64>, time: i64) -> Option<i64> {
    Some(known.map_or(time, |known| known.max(time)))
}

fn earlier(known: Option<i64>, time: i64) -> Option<i64> {
    Some(known.map_or(time, |known| known.min(time)))
}
