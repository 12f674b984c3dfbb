//! What made-up events are drawn from: figures measured on the real sets, and the rates of dirt.
//!
//! "Taobao" is the set's file beside the project (84,475 events of 815 users, 2017-11-25 to
//! 12-03), "Online Retail" UCI 352 (431,673 lines). A test measures them again where the sets lie
//! beside the project. "Assumed" means that no set at hand measures the rate.

/// Shares of the events that are `buy`, `cart` and `fav`; the rest is `pv`. Taobao.
pub const BUY: f64 = 0.0207;
/// See [`BUY`].
pub const CART: f64 = 0.0532;
/// See [`BUY`].
pub const FAVOURITE: f64 = 0.0279;

/// Events of a session (cut at pauses of 30 minutes): cumulated share, events. Taobao.
pub const SESSION_EVENTS: [(f64, f64); 19] = [
    (0.3103, 1.0),
    (0.4512, 2.0),
    (0.5537, 3.0),
    (0.6286, 4.0),
    (0.6867, 5.0),
    (0.7302, 6.0),
    (0.7985, 8.0),
    (0.8434, 10.0),
    (0.8742, 12.0),
    (0.9099, 15.0),
    (0.9447, 20.0),
    (0.9643, 25.0),
    (0.9772, 30.0),
    (0.9900, 40.0),
    (0.9941, 50.0),
    (0.9964, 60.0),
    (0.9989, 80.0),
    (0.9996, 100.0),
    (1.0, 130.0),
];

/// Seconds between two events of a session: cumulated share, seconds. Taobao; two at least, so
/// that no clean event looks like a double fire.
pub const GAP_SECONDS: [(f64, f64); 19] = [
    (0.0, 2.0),
    (0.05, 6.0),
    (0.10, 10.0),
    (0.20, 17.0),
    (0.30, 26.0),
    (0.40, 38.0),
    (0.50, 54.0),
    (0.60, 77.0),
    (0.70, 112.0),
    (0.75, 138.0),
    (0.80, 176.0),
    (0.85, 235.0),
    (0.90, 337.0),
    (0.93, 456.0),
    (0.95, 591.0),
    (0.97, 835.0),
    (0.98, 1044.0),
    (0.99, 1363.0),
    (1.0, 1790.0),
];

/// Events of one user in the period. Taobao.
pub const EVENTS_PER_USER: u64 = 104;

/// Share of all sessions that each tenth of the users has, from the least to the most active.
/// Taobao.
pub const SESSIONS_BY_TENTH: [f64; 10] = [
    0.0289, 0.0443, 0.0555, 0.0699, 0.0820, 0.0943, 0.1102, 0.1300, 0.1576, 0.2273,
];

/// Events in each hour of the day, local time. Taobao.
pub const EVENTS_BY_HOUR: [f64; 24] = [
    2985.0, 1323.0, 671.0, 375.0, 451.0, 632.0, 1345.0, 2230.0, 2751.0, 3394.0, 3770.0, 3878.0,
    3419.0, 4291.0, 4231.0, 4665.0, 4564.0, 3877.0, 4165.0, 5517.0, 6611.0, 7468.0, 6690.0, 5137.0,
];

/// Share of the events in categories of popularity rank 1, 2–3, 4–7, 8–15 and so on: Zipf's law
/// with an exponent near 1. Taobao.
pub const CATEGORY_OCTAVES: [f64; 12] = [
    0.0486, 0.0736, 0.0944, 0.1024, 0.1205, 0.1124, 0.1076, 0.1022, 0.0942, 0.0807, 0.0516, 0.0117,
];

/// Chance that an event stays in the category of the one before. Taobao.
pub const SAME_CATEGORY: f64 = 0.467;

/// Chance that a `pv` returns to an item that the session has seen. Taobao.
pub const VIEWED_AGAIN: f64 = 0.105;
/// Chance that a purchase is of an item seen before. Taobao (within the nine days).
pub const BUY_OF_SEEN: f64 = 0.526;
/// Chance that an item put into the cart was seen before. Taobao.
pub const CART_OF_SEEN: f64 = 0.159;
/// Chance that a favourite was seen before. Taobao.
pub const FAVOURITE_OF_SEEN: f64 = 0.098;

/// Median price of a product in pence: cumulated share, pence. Online Retail.
pub const PRICE_PENCE: [(f64, f64); 9] = [
    (0.0, 10.0),
    (0.01, 19.0),
    (0.05, 39.0),
    (0.25, 125.0),
    (0.50, 210.0),
    (0.75, 415.0),
    (0.95, 995.0),
    (0.99, 2495.0),
    (1.0, 9900.0),
];

/// Share of product names with a comma. Online Retail.
pub const NAME_WITH_COMMA: f64 = 0.0095;
/// Share of product names with a quotation mark. Online Retail.
pub const NAME_WITH_QUOTE: f64 = 0.0025;
/// Share of product names with a line break. Assumed: rare.
pub const NAME_WITH_LINE_BREAK: f64 = 0.0001;
/// Share of products without a name. Online Retail.
pub const NAME_MISSING: f64 = 0.0032;

/// What `pv` is in a shop's own events, shares of all `pv`: a list, a page without an item, a
/// search, a click in a list; the rest are product pages. Assumed.
pub const LISTS: f64 = 0.14;
/// See [`LISTS`].
pub const PAGES: f64 = 0.08;
/// See [`LISTS`].
pub const SEARCHES: f64 = 0.06;
/// See [`LISTS`].
pub const CLICKS: f64 = 0.02;
/// Share of cart events that look at the cart; another that takes an item out. Assumed.
pub const CART_VIEWED: f64 = 0.17;
/// See [`CART_VIEWED`].
pub const CART_REMOVED: f64 = 0.08;
/// Orders with 1, 2, 3 and 4 items. Assumed (a consumer shop; Online Retail sells to resellers).
pub const ORDER_LINES: [f64; 4] = [0.55, 0.25, 0.12, 0.08];
/// Chance that an order is cancelled in the same session. Online Retail: share of lines.
pub const CANCELLED: f64 = 0.018;
/// Share of events that are reviews. Assumed: one for seven orders.
pub const REVIEWS: f64 = 0.003;

/// Share of sessions without log-in. Online Retail: share of lines without customer.
pub const GUESTS: f64 = 0.25;
/// Share of the sessions that begin anonymous and log in later. Assumed.
pub const LOGS_IN_LATER: f64 = 0.15;

/// Exact repetitions of a row. Online Retail 0.84 %, Online Shoppers 0.93 %.
pub const DUPLICATE: f64 = 0.0084;
/// The same action again within a second. Assumed; Taobao has 0.001 %, logged after cleaning.
pub const DOUBLE_FIRE: f64 = 0.004;
/// Rows that arrive after a later one of the same session. Assumed.
pub const OUT_OF_ORDER: f64 = 0.005;
/// Stamps before the period. Taobao: 35 of 84,475 rows, all of them earlier.
pub const OUTSIDE_PERIOD: f64 = 0.0004;
/// Stamps far in the future. Assumed.
pub const FUTURE: f64 = 0.0002;
/// Clocks never set: stamps in 1970. Assumed.
pub const ABSURD_TIMESTAMP: f64 = 0.0002;
/// Rows without a timestamp or without a kind (Taobao's layout: any field). Assumed.
pub const MISSING_FIELD: f64 = 0.0005;
/// Rows whose timestamp is no number. Assumed.
pub const MALFORMED: f64 = 0.0002;
/// Priced rows with a price below zero. Assumed; Online Retail has 0.5 % of zero or below.
pub const ABSURD_PRICE: f64 = 0.0005;
/// Priced rows of the best-known items whose price is in pence. Assumed; only items seen often
/// have a usual price to compare with.
pub const PRICE_IN_PENCE: f64 = 0.02;
/// Sessions in a foreign currency. Assumed; 9 % of the lines of Online Retail go abroad.
pub const FOREIGN_CURRENCY: f64 = 0.01;
/// Orders that are sent a second time, 5 to 60 seconds later. Assumed.
pub const REPEATED_ORDER: f64 = 0.005;
/// Sessions of bots. Assumed: between one and two rows in a hundred.
pub const BOT: f64 = 0.000_15;
/// Sessions of testers. Assumed; Online Retail has 3 such lines.
pub const TEST: f64 = 0.000_2;
/// Sessions whose identifier is used again more than a day later. Assumed.
pub const IMPOSSIBLE: f64 = 0.000_05;
