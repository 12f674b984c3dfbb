//! What a visitor did in earlier sessions, as context of the next one.

use std::collections::BTreeMap;

use propense_events::{Context, EventKind, Session, Value};

/// Milliseconds in a day.
const DAY: f64 = 86_400_000.0;

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
}

impl UserHistory {
    /// Every key that [`UserHistory::write`] can write.
    pub const KEYS: [&str; 11] = [
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
        let days = |time: i64| start_ms.saturating_sub(time).max(0) as f64 / DAY;
        if let Some(time) = self.last_event {
            put("days_since_session", days(time));
        }
        if let Some(time) = self.last_purchase {
            put("days_since_purchase", days(time));
        }
    }

    /// Adds a session that is over.
    pub fn add(&mut self, session: &Session) {
        self.sessions = self.sessions.saturating_add(1);
        self.converted = self
            .converted
            .saturating_add(u32::from(session.converted()));
        let end = end(session);
        self.last_event = Some(self.last_event.map_or(end, |last| last.max(end)));
        for event in &session.events {
            self.events += 1;
            match event.kind {
                EventKind::ViewItem | EventKind::SelectItem => self.views += 1,
                EventKind::AddToWishlist => self.wishlist += 1,
                EventKind::AddToCart => self.carts += 1,
                EventKind::Refund => self.refunds += 1,
                EventKind::Purchase => {
                    self.purchases += 1;
                    self.spend += event.value.filter(|v| v.is_finite()).unwrap_or(0.0);
                    let time = event.timestamp;
                    let last = self.last_purchase.map_or(time, |last| last.max(time));
                    self.last_purchase = Some(last);
                }
                _ => {}
            }
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
                contexts.push((position, history.clone()));
            }
            for (position, history) in contexts {
                if let Some(session) = sessions.get_mut(position) {
                    history.write(session.start, &mut session.context);
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
