//! The item catalogue: one row for each item, and what event lines lack filled from it.
//!
//! # Files
//!
//! A catalogue is a CSV file with a header, or JSON lines (also what Google Merchant Center takes
//! as a feed). Columns are found by these names, whatever their case and punctuation, or by those
//! of a [`CatalogueColumns`]:
//!
//! | field | names |
//! |---|---|
//! | `item_id` | `item_id`, `id`, `sku`, `sku_id`, `product_id`, `itemid`, `aid` |
//! | `item_name` | `item_name`, `name`, `title`, `product_name` |
//! | `item_category` | `item_category`, `category`, `category_path`, `category_code`, `product_type`, `category_id`; further levels in `item_category2` to `item_category5` |
//! | `item_brand` | `item_brand`, `brand` |
//! | `price` | `price`, `unit_price` |
//! | `image_path` | `image_path`, `image`, `image_link`, `image_url` |
//! | `timestamp` | `timestamp`, `updated_at`, `time` |
//!
//! RetailRocket's `item_properties` (`timestamp,itemid,property,value`) and `category_tree`
//! (`categoryid,parentid`) are known by their headers. Its properties are hashed but for
//! `categoryid` and `available`; `790` is the price, as is generally taken from its values. The
//! category is the path of ids from the root.
//!
//! # Conflicts
//!
//! Rows on one item are one row. For each field the value with the latest timestamp wins, and among
//! equal ones (or without timestamps) that of the last row; a missing value never wins. What loses
//! to another value is counted by field. An event's own value wins over the catalogue's, which may
//! be from another day; disagreements are counted.

mod builder;
mod fill;
mod read;

pub use builder::{Catalogue, CatalogueBuilder, CatalogueCounts};
pub use fill::{FillCount, FillCounts};
pub use read::CatalogueColumns;

/// A field of an item.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ItemField {
    /// The name shown to people.
    ItemName,
    /// The category path, outermost level first, joined with `/`.
    ItemCategory,
    /// The brand.
    ItemBrand,
    /// The picture.
    ImagePath,
    /// Price of one unit.
    Price,
}

impl ItemField {
    /// The fields that are texts.
    pub(crate) const TEXTS: [Self; 4] = [
        Self::ItemName,
        Self::ItemCategory,
        Self::ItemBrand,
        Self::ImagePath,
    ];

    /// The column's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ItemName => "item_name",
            Self::ItemCategory => "item_category",
            Self::ItemBrand => "item_brand",
            Self::ImagePath => "image_path",
            Self::Price => "price",
        }
    }
}
