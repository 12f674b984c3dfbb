//! A typed view over a batch of the staged table.

use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, TimestampMillisecondType, UInt8Type, UInt16Type, UInt64Type,
};

use super::Column;

/// A batch that is not in the staged table's schema: a defect, or a damaged work folder.
#[derive(Debug, thiserror::Error)]
#[error("the staged table has no column `{column}` of the right type")]
pub struct NotTheTable {
    /// The column that is missing or of another type.
    pub column: &'static str,
}

/// The lines of a batch, column by column. All columns have the same length; a column in which
/// nothing stands in the whole input is `None`.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// Milliseconds since 1970 (UTC).
    pub timestamp: &'a [i64],
    /// [`propense_events::EventKind`]'s code.
    pub kind: &'a [u8],
    /// Who, as the shop knows them.
    pub user_id: Option<&'a StringArray>,
    /// Who, as the browser knows them.
    pub anonymous_id: Option<&'a StringArray>,
    /// The shop's own session.
    pub session_id: Option<&'a StringArray>,
    /// The item.
    pub item_id: Option<&'a StringArray>,
    /// The item's title.
    pub item_name: Option<&'a StringArray>,
    /// The category path.
    pub item_category: Option<&'a StringArray>,
    /// The brand.
    pub item_brand: Option<&'a StringArray>,
    /// Price of one unit.
    pub price: Option<&'a Float64Array>,
    /// Number of units.
    pub quantity: Option<&'a Float64Array>,
    /// The kind of page.
    pub page_type: Option<&'a StringArray>,
    /// The event's total value.
    pub value: Option<&'a Float64Array>,
    /// ISO 4217 code.
    pub currency: Option<&'a StringArray>,
    /// The order.
    pub transaction_id: Option<&'a StringArray>,
    /// What was searched for.
    pub search_term: Option<&'a StringArray>,
    /// Stars, 1 to 5.
    pub rating: Option<&'a Float64Array>,
    /// A JSON object.
    pub context: Option<&'a StringArray>,
    /// Index of the input file.
    pub source: &'a [u16],
    /// Row in that file.
    pub row: &'a [u64],
    /// Tells which lines are one event: see [`Lines::same_event`].
    pub group: &'a [u64],
    /// Where the line stands in the table: owner, time, order of reading.
    pub key: &'a [i128],
}

/// What [`Lines::group`] says of a line, in its two highest bits; the others are a number that is
/// the same on the lines of one event.
pub(crate) mod group {
    /// The event is the row's alone (the number counts the events of the row, from zero).
    pub(crate) const OWN: u64 = 0;
    /// The row directly before or after may be the same event.
    pub(crate) const NEXT: u64 = 1 << 62;
    /// Any row of the file may be the same event.
    pub(crate) const ANYWHERE: u64 = 2 << 62;

    /// One of the three.
    pub(crate) const fn kind(group: u64) -> u64 {
        group & (3 << 62)
    }

    /// A group of this kind with a hash of the records' common key.
    pub(crate) const fn new(kind: u64, hash: u64) -> u64 {
        kind | (hash >> 2)
    }
}

impl<'a> Lines<'a> {
    /// Looks at a batch.
    ///
    /// # Errors
    /// A column is missing or of another type than [`super::staged_schema`] says.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, NotTheTable> {
        Ok(Self {
            timestamp: values::<TimestampMillisecondType>(batch, Column::Timestamp)?,
            kind: values::<UInt8Type>(batch, Column::Event)?,
            user_id: texts(batch, Column::UserId)?,
            anonymous_id: texts(batch, Column::AnonymousId)?,
            session_id: texts(batch, Column::SessionId)?,
            item_id: texts(batch, Column::ItemId)?,
            item_name: texts(batch, Column::ItemName)?,
            item_category: texts(batch, Column::ItemCategory)?,
            item_brand: texts(batch, Column::ItemBrand)?,
            price: numbers(batch, Column::Price)?,
            quantity: numbers(batch, Column::Quantity)?,
            page_type: texts(batch, Column::PageType)?,
            value: numbers(batch, Column::Value)?,
            currency: texts(batch, Column::Currency)?,
            transaction_id: texts(batch, Column::TransactionId)?,
            search_term: texts(batch, Column::SearchTerm)?,
            rating: numbers(batch, Column::Rating)?,
            context: texts(batch, Column::Context)?,
            source: values::<UInt16Type>(batch, Column::Source)?,
            row: values::<UInt64Type>(batch, Column::Row)?,
            group: values::<UInt64Type>(batch, Column::Group)?,
            key: values::<Decimal128Type>(batch, Column::Key)?,
        })
    }

    /// Number of lines.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.timestamp.is_empty()
    }

    /// A text column of this view.
    #[must_use]
    pub const fn text(&self, column: Column) -> Option<&'a StringArray> {
        match column {
            Column::UserId => self.user_id,
            Column::AnonymousId => self.anonymous_id,
            Column::SessionId => self.session_id,
            Column::ItemId => self.item_id,
            Column::ItemName => self.item_name,
            Column::ItemCategory => self.item_category,
            Column::ItemBrand => self.item_brand,
            Column::PageType => self.page_type,
            Column::Currency => self.currency,
            Column::TransactionId => self.transaction_id,
            Column::SearchTerm => self.search_term,
            Column::Context => self.context,
            _ => None,
        }
    }

    /// A column of numbers of this view.
    #[must_use]
    pub const fn number(&self, column: Column) -> Option<&'a Float64Array> {
        match column {
            Column::Price => self.price,
            Column::Quantity => self.quantity,
            Column::Value => self.value,
            Column::Rating => self.rating,
            _ => None,
        }
    }

    /// Whether two lines are lines of one event. To be asked of lines that follow each other in
    /// the table's order (owner, time, source, row); `later` is the one that comes after.
    ///
    /// The items of one record are one event. So are records that the reader says belong
    /// together: one after the other in the file, or (invoices) anywhere in it, which then all carry
    /// the time of the first.
    #[must_use]
    pub fn same_event(&self, earlier: usize, later: usize) -> bool {
        let (Some(&row_before), Some(&row)) = (self.row.get(earlier), self.row.get(later)) else {
            return false;
        };
        if self.group.get(earlier) != self.group.get(later)
            || self.source.get(earlier) != self.source.get(later)
            || self.kind.get(earlier) != self.kind.get(later)
        {
            return false;
        }
        let near = match self
            .group
            .get(later)
            .map_or(group::OWN, |group| group::kind(*group))
        {
            group::OWN => row == row_before,
            group::NEXT => row == row_before || row == row_before.wrapping_add(1),
            _ => true,
        };
        near && self.timestamp.get(earlier) == self.timestamp.get(later)
            && text_at(self.session_id, earlier) == text_at(self.session_id, later)
    }
}

/// The text of a line; `None` where it is missing.
#[must_use]
#[inline]
pub fn text_at(column: Option<&StringArray>, line: usize) -> Option<&str> {
    column
        .filter(|column| line < column.len() && column.is_valid(line))
        .map(|column| column.value(line))
}

/// The number of a line; `None` where it is missing.
#[must_use]
#[inline]
pub fn number_at(column: Option<&Float64Array>, line: usize) -> Option<f64> {
    column
        .filter(|column| line < column.len() && column.is_valid(line))
        .map(|column| column.value(line))
}

fn find(batch: &RecordBatch, column: Column) -> Option<&ArrayRef> {
    batch.column_by_name(column.name())
}

fn values<T: ArrowPrimitiveType>(
    batch: &RecordBatch,
    column: Column,
) -> Result<&[T::Native], NotTheTable> {
    find(batch, column)
        .and_then(|array| array.as_primitive_opt::<T>())
        .map(|array| array.values().as_ref())
        .ok_or(NotTheTable {
            column: column.name(),
        })
}

fn texts(batch: &RecordBatch, column: Column) -> Result<Option<&StringArray>, NotTheTable> {
    find(batch, column)
        .map(|array| {
            array.as_string_opt::<i32>().ok_or(NotTheTable {
                column: column.name(),
            })
        })
        .transpose()
}

fn numbers(batch: &RecordBatch, column: Column) -> Result<Option<&Float64Array>, NotTheTable> {
    find(batch, column)
        .map(|array| {
            array.as_primitive_opt().ok_or(NotTheTable {
                column: column.name(),
            })
        })
        .transpose()
}
