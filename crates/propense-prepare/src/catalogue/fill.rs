//! What event lines lack is filled from the catalogue.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::{Catalogue, ItemField};
use crate::table::{Column, Lines, number_at, text_at};

/// What filling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FillCounts {
    /// Names.
    pub item_name: FillCount,
    /// Categories.
    pub item_category: FillCount,
    /// Brands.
    pub item_brand: FillCount,
    /// Prices.
    pub price: FillCount,
    /// Lines with an item that is not in the catalogue.
    pub unknown_items: u64,
}

/// What filling did to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FillCount {
    /// Lines that lacked it and have it now.
    pub filled: u64,
    /// Lines whose own value differs from the catalogue's; it stays.
    pub disagree: u64,
}

impl FillCounts {
    /// Adds the counts of another part of the table.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.item_name, other.item_name),
            (&mut self.item_category, other.item_category),
            (&mut self.item_brand, other.item_brand),
            (&mut self.price, other.price),
        ];
        for (mine, theirs) in pairs {
            mine.filled += theirs.filled;
            mine.disagree += theirs.disagree;
        }
        self.unknown_items += other.unknown_items;
    }
}

/// Row of an item that is not there.
const NONE: u32 = u32::MAX;

impl Catalogue {
    /// The columns of the event table in which the catalogue has anything: they must be there for
    /// [`Self::fill`] to fill them.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let texts = [
            (Column::ItemName, ItemField::ItemName),
            (Column::ItemCategory, ItemField::ItemCategory),
            (Column::ItemBrand, ItemField::ItemBrand),
        ];
        let any = |field| (0..self.len()).any(|row| self.text(row, field).is_some());
        let mut columns: Vec<Column> = texts
            .into_iter()
            .filter(|(_, field)| any(*field))
            .map(|(column, _)| column)
            .collect();
        columns.extend(self.prices().next().map(|_| Column::Price));
        columns
    }

    /// Fills the columns that the batch has. A price is filled only where the line's currency is
    /// missing or the shop's, in which the catalogue is.
    ///
    /// # Errors
    /// A batch that is not in the staged table's schema.
    pub fn fill(
        &self,
        batch: &RecordBatch,
        currency: Option<&str>,
        counts: &mut FillCounts,
    ) -> Result<RecordBatch, ArrowError> {
        let lines =
            Lines::new(batch).map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
        let rows = self.rows_of(&lines, counts);
        let texts = |column, field, count| self.texts(lines.text(column), field, &rows, count);
        let filled: [(Column, Option<ArrayRef>); 4] = [
            (
                Column::ItemName,
                texts(Column::ItemName, ItemField::ItemName, &mut counts.item_name),
            ),
            (
                Column::ItemCategory,
                texts(
                    Column::ItemCategory,
                    ItemField::ItemCategory,
                    &mut counts.item_category,
                ),
            ),
            (
                Column::ItemBrand,
                texts(
                    Column::ItemBrand,
                    ItemField::ItemBrand,
                    &mut counts.item_brand,
                ),
            ),
            (
                Column::Price,
                self.prices_of(&lines, &rows, currency, &mut counts.price),
            ),
        ];
        let (schema, mut columns, _) = batch.clone().into_parts();
        for (column, array) in filled {
            let place = schema.index_of(column.name()).ok();
            let place = place.and_then(|position| columns.get_mut(position));
            if let (Some(place), Some(array)) = (place, array) {
                *place = array;
            }
        }
        RecordBatch::try_new(schema, columns)
    }

    /// The catalogue's row for each line.
    fn rows_of(&self, lines: &Lines<'_>, counts: &mut FillCounts) -> Vec<u32> {
        let mut before: (Option<&str>, u32) = (None, NONE);
        (0..lines.len())
            .map(|line| {
                let Some(item) = text_at(lines.item_id, line) else {
                    return NONE;
                };
                // An item is often looked at several times.
                if before.0 != Some(item) {
                    let row = self.row(item).and_then(|row| u32::try_from(row).ok());
                    before = (Some(item), row.unwrap_or(NONE));
                }
                counts.unknown_items += u64::from(before.1 == NONE);
                before.1
            })
            .collect()
    }

    fn texts(
        &self,
        column: Option<&StringArray>,
        field: ItemField,
        rows: &[u32],
        count: &mut FillCount,
    ) -> Option<ArrayRef> {
        let column = column?;
        let before = *count;
        let texts = rows.iter().enumerate().map(|(line, row)| {
            let own = text_at(Some(column), line);
            let listed = match *row {
                NONE => None,
                row => self.text(row as usize, field),
            };
            match (own, listed) {
                (Some(own), Some(listed)) => {
                    count.disagree += u64::from(!agree(field, own, listed));
                    Some(own)
                }
                (None, Some(listed)) => {
                    count.filled += 1;
                    Some(listed)
                }
                (own, None) => own,
            }
        });
        let texts: StringArray = texts.collect();
        (count.filled > before.filled).then(|| Arc::new(texts) as ArrayRef)
    }

    fn prices_of(
        &self,
        lines: &Lines<'_>,
        rows: &[u32],
        currency: Option<&str>,
        count: &mut FillCount,
    ) -> Option<ArrayRef> {
        let column = lines.price?;
        let before = *count;
        let prices = rows.iter().enumerate().map(|(line, row)| {
            let own = number_at(Some(column), line);
            let comparable = match (text_at(lines.currency, line), currency) {
                (None, _) => true,
                (Some(of_line), Some(of_shop)) => of_line.eq_ignore_ascii_case(of_shop),
                (Some(_), None) => false,
            };
            let listed = match *row {
                NONE => None,
                row => self.price(row as usize).filter(|_| comparable),
            };
            match (own, listed) {
                (Some(own), Some(listed)) => {
                    let differ = (own - listed).abs() > 1e-6 * own.abs().max(listed.abs());
                    count.disagree += u64::from(differ);
                    Some(own)
                }
                (None, Some(listed)) => {
                    count.filled += 1;
                    Some(listed)
                }
                (own, None) => own,
            }
        });
        let prices: Float64Array = prices.collect();
        (count.filled > before.filled).then(|| Arc::new(prices) as ArrayRef)
    }
}

/// A category agrees with a path that it begins: shops often give an event the outermost level.
fn agree(field: ItemField, own: &str, listed: &str) -> bool {
    own == listed
        || (field == ItemField::ItemCategory
            && listed
                .strip_prefix(own)
                .is_some_and(|rest| rest.starts_with('/')))
}
