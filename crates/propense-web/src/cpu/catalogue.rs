//! The items that can be recommended, and which of them are worth a try.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::Item;
use propense_model::CatalogueRef;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::WebError;

/// Popular items tried besides the neighbours of what was seen.
const POPULAR: usize = 48;
/// Newest items seen whose neighbours are tried.
const RECENT: usize = 12;

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

/// The catalogue's JSON: `{ "items": [...] }`, or the list alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Object { items: Vec<Entry> },
    List(Vec<Entry>),
}

/// Items by identifier, their neighbours, and the most popular ones.
#[derive(Default)]
pub(crate) struct Catalogue {
    items: BTreeMap<String, (Item, Vec<String>)>,
    /// The best sellers first.
    popular: Vec<String>,
}

impl Catalogue {
    /// Reads the catalogue's JSON.
    pub(crate) fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let entries = match serde_json::from_str(json)? {
            Document::Object { items } | Document::List(items) => items,
        };
        let mut ranked: Vec<(f64, String)> = entries
            .iter()
            .map(|entry| (entry.sold, entry.item.item_id.clone()))
            .collect();
        Ok(Self {
            popular: best(&mut ranked),
            items: entries
                .into_iter()
                .map(|entry| (entry.item.item_id.clone(), (entry.item, entry.also)))
                .collect(),
        })
    }

    /// The items that the model knows, where the shop gives no catalogue: nothing but their
    /// identifiers, the most often bought first.
    pub(crate) fn of_rates(rates: &BTreeMap<String, f32>) -> Self {
        let mut ranked: Vec<(f64, String)> = rates
            .iter()
            .map(|(id, rate)| (f64::from(*rate), id.clone()))
            .collect();
        let bare = |id: &String| Item {
            item_id: id.clone(),
            ..Item::default()
        };
        Self {
            popular: best(&mut ranked),
            items: rates
                .keys()
                .map(|id| (id.clone(), (bare(id), Vec::new())))
                .collect(),
        }
    }

    /// What is known of this item: nothing but its identifier where it is not in the catalogue.
    pub(crate) fn item(&self, id: &str) -> Item {
        self.items.get(id).map_or_else(
            || Item {
                item_id: id.to_owned(),
                ..Item::default()
            },
            |(item, _)| item.clone(),
        )
    }

    /// The items to try for a session that has seen `seen` (in order) and holds `cart`: the
    /// neighbours of the newest items, then popular ones; none that is in the cart.
    pub(crate) fn candidates<'a>(
        &'a self,
        seen: &'a [String],
        cart: &BTreeSet<&str>,
    ) -> Vec<&'a Item> {
        let mut tried = BTreeSet::new();
        let neighbours = seen
            .iter()
            .rev()
            .take(RECENT)
            .filter_map(|id| self.items.get(id))
            .flat_map(|(_, also)| also);
        neighbours
            .chain(self.popular.iter().take(POPULAR))
            .filter(|id| !cart.contains(id.as_str()) && tried.insert(id.as_str()))
            .filter_map(|id| self.items.get(id).map(|(item, _)| item))
            .collect()
    }
}

/// The identifiers from the highest number down; ties by identifier.
fn best(ranked: &mut Vec<(f64, String)>) -> Vec<String> {
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ranked.drain(..).map(|(_, id)| id).collect()
}

/// Whether this is the catalogue that the bundle names.
pub(crate) fn check(named: &CatalogueRef, json: &str) -> Result<(), WebError> {
    let sum: String = Sha256::digest(json)
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
