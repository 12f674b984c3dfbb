//! Identifiers of which there are too many for a column each: hashed into a few signed columns.
//!
//! After Weinberger et al., "Feature hashing for large scale multitask learning" (ICML 2009): the
//! sign, from another bit of the hash, makes collisions cancel on average instead of adding up.

use propense_events::Item;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

/// The most columns that one identifier is hashed into.
pub const MAX_BUCKETS: u32 = 4096;

/// The highest bit of a hash: the sign. The others are the column.
const SIGN: u64 = 1 << 63;

/// An identifier of an event's (first) item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashedField {
    /// The item's id.
    ItemId,
    /// The item's category.
    ItemCategory,
}

impl HashedField {
    /// The name that its columns begin with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ItemId => "item_id",
            Self::ItemCategory => "item_category",
        }
    }

    /// The column (from 0) and the sign of a value: `h` being XXH64 of its UTF-8 bytes with seed
    /// 0 for item ids and 1 for categories, the column is `(h mod 2⁶³) mod buckets`, and the sign
    /// is negative where `h ≥ 2⁶³`. The same on every machine and in every version.
    #[must_use]
    pub fn bucket(self, value: &str, buckets: u32) -> (u32, f32) {
        let seed = match self {
            Self::ItemId => 0,
            Self::ItemCategory => 1,
        };
        let hash = xxh64(value.as_bytes(), seed);
        let column = (hash % SIGN) % u64::from(buckets.max(1));
        let sign = if hash < SIGN { 1.0 } else { -1.0 };
        // Below `buckets`, so it fits.
        (u32::try_from(column).unwrap_or(0), sign)
    }

    pub(crate) fn of(self, item: &Item) -> Option<&str> {
        match self {
            Self::ItemId => Some(&item.item_id),
            Self::ItemCategory => item.item_category.as_deref(),
        }
    }

    /// Writes the columns.
    pub(crate) fn write(self, item: Option<&Item>, buckets: u32, row: &mut Vec<f32>) {
        let start = row.len();
        row.resize(start + buckets as usize, 0.0);
        if let Some(value) = item.and_then(|item| self.of(item)) {
            let (column, sign) = self.bucket(value, buckets);
            if let Some(slot) = row.get_mut(start + column as usize) {
                *slot = sign;
            }
        }
    }
}
