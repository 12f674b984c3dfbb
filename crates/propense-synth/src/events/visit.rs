//! One session while it happens: what is done next, and when.

use propense_events::EventKind;

use super::{
    EventsLayout,
    assortment::{Assortment, Item},
    line::{Act, Line},
    rates,
    tally::Parcel,
};
use crate::draw::Draws;

/// What kind of visitor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Shopper,
    /// Walks through the assortment from a running number.
    Bot {
        next: u64,
        pace: Pace,
    },
    /// Tries the shop out and orders.
    Tester,
    /// A session whose identifier is used again more than a day later.
    Impossible,
}

impl Role {
    /// Somebody, with the number of events that the session is to have.
    pub(crate) fn draw(own_layout: bool, draws: &mut Draws) -> (Self, u32) {
        let events = (draws.quantile(&rates::SESSION_EVENTS) + 0.999) as u32;
        let share = draws.unit();
        if share < rates::BOT {
            // Taobao's layout has no place for a bot to declare itself.
            let (pace, low, more) = match draws.below(if own_layout { 3 } else { 2 }) {
                0 => (Pace::Fast, 150, 250),
                1 => (Pace::Long, 1_050, 950),
                _ => (Pace::Declared, 20, 80),
            };
            let events = low + draws.below(more) as u32;
            let next = draws.below(u64::from(u32::MAX));
            return (Self::Bot { next, pace }, events);
        }
        if own_layout && share < rates::BOT + rates::TEST {
            return (Self::Tester, events + 2);
        }
        if own_layout && share < rates::BOT + rates::TEST + rates::IMPOSSIBLE {
            return (Self::Impossible, events + 3);
        }
        (Self::Shopper, events)
    }
}

/// How a bot gives itself away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A few hundred events, milliseconds apart.
    Fast,
    /// More than a thousand events, seconds apart.
    Long,
    /// Says so itself.
    Declared,
}

/// Who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// One of the shop's users.
    User(u32),
    /// Somebody who is never known: a running number.
    Guest(u32),
}

/// What an order leads to.
#[derive(Debug, Clone, Copy)]
enum Then {
    Purchase(Item),
    Refund(Act),
}

/// Items remembered.
const SEEN: usize = 4;

/// A session under way.
pub(crate) struct Visit {
    pub(crate) role: Role,
    pub(crate) who: Who,
    /// The session's running number.
    pub(crate) number: u32,
    /// Events done, and still to come.
    pub(crate) done: u32,
    pub(crate) left: u32,
    /// From this event on the user is known; before, only the device.
    pub(crate) known_from: u32,
    /// Rows kept so far that do not say who the user is.
    pub(crate) unknown_rows: u64,
    /// Position in [`super::line::CURRENCIES`]; the first is the shop's.
    pub(crate) currency: usize,
    /// In milliseconds since 1970; nothing happens later.
    pub(crate) ends_by: i64,
    /// A row that arrives only after the next one.
    pub(crate) held: Option<Parcel>,
    category: u32,
    seen: [Item; SEEN],
    seen_count: usize,
    then: Option<Then>,
}

impl Visit {
    pub(crate) fn new(role: Role, who: Who, number: u32, left: u32, ends_by: i64) -> Self {
        Self {
            role,
            who,
            number,
            done: 0,
            left,
            known_from: 0,
            unknown_rows: 0,
            currency: 0,
            ends_by,
            held: None,
            category: 0,
            seen: [Item::default(); SEEN],
            seen_count: 0,
            then: None,
        }
    }

    /// Milliseconds to the next event.
    pub(crate) fn pause(&self, draws: &mut Draws) -> i64 {
        let between =
            |low: u64, high: u64, draws: &mut Draws| (low + draws.below(high - low)) as i64;
        match self.role {
            Role::Bot { pace, .. } => match pace {
                Pace::Fast => between(50, 250, draws),
                Pace::Long => between(1_000, 3_000, draws),
                Pace::Declared => between(2_000, 5_000, draws),
            },
            Role::Impossible if self.left == 1 => between(90_000_000, 108_000_000, draws),
            Role::Shopper | Role::Tester | Role::Impossible => {
                (draws.quantile(&rates::GAP_SECONDS) * 1_000.0) as i64 + draws.below(1_000) as i64
            }
        }
    }

    /// What is done next.
    pub(crate) fn act(
        &mut self,
        layout: EventsLayout,
        assortment: &Assortment,
        draws: &mut Draws,
    ) -> Act {
        if let Role::Bot { next, .. } = &mut self.role {
            let item = assortment.nth(*next);
            *next += 1;
            return Act::on_item(EventKind::ViewItem, item, 1);
        }
        if let Some(then) = self.then.take() {
            return match then {
                Then::Purchase(item) => self.purchase(item, assortment, draws),
                Then::Refund(order) => Act {
                    kind: EventKind::Refund,
                    ..order
                },
            };
        }
        let share = draws.unit();
        let own = layout == EventsLayout::Events;
        if self.role == Role::Tester && self.left == 1 {
            let item = self.item(0.0, assortment, draws);
            return self.purchase(item, assortment, draws);
        }
        let mut bound = rates::BUY;
        if share < bound {
            let item = self.item(rates::BUY_OF_SEEN, assortment, draws);
            if !own {
                return Act::on_item(EventKind::Purchase, item, 1);
            }
            if self.left > 1 {
                self.then = Some(Then::Purchase(item));
                return Act::on_item(EventKind::BeginCheckout, item, 1);
            }
            return self.purchase(item, assortment, draws);
        }
        bound += rates::CART;
        if share < bound {
            return self.cart(own, assortment, draws);
        }
        bound += rates::FAVOURITE;
        if share < bound {
            let item = self.item(rates::FAVOURITE_OF_SEEN, assortment, draws);
            return Act::on_item(EventKind::AddToWishlist, item, 1);
        }
        if own {
            self.browse(draws.unit(), assortment, draws)
        } else {
            let item = self.item(rates::VIEWED_AGAIN, assortment, draws);
            Act::on_item(EventKind::ViewItem, item, 1)
        }
    }

    fn cart(&mut self, own: bool, assortment: &Assortment, draws: &mut Draws) -> Act {
        let share = draws.unit();
        if own && share < rates::CART_VIEWED {
            return Act::on_page(EventKind::ViewCart, "cart");
        }
        let item = self.item(rates::CART_OF_SEEN, assortment, draws);
        let kind = if own && share < rates::CART_VIEWED + rates::CART_REMOVED {
            EventKind::RemoveFromCart
        } else {
            EventKind::AddToCart
        };
        Act::on_item(kind, item, 1 + draws.below(2) as u32)
    }

    /// What Taobao's `pv` is in a shop's own events.
    fn browse(&mut self, share: f64, assortment: &Assortment, draws: &mut Draws) -> Act {
        let mut bound = rates::LISTS;
        if share < bound {
            return Act::on_page(EventKind::ViewItemList, "category");
        }
        bound += rates::PAGES;
        if share < bound {
            return Act::on_page(EventKind::PageView, "informational");
        }
        bound += rates::SEARCHES;
        if share < bound {
            let mut act = Act::on_page(EventKind::Search, "search");
            act.detail = draws.below(1 << 16);
            return act;
        }
        let item = self.item(rates::VIEWED_AGAIN, assortment, draws);
        bound += rates::CLICKS;
        if share < bound {
            return Act::on_item(EventKind::SelectItem, item, 1);
        }
        if share > 1.0 - rates::REVIEWS {
            let mut act = Act::on_item(EventKind::Review, item, 1);
            act.detail = 1 + draws.below(5);
            return act;
        }
        Act::on_item(EventKind::ViewItem, item, 1)
    }

    fn purchase(&mut self, item: Item, assortment: &Assortment, draws: &mut Draws) -> Act {
        let mut act = Act::on_item(EventKind::Purchase, item, 1 + draws.below(3) as u32);
        act.detail = u64::from(self.number) * 1_000 + u64::from(self.done);
        let share = draws.unit();
        let mut bound = 0.0;
        for (count, chance) in (1_usize..).zip(rates::ORDER_LINES) {
            bound += chance;
            if share < bound {
                act.count = count;
                break;
            }
        }
        // An item stands in an order once: a second line would be an exact repetition.
        let mut distinct = 1;
        for _ in 1..act.count {
            let item = self.item(0.0, assortment, draws);
            let (earlier, rest) = act.lines.split_at_mut(distinct);
            if earlier.iter().all(|line| line.item != item)
                && let Some(line) = rest.first_mut()
            {
                *line = Line { item, quantity: 1 };
                distinct += 1;
            }
        }
        act.count = distinct;
        if draws.chance(rates::CANCELLED) && self.left > 1 && self.role == Role::Shopper {
            self.then = Some(Then::Refund(act));
        }
        act
    }

    /// An item that the session has seen, with this chance, or else another.
    fn item(&mut self, seen_before: f64, assortment: &Assortment, draws: &mut Draws) -> Item {
        // The last one is left out: nobody opens the page that is open.
        let earlier = self.seen_count.min(SEEN).saturating_sub(1);
        if earlier > 0 && draws.chance(seen_before) {
            let back = 2 + draws.index(earlier);
            let place = (self.seen_count + 2 * SEEN - back) % SEEN;
            if let Some(item) = self.seen.get(place) {
                return *item;
            }
        }
        if self.category == 0 || !draws.chance(rates::SAME_CATEGORY) {
            self.category = assortment.category(draws);
        }
        let item = assortment.item(self.category, draws);
        if let Some(place) = self.seen.get_mut(self.seen_count % SEEN) {
            *place = item;
        }
        self.seen_count += 1;
        item
    }
}
