//! REES46: `event_time,event_type,product_id,category_id,category_code,brand,price,user_id,
//! user_session`, in any order. Times are UTC (`2019-10-01 00:00:00 UTC`).
//!
//! `view` is [`EventKind::ViewItem`], `cart` [`EventKind::AddToCart`], `remove_from_cart`
//! [`EventKind::RemoveFromCart`], `purchase` [`EventKind::Purchase`]. The dots of `category_code`
//! become the slashes of a path; where there is none, `category_id` stands in. Purchases of one
//! session at one second that follow each other are one order.

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
    let mut rows = Rows::new(input, Format::Rees46, delimiter, true, ledger);
    let layout = Layout::new(&rows.header()?)?;
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        match layout.event(&row, ledger) {
            Ok(event) => {
                let order = event.kind == EventKind::Purchase && event.session_id.is_some();
                // Time, user and session are compared by whoever joins the lines.
                let key = if order { Key::Next("order") } else { Key::Own };
                ledger.emit(event, Place::new(row.number, key));
            }
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

struct Layout {
    time: usize,
    event: usize,
    product: usize,
    category: Option<usize>,
    category_code: Option<usize>,
    brand: Option<usize>,
    price: Option<usize>,
    user: Option<usize>,
    session: Option<usize>,
}

impl Layout {
    fn new(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as published, or use format `csv` with a mapping";
        Ok(Self {
            time: header.require(&["event_time"], remedy)?,
            event: header.require(&["event_type"], remedy)?,
            product: header.require(&["product_id"], remedy)?,
            category: header.find(&["category_id"]),
            category_code: header.find(&["category_code"]),
            brand: header.find(&["brand"]),
            price: header.find(&["price"]),
            user: header.find(&["user_id"]),
            session: header.find(&["user_session"]),
        })
    }

    fn event(&self, row: &Row, ledger: &mut Ledger<'_>) -> Result<Event, Problem> {
        let kind = match row.required(self.event, "event_type")? {
            "view" => EventKind::ViewItem,
            "cart" => EventKind::AddToCart,
            "remove_from_cart" => EventKind::RemoveFromCart,
            "purchase" => EventKind::Purchase,
            other => {
                ledger.repaired(row.number, Rule::UnknownEvent, "event_type", other);
                EventKind::Other
            }
        };
        let time = row.required(self.time, "event_time")?;
        let timestamp = any_timestamp(time, 0)
            .ok_or_else(|| row.rejected(Rule::Malformed, "event_time", time.as_bytes()))?;
        let mut event = Event::new(kind, timestamp);
        event.user_id = row
            .optional(self.user, "user_id", ledger)
            .map(|user| identifier(&user).to_owned());
        event.session_id = row.optional(self.session, "user_session", ledger);
        let category = row
            .optional(self.category_code, "category_code", ledger)
            .map(|code| code.replace('.', "/"))
            .or_else(|| row.optional(self.category, "category_id", ledger));
        event.items.push(Item {
            item_id: identifier(row.required(self.product, "product_id")?).to_owned(),
            item_name: None,
            item_category: category,
            item_brand: row.optional(self.brand, "brand", ledger),
            price: row.number(self.price, "price", ledger),
            quantity: None,
        });
        Ok(event)
    }
}
