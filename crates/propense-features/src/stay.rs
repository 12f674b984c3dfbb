//! How long item pages stay open.

use propense_events::{Event, EventKind};

/// A page that is left open longer is not read: no stay counts for more (milliseconds).
const LONGEST: i64 = 30 * 60 * 1000;

/// What an event does to the page that is open.
enum Step {
    /// Opens an item's page.
    Item,
    /// Opens another page.
    Page,
    /// Happens on the page that is open.
    Stay,
}

const fn step(kind: EventKind) -> Step {
    match kind {
        EventKind::SelectItem | EventKind::ViewItem => Step::Item,
        EventKind::PageView
        | EventKind::Search
        | EventKind::ViewItemList
        | EventKind::ViewCart
        | EventKind::BeginCheckout
        | EventKind::AddShippingInfo
        | EventKind::AddPaymentInfo
        | EventKind::Purchase => Step::Page,
        _ => Step::Stay,
    }
}

#[derive(Debug, Clone)]
struct Open {
    item_id: String,
    since: i64,
    /// The click in a list, of which the view of the same item is the other half.
    by_click: bool,
}

/// What an event tells about stays.
pub(crate) struct Seen {
    /// Milliseconds that the item's page open before the event had been open.
    pub(crate) dwell: Option<i64>,
    /// Whether the event opens an item's page.
    pub(crate) opens: bool,
}

/// The item page that is open, and the stays that are over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stays {
    open: Option<Open>,
    over: u32,
    /// Milliseconds, over all of them.
    total: i64,
}

impl Stays {
    /// Takes in an event at `now`, which never runs backwards.
    pub(crate) fn update(&mut self, event: &Event, now: i64) -> Seen {
        let dwell = self
            .open
            .as_ref()
            .map(|open| now.saturating_sub(open.since).min(LONGEST));
        let step = step(event.kind);
        let item = event.items.first().map(|item| item.item_id.as_str());
        let same_opening = event.kind == EventKind::ViewItem
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.by_click && Some(open.item_id.as_str()) == item);
        if let Some(open) = &mut self.open {
            // Whatever comes next, the click has had its view, or will have none.
            open.by_click = false;
        }
        if same_opening || matches!(step, Step::Stay) {
            return Seen {
                dwell,
                opens: false,
            };
        }
        if let Some(dwell) = dwell {
            self.over = self.over.saturating_add(1);
            self.total = self.total.saturating_add(dwell);
        }
        self.open = match (step, item) {
            (Step::Item, Some(item)) => Some(Open {
                item_id: item.to_owned(),
                since: now,
                by_click: event.kind == EventKind::SelectItem,
            }),
            _ => None,
        };
        Seen {
            dwell,
            opens: self.open.is_some(),
        }
    }

    /// Mean milliseconds of the stays that are over.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.over > 0).then(|| self.total as f64 / f64::from(self.over))
    }
}
