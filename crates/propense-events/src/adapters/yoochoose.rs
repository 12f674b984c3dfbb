//! YooChoose (RecSys Challenge 2015): clicks `session,time,item,category` and buys
//! `session,time,item,price,quantity`, separated by comma or tab, without a header; or with one
//! (then in any order), as in the samples with `SessionId`, `ItemId`, `Time`.
//!
//! A click is [`EventKind::ViewItem`], a buy [`EventKind::Purchase`]; buys of one session at one
//! time that follow each other are one order. A row of five fields, or a header with a price,
//! means buys. Times are ISO 8601, in the samples unix seconds.
//!
//! The `category` of a click is the page it was made on: `S` a special offer (the page type),
//! 1 to 12 a category, 0 unknown, any other number a brand. A buy with price and quantity 0 is
//! one whose price is not known: both are missing, counted as [`Rule::MissingField`].

use std::io::Read;

use crate::{
    Event, EventKind, EventsError, Format, Item, Key, Place, Problem, Rule, ledger::Ledger,
    timestamp::any_timestamp,
};

use super::rows::{Header, Row, Rows, identifier};

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    header: bool,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::Yoochoose, delimiter, true, ledger);
    let named = if header {
        Some(Layout::named(&rows.header()?)?)
    } else {
        None
    };
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        let layout = match &named {
            Some(layout) => layout,
            None if row.record.len() > 4 => &Layout::BUYS,
            None => &Layout::CLICKS,
        };
        match layout.event(&row, ledger) {
            Ok(event) => {
                let order = event.kind == EventKind::Purchase;
                // Time and session are compared by whoever joins the lines.
                let key = if order { Key::Next("order") } else { Key::Own };
                ledger.emit(event, Place::new(row.number, key));
            }
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

struct Layout {
    session: usize,
    time: usize,
    item: usize,
    category: Option<usize>,
    price: Option<usize>,
    quantity: Option<usize>,
}

impl Layout {
    const CLICKS: Self = Self {
        session: 0,
        time: 1,
        item: 2,
        category: Some(3),
        price: None,
        quantity: None,
    };
    const BUYS: Self = Self {
        session: 0,
        time: 1,
        item: 2,
        category: None,
        price: Some(3),
        quantity: Some(4),
    };

    fn named(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as published, or use format `csv` with a mapping";
        Ok(Self {
            session: header.require(&["SessionId", "Session"], remedy)?,
            time: header.require(&["Time", "Timestamp"], remedy)?,
            item: header.require(&["ItemId", "Item"], remedy)?,
            category: header.find(&["Category"]),
            price: header.find(&["Price"]),
            quantity: header.find(&["Quantity"]),
        })
    }

    fn event(&self, row: &Row, ledger: &mut Ledger<'_>) -> Result<Event, Problem> {
        let time = row.required(self.time, "time")?;
        let timestamp = any_timestamp(time, 0)
            .ok_or_else(|| row.rejected(Rule::Malformed, "time", time.as_bytes()))?;
        let kind = if self.price.is_some() {
            EventKind::Purchase
        } else {
            EventKind::ViewItem
        };
        let mut event = Event::new(kind, timestamp);
        event.session_id = Some(identifier(row.required(self.session, "session")?).to_owned());
        let mut item = Item {
            item_id: identifier(row.required(self.item, "item")?).to_owned(),
            ..Item::default()
        };
        let page = row.optional(self.category, "category", ledger);
        match page.as_deref().map(|page| (page, page.parse::<u64>())) {
            None | Some((_, Ok(0))) => {}
            Some(("S", _)) => event.page_type = Some("special_offer".to_owned()),
            Some((_, Ok(1..=12))) => item.item_category = page,
            Some((_, Ok(_))) => item.item_brand = page,
            Some((other, Err(_))) => {
                ledger.repaired(row.number, Rule::WrongType, "category", other);
            }
        }
        item.price = row.number(self.price, "price", ledger);
        item.quantity = row.number(self.quantity, "quantity", ledger);
        if item.price == Some(0.0) && item.quantity == Some(0.0) {
            ledger.repaired(row.number, Rule::MissingField, "price", "0");
            item.price = None;
            item.quantity = None;
        }
        event.items.push(item);
        Ok(event)
    }
}
