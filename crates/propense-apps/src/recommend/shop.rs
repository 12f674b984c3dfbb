//! A shop's items with what is known of them, and the lists that its visitors are shown.

use std::collections::{BTreeMap, HashSet};

use propense_events::{Event, EventKind};
use serde::Serialize;

use super::content::NewItems;
use super::log::{Items, Owner, RawVisit};
use super::policy::{ItemFacts, Policy};

/// One place of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pick {
    /// The item.
    pub item_id: String,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: ItemFacts,
    /// Its score: comparable within one list only.
    pub score: f32,
    /// Whether nobody has clicked it yet.
    pub new: bool,
}

/// What is known of all items: those with clicks, by number, then the new ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    ids: Vec<String>,
    facts: Vec<ItemFacts>,
    old: usize,
    new: NewItems,
}

impl Shop {
    /// Joins what the events say of items (the latest that is not missing) and what the catalogue
    /// says, which wins. An item of the catalogue without clicks is new.
    #[must_use]
    pub fn new(items: &Items, events: &[Event], catalogue: &BTreeMap<String, ItemFacts>) -> Self {
        let mut known: BTreeMap<&str, (i64, ItemFacts)> = BTreeMap::new();
        for event in events {
            for item in &event.items {
                let (latest, facts) = known.entry(&item.item_id).or_default();
                let newer = event.timestamp >= *latest;
                *latest = event.timestamp.max(*latest);
                take(&mut facts.name, item.item_name.as_ref(), newer);
                take(&mut facts.category, item.item_category.as_ref(), newer);
                take(&mut facts.price, item.price.as_ref(), newer);
            }
        }
        let of = |id: &str| {
            let mut facts = known
                .get(id)
                .map(|(_, facts)| facts.clone())
                .unwrap_or_default();
            if let Some(more) = catalogue.get(id) {
                take(&mut facts.name, more.name.as_ref(), true);
                take(&mut facts.category, more.category.as_ref(), true);
                take(&mut facts.price, more.price.as_ref(), true);
                take(&mut facts.margin, more.margin.as_ref(), true);
                take(&mut facts.stock, more.stock.as_ref(), true);
            }
            facts
        };
        let mut ids = items.ids().to_vec();
        let old = ids.len();
        ids.extend(
            catalogue
                .keys()
                .filter(|id| items.number(id).is_none())
                .cloned(),
        );
        let facts: Vec<ItemFacts> = ids.iter().map(|id| of(id)).collect();
        let (old_facts, new_facts) = facts.split_at(old);
        Self {
            new: NewItems::new(old_facts, new_facts),
            ids,
            facts,
            old,
        }
    }

    /// The list of one visit: `scores` of the items with clicks, and what the visit does not need
    /// to be shown.
    #[must_use]
    pub fn list(&self, policy: &Policy, mut scores: Vec<f32>, hidden: &HashSet<&str>) -> Vec<Pick> {
        scores.resize(self.old, 0.0);
        let new = self.new.scores(&scores);
        scores.extend(new);
        let id = |item: u32| self.ids.get(item as usize).map(String::as_str);
        let list = policy.list(
            &scores,
            |item| self.facts.get(item as usize),
            |item| id(item).is_none_or(|id| hidden.contains(id)),
        );
        let pick = |(item, score): (u32, f32)| {
            Some(Pick {
                item_id: id(item)?.to_owned(),
                facts: self.facts.get(item as usize)?.clone(),
                score,
                new: item as usize >= self.old,
            })
        };
        list.into_iter().filter_map(pick).collect()
    }

    /// All items with what is known of them.
    pub fn known(&self) -> impl Iterator<Item = (&str, &ItemFacts)> {
        self.ids.iter().map(String::as_str).zip(&self.facts)
    }

    /// How many items have never been clicked.
    #[must_use]
    pub fn new_items(&self) -> usize {
        self.ids.len() - self.old
    }
}

/// The items of a running session, in order: those viewed, or, where none was, those that were put
/// into the cart or bought.
#[must_use]
pub fn seen(events: &[Event]) -> RawVisit {
    let of = |kinds: &[EventKind]| {
        let chosen = events.iter().filter(|event| kinds.contains(&event.kind));
        let clicks = chosen.flat_map(|event| {
            let ids = event.items.iter().map(|item| item.item_id.clone());
            ids.map(|id| (id, event.timestamp))
        });
        clicks.collect::<Vec<_>>()
    };
    let viewed = of(&[EventKind::ViewItem]);
    RawVisit {
        owner: Owner::Nobody,
        clicks: if viewed.is_empty() {
            of(&[EventKind::AddToCart, EventKind::Purchase])
        } else {
            viewed
        },
    }
}

/// Takes over a value that is there, where it is newer or there was none.
fn take<T: Clone>(own: &mut Option<T>, other: Option<&T>, newer: bool) {
    if let Some(other) = other
        && (newer || own.is_none())
    {
        *own = Some(other.clone());
    }
}

/// The items of these events that are bought or in the cart.
#[must_use]
pub fn taken(events: &[Event]) -> HashSet<&str> {
    let mut taken = HashSet::new();
    for event in events {
        let ids = event.items.iter().map(|item| item.item_id.as_str());
        match event.kind {
            EventKind::Purchase | EventKind::AddToCart => taken.extend(ids),
            EventKind::RemoveFromCart | EventKind::Refund => {
                for id in ids {
                    taken.remove(id);
                }
            }
            _ => {}
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use propense_events::Item;

    fn event(kind: EventKind, at: i64, id: &str, name: &str, price: Option<f64>) -> Event {
        let mut event = Event::new(kind, at);
        event.items.push(Item {
            item_id: id.to_owned(),
            item_name: (!name.is_empty()).then(|| name.to_owned()),
            price,
            ..Item::default()
        });
        event
    }

    #[test]
    fn the_latest_word_and_the_catalogue_count() {
        let view = |at, name, price| event(EventKind::ViewItem, at, "a", name, price);
        let events = [
            view(2, "new lamp", Some(3.0)),
            view(1, "old lamp", Some(2.0)),
            view(3, "", None),
        ];
        let items = Items::new([("a".to_owned(), 3)]);
        let facts = |price, margin| ItemFacts {
            name: Some("new lamp".to_owned()),
            price,
            margin,
            ..ItemFacts::default()
        };
        let shop = Shop::new(&items, &events, &BTreeMap::new());
        assert_eq!(shop.facts, [facts(Some(3.0), None)]);
        let catalogue = BTreeMap::from([
            (
                "a".to_owned(),
                ItemFacts {
                    price: Some(9.0),
                    margin: Some(0.5),
                    ..ItemFacts::default()
                },
            ),
            ("z".to_owned(), facts(Some(1.0), None)),
        ]);
        let shop = Shop::new(&items, &events, &catalogue);
        assert_eq!(shop.facts[0], facts(Some(9.0), Some(0.5)));
        assert_eq!(shop.new_items(), 1);
        let list = shop.list(&Policy::default(), vec![0.8], &HashSet::new());
        let short: Vec<_> = list
            .iter()
            .map(|pick| (pick.item_id.as_str(), pick.new))
            .collect();
        assert_eq!(short, [("a", false), ("z", true)]);
        assert!(list[1].score < 0.5 && list[1].score >= 0.0);
        let hidden = HashSet::from(["a"]);
        assert_eq!(shop.list(&Policy::default(), vec![0.8], &hidden).len(), 1);
    }

    #[test]
    fn what_is_in_the_cart_is_taken_until_it_is_put_back() {
        let of = |kind, at| event(kind, at, "a", "", None);
        let events = [of(EventKind::ViewItem, 0), of(EventKind::AddToCart, 1)];
        assert_eq!(taken(&events), HashSet::from(["a"]));
        let back = [
            of(EventKind::AddToCart, 1),
            of(EventKind::RemoveFromCart, 2),
        ];
        assert!(taken(&back).is_empty());
    }
}
