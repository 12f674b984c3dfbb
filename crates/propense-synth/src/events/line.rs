//! What happens in a visit, before it is text.

use propense_events::EventKind;

use super::assortment::Item;

/// Currencies with their worth in hundredths of the shop's; the first is the shop's.
pub(crate) const CURRENCIES: [(&str, u64); 3] = [("GBP", 100), ("EUR", 115), ("USD", 127)];

/// An item of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pub(crate) item: Item,
    pub(crate) quantity: u32,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) kind: EventKind,
    pub(crate) lines: [Line; 4],
    /// Lines in use; 0 for an event without items, which is one row all the same.
    pub(crate) count: usize,
    pub(crate) page: &'static str,
    /// The number of an order, the word of a search, the stars of a review.
    pub(crate) detail: u64,
}

impl Act {
    pub(crate) fn on_item(kind: EventKind, item: Item, quantity: u32) -> Self {
        let mut lines = [Line::default(); 4];
        if let Some(first) = lines.first_mut() {
            *first = Line { item, quantity };
        }
        let page = match kind {
            EventKind::AddToCart | EventKind::ViewItem | EventKind::AddToWishlist => "product",
            EventKind::SelectItem => "category",
            EventKind::RemoveFromCart => "cart",
            EventKind::BeginCheckout | EventKind::Purchase => "checkout",
            _ => "",
        };
        Self {
            kind,
            lines,
            count: 1,
            page,
            detail: 0,
        }
    }

    pub(crate) fn on_page(kind: EventKind, page: &'static str) -> Self {
        Self {
            kind,
            lines: [Line::default(); 4],
            count: 0,
            page,
            detail: 0,
        }
    }

    /// Rows that it takes.
    pub(crate) fn rows(&self) -> u64 {
        self.count.max(1) as u64
    }

    pub(crate) fn is_order(&self) -> bool {
        matches!(self.kind, EventKind::Purchase | EventKind::Refund)
    }
}

/// What is wrong with an event's rows, as far as it shows in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// The timestamp is empty.
    NoTimestamp,
    /// The kind is empty.
    NoKind,
    /// The timestamp is a word.
    Malformed,
    /// The price is a hundred times too high.
    Pence,
    /// The price is below zero.
    Negative,
}

/// Kinds of names met, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) missing: u64,
    pub(crate) comma: u64,
    pub(crate) quote: u64,
    pub(crate) line_break: u64,
}
