//! The event schema: what a shop page emits, under its GA4 ecommerce names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the visitor did. Serialised under the GA4 ecommerce event name.
///
/// `follow` (a favourite or a watched item) is GA4's `add_to_wishlist`; `review` has no GA4
/// counterpart and is kept under that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A page that shows no single item: home, help, account.
    PageView,
    /// A search in the shop.
    Search,
    /// A list of items: a category or a page of results.
    ViewItemList,
    /// A click on an item in a list.
    SelectItem,
    /// An item's own page.
    ViewItem,
    /// An item put on the wish list, followed, or marked as favourite.
    AddToWishlist,
    /// An item put into the cart.
    AddToCart,
    /// An item taken out of the cart.
    RemoveFromCart,
    /// The cart's page.
    ViewCart,
    /// The first checkout step.
    BeginCheckout,
    /// The delivery step.
    AddShippingInfo,
    /// The payment step.
    AddPaymentInfo,
    /// An order.
    Purchase,
    /// A cancelled or returned order.
    Refund,
    /// A review or rating written by the visitor.
    Review,
    /// Anything else that the shop emits.
    #[serde(other)]
    Other,
}

impl EventKind {
    /// Every kind, in the order of the variants.
    pub const ALL: [Self; 16] = [
        Self::PageView,
        Self::Search,
        Self::ViewItemList,
        Self::SelectItem,
        Self::ViewItem,
        Self::AddToWishlist,
        Self::AddToCart,
        Self::RemoveFromCart,
        Self::ViewCart,
        Self::BeginCheckout,
        Self::AddShippingInfo,
        Self::AddPaymentInfo,
        Self::Purchase,
        Self::Refund,
        Self::Review,
        Self::Other,
    ];

    /// The GA4 name, as in `view_item`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PageView => "page_view",
            Self::Search => "search",
            Self::ViewItemList => "view_item_list",
            Self::SelectItem => "select_item",
            Self::ViewItem => "view_item",
            Self::AddToWishlist => "add_to_wishlist",
            Self::AddToCart => "add_to_cart",
            Self::RemoveFromCart => "remove_from_cart",
            Self::ViewCart => "view_cart",
            Self::BeginCheckout => "begin_checkout",
            Self::AddShippingInfo => "add_shipping_info",
            Self::AddPaymentInfo => "add_payment_info",
            Self::Purchase => "purchase",
            Self::Refund => "refund",
            Self::Review => "review",
            Self::Other => "other",
        }
    }

    /// A small number for tables of numbers: the position in [`Self::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this [`Self::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The kind with this GA4 name; [`EventKind::Other`] where there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or(Self::Other)
    }
}

/// One item of an event.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Item {
    /// The shop's identifier (SKU).
    pub item_id: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_name: Option<String>,
    /// The category: the path from the outermost level on, levels joined by `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_category: Option<String>,
    /// The brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_brand: Option<String>,
    /// Price of one unit, in the shop's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Number of units; one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
}

/// A number or a category that describes the visitor or the session as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A quantity.
    Number(f64),
    /// One of a set of names.
    Category(String),
}

/// Named values that describe a session as a whole: visitor type, device, counts of earlier orders.
pub type Context = BTreeMap<String, Value>;

/// One thing that a visitor did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What was done.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub timestamp: i64,
    /// Who, as a pseudonymous identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The device or browser, as the shop's analytics know it before anybody has logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// The shop's own session identifier, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The items concerned: one for a product page, several for an order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// The kind of page: `product`, `administrative`, `informational`, or the shop's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_type: Option<String>,
    /// The event's total value in the shop's currency, where the shop gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The currency of prices and value, as an ISO 4217 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The order's identifier, on orders and refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// What was searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_term: Option<String>,
    /// The rating given in a review, 1 (worst) to 5 (best).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<f64>,
    /// What is known of the visitor and the session at this moment.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    pub context: Context,
}

impl Event {
    /// An event of this kind at this time (milliseconds since 1970), with nothing else known.
    #[must_use]
    pub const fn new(kind: EventKind, timestamp: i64) -> Self {
        Self {
            kind,
            timestamp,
            user_id: None,
            anonymous_id: None,
            session_id: None,
            items: Vec::new(),
            page_type: None,
            value: None,
            currency: None,
            transaction_id: None,
            search_term: None,
            rating: None,
            context: Context::new(),
        }
    }
}
