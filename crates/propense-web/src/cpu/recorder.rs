//! One session as rows: what both backends score.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use propense_events::{Action, Context, Event, EventKind, Problem, Rule};
use propense_features::{FeatureSpec, Featuriser};
use serde::Serialize;

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// A row was added.
    Row,
    /// The event is an order, which the model never sees: it ends the session.
    Order,
    /// Training left such events out: nothing has happened.
    LeftOut,
}

/// The first item of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    item_id: String,
    /// The how manieth event of its kind with this item it is in the session, from 1.
    times: u32,
}

/// Featurises the events of one session in their order and keeps the rows.
#[derive(Clone)]
pub(crate) struct Recorder {
    spec: Arc<FeatureSpec>,
    /// What the shop says of the visitor and the session.
    given: Context,
    featuriser: Featuriser,
    /// Events × row length.
    rows: Vec<f32>,
    kinds: Vec<EventKind>,
    /// What each event with a row was about.
    subjects: Vec<Option<Subject>>,
    /// How often each item has been the first of an event of each kind.
    times: BTreeMap<(EventKind, String), u32>,
    /// Time of the newest event, or of the start.
    latest: i64,
    /// The newest event that opened a page; before the first, the newest event.
    page: Option<Event>,
    /// Items in the order of their last occurrence.
    seen: Vec<String>,
    /// Units by item.
    cart: BTreeMap<String, f64>,
    ordered: bool,
}

impl Recorder {
    /// A session without events that starts at this time (milliseconds since 1970).
    pub(crate) fn new(spec: &Arc<FeatureSpec>, given: Context, start: i64) -> Self {
        Self {
            spec: Arc::clone(spec),
            featuriser: Featuriser::new(Arc::clone(spec), start, &given),
            given,
            rows: Vec::new(),
            kinds: Vec::new(),
            subjects: Vec::new(),
            times: BTreeMap::new(),
            latest: start,
            page: None,
            seen: Vec::new(),
            cart: BTreeMap::new(),
            ordered: false,
        }
    }

    /// Adds an event.
    ///
    /// The first event fixes the session's start and may add to its context; context that comes
    /// later is left alone, since no training session knew it. A live stream cannot be sorted as a
    /// file is: an event earlier than the one before it counts at that one's time.
    pub(crate) fn push(
        &mut self,
        mut event: Event,
        row: u64,
        problems: &mut Vec<Problem>,
    ) -> Recorded {
        if self.spec.leaves_out(event.kind) {
            return Recorded::LeftOut;
        }
        if self.kinds.is_empty() {
            let mut context = self.given.clone();
            context.append(&mut event.context);
            self.featuriser = Featuriser::new(Arc::clone(&self.spec), event.timestamp, &context);
        } else if event.timestamp < self.latest {
            problems.push(Problem {
                rule: Rule::OutOfOrder,
                action: Action::Repaired,
                row,
                field: Some("timestamp".into()),
                detail: event.timestamp.to_string(),
            });
            event.timestamp = self.latest;
        }
        self.latest = event.timestamp;
        if event.kind == EventKind::Purchase && !self.spec.sees_orders() {
            self.ordered = true;
            return Recorded::Order;
        }
        let mut numbers = Vec::with_capacity(self.spec.row_len());
        self.featuriser.push(&event, &mut numbers);
        self.rows.extend_from_slice(&numbers);
        self.kinds.push(event.kind);
        let subject = self.subject(&event);
        self.subjects.push(subject);
        if opens_page(event.kind) || self.page.is_none() {
            self.page = Some(event.clone());
        }
        self.remember(event);
        Recorded::Row
    }

    fn subject(&mut self, event: &Event) -> Option<Subject> {
        let item_id = event.items.first()?.item_id.clone();
        let times = self.times.entry((event.kind, item_id.clone())).or_default();
        *times = times.saturating_add(1);
        Some(Subject {
            item_id,
            times: *times,
        })
    }

    fn remember(&mut self, event: Event) {
        for item in event.items {
            let units = item.quantity.unwrap_or(1.0);
            match event.kind {
                EventKind::AddToCart => {
                    *self.cart.entry(item.item_id.clone()).or_default() += units;
                }
                EventKind::RemoveFromCart => {
                    let left = self
                        .cart
                        .get(&item.item_id)
                        .map_or(0.0, |held| held - units);
                    if left > 0.0 {
                        self.cart.insert(item.item_id.clone(), left);
                    } else {
                        self.cart.remove(&item.item_id);
                    }
                }
                EventKind::Purchase => {
                    self.cart.remove(&item.item_id);
                }
                _ => {}
            }
            // A list shows items; only the others say what the visitor is interested in.
            if event.kind != EventKind::ViewItemList {
                self.seen.retain(|seen| *seen != item.item_id);
                self.seen.push(item.item_id);
            }
        }
    }

    /// Number of events with a row.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The kind of each event with a row.
    pub(crate) fn kinds(&self) -> &[EventKind] {
        &self.kinds
    }

    /// What each event with a row was about.
    pub(crate) fn subjects(&self) -> &[Option<Subject>] {
        &self.subjects
    }

    /// Events × row length.
    pub(crate) fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// The newest event's row; empty before the first event.
    pub(crate) fn last_row(&self) -> &[f32] {
        let start = self.rows.len().saturating_sub(self.spec.row_len());
        self.rows.get(start..).unwrap_or_default()
    }

    /// The session's context row.
    pub(crate) fn context(&self) -> &[f32] {
        self.featuriser.context()
    }

    /// What the shop says of the visitor and the session.
    pub(crate) const fn given(&self) -> &Context {
        &self.given
    }

    /// Whether an order has ended the session.
    pub(crate) const fn ordered(&self) -> bool {
        self.ordered
    }

    /// Time of the newest event, or of the start, in milliseconds since 1970.
    pub(crate) const fn latest(&self) -> i64 {
        self.latest
    }

    /// The newest event that opened a page; before the first, the newest event; before any, none.
    pub(crate) const fn page(&self) -> Option<&Event> {
        self.page.as_ref()
    }

    /// Items of the session, the newest last.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// Items in the cart.
    pub(crate) fn cart(&self) -> BTreeSet<&str> {
        self.cart.keys().map(String::as_str).collect()
    }

    /// The row that this event would add, were it the next.
    pub(crate) fn imagine(&self, event: &Event, row: &mut Vec<f32>) {
        self.featuriser.clone().push(event, row);
    }
}

/// Whether such an event shows the visitor another page; all others happen on the one that is open.
const fn opens_page(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::PageView
            | EventKind::Search
            | EventKind::ViewItemList
            | EventKind::SelectItem
            | EventKind::ViewItem
            | EventKind::ViewCart
            | EventKind::BeginCheckout
            | EventKind::AddShippingInfo
            | EventKind::AddPaymentInfo
    )
}
