//! Rows of catalogue files become one row for each item.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::ItemField;

/// Items kept where nothing else is asked for: a catalogue of five million takes some two
/// gigabytes while it is read.
const ITEMS: usize = 5_000_000;

/// Levels of a category tree that are followed: more is a circle.
const LEVELS: usize = 32;

/// Collects catalogue rows.
#[derive(Debug)]
pub struct CatalogueBuilder {
    items: Vec<Draft>,
    numbers: HashMap<Box<str>, u32, FixedState>,
    /// Parents of categories, where a tree was read.
    parents: HashMap<Box<str>, Box<str>, FixedState>,
    most: usize,
    counts: CatalogueCounts,
}

/// An item so far: each value with its time.
#[derive(Debug, Default)]
struct Draft {
    texts: [Option<(i64, Box<str>)>; ItemField::TEXTS.len()],
    price: Option<(i64, f64)>,
    /// Whether the category is an id of the tree.
    in_tree: bool,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CatalogueCounts {
    /// Rows of all files.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Items.
    pub items: u64,
    /// Rows on items beyond the most that are kept.
    pub left_out: u64,
    /// Values that lost to another value of the same item.
    pub conflicts: BTreeMap<ItemField, u64>,
}

impl Default for CatalogueBuilder {
    fn default() -> Self {
        Self::with_most_items(ITEMS)
    }
}

impl CatalogueBuilder {
    /// An empty catalogue, which will take at most this many items.
    #[must_use]
    pub fn with_most_items(most: usize) -> Self {
        Self {
            items: Vec::new(),
            numbers: HashMap::default(),
            parents: HashMap::default(),
            most,
            counts: CatalogueCounts::default(),
        }
    }

    pub(super) fn count(&mut self, rows: u64, rejected: u64) {
        self.counts.rows += rows;
        self.counts.rejected += rejected;
    }

    /// The number of an item, new or not; `None` where there are too many.
    pub(super) fn item(&mut self, id: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(id) {
            return Some(*number);
        }
        if self.items.len() >= self.most {
            self.counts.left_out += 1;
            return None;
        }
        let number = self.items.len() as u32;
        self.items.push(Draft::default());
        self.numbers.insert(id.into(), number);
        Some(number)
    }

    /// Sets a text of an item, as of a time (the lowest where there is none).
    pub(super) fn text(&mut self, item: u32, field: ItemField, time: i64, text: &str) {
        let position = ItemField::TEXTS.iter().position(|other| *other == field);
        let slot = self.items.get_mut(item as usize).zip(position);
        let slot = slot.and_then(|(item, position)| item.texts.get_mut(position));
        if let Some(slot) = slot {
            let lost = match slot {
                None => {
                    *slot = Some((time, text.into()));
                    false
                }
                Some((before, old)) => {
                    let differs = &**old != text;
                    if time >= *before {
                        *before = time;
                        if differs {
                            *old = text.into();
                        }
                    }
                    differs
                }
            };
            self.lost(field, lost);
        }
    }

    /// Sets the price of an item.
    pub(super) fn price(&mut self, item: u32, time: i64, price: f64) {
        let slot = self
            .items
            .get_mut(item as usize)
            .map(|item| &mut item.price);
        if let Some(slot) = slot {
            let lost = slot.is_some_and(|(_, old)| old.to_bits() != price.to_bits());
            if slot.is_none_or(|(before, _)| time >= before) {
                *slot = Some((time, price));
            }
            self.lost(ItemField::Price, lost);
        }
    }

    /// Says that the item's category is an id of the tree.
    pub(super) fn category_in_tree(&mut self, item: u32) {
        if let Some(item) = self.items.get_mut(item as usize) {
            item.in_tree = true;
        }
    }

    /// Adds a category to the tree.
    pub(super) fn parent(&mut self, category: &str, parent: &str) {
        self.parents.insert(category.into(), parent.into());
    }

    fn lost(&mut self, field: ItemField, lost: bool) {
        if lost {
            *self.counts.conflicts.entry(field).or_default() += 1;
        }
    }

    /// The path from the root of the tree to a category.
    fn path(&self, category: &str) -> String {
        let mut levels = vec![category];
        let mut at = category;
        while let Some(parent) = self.parents.get(at) {
            at = parent;
            if levels.len() >= LEVELS || levels.contains(&at) {
                break;
            }
            levels.push(at);
        }
        levels.reverse();
        levels.join("/")
    }

    /// The catalogue, sorted by item.
    #[must_use]
    pub fn finish(mut self) -> Catalogue {
        self.counts.items = self.items.len() as u64;
        let mut order: Vec<(&str, u32)> = self
            .numbers
            .iter()
            .map(|(id, number)| (&**id, *number))
            .collect();
        order.sort_unstable();
        let ids: StringArray = order.iter().map(|(id, _)| Some(*id)).collect();
        let mut texts = ItemField::TEXTS
            .iter()
            .enumerate()
            .map(|(position, field)| {
                let text = |(_, number): &(&str, u32)| {
                    let item = self.items.get(*number as usize)?;
                    let (_, text) = item.texts.get(position)?.as_ref()?;
                    Some(match field {
                        ItemField::ItemCategory if item.in_tree => self.path(text),
                        _ => text.to_string(),
                    })
                };
                order.iter().map(text).collect::<StringArray>()
            });
        let texts = [(); ItemField::TEXTS.len()].map(|()| texts.next());
        let texts = texts.map(|texts| texts.unwrap_or_else(|| StringArray::new_null(ids.len())));
        let price = |(_, number): &(&str, u32)| {
            let item = self.items.get(*number as usize)?;
            item.price.map(|(_, price)| price)
        };
        let prices: Float64Array = order.iter().map(price).collect();
        let mut rows = HashMap::default();
        for (row, (id, _)) in order.iter().enumerate() {
            let mut hash = hash(id);
            while rows.contains_key(&hash) {
                hash = hash.wrapping_add(1);
            }
            rows.insert(hash, row as u32);
        }
        Catalogue {
            ids,
            texts,
            prices,
            rows,
            counts: self.counts,
        }
    }
}

fn hash(id: &str) -> u64 {
    FixedState::default().hash_one(id)
}

/// One row for each item.
#[derive(Debug, Clone)]
pub struct Catalogue {
    ids: StringArray,
    /// In the order of [`ItemField::TEXTS`].
    texts: [StringArray; ItemField::TEXTS.len()],
    prices: Float64Array,
    /// Rows by the hash of their ids, or by the next free number.
    rows: HashMap<u64, u32, FixedState>,
    counts: CatalogueCounts,
}

impl Catalogue {
    /// The row of an item.
    #[must_use]
    pub fn row(&self, item_id: &str) -> Option<usize> {
        let mut hash = hash(item_id);
        loop {
            let row = *self.rows.get(&hash)? as usize;
            if crate::table::text_at(Some(&self.ids), row) == Some(item_id) {
                return Some(row);
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// A text of the item in this row.
    #[must_use]
    pub fn text(&self, row: usize, field: ItemField) -> Option<&str> {
        let position = ItemField::TEXTS.iter().position(|other| *other == field)?;
        crate::table::text_at(self.texts.get(position), row)
    }

    /// The price of the item in this row.
    #[must_use]
    pub fn price(&self, row: usize) -> Option<f64> {
        crate::table::number_at(Some(&self.prices), row)
    }

    /// Items with their prices: for [`crate::usual_price::PriceSamples::resolve`].
    pub fn prices(&self) -> impl Iterator<Item = (&str, f64)> {
        let priced = self.ids.iter().zip(&self.prices);
        priced.filter_map(|(id, price)| Some((id?, price?)))
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// What was read.
    #[must_use]
    pub const fn counts(&self) -> &CatalogueCounts {
        &self.counts
    }

    /// The catalogue as a table, for `items.parquet`: `item_id`, `item_name`, `item_category`,
    /// `item_brand`, `price`, `image_path`.
    ///
    /// # Errors
    /// Those of Arrow.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let [names, categories, brands, images] = self.texts.clone();
        let columns: [(&str, ArrayRef); 6] = [
            ("item_id", Arc::new(self.ids.clone())),
            (ItemField::ItemName.name(), Arc::new(names)),
            (ItemField::ItemCategory.name(), Arc::new(categories)),
            (ItemField::ItemBrand.name(), Arc::new(brands)),
            (ItemField::Price.name(), Arc::new(self.prices.clone())),
            (ItemField::ImagePath.name(), Arc::new(images)),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| {
                let nullable = *name != "item_id";
                Field::new(*name, DataType::clone(array.data_type()), nullable)
            })
            .collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}
