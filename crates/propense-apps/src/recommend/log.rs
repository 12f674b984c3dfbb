//! Visits as sequences of items: all that a recommender learns from.

use std::collections::{HashMap, HashSet};

use propense_events::{Event, EventKind, Session, sessionise};

/// One look at an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Click {
    /// The item's number in [`Items`].
    pub item: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// The items that a recommender knows, numbered from the most clicked one down.
///
/// The numbering settles every tie: of two items with equal scores the more popular one, which is
/// the one with the lower number, comes first. Equally popular ones stand in order of identifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Items {
    ids: Vec<String>,
    clicks: Vec<u32>,
    numbers: HashMap<String, u32>,
}

impl Items {
    /// Items with how often each was clicked. An identifier that comes twice is counted together.
    #[must_use]
    pub fn new(counts: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut together: HashMap<String, u32> = HashMap::new();
        for (id, count) in counts {
            let sum = together.entry(id).or_default();
            *sum = sum.saturating_add(count);
        }
        let mut sorted: Vec<(String, u32)> = together.into_iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let numbers = (0..).zip(&sorted).map(|(n, (id, _))| (id.clone(), n));
        Self {
            numbers: numbers.collect(),
            clicks: sorted.iter().map(|(_, count)| *count).collect(),
            ids: sorted.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The identifiers, by number.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// How often each item was clicked, by number.
    #[must_use]
    pub fn clicks(&self) -> &[u32] {
        &self.clicks
    }

    /// The identifier with this number.
    #[must_use]
    pub fn id(&self, number: u32) -> Option<&str> {
        self.ids.get(number as usize).map(String::as_str)
    }

    /// The number of this identifier.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }
}

/// One visit (or basket) under the shop's own identifiers.
#[derive(Debug, Clone, PartialEq)]
pub struct RawVisit {
    /// The session's identifier where the shop gave one, else the visitor's: it tells whether two
    /// files hold parts of one visit.
    pub owner: Owner,
    /// Item identifiers with their times (milliseconds since 1970), in order.
    pub clicks: Vec<(String, i64)>,
}

/// Whose a visit is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A session or an order that the shop names.
    Named(String),
    /// A visitor, whose visits are told apart by pauses.
    Visitor(String),
    /// Nobody is known.
    Nobody,
}

/// What the items of a visit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Product pages that were viewed, one visit a session.
    Views,
    /// Lines of an order, one visit an order, in the order in which the lines stand.
    Baskets,
}

impl Source {
    /// Views where the events hold any, else baskets.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let views = events.iter().any(|event| event.kind == EventKind::ViewItem);
        if views { Self::Views } else { Self::Baskets }
    }
}

/// The visits in these events, by start. A pause longer than `gap_ms` begins a new visit where the
/// shop names no sessions. Visits without any item are left out.
#[must_use]
pub fn visits(events: Vec<Event>, source: Source, gap_ms: i64) -> Vec<RawVisit> {
    let mut visits: Vec<RawVisit> = match source {
        Source::Views => {
            let views = events.into_iter().filter(|e| e.kind == EventKind::ViewItem);
            let (sessions, _) = sessionise(views.collect(), gap_ms);
            sessions.into_iter().map(viewed).collect()
        }
        Source::Baskets => {
            let orders = events.into_iter().filter(|e| e.kind == EventKind::Purchase);
            orders.map(basket).collect()
        }
    };
    visits.retain(|visit| !visit.clicks.is_empty());
    visits.sort_by_key(|visit| visit.clicks.first().map(|(_, at)| *at));
    visits
}

fn viewed(session: Session) -> RawVisit {
    let named = session.events.iter().find_map(|e| e.session_id.clone());
    let owner = match (named, session.user) {
        (Some(id), _) => Owner::Named(id),
        (None, Some(user)) => Owner::Visitor(user),
        (None, None) => Owner::Nobody,
    };
    let clicks = session.events.into_iter().flat_map(|event| {
        let at = event.timestamp;
        event.items.into_iter().map(move |item| (item.item_id, at))
    });
    RawVisit {
        owner,
        clicks: clicks.collect(),
    }
}

fn basket(order: Event) -> RawVisit {
    let at = order.timestamp;
    RawVisit {
        owner: order.transaction_id.map_or(Owner::Nobody, Owner::Named),
        clicks: order
            .items
            .into_iter()
            .map(|item| (item.item_id, at))
            .collect(),
    }
}

/// Drops from `train` every visit of which `test` holds a part: the same session or order, or a
/// visitor's visit within `gap_ms` of one in `test`. Returns how many were dropped.
pub fn drop_shared(train: &mut Vec<RawVisit>, test: &[RawVisit], gap_ms: i64) -> usize {
    let named: HashSet<&Owner> = test.iter().map(|visit| &visit.owner).collect();
    let mut spans: HashMap<&Owner, Vec<(i64, i64)>> = HashMap::new();
    for visit in test {
        spans.entry(&visit.owner).or_default().extend(span(visit));
    }
    let before = train.len();
    train.retain(|visit| match &visit.owner {
        Owner::Nobody => true,
        Owner::Named(_) => !named.contains(&visit.owner),
        Owner::Visitor(_) => {
            let theirs = spans.get(&visit.owner).map_or(&[][..], Vec::as_slice);
            let near = |(from, to): (i64, i64)| {
                let meets = |(other_from, other_to): &(i64, i64)| {
                    from <= other_to.saturating_add(gap_ms)
                        && *other_from <= to.saturating_add(gap_ms)
                };
                theirs.iter().any(meets)
            };
            !span(visit).is_some_and(near)
        }
    });
    before - train.len()
}

/// First and last moment.
fn span(visit: &RawVisit) -> Option<(i64, i64)> {
    Some((visit.clicks.first()?.1, visit.clicks.last()?.1))
}

/// Visits in numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// The items.
    pub items: Items,
    /// The clicks of each visit, by start.
    pub visits: Vec<Vec<Click>>,
}

impl Log {
    /// Numbers the items of these visits.
    #[must_use]
    pub fn new(visits: &[RawVisit]) -> Self {
        let all = visits.iter().flat_map(|visit| &visit.clicks);
        let items = Items::new(all.map(|(id, _)| (id.clone(), 1)));
        let visits = number(visits, &items);
        Self { items, visits }
    }
}

/// The visits in the numbers of these items. What is unknown is left out, and so is a visit of
/// which nothing is left.
#[must_use]
pub fn number(visits: &[RawVisit], items: &Items) -> Vec<Vec<Click>> {
    let known = |(id, at): &(String, i64)| {
        Some(Click {
            item: items.number(id)?,
            at: *at,
        })
    };
    let numbered = visits
        .iter()
        .map(|visit| visit.clicks.iter().filter_map(known).collect());
    numbered
        .filter(|clicks: &Vec<Click>| !clicks.is_empty())
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use propense_events::Item;

    /// One visit's looks at these items, all at once.
    pub(in crate::recommend) fn clicks(items: &[u32], at: i64) -> Vec<Click> {
        items.iter().map(|item| Click { item: *item, at }).collect()
    }

    /// Nobody's visit to these items, set apart by spaces.
    pub(in crate::recommend) fn visit(items: &str) -> RawVisit {
        let clicks = items.split_whitespace().map(|item| (item.to_owned(), 0));
        RawVisit {
            owner: Owner::Nobody,
            clicks: clicks.collect(),
        }
    }

    fn event(kind: EventKind, owner: &str, items: &str, at: i64) -> Event {
        let mut event = Event::new(kind, at);
        match owner.split_once('=') {
            Some(("s", id)) => event.session_id = Some(id.to_owned()),
            Some(("u", id)) => event.user_id = Some(id.to_owned()),
            Some(("t", id)) => event.transaction_id = Some(id.to_owned()),
            _ => {}
        }
        event.items = items
            .split_whitespace()
            .map(|id| Item {
                item_id: id.to_owned(),
                ..Item::default()
            })
            .collect();
        event
    }

    fn view(owner: &str, items: &str, at: i64) -> Event {
        event(EventKind::ViewItem, owner, items, at)
    }

    fn text(visits: &[RawVisit]) -> Vec<String> {
        let words = |visit: &RawVisit| {
            let ids: Vec<&str> = visit.clicks.iter().map(|(id, _)| id.as_str()).collect();
            ids.join(" ")
        };
        visits.iter().map(words).collect()
    }

    #[test]
    fn items_are_numbered_from_the_most_clicked_down() {
        let count = |id: &str, n| (id.to_owned(), n);
        let items = Items::new([count("b", 2), count("a", 2), count("c", 4), count("b", 1)]);
        assert_eq!(items.ids(), ["c", "b", "a"]);
        assert_eq!(items.clicks(), [4, 3, 2]);
        assert_eq!((items.number("b"), items.number("?")), (Some(1), None));
        assert_eq!((items.id(2), items.id(3)), (Some("a"), None));
    }

    #[test]
    fn visits_are_sessions_of_views() {
        let events = vec![
            view("s=2", "x", 50),
            view("s=1", "a", 10),
            event(EventKind::AddToCart, "s=1", "a", 11),
            view("s=1", "b", 20),
            view("u=me", "a", 30),
            view("u=me", "c", 31),
            view("u=me", "d", 2_000_000),
            view("s=3", "", 99),
        ];
        assert_eq!(Source::of(&events), Source::Views);
        let found = visits(events, Source::Views, 1_800_000);
        assert_eq!(text(&found), ["a b", "a c", "x", "d"]);
    }

    #[test]
    fn visits_are_orders_where_nothing_was_viewed() {
        let events = vec![
            event(EventKind::Purchase, "t=1", "b a", 10),
            event(EventKind::Refund, "t=C1", "b", 11),
            event(EventKind::Purchase, "t=2", "c", 5),
        ];
        assert_eq!(Source::of(&events), Source::Baskets);
        assert_eq!(text(&visits(events, Source::Baskets, 0)), ["c", "b a"]);
    }

    #[test]
    fn no_visit_is_learnt_from_that_is_tested() {
        let check = |train: Vec<Event>, test: Vec<Event>, expected: &[&str]| {
            let mut train = visits(train, Source::Views, 100);
            let test = visits(test, Source::Views, 100);
            let before = train.len();
            let dropped = drop_shared(&mut train, &test, 100);
            assert_eq!(text(&train), expected);
            assert_eq!(dropped, before - expected.len());
        };
        // A session cut at midnight.
        check(
            vec![view("s=1", "a", 1), view("s=2", "b", 2)],
            vec![view("s=2", "c", 500)],
            &["a"],
        );
        // A visitor's visit goes on within the pause; an earlier visit of theirs is another one.
        check(
            vec![view("u=1", "a", 1), view("u=1", "b", 900)],
            vec![view("u=1", "c", 1000)],
            &["a"],
        );
        check(vec![view("u=1", "a", 1)], vec![view("u=2", "c", 1)], &["a"]);
        check(vec![view("", "a", 1)], vec![view("", "c", 1)], &["a"]);
    }

    #[test]
    fn unknown_items_are_left_out() {
        let raw = visits(vec![view("s=1", "a b a", 1)], Source::Views, 0);
        let log = Log::new(&raw);
        assert_eq!(log.items.ids(), ["a", "b"]);
        let other = visits(
            vec![view("s=2", "x b y a", 1), view("s=3", "x", 2)],
            Source::Views,
            0,
        );
        let numbered = number(&other, &log.items);
        let items: Vec<Vec<u32>> = numbered
            .iter()
            .map(|visit| visit.iter().map(|click| click.item).collect())
            .collect();
        assert_eq!(items, [[1, 0]]);
        assert!(Log::new(&[]).items.is_empty());
    }
}
