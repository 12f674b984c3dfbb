//! The items that can be recommended, and which of them are worth a try.

use std::collections::{BTreeMap, BTreeSet};

use propense_apps::recommend::ItemTable;
use propense_events::Item;
use propense_model::CatalogueRef;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::WebError;

/// Popular items tried besides the neighbours of what was seen.
const POPULAR: usize = 48;
/// Newest items seen whose neighbours are tried.
const RECENT: usize = 12;
/// Items of a table that are tried.
const TRIED: usize = 128;

/// One item of the shop's catalogue, as its JSON has it.
#[derive(Deserialize)]
struct Entry {
    #[serde(flatten)]
    item: Item,
    /// Items bought together with this one, the closest first.
    #[serde(default)]
    also: Vec<String>,
    /// Units sold.
    #[serde(default)]
    sold: f64,
}

/// The catalogue's JSON where it is an object: `{ "items": [...] }`.
#[derive(Deserialize)]
struct Document {
    items: Vec<Entry>,
}

/// The items of a shop.
pub(crate) enum Catalogue {
    /// A list, with what the shop says of each.
    List(List),
    /// A table that `propense recommend` has learnt, of any size.
    Table(Box<ItemTable>),
}

/// Items by identifier, their neighbours, and the most popular ones.
#[derive(Default)]
pub(crate) struct List {
    items: BTreeMap<String, (Item, Vec<String>)>,
    /// The best sellers first.
    popular: Vec<String>,
}

/// An item worth a try.
pub(crate) struct Candidate {
    pub(crate) item: Item,
    /// What speaks for it beside its propensity: nearness to what was seen, in a table; 1 in a list.
    pub(crate) share: f32,
}

impl Catalogue {
    /// Reads a catalogue: JSON (an object with `items`, or the list alone) or an item table.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WebError> {
        let entries = match std::str::from_utf8(bytes).map(str::trim_ascii_start) {
            Ok(text) if text.starts_with('[') => serde_json::from_str(text),
            // A table begins with the length of its header.
            Ok(text) if text.starts_with('{') => {
                serde_json::from_str::<Document>(text).map(|document| document.items)
            }
            _ => return Ok(Self::Table(Box::new(ItemTable::from_bytes(bytes)?))),
        };
        let mut list = List::default();
        let mut ranked = Vec::new();
        for Entry { item, also, sold } in entries.map_err(WebError::Catalogue)? {
            ranked.push((sold, item.item_id.clone()));
            list.items.insert(item.item_id.clone(), (item, also));
        }
        list.popular = best(ranked);
        Ok(Self::List(list))
    }

    /// The items that the model knows, where the shop gives no catalogue: nothing but their
    /// identifiers, the most often bought first.
    pub(crate) fn of_rates(rates: &BTreeMap<String, f32>) -> Self {
        let mut list = List::default();
        let mut ranked = Vec::new();
        for (id, rate) in rates {
            ranked.push((f64::from(*rate), id.clone()));
            list.items.insert(id.clone(), (bare(id), Vec::new()));
        }
        list.popular = best(ranked);
        Self::List(list)
    }

    /// What is known of this item: nothing but its identifier where it is not in the catalogue.
    pub(crate) fn item(&self, id: &str) -> Item {
        match self {
            Self::List(list) => list
                .items
                .get(id)
                .map_or_else(|| bare(id), |(item, _)| item.clone()),
            Self::Table(table) => table.number(id).map_or_else(|| bare(id), |n| row(table, n)),
        }
    }

    /// The items to try for a session that has seen `seen` (in order) and holds `cart`, none of which is
    /// tried, the most promising first.
    pub(crate) fn candidates(&self, seen: &[String], cart: &BTreeSet<&str>) -> Vec<Candidate> {
        match self {
            Self::List(list) => list
                .candidates(seen, cart)
                .map(|item| Candidate {
                    item: item.clone(),
                    share: 1.0,
                })
                .collect(),
            Self::Table(table) => {
                let seen = seen.iter().map(String::as_str);
                let found = table.candidates(seen, cart.iter().copied(), TRIED);
                let candidate = |(number, share)| Candidate {
                    item: row(table, number),
                    share,
                };
                found.into_iter().map(candidate).collect()
            }
        }
    }
}

impl List {
    /// The neighbours of the newest items, then popular ones.
    fn candidates<'a>(
        &'a self,
        seen: &'a [String],
        cart: &BTreeSet<&str>,
    ) -> impl Iterator<Item = &'a Item> {
        let mut tried = BTreeSet::new();
        let neighbours = seen
            .iter()
            .rev()
            .take(RECENT)
            .filter_map(|id| self.items.get(id))
            .flat_map(|(_, also)| also);
        neighbours
            .chain(self.popular.iter().take(POPULAR))
            .filter(move |id| !cart.contains(id.as_str()) && tried.insert(id.as_str()))
            .filter_map(|id| self.items.get(id).map(|(item, _)| item))
    }
}

/// An item of which nothing is known but its name.
fn bare(id: &str) -> Item {
    Item {
        item_id: id.to_owned(),
        ..Item::default()
    }
}

/// An item of a table, as an event has it.
fn row(table: &ItemTable, number: u32) -> Item {
    Item {
        item_category: table.category(number).map(str::to_owned),
        price: table.price(number),
        ..bare(table.id(number).unwrap_or_default())
    }
}

/// The identifiers from the highest number down; ties by identifier.
fn best(mut ranked: Vec<(f64, String)>) -> Vec<String> {
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.into_iter().map(|(_, id)| id).collect()
}

/// Whether this is the catalogue that the bundle names.
pub(crate) fn check(named: &CatalogueRef, bytes: &[u8]) -> Result<(), WebError> {
    let sum: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if sum == named.sha256 {
        return Ok(());
    }
    let CatalogueRef { file, sha256 } = named;
    Err(WebError::OtherCatalogue(format!(
        "`{file}` has the SHA-256 {sum}, the bundle names one with {sha256}"
    )))
}
