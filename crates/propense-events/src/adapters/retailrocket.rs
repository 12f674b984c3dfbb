//! RetailRocket `events.csv`: `timestamp,visitorid,event,itemid,transactionid`, in any order.
//!
//! `view` is [`EventKind::ViewItem`], `addtocart` [`EventKind::AddToCart`], `transaction`
//! [`EventKind::Purchase`]. The visitor is a browser, not a person, so `visitorid` is the
//! anonymous identifier. Lines with the same `transactionid` are one order. Times count
//! milliseconds.

use std::io::Read;

use crate::{
    Event, EventKind, EventsError, Format, Item, Key, Place, Problem, Rule, ledger::Ledger,
    timestamp::any_timestamp,
};

use super::rows::{Header, Row, Rows, identifier};

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::RetailRocket, delimiter, true, ledger);
    let layout = Layout::new(&rows.header()?)?;
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        match layout.event(&row, ledger) {
            Ok(event) => {
                let order = event.transaction_id.clone();
                let key = order.as_deref().map_or(Key::Own, Key::Anywhere);
                ledger.emit(event, Place::new(row.number, key));
            }
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

struct Layout {
    time: usize,
    visitor: usize,
    event: usize,
    item: usize,
    transaction: Option<usize>,
}

impl Layout {
    fn new(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as published, or use format `csv` with a mapping";
        Ok(Self {
            time: header.require(&["timestamp"], remedy)?,
            visitor: header.require(&["visitorid"], remedy)?,
            event: header.require(&["event"], remedy)?,
            item: header.require(&["itemid"], remedy)?,
            transaction: header.find(&["transactionid"]),
        })
    }

    fn event(&self, row: &Row, ledger: &mut Ledger<'_>) -> Result<Event, Problem> {
        let kind = match row.required(self.event, "event")? {
            "view" => EventKind::ViewItem,
            "addtocart" => EventKind::AddToCart,
            "transaction" => EventKind::Purchase,
            other => {
                ledger.repaired(row.number, Rule::UnknownEvent, "event", other);
                EventKind::Other
            }
        };
        let time = row.required(self.time, "timestamp")?;
        let timestamp = any_timestamp(time, 0)
            .ok_or_else(|| row.rejected(Rule::Malformed, "timestamp", time.as_bytes()))?;
        let mut event = Event::new(kind, timestamp);
        event.anonymous_id = Some(identifier(row.required(self.visitor, "visitorid")?).to_owned());
        event.items.push(Item {
            item_id: identifier(row.required(self.item, "itemid")?).to_owned(),
            ..Item::default()
        });
        if kind == EventKind::Purchase {
            event.transaction_id = row
                .optional(self.transaction, "transactionid", ledger)
                .map(|order| identifier(&order).to_owned());
        }
        Ok(event)
    }
}
