//! Every imputed rate, with its source. The data card repeats this list in words.
//!
//! "Assumed" means that no source was found that measures the rate for a shop like this one. An
//! assumed rate is the same for sessions with and without an order, so it cannot tell them apart.

/// Share of filled carts that end without an order. Baymard Institute's average of the published
/// studies (`baymard.com/lists/cart-abandonment-rate`) is 70 %.
pub const CARTS_ABANDONED: f64 = 0.70;

/// Share of abandoned carts with which the checkout was begun. From the funnel of KISSmetrics
/// (`kissmetrics.io/blog/ecommerce-funnel-optimization`; of 100 visits to a product page 7 to 8
/// reach the cart, 3 to 4 the checkout, 2 to 3 an order), middle of each range:
/// (3.5 − 2.5) / (7.5 − 2.5). Every order has a begun checkout.
pub const CHECKOUT_OF_ABANDONED: f64 = 0.20;

/// Share of product-related pages, after the first, that show a list and no single item. Assumed.
pub const LIST_PAGES: f64 = 0.25;

/// Weights in percent of where the item of an item page comes from, for every session, where the
/// page is not one of those that show the lines of the session's invoice. Assumed.
pub const NEXT_ITEM: NextItem = NextItem {
    co_purchased: 40,
    popular: 30,
};

/// Where the next item comes from, in percent; what remains to 100 is a return to an item that the
/// session has seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextItem {
    /// Another line of an invoice of that month that holds an item already seen.
    pub co_purchased: u64,
    /// Any line of any invoice of that month.
    pub popular: u64,
}

/// Item pages seen for each line of the invoice that a session is interested in, at least. Assumed.
pub const VIEWS_PER_CART_LINE: usize = 4;

/// Units of one line at most, for an invoice to be one shopper's cart: the shop also sells to
/// resellers. Invoices with more are passed over as carts, never cut.
pub const MAX_QUANTITY: u32 = 24;

/// Chance, for each line that stays in the cart, that another product is put in and taken out
/// again. Assumed.
pub const REMOVED_LINES: f64 = 0.08;

/// Chance that the cart is looked at after a line was added. Assumed.
pub const CART_VIEWED: f64 = 0.30;

/// Chance, page by page from the end of the session backwards, that the checkout was begun one
/// page earlier still. Assumed.
pub const CHECKOUT_EARLIER: f64 = 0.50;

/// Lines of an invoice at most for its products to count as bought together. Larger ones in the
/// file gather a day of small orders.
pub const MAX_INVOICE_LINES: usize = 100;
