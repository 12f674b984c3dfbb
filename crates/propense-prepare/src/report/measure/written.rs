//! A typed view over a batch of the written table.

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int8Type, TimestampMillisecondType, UInt16Type, UInt32Type,
};
use propense_events::EventKind;

use crate::table::{Column, NotTheTable};

/// Columns of which the report says how often they are missing.
pub(super) const MAY_LACK: [Column; 15] = [
    Column::UserId,
    Column::AnonymousId,
    Column::ItemId,
    Column::ItemName,
    Column::ItemCategory,
    Column::ItemBrand,
    Column::Price,
    Column::Quantity,
    Column::PageType,
    Column::Value,
    Column::Currency,
    Column::TransactionId,
    Column::SearchTerm,
    Column::Rating,
    Column::Context,
];

/// The columns of a batch. All have the same length; one without any value is none.
pub(super) struct Written<'a> {
    batch: &'a RecordBatch,
    pub(super) timestamp: &'a [i64],
    pub(super) event_no: &'a [u32],
    pub(super) source: &'a [u16],
    /// [`EventKind::code`] of each line.
    pub(super) kind: Vec<u8>,
    pub(super) user_id: Option<&'a StringArray>,
    pub(super) anonymous_id: Option<&'a StringArray>,
    pub(super) session_id: &'a StringArray,
    pub(super) item_id: Option<&'a StringArray>,
    pub(super) item_category: Option<&'a StringArray>,
    pub(super) currency: Option<&'a StringArray>,
    pub(super) price: Option<&'a Float64Array>,
    pub(super) quantity: Option<&'a Float64Array>,
    pub(super) value: Option<&'a Float64Array>,
}

impl<'a> Written<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, NotTheTable> {
        Ok(Self {
            batch,
            timestamp: values::<TimestampMillisecondType>(batch, Column::Timestamp)?,
            event_no: values::<UInt32Type>(batch, Column::EventNo)?,
            source: values::<UInt16Type>(batch, Column::Source)?,
            kind: kinds(batch)?,
            user_id: filled(texts(batch, Column::UserId)?),
            anonymous_id: filled(texts(batch, Column::AnonymousId)?),
            session_id: texts(batch, Column::SessionId)?,
            item_id: filled(texts(batch, Column::ItemId)?),
            item_category: filled(texts(batch, Column::ItemCategory)?),
            currency: filled(texts(batch, Column::Currency)?),
            price: filled(numbers(batch, Column::Price)?),
            quantity: filled(numbers(batch, Column::Quantity)?),
            value: filled(numbers(batch, Column::Value)?),
        })
    }

    pub(super) const fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// Adds the lines without a value to `missing`, by column and kind.
    pub(super) fn count_missing(
        &self,
        missing: &mut [[u64; EventKind::ALL.len()]; MAY_LACK.len()],
    ) {
        let mut lines = [0; EventKind::ALL.len()];
        for kind in &self.kind {
            if let Some(lines) = lines.get_mut(usize::from(*kind)) {
                *lines += 1;
            }
        }
        for (column, missing) in MAY_LACK.into_iter().zip(missing) {
            let Some(array) = self.batch.column_by_name(column.name()) else {
                continue;
            };
            match array.nulls() {
                None => {}
                Some(nulls) if nulls.null_count() == array.len() => {
                    for (missing, lines) in missing.iter_mut().zip(lines) {
                        *missing += lines;
                    }
                }
                Some(nulls) => {
                    for (kind, valid) in self.kind.iter().zip(nulls) {
                        if !valid && let Some(missing) = missing.get_mut(usize::from(*kind)) {
                            *missing += 1;
                        }
                    }
                }
            }
        }
    }
}

fn values<T: ArrowPrimitiveType>(
    batch: &RecordBatch,
    column: Column,
) -> Result<&[T::Native], NotTheTable> {
    batch
        .column_by_name(column.name())
        .and_then(|array| array.as_primitive_opt::<T>())
        .map(|array| array.values().as_ref())
        .ok_or(wrong(column))
}

fn texts(batch: &RecordBatch, column: Column) -> Result<&StringArray, NotTheTable> {
    batch
        .column_by_name(column.name())
        .and_then(|array| array.as_string_opt::<i32>())
        .ok_or(wrong(column))
}

/// The column, if anything stands in it: a line is then not looked at for nothing.
fn filled<A: Array>(array: &A) -> Option<&A> {
    (array.null_count() < array.len()).then_some(array)
}

fn numbers(batch: &RecordBatch, column: Column) -> Result<&Float64Array, NotTheTable> {
    batch
        .column_by_name(column.name())
        .and_then(|array| array.as_primitive_opt())
        .ok_or(wrong(column))
}

/// The kinds by their code, whatever the order of the dictionary.
fn kinds(batch: &RecordBatch) -> Result<Vec<u8>, NotTheTable> {
    let wrong = || wrong(Column::Event);
    let array = batch
        .column_by_name(Column::Event.name())
        .ok_or_else(wrong)?;
    let wanted = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let array = cast(array, &wanted).map_err(|_| wrong())?;
    let names = array.as_dictionary_opt::<Int8Type>().ok_or_else(wrong)?;
    let codes: Vec<u8> = names
        .values()
        .as_string_opt::<i32>()
        .ok_or_else(wrong)?
        .iter()
        .map(|name| EventKind::from_name(name.unwrap_or_default()).code())
        .collect();
    let other = EventKind::Other.code();
    let code = |key: &i8| {
        usize::try_from(*key)
            .ok()
            .and_then(|key| codes.get(key).copied())
            .unwrap_or(other)
    };
    Ok(names.keys().values().iter().map(code).collect())
}

const fn wrong(column: Column) -> NotTheTable {
    NotTheTable {
        column: column.name(),
    }
}
