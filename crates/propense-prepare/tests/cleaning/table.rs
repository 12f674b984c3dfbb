//! A table written as text, and the verdicts on it as text.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray,
    UInt8Array, UInt16Array, UInt64Array,
};
use propense_events::EventKind;
use propense_prepare::clean::{
    Change, Options, Rules, Scratch, SessionPlace, Verdicts, clean_owner,
};
use propense_prepare::table::{Column, Lines};
use propense_prepare::usual_price::UsualPrices;

/// 2024-01-01T00:00:00Z in milliseconds.
pub(crate) const START: i64 = 1_704_067_200_000;

/// One line, all of one owner.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Row {
    pub(crate) timestamp: i64,
    pub(crate) kind: u8,
    pub(crate) texts: [Option<String>; Column::TEXTS.len()],
    pub(crate) numbers: [Option<f64>; Column::NUMBERS.len()],
    pub(crate) source: u16,
    pub(crate) row: u64,
    /// A record of several lines: those with the same row.
    pub(crate) group: u64,
}

impl Row {
    /// Reads `12.5 view_item item_id=a price=2.5`: seconds since [`START`], the event, fields. A
    /// blank within a value is written as `~`. The user is `u` unless something else is said.
    pub(crate) fn parse(text: &str, row: u64) -> Self {
        let mut words = text.split_whitespace();
        let seconds: f64 = words.next().expect("a time").parse().expect("a time");
        let name = words.next().expect("an event");
        let kind = EventKind::from_name(name);
        assert_eq!(kind.name(), name, "no such event");
        let mut line = Self {
            timestamp: START + (seconds * 1000.0).round() as i64,
            kind: kind as u8,
            row,
            ..Self::default()
        };
        *line.text(Column::UserId) = Some("u".to_owned());
        for word in words {
            let (name, value) = word.split_once('=').expect("name=value");
            let value = value.replace('~', " ");
            match name {
                "source" => line.source = value.parse().expect("a source"),
                "row" => line.row = value.parse().expect("a row"),
                "group" => line.group = value.parse().expect("a group"),
                name => line.set(name, &value),
            }
        }
        line
    }

    fn set(&mut self, name: &str, value: &str) {
        let column = Column::from_name(name).unwrap_or_else(|| panic!("no column {name}"));
        let numbers = Column::NUMBERS.iter().position(|other| *other == column);
        match numbers {
            Some(position) => self.numbers[position] = Some(value.parse().expect("a number")),
            None => *self.text(column) = (!value.is_empty()).then(|| value.to_owned()),
        }
    }

    pub(crate) fn text(&mut self, column: Column) -> &mut Option<String> {
        let position = Column::TEXTS.iter().position(|other| *other == column);
        &mut self.texts[position.expect("a text column")]
    }

    pub(crate) fn number(&mut self, column: Column) -> &mut Option<f64> {
        let position = Column::NUMBERS.iter().position(|other| *other == column);
        &mut self.numbers[position.expect("a column of numbers")]
    }
}

/// Reads rows; they stand in their file in this order.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .zip(1..)
        .map(|(line, row)| Row::parse(line, row))
        .collect()
}

/// The rows as the staged table has them: sorted by time, source, row.
pub(crate) fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| (row.timestamp, row.source, row.row));
}

/// The staged table.
pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let times = rows.iter().map(|row| row.timestamp);
    let times = TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC");
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (Column::Timestamp.name(), Arc::new(times)),
        (
            Column::Event.name(),
            Arc::new(UInt8Array::from_iter_values(
                rows.iter().map(|row| row.kind),
            )),
        ),
        (
            Column::Source.name(),
            Arc::new(UInt16Array::from_iter_values(
                rows.iter().map(|row| row.source),
            )),
        ),
        (
            Column::Row.name(),
            Arc::new(UInt64Array::from_iter_values(
                rows.iter().map(|row| row.row),
            )),
        ),
        (
            Column::Group.name(),
            Arc::new(UInt64Array::from_iter_values(
                rows.iter().map(|row| row.group),
            )),
        ),
        keys(rows.len()),
    ];
    for (position, column) in Column::TEXTS.into_iter().enumerate() {
        let texts: StringArray = rows
            .iter()
            .map(|row| row.texts[position].as_deref())
            .collect();
        columns.push((column.name(), Arc::new(texts)));
    }
    for (position, column) in Column::NUMBERS.into_iter().enumerate() {
        let numbers: Float64Array = rows.iter().map(|row| row.numbers[position]).collect();
        columns.push((column.name(), Arc::new(numbers)));
    }
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("a batch")
}

/// The rules go by the order of the lines, not by their keys.
fn keys(len: usize) -> (&'static str, ArrayRef) {
    let keys = Decimal128Array::from(vec![0; len]).with_precision_and_scale(38, 0);
    (
        Column::Key.name(),
        Arc::new(keys.expect("a type of Arrow's")),
    )
}

/// The rules with these options; the items `a` and `b` usually cost 2.5 and 10.
pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Rules {
    let mut options = Options::default();
    change(&mut options);
    let usual = UsualPrices::known([("a", 2.5), ("b", 10.0)]);
    Rules::new(options, usual).expect("good options")
}

pub(crate) fn clean(rows: &[Row], rules: &Rules) -> (RecordBatch, Verdicts) {
    let batch = batch(rows);
    let lines = Lines::new(&batch).expect("the staged table");
    let mut verdicts = Verdicts::default();
    clean_owner(
        &lines,
        0..rows.len(),
        rules,
        &mut Scratch::default(),
        &mut verdicts,
    );
    (batch, verdicts)
}

/// What was decided on each row, in the order in which the rows were written: the rule that set
/// it aside, or `keep` with what was repaired.
pub(crate) fn judged(rows: &[Row], rules: &Rules) -> Vec<String> {
    let mut sorted: Vec<(usize, Row)> = rows.iter().cloned().enumerate().collect();
    sorted.sort_by_key(|(_, row)| (row.timestamp, row.source, row.row));
    let lines: Vec<Row> = sorted.iter().map(|(_, row)| row.clone()).collect();
    let (_, verdicts) = clean(&lines, rules);
    let mut texts = vec!["keep".to_owned(); rows.len()];
    for removal in &verdicts.removed {
        texts[sorted[removal.line].0] = format!("{}: {}", removal.rule, removal.detail);
    }
    for repair in &verdicts.repaired {
        let text = &mut texts[sorted[repair.line].0];
        assert!(text.starts_with("keep"), "a line set aside was repaired");
        let change = match repair.change {
            Change::Sorted => "sorted".to_owned(),
            Change::Price(price) => format!("price {}", amount(price)),
            Change::Value(value) => format!("value {}", amount(value)),
            Change::Currency => "currency".to_owned(),
        };
        text.push_str(&format!(", {} {change}", repair.rule));
    }
    texts
}

fn amount(amount: Option<f64>) -> String {
    amount.map_or("missing".to_owned(), |amount| amount.to_string())
}

/// The session and event number of each row, in the order in which the rows were written.
pub(crate) fn placed(rows: &[Row], rules: &Rules) -> Vec<String> {
    let mut sorted: Vec<(usize, Row)> = rows.iter().cloned().enumerate().collect();
    sorted.sort_by_key(|(_, row)| (row.timestamp, row.source, row.row));
    let lines: Vec<Row> = sorted.iter().map(|(_, row)| row.clone()).collect();
    let (batch, verdicts) = clean(&lines, rules);
    let lines = Lines::new(&batch).expect("the staged table");
    assert_eq!(verdicts.places.len(), rows.len());
    let mut texts = vec![String::new(); rows.len()];
    for ((position, _), place) in sorted.iter().zip(&verdicts.places) {
        texts[*position] = place_name(&lines, &verdicts, *place);
    }
    texts
}

pub(crate) fn place_name(lines: &Lines<'_>, verdicts: &Verdicts, place: SessionPlace) -> String {
    if place == SessionPlace::NONE {
        return "-".to_owned();
    }
    let mut text = String::new();
    let session = &verdicts.sessions[place.session as usize];
    session.write(lines, &mut text).expect("a String takes all");
    format!("{text} {}", place.event_no)
}

/// Compares line by line; each line of `table` is `row | expected`.
fn compare(table: &str, found: impl FnOnce(&[Row]) -> Vec<String>) {
    let lines: Vec<&str> = table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let (text, expected): (Vec<&str>, Vec<&str>) = lines
        .iter()
        .map(|line| line.split_once('|').expect("row | expected"))
        .unzip();
    let found = found(&rows(&text.join("\n")));
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let expected: Vec<&str> = expected.into_iter().map(str::trim).collect();
    assert_eq!(found, expected, "\n{table}");
}

/// Each line is `row | verdict`.
pub(crate) fn check(rules: &Rules, table: &str) {
    compare(table, |rows| judged(rows, rules));
}

/// Each line is `row | session number`.
pub(crate) fn check_sessions(rules: &Rules, table: &str) {
    compare(table, |rows| placed(rows, rules));
}
