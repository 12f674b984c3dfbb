//! A made-up shop whose figures are as they should be, to be spoilt in one respect at a time.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray,
    UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::datatypes::Int8Type;
use propense_events::EventKind;
use propense_prepare::report::{DataReport, FileFigures, Intake, Measure, Records};
use propense_prepare::table::{Column, output_schema};

/// 2024-03-04, a Monday, midnight UTC, in milliseconds.
pub(crate) const MONDAY: i64 = 1_709_510_400_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// One line of the written table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Line {
    pub(crate) time: i64,
    pub(crate) kind: Option<EventKind>,
    pub(crate) user: Option<String>,
    pub(crate) anonymous: Option<String>,
    pub(crate) session: String,
    pub(crate) event_no: u32,
    pub(crate) item: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) price: Option<f64>,
    pub(crate) quantity: Option<f64>,
    pub(crate) value: Option<f64>,
    pub(crate) currency: Option<String>,
    pub(crate) source: u16,
}

/// The lines as `prepare` writes them.
pub(crate) fn batch(lines: &[Line]) -> RecordBatch {
    let text = |of: &dyn Fn(&Line) -> Option<&str>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Line) -> Option<f64>| -> ArrayRef {
        Arc::new(lines.iter().map(of).collect::<Float64Array>())
    };
    let schema = output_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match Column::from_name(field.name()).expect("a column") {
                Column::Timestamp => Arc::new(
                    TimestampMillisecondArray::from_iter_values(lines.iter().map(|line| line.time))
                        .with_timezone("UTC"),
                ),
                Column::Event => {
                    let names = lines.iter().map(|line| Some(line.kind?.name()));
                    Arc::new(names.collect::<DictionaryArray<Int8Type>>())
                }
                Column::UserId => text(&|line| line.user.as_deref()),
                Column::AnonymousId => text(&|line| line.anonymous.as_deref()),
                Column::SessionId => text(&|line| Some(&line.session)),
                Column::EventNo => Arc::new(UInt32Array::from_iter_values(
                    lines.iter().map(|line| line.event_no),
                )),
                Column::ItemId => text(&|line| line.item.as_deref()),
                Column::ItemCategory => text(&|line| line.category.as_deref()),
                Column::Price => number(&|line| line.price),
                Column::Quantity => number(&|line| line.quantity),
                Column::Value => number(&|line| line.value),
                Column::Currency => text(&|line| line.currency.as_deref()),
                Column::Source => Arc::new(UInt16Array::from_iter_values(
                    lines.iter().map(|line| line.source),
                )),
                Column::Row => Arc::new(UInt64Array::from_iter_values(1..=lines.len() as u64)),
                _ => new_null_array(field.data_type(), lines.len()),
            }
        })
        .collect();
    RecordBatch::try_new(schema, columns).expect("the written table")
}

/// The report of lines, measured in batches of this size.
pub(crate) fn report_of(lines: &[Line], size: usize, intake: Intake) -> DataReport {
    let mut measure = Measure::new(&[0]);
    for lines in lines.chunks(size.max(1)) {
        measure.push(&batch(lines)).expect("the written table");
    }
    measure.report(intake)
}

/// What one visitor did in one session.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) user: Option<String>,
    pub(crate) start: i64,
    pub(crate) events: Vec<Done>,
}

/// One event, of one line.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) kind: EventKind,
    /// Seconds after the event before.
    pub(crate) pause: i64,
    pub(crate) item: Option<usize>,
    pub(crate) price: Option<f64>,
    pub(crate) currency: &'static str,
}

impl Done {
    pub(crate) fn new(kind: EventKind, item: Option<usize>) -> Self {
        Self {
            kind,
            pause: 30,
            item,
            price: item.map(|item| 2.0 + item as f64 / 4.0),
            currency: "EUR",
        }
    }
}

impl Visit {
    pub(crate) fn ordered(&self) -> bool {
        self.events
            .iter()
            .any(|event| event.kind == EventKind::Purchase)
    }
}

/// Numbers that look random and are always the same.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % most.max(1) as u64) as usize
    }
}

pub(crate) const DAYS: i64 = 63;

/// Nine weeks of a healthy shop: sixty sessions a day from 8 to 23 o'clock, one in eight with an
/// order.
pub(crate) fn healthy() -> Vec<Visit> {
    let mut dice = Dice(7);
    let mut visits = Vec::new();
    for day in 0..DAYS {
        for _ in 0..60 {
            let hour = 8 + (dice.below(16) + dice.below(16)) / 2;
            let minute = dice.below(60) as i64;
            let mut events = vec![Done::new(EventKind::PageView, None)];
            for _ in 0..=dice.below(7) {
                let item = dice.below(20) * dice.below(10);
                let mut view = Done::new(EventKind::ViewItem, Some(item));
                view.pause = [4, 15, 40, 90, 200, 500][dice.below(6)];
                events.push(view);
            }
            let last = events.last().and_then(|event| event.item);
            if dice.below(10) < 3 {
                events.push(Done::new(EventKind::AddToCart, last));
                if dice.below(10) < 6 {
                    events.push(Done::new(EventKind::BeginCheckout, last));
                    if dice.below(10) < 7 {
                        events.push(Done::new(EventKind::Purchase, last));
                    }
                }
            }
            visits.push(Visit {
                user: Some(format!("user {}", dice.below(900))),
                start: MONDAY + day * DAY + hour as i64 * HOUR + minute * 60_000,
                events,
            });
        }
    }
    visits
}

/// The visits as the written table has them.
pub(crate) fn lines(visits: &[Visit]) -> Vec<Line> {
    let mut order: Vec<(usize, &Visit)> = visits.iter().enumerate().collect();
    order.sort_by_key(|(number, visit)| (visit.user.clone(), visit.start, *number));
    let mut lines = Vec::new();
    for (number, visit) in order {
        let mut time = visit.start;
        for (event_no, event) in (1..).zip(&visit.events) {
            time += event.pause * 1000;
            lines.push(Line {
                time,
                kind: Some(event.kind),
                user: visit.user.clone(),
                session: format!("s{number}"),
                event_no,
                item: event.item.map(|item| format!("item {item}")),
                category: event
                    .item
                    .map(|item| format!("Department {}/Shelf {}", item % 5, item % 17)),
                price: event.price,
                quantity: event.item.map(|item| [1.0, 1.0, 2.0, 3.0][item % 4]),
                currency: event.price.map(|_| event.currency.to_owned()),
                ..Line::default()
            });
        }
    }
    lines
}

/// Accounts in which everything was read and nothing set aside.
pub(crate) fn intake(lines: usize) -> Intake {
    let lines = lines as u64;
    Intake {
        name: "shop.csv".to_owned(),
        files: vec![FileFigures {
            path: "shop.csv".to_owned(),
            format: "csv".to_owned(),
            bytes: lines * 90,
            rows: lines,
            kept: lines,
            lines,
            ..FileFigures::default()
        }],
        records: Records {
            read: lines,
            written: lines,
            ..Records::default()
        },
        ..Intake::default()
    }
}

/// The report of visits.
pub(crate) fn report(visits: &[Visit], spoil: impl FnOnce(&mut Intake)) -> DataReport {
    let lines = lines(visits);
    let mut intake = intake(lines.len());
    spoil(&mut intake);
    report_of(&lines, 1000, intake)
}
