//! What the data card calls imputed does not give the outcome away.
//!
//! Looks at the data in the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use propense_events::{Event, EventKind, Session};
use propense_synth::{GiftshopOptions, GiftshopSources, giftshop};

use crate::real;

/// Of all pairs of a session with and one without an order that agree in everything real that the
/// statistic depends on (their stratum): how often the first has the higher value. 0.5 says that
/// the statistic tells nothing.
fn matched_auc<S: Ord>(rows: impl IntoIterator<Item = (S, bool, f64)>) -> f64 {
    let mut strata: BTreeMap<S, [Vec<f64>; 2]> = BTreeMap::new();
    for (stratum, bought, value) in rows {
        strata.entry(stratum).or_default()[usize::from(bought)].push(value);
    }
    let (mut higher, mut pairs) = (0.0, 0.0);
    for [without, with] in strata.values() {
        for a in with {
            for b in without {
                higher += if a > b {
                    1.0
                } else {
                    f64::from(u8::from(a == b)) / 2.0
                };
                pairs += 1.0;
            }
        }
    }
    assert!(pairs > 50_000.0, "too few pairs to say anything: {pairs}");
    higher / pairs
}

/// A session as the tests look at it.
struct Seen {
    session: Session,
    bought: bool,
    /// Positions of pages among the events.
    pages: Vec<usize>,
    counts: BTreeMap<String, usize>,
}

impl Seen {
    fn new(session: Session) -> Self {
        use EventKind::{PageView, ViewItem, ViewItemList};
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut pages = Vec::new();
        for (position, event) in session.events.iter().enumerate() {
            if matches!(event.kind, PageView | ViewItem | ViewItemList) {
                *counts
                    .entry(event.page_type.clone().unwrap_or_default())
                    .or_default() += 1;
                pages.push(position);
            }
        }
        Self {
            bought: session.converted(),
            session,
            pages,
            counts,
        }
    }

    fn events(&self, kind: EventKind) -> impl Iterator<Item = &Event> {
        let before = self.session.before_purchase().iter();
        before.filter(move |event| event.kind == kind)
    }

    fn count(&self, kind: EventKind) -> usize {
        self.events(kind).count()
    }

    fn products(&self) -> usize {
        self.counts.get("product").copied().unwrap_or_default()
    }

    fn month(&self) -> String {
        format!("{:?}", self.session.context["month"])
    }

    fn weekend(&self) -> bool {
        self.session.context["weekend"] == propense_events::Value::Flag(true)
    }
}

fn seen(dir: &Path) -> Vec<Seen> {
    let sessions = real::read_sessions(dir);
    sessions.into_iter().map(Seen::new).collect()
}

/// How often each item is looked at in the whole data.
fn popularity(seen: &[Seen]) -> BTreeMap<String, f64> {
    let mut popularity = BTreeMap::new();
    for event in seen.iter().flat_map(|s| s.events(EventKind::ViewItem)) {
        *popularity
            .entry(event.items[0].item_id.clone())
            .or_default() += 1.0;
    }
    popularity
}

fn check(name: &str, auc: f64) {
    println!("{name}: {auc:.4}");
    assert!(
        (auc - 0.5).abs() <= 0.03,
        "{name} tells the outcome: AUC {auc:.4}"
    );
}

#[test]
fn times_order_and_items_do_not_tell_buyers_from_others() {
    let seen = seen(&real::committed());
    let popularity = popularity(&seen);
    // What is drawn from a month's invoices is compared within the month, what depends on the
    // number of product pages within sessions that have as many.
    let by_month = |value: &dyn Fn(&Seen) -> Option<f64>| -> Vec<(String, bool, f64)> {
        let rows = seen
            .iter()
            .filter_map(|s| Some((s.month(), s.bought, value(s)?)));
        rows.collect()
    };
    let by_pages = |value: &dyn Fn(&Seen) -> f64| -> Vec<(usize, bool, f64)> {
        let rows = seen.iter().filter(|s| s.products() > 1);
        rows.map(|s| (s.products(), s.bought, value(s))).collect()
    };
    let hour = |s: &Seen| (s.session.start / 1_000 % 86_400) as f64;
    check(
        "time of day",
        matched_auc(
            seen.iter()
                .map(|s| ((s.month(), s.weekend()), s.bought, hour(s))),
        ),
    );
    let day = |s: &Seen| (s.session.start / 86_400_000) as f64;
    check(
        "day of the month",
        matched_auc(
            seen.iter()
                .map(|s| ((s.month(), s.weekend()), s.bought, day(s))),
        ),
    );
    let items = |s: &Seen| -> Vec<f64> {
        let views = s.events(EventKind::ViewItem);
        views.map(|e| popularity[&e.items[0].item_id]).collect()
    };
    check(
        "popularity of the first item",
        matched_auc(by_month(&|s| items(s).first().copied())),
    );
    check(
        "popularity of the last item",
        matched_auc(by_month(&|s| items(s).last().copied())),
    );
    check(
        "price of the first item",
        matched_auc(by_month(&|s| {
            s.events(EventKind::ViewItem).next()?.items[0].price
        })),
    );
    check(
        "list pages",
        matched_auc(by_pages(&|s| s.count(EventKind::ViewItemList) as f64)),
    );
    check(
        "share of distinct items",
        matched_auc(by_pages(&|s| {
            let views = s.events(EventKind::ViewItem);
            let ids: BTreeSet<_> = views.map(|e| &e.items[0].item_id).collect();
            ids.len() as f64 / s.count(EventKind::ViewItem) as f64
        })),
    );
}

#[test]
fn page_order_and_dwell_do_not_tell_buyers_from_others() {
    let seen = seen(&real::committed());
    // The place of the last page follows from real seconds; the others are shuffled, so that the
    // mean place of any type's pages lies around the middle, whatever the counts.
    check(
        "mean place of administrative pages",
        matched_auc(seen.iter().filter_map(|s| {
            let (_, pages) = s.pages.split_last()?;
            let administrative = |page: &usize| {
                s.session.events[*page].page_type.as_deref() == Some("administrative")
            };
            let places: Vec<f64> = (0..pages.len())
                .filter(|place| administrative(&pages[*place]))
                .map(|place| (place as f64 + 0.5) / pages.len() as f64)
                .collect();
            (!places.is_empty()).then(|| {
                (
                    (),
                    s.bought,
                    places.iter().sum::<f64>() / places.len() as f64,
                )
            })
        })),
    );
    // Each page's share of its type's seconds is a random cut, whatever the sum.
    let gaps = |s: &Seen| -> Vec<f64> {
        let product = |p: &usize| s.session.events[*p].page_type.as_deref() == Some("product");
        s.pages
            .windows(2)
            .filter(|pair| product(&pair[0]))
            .map(|pair| {
                (s.session.events[pair[1]].timestamp - s.session.events[pair[0]].timestamp) as f64
            })
            .collect()
    };
    let rows = |value: &dyn Fn(&[f64]) -> f64| -> Vec<(usize, bool, f64)> {
        seen.iter()
            .filter_map(|s| {
                let gaps = gaps(s);
                let total: f64 = gaps.iter().sum();
                (gaps.len() > 1 && total > 60_000.0)
                    .then(|| (gaps.len(), s.bought, value(&gaps) / total))
            })
            .collect()
    };
    check("first dwell", matched_auc(rows(&|gaps| gaps[0])));
    check(
        "last dwell",
        matched_auc(rows(&|gaps| gaps[gaps.len() - 1])),
    );
}

#[test]
fn carts_do_not_tell_buyers_from_those_who_abandon_them() {
    let seen = seen(&real::committed());
    let popularity = popularity(&seen);
    let rows = |value: &dyn Fn(&Seen) -> f64| -> Vec<(usize, bool, f64)> {
        seen.iter()
            .filter(|s| s.count(EventKind::AddToCart) > 0)
            .map(|s| (s.count(EventKind::ViewItem), s.bought, value(s)))
            .collect()
    };
    let added = |s: &Seen| s.count(EventKind::AddToCart) as f64;
    check("lines added", matched_auc(rows(&added)));
    check(
        "lines removed",
        matched_auc(rows(&|s| s.count(EventKind::RemoveFromCart) as f64)),
    );
    check(
        "views before the first line",
        matched_auc(rows(&|s| {
            let events = s.session.events.iter();
            let before = events.take_while(|e| e.kind != EventKind::AddToCart);
            before.filter(|e| e.kind == EventKind::ViewItem).count() as f64
        })),
    );
    let first = |s: &Seen| s.events(EventKind::AddToCart).next().unwrap().items[0].clone();
    check(
        "units of the first line",
        matched_auc(rows(&|s| first(s).quantity.unwrap())),
    );
    check(
        "price of the first line",
        matched_auc(rows(&|s| first(s).price.unwrap())),
    );
    check(
        "popularity of the first line",
        matched_auc(rows(&|s| {
            popularity.get(&first(s).item_id).copied().unwrap_or(0.0)
        })),
    );
    // Looking at the cart belongs to beginning the checkout, whose rate differs as documented.
    check(
        "looks at the cart before the checkout",
        matched_auc(rows(&|s| {
            let checkouts = s.count(EventKind::BeginCheckout);
            (s.count(EventKind::ViewCart) - checkouts) as f64
        })),
    );
    check(
        "pages after the checkout was begun",
        matched_auc(
            seen.iter()
                .filter(|s| s.count(EventKind::BeginCheckout) > 0)
                .map(|s| {
                    let begun = s
                        .session
                        .events
                        .iter()
                        .position(|e| e.kind == EventKind::BeginCheckout)
                        .unwrap();
                    let after = s.pages.iter().filter(|page| **page > begun).count();
                    ((), s.bought, after as f64)
                }),
        ),
    );
}

#[test]
fn without_matching_the_real_page_counts_do_tell() {
    // The test of the tests: the same statistic finds what is really there.
    let seen = seen(&real::committed());
    let auc = matched_auc(seen.iter().map(|s| ((), s.bought, s.products() as f64)));
    assert!(auc > 0.6, "{auc}");
}

/// The strongest statement, checked on two folders made from the same summaries but with every
/// outcome turned around: visitors come at the same times, see the same pages for as long, and
/// those who fill a cart both times fill it with the same lines. Returns how many of these.
pub(crate) fn same_visits(dir: &Path, turned: &Path) -> usize {
    let pages = |s: &Seen| -> Vec<Event> {
        let pages = s.pages.iter();
        pages.map(|page| s.session.events[*page].clone()).collect()
    };
    let cart = |s: &Seen| -> Vec<(EventKind, String)> {
        use EventKind::{AddToCart, RemoveFromCart};
        let events = s.session.events.iter();
        events
            .filter(|e| matches!(e.kind, AddToCart | RemoveFromCart))
            .map(|e| (e.kind, e.items[0].item_id.clone()))
            .collect()
    };
    let (before, after) = (seen(dir), seen(turned));
    assert_eq!(before.len(), after.len());
    let mut carts = 0;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.session.id, after.session.id);
        assert_ne!(before.bought, after.bought);
        assert_eq!(pages(before), pages(after), "{}", before.session.id);
        let (before, after) = (cart(before), cart(after));
        if !before.is_empty() && !after.is_empty() {
            assert_eq!(before, after);
            carts += 1;
        }
    }
    carts
}

#[test]
fn another_outcome_leaves_the_visit_as_it_was() {
    let Some((_, retail)) = real::sources() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let shoppers = dir.path().join("turned.csv");
    fs::write(&shoppers, real::turned(&real::shoppers())).unwrap();
    let sources = GiftshopSources { shoppers, retail };
    let report = giftshop(&sources, &GiftshopOptions::default(), dir.path(), |_| {}).unwrap();
    assert_eq!(report.orders, 9_801 - 1_539);
    let carts = same_visits(&real::committed(), dir.path());
    assert!(carts > 1_000, "{carts}");
}
