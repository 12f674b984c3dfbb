//! What was made, counted.

use std::{collections::BTreeMap, fmt};

use propense_events::Session;
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;

/// Counts and sizes of what [`crate::giftshop`] wrote. Its `Display` is the table of the data card.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GiftshopReport {
    /// The seed.
    pub seed: u64,
    /// Sessions: one for each session summary.
    pub sessions: usize,
    /// Sessions with an order.
    pub orders: usize,
    /// Events by their names.
    pub events: BTreeMap<String, usize>,
    /// Real pages by page type.
    pub pages: BTreeMap<String, usize>,
    /// Sessions with a filled cart.
    pub carts: usize,
    /// Sessions with a begun checkout.
    pub checkouts: usize,
    /// The probability that one item page leads to a filled cart in a session without an order,
    /// which gives the share of abandoned carts that was asked for.
    pub cart_chance: f64,
    /// Lines put into carts.
    pub cart_lines: usize,
    /// Carts filled without a product page in the session.
    pub carts_without_view: usize,
    /// Sessions without a page in their summary, which got a landing page.
    pub landing_pages: usize,
    /// Sessions whose measured time cannot show between events: it lies on their last page.
    pub hidden_time: usize,
    /// First and last moment, in milliseconds since 1970.
    pub period: (i64, i64),
    /// Invoices from which items are drawn.
    pub invoices: usize,
    /// Of these, the ones that carts are made of, whole.
    pub whole_invoices: usize,
    /// Products in the catalogue.
    pub products: usize,
    /// Share of the invoices' lines that the catalogue's products make up.
    pub catalogue_share: f64,
    /// Products by department.
    pub departments: BTreeMap<String, usize>,
    /// Sessions in the file to replay, and how many of them have an order.
    pub sample: (usize, usize),
    /// Bytes of each file written.
    pub bytes: BTreeMap<String, u64>,
}

impl GiftshopReport {
    /// Counts the sessions' events and the catalogue's products.
    pub(crate) fn count(&mut self, sessions: &[Session], catalogue: &Catalogue) {
        self.sessions = sessions.len();
        self.orders = sessions.iter().filter(|s| s.converted()).count();
        self.products = catalogue.products.len();
        for session in sessions {
            for event in &session.events {
                *self.events.entry(event.kind.name().to_owned()).or_default() += 1;
                if let Some(page_type) = &event.page_type {
                    *self.pages.entry(page_type.clone()).or_default() += 1;
                }
            }
        }
        for product in &catalogue.products {
            let department = product.item_category.to_owned();
            *self.departments.entry(department).or_default() += 1;
        }
        let times = || sessions.iter().flat_map(|s| &s.events).map(|e| e.timestamp);
        self.period = (
            times().min().unwrap_or_default(),
            times().max().unwrap_or_default(),
        );
    }

    /// Share of sessions with an order.
    #[must_use]
    pub fn base_rate(&self) -> f64 {
        share(self.orders, self.sessions)
    }

    /// Share of filled carts without an order.
    #[must_use]
    pub fn carts_abandoned(&self) -> f64 {
        share(self.carts - self.orders.min(self.carts), self.carts)
    }

    /// Events of all kinds.
    #[must_use]
    pub fn total_events(&self) -> usize {
        self.events.values().sum()
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl fmt::Display for GiftshopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "| {name} | {value} |");
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let list = |counts: &BTreeMap<String, usize>| -> String {
            let entries: Vec<_> = counts.iter().map(|(k, n)| format!("{k} {n}")).collect();
            entries.join(", ")
        };
        row("what", "count".to_owned())?;
        row("---", "---".to_owned())?;
        row("seed", self.seed.to_string())?;
        row("sessions", self.sessions.to_string())?;
        row(
            "sessions with an order",
            format!("{} ({})", self.orders, percent(self.base_rate())),
        )?;
        row("events", self.total_events().to_string())?;
        row("events by kind", list(&self.events))?;
        row("pages by type", list(&self.pages))?;
        row(
            "sessions with a filled cart",
            format!(
                "{} ({} abandoned)",
                self.carts,
                percent(self.carts_abandoned())
            ),
        )?;
        row(
            "chance per item page of a cart that is abandoned",
            format!("{:.5}", self.cart_chance),
        )?;
        row("sessions with a begun checkout", self.checkouts.to_string())?;
        row("lines put into carts", self.cart_lines.to_string())?;
        row(
            "carts filled without a product page",
            self.carts_without_view.to_string(),
        )?;
        row(
            "sessions without a page, given a landing page",
            self.landing_pages.to_string(),
        )?;
        row(
            "sessions whose measured time lies on the last page",
            self.hidden_time.to_string(),
        )?;
        row("invoices drawn from", self.invoices.to_string())?;
        row(
            "of these used whole, as carts",
            self.whole_invoices.to_string(),
        )?;
        row(
            "products",
            format!(
                "{} ({} of the invoices' lines)",
                self.products,
                percent(self.catalogue_share)
            ),
        )?;
        row("products by department", list(&self.departments))?;
        let (sampled, bought) = self.sample;
        row(
            "sessions to replay",
            format!("{sampled} ({bought} with an order)"),
        )
    }
}
