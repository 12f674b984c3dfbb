//! Reading catalogue files.

use std::io::Read;

use propense_events::{Action, Problem, Rule};
use serde::{Deserialize, Serialize};

use super::{CatalogueBuilder, ItemField};
use crate::side_table::{Row, SideTableError, plain, read, time};

/// The columns of a catalogue by name, where they are not found by themselves. A field that is
/// not named here is looked for under its usual names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueColumns {
    /// The item's identifier, as in the events.
    pub item_id: Option<String>,
    /// The name shown to people.
    pub item_name: Option<String>,
    /// The category: one column with a path, or one for each level, outermost first.
    pub item_category: Vec<String>,
    /// The brand.
    pub item_brand: Option<String>,
    /// Price of one unit; a currency beside the number is passed over.
    pub price: Option<String>,
    /// The picture.
    pub image_path: Option<String>,
    /// Since when the row holds.
    pub timestamp: Option<String>,
}

const ID: &[&str] = &["itemid", "id", "sku", "skuid", "productid", "aid"];
const NAME: &[&str] = &["itemname", "name", "title", "productname"];
const CATEGORY: &[&str] = &[
    "itemcategory",
    "category",
    "categorypath",
    "categorycode",
    "producttype",
    "categoryid",
];
const LEVELS: &[&str] = &[
    "itemcategory2",
    "itemcategory3",
    "itemcategory4",
    "itemcategory5",
];
const BRAND: &[&str] = &["itembrand", "brand"];
const PRICE: &[&str] = &["price", "unitprice"];
const IMAGE: &[&str] = &["imagepath", "image", "imagelink", "imageurl"];
const TIME: &[&str] = &["timestamp", "updatedat", "time"];

/// The time of a row that has none: before all others.
const NO_TIME: i64 = i64::MIN;

/// What kind of file it is, by its columns.
enum Kind {
    /// One row for an item.
    Items(Layout),
    /// RetailRocket's properties: one row for a value of an item.
    Properties {
        time: String,
        item: String,
        property: String,
        value: String,
    },
    /// RetailRocket's category tree.
    Tree { category: String, parent: String },
}

/// The names of the columns in the file.
struct Layout {
    id: String,
    name: Option<String>,
    categories: Vec<String>,
    brand: Option<String>,
    price: Option<String>,
    image: Option<String>,
    time: Option<String>,
}

impl CatalogueBuilder {
    /// Reads a file of the catalogue; any number of files make one. `problem` gets every row that
    /// is set aside: rows = rows used + problems.
    ///
    /// # Errors
    /// Where the file is empty, has no column for the item, or cannot be read.
    pub fn read(
        &mut self,
        input: impl Read,
        columns: &CatalogueColumns,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), SideTableError> {
        let mut kind = None;
        let mut rejected = 0;
        let mut each = |row: &Row<'_>, number: u64| {
            let kind = match &kind {
                Some(kind) => kind,
                None => kind.insert(kind_of(row, columns)?),
            };
            Ok(self
                .row(kind, row)
                .err()
                .map(|(rule, field)| Problem::new(rule, Action::Rejected, number).field(field)))
        };
        let rows = read(input, &mut each, &mut |found| {
            rejected += 1;
            problem(found);
        })?;
        self.count(rows, rejected);
        Ok(())
    }

    fn row(&mut self, kind: &Kind, row: &Row<'_>) -> Result<(), (Rule, &'static str)> {
        match kind {
            Kind::Items(layout) => self.item_row(layout, row),
            Kind::Tree { category, parent } => {
                let missing = (Rule::MissingField, "categoryid");
                let category = row.text(category).ok_or(missing)?;
                if let Some(parent) = row.text(parent) {
                    self.parent(&category, &parent);
                }
                Ok(())
            }
            Kind::Properties {
                time: at,
                item,
                property,
                value,
            } => {
                let missing = |field| (Rule::MissingField, field);
                let item = row.text(item).ok_or(missing("itemid"))?;
                let property = row.text(property).ok_or(missing("property"))?;
                let at = row.text(at).and_then(|at| time(&at)).unwrap_or(NO_TIME);
                let Some(item) = self.item(&item) else {
                    return Ok(());
                };
                let Some(value) = row.text(value) else {
                    return Ok(());
                };
                match property.as_ref() {
                    "categoryid" => {
                        self.text(item, ItemField::ItemCategory, at, &value);
                        self.category_in_tree(item);
                    }
                    // Numbers are written `n277.200`.
                    "790" => {
                        let number = value.strip_prefix('n').unwrap_or(&value);
                        let price = price_of(number).ok_or((Rule::AbsurdPrice, "value"))?;
                        self.price(item, at, price);
                    }
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn item_row(&mut self, layout: &Layout, row: &Row<'_>) -> Result<(), (Rule, &'static str)> {
        let id = row.text(&layout.id);
        let id = id.ok_or((Rule::MissingField, "item_id"))?;
        let text = |name: &Option<String>| name.as_deref().and_then(|name| row.text(name));
        let at = text(&layout.time)
            .and_then(|text| time(&text))
            .unwrap_or(NO_TIME);
        let Some(item) = self.item(&id) else {
            return Ok(());
        };
        let texts = [
            (ItemField::ItemName, &layout.name),
            (ItemField::ItemBrand, &layout.brand),
            (ItemField::ImagePath, &layout.image),
        ];
        for (field, name) in texts {
            if let Some(text) = text(name) {
                self.text(item, field, at, &text);
            }
        }
        let category = category(layout, row);
        if !category.is_empty() {
            self.text(item, ItemField::ItemCategory, at, &category);
        }
        if let Some(price) = text(&layout.price).and_then(|text| price_of(&text)) {
            self.price(item, at, price);
        }
        Ok(())
    }
}

fn kind_of(row: &Row<'_>, columns: &CatalogueColumns) -> Result<Kind, SideTableError> {
    let names = row.names();
    let find = |wanted: &[&str]| {
        let found = |wanted: &&str| names.iter().find(|name| plain(name) == **wanted);
        wanted.iter().find_map(found).map(|name| (*name).to_owned())
    };
    let named = |name: &Option<String>, usual: &[&str]| name.clone().or_else(|| find(usual));
    let retailrocket = (
        find(&["itemid"]),
        find(&["property"]),
        find(&["value"]),
        find(&["timestamp"]),
    );
    if let (Some(item), Some(property), Some(value), Some(time)) = retailrocket {
        return Ok(Kind::Properties {
            time,
            item,
            property,
            value,
        });
    }
    let id = named(&columns.item_id, ID);
    if let (None, Some(category), Some(parent)) = (&id, find(&["categoryid"]), find(&["parentid"]))
    {
        return Ok(Kind::Tree { category, parent });
    }
    let id = id.filter(|id| names.contains(&id.as_str()));
    let id = id.ok_or_else(|| SideTableError::MissingColumn {
        wanted: "item_id",
        found: names.join(", ").chars().take(300).collect(),
    })?;
    let mut categories = columns.item_category.clone();
    if categories.is_empty() {
        categories.extend(find(CATEGORY));
        categories.extend(LEVELS.iter().filter_map(|level| find(&[level])));
    }
    Ok(Kind::Items(Layout {
        id,
        name: named(&columns.item_name, NAME),
        categories,
        brand: named(&columns.item_brand, BRAND),
        price: named(&columns.price, PRICE),
        image: named(&columns.image_path, IMAGE),
        time: named(&columns.timestamp, TIME),
    }))
}

/// The category path: levels joined with `/`, whether they stand in several columns or in one,
/// separated by `>` (Google Merchant Center) or, in `category_code` (REES46), by a dot.
fn category(layout: &Layout, row: &Row<'_>) -> String {
    let mut path = String::new();
    for name in &layout.categories {
        let Some(text) = row.text(name) else {
            continue;
        };
        let separator = match plain(name).as_str() {
            "categorycode" => '.',
            _ => '>',
        };
        for level in text.split(separator).map(str::trim) {
            if !level.is_empty() {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(level);
            }
        }
    }
    path
}

/// Reads `12.99`, `12,99`, `12.99 USD`, `€ 1,299.00`; below zero is none.
fn price_of(text: &str) -> Option<f64> {
    let number = text.trim_matches(|letter: char| !letter.is_ascii_digit() && letter != '-');
    let last = number.rfind(['.', ',']);
    let plain: String = number
        .char_indices()
        .filter_map(|(at, letter)| match letter {
            // The last sign is the decimal one, unless it groups thousands: `1,299`.
            ',' | '.' if Some(at) == last => {
                let decimals = number.len() - at - 1;
                let groups = letter == ',' && decimals == 3;
                (!groups).then_some('.')
            }
            ',' | '.' | ' ' | '\'' | '\u{a0}' => None,
            other => Some(other),
        })
        .collect();
    let price: f64 = plain.parse().ok()?;
    (price.is_finite() && price >= 0.0).then_some(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_as_shops_write_them() {
        let rows = [
            ("12.99", Some(12.99)),
            ("12,99", Some(12.99)),
            ("12.99 USD", Some(12.99)),
            ("EUR 12.99", Some(12.99)),
            ("€ 1,299.00", Some(1299.0)),
            ("1.299,00 €", Some(1299.0)),
            ("1,299", Some(1299.0)),
            ("277.200", Some(277.2)),
            ("5", Some(5.0)),
            ("-5", None),
            ("", None),
            ("free", None),
        ];
        for (text, expected) in rows {
            assert_eq!(price_of(text), expected, "{text}");
        }
    }
}
