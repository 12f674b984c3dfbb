//! Every column of the event table, in one place: as staged between the steps, and as written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

/// The type of [`Column::Key`]: the one 128-bit integer that Arrow has.
pub(crate) const KEY_TYPE: DataType = DataType::Decimal128(38, 0);

/// A column of the event table. The table has one line for each item of an event, and one line
/// for an event without items; what belongs to the event as a whole stands on each of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// When, in milliseconds since 1970 (UTC).
    Timestamp,
    /// What: staged as [`propense_events::EventKind`]'s code, written as its GA4 name.
    Event,
    /// Who, as the shop knows them.
    UserId,
    /// Who, as the browser knows them.
    AnonymousId,
    /// The session: the shop's own, or the one found by idle gap.
    SessionId,
    /// The event's number in its session, from 1; the lines of one event share it. Written only.
    EventNo,
    /// The item's identifier; missing on the line of an event without items.
    ItemId,
    /// The item's title.
    ItemName,
    /// The category path, outermost level first, joined with `/`.
    ItemCategory,
    /// The brand.
    ItemBrand,
    /// Price of one unit.
    Price,
    /// Number of units.
    Quantity,
    /// The kind of page.
    PageType,
    /// The event's total value.
    Value,
    /// ISO 4217 code of price and value.
    Currency,
    /// The order.
    TransactionId,
    /// What was searched for.
    SearchTerm,
    /// Stars of a review, 1 to 5.
    Rating,
    /// What is known of visitor and session, a JSON object.
    Context,
    /// Index of the input file.
    Source,
    /// Row in that file.
    Row,
    /// Which lines are one event: see [`crate::table::Lines::same_event`]. Staged only.
    Group,
    /// Where the line stands in the table: see [`crate::table::Key`]. Staged only.
    Key,
}

impl Column {
    /// Every column, in the table's order.
    pub const ALL: [Self; 23] = [
        Self::Timestamp,
        Self::Event,
        Self::UserId,
        Self::AnonymousId,
        Self::SessionId,
        Self::EventNo,
        Self::ItemId,
        Self::ItemName,
        Self::ItemCategory,
        Self::ItemBrand,
        Self::Price,
        Self::Quantity,
        Self::PageType,
        Self::Value,
        Self::Currency,
        Self::TransactionId,
        Self::SearchTerm,
        Self::Rating,
        Self::Context,
        Self::Source,
        Self::Row,
        Self::Group,
        Self::Key,
    ];

    /// Text columns, in the table's order.
    pub const TEXTS: [Self; 12] = [
        Self::UserId,
        Self::AnonymousId,
        Self::SessionId,
        Self::ItemId,
        Self::ItemName,
        Self::ItemCategory,
        Self::ItemBrand,
        Self::PageType,
        Self::Currency,
        Self::TransactionId,
        Self::SearchTerm,
        Self::Context,
    ];

    /// Columns of numbers that may be missing, in the table's order.
    pub const NUMBERS: [Self; 4] = [Self::Price, Self::Quantity, Self::Value, Self::Rating];

    /// The column's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Event => "event",
            Self::UserId => "user_id",
            Self::AnonymousId => "anonymous_id",
            Self::SessionId => "session_id",
            Self::EventNo => "event_no",
            Self::ItemId => "item_id",
            Self::ItemName => "item_name",
            Self::ItemCategory => "item_category",
            Self::ItemBrand => "item_brand",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::PageType => "page_type",
            Self::Value => "value",
            Self::Currency => "currency",
            Self::TransactionId => "transaction_id",
            Self::SearchTerm => "search_term",
            Self::Rating => "rating",
            Self::Context => "context",
            Self::Source => "source",
            Self::Row => "row",
            Self::Group => "group",
            Self::Key => "owner",
        }
    }

    /// The column with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The type between the steps.
    fn staged(self) -> Option<DataType> {
        match self {
            Self::EventNo => None,
            Self::Event => Some(DataType::UInt8),
            Self::Group => Some(DataType::UInt64),
            Self::Key => Some(KEY_TYPE),
            other => other.written(),
        }
    }

    /// The type in the written table.
    pub(crate) fn written(self) -> Option<DataType> {
        match self {
            Self::Timestamp => Some(DataType::Timestamp(
                TimeUnit::Millisecond,
                Some("UTC".into()),
            )),
            Self::EventNo => Some(DataType::UInt32),
            Self::Price | Self::Quantity | Self::Value | Self::Rating => Some(DataType::Float64),
            Self::Source => Some(DataType::UInt16),
            Self::Row => Some(DataType::UInt64),
            Self::Group | Self::Key => None,
            // Sixteen names: one byte a line and the names once.
            Self::Event => Some(DataType::Dictionary(
                Box::new(DataType::Int8),
                Box::new(DataType::Utf8),
            )),
            Self::UserId
            | Self::AnonymousId
            | Self::SessionId
            | Self::ItemId
            | Self::ItemName
            | Self::ItemCategory
            | Self::ItemBrand
            | Self::PageType
            | Self::Currency
            | Self::TransactionId
            | Self::SearchTerm
            | Self::Context => Some(DataType::Utf8),
        }
    }

    /// Whether a line may lack it.
    const fn nullable(self) -> bool {
        !matches!(
            self,
            Self::Timestamp
                | Self::Event
                | Self::EventNo
                | Self::Source
                | Self::Row
                | Self::Group
                | Self::Key
        )
    }
}

/// A set of columns: those in which anything stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ColumnSet(u32);

impl ColumnSet {
    /// Adds a column.
    pub const fn insert(&mut self, column: Column) {
        self.0 |= 1 << column as u32;
    }

    /// Whether the column is in the set.
    #[must_use]
    pub const fn contains(self, column: Column) -> bool {
        self.0 & (1 << column as u32) != 0
    }

    /// The columns of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The table as it stands between the steps. A column that may be missing is there only if it is
/// in `carried`: what stands nowhere in the input is not carried on.
#[must_use]
pub fn staged_schema(carried: ColumnSet) -> SchemaRef {
    schema(
        |column| carried.contains(column),
        Column::staged,
        Column::nullable,
    )
}

/// Fits a staged batch to a schema with more columns.
pub(crate) fn widen(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() == schema.fields().len() {
        return Ok(batch.clone());
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            batch
                .column_by_name(field.name())
                .cloned()
                .unwrap_or_else(|| {
                    arrow::array::new_null_array(field.data_type(), batch.num_rows())
                })
        })
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// Whether a file's columns are those of [`output_schema`].
pub(crate) fn is_event_table(schema: &Schema) -> bool {
    output_schema()
        .fields()
        .iter()
        .all(|field| schema.field_with_name(field.name()).is_ok())
}

/// The table as it is written: always every column, whatever the input held. Each line has a
/// session by then.
#[must_use]
pub fn output_schema() -> SchemaRef {
    schema(
        |_| true,
        Column::written,
        |column| column.nullable() && column != Column::SessionId,
    )
}

fn schema(
    carried: impl Fn(Column) -> bool,
    data_type: impl Fn(Column) -> Option<DataType>,
    nullable: impl Fn(Column) -> bool,
) -> SchemaRef {
    let fields = Column::ALL.into_iter().filter_map(|column| {
        if column.nullable() && !carried(column) {
            return None;
        }
        Some(Field::new(
            column.name(),
            data_type(column)?,
            nullable(column),
        ))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
