//! JD sessions of 2019: `action_time,user_id,sku_id,type,sessionId`, in any order.
//!
//! `type` 1 is [`EventKind::ViewItem`], 2 [`EventKind::Purchase`], 3
//! [`EventKind::AddToWishlist`], 4 [`EventKind::Review`]. Nothing promises that a `sessionId`
//! belongs to one user, so the session is named `user-session`. Times are China's (UTC+8).

use std::io::Read;

use crate::{
    Event, EventKind, EventsError, Format, Item, Place, Problem, Rule, ledger::Ledger,
    parse_timestamp,
};

use super::rows::{Header, Row, Rows, identifier};

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::Jdata, delimiter, true, ledger);
    let layout = Layout::new(&rows.header()?)?;
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        match layout.event(&row) {
            Ok(event) => ledger.emit(event, Place::own(row.number)),
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

struct Layout {
    time: usize,
    user: usize,
    sku: usize,
    kind: usize,
    session: usize,
}

impl Layout {
    fn new(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as published, or use format `csv` with a mapping";
        Ok(Self {
            time: header.require(&["action_time"], remedy)?,
            user: header.require(&["user_id"], remedy)?,
            sku: header.require(&["sku_id"], remedy)?,
            kind: header.require(&["type"], remedy)?,
            session: header.require(&["sessionId"], remedy)?,
        })
    }

    fn event(&self, row: &Row) -> Result<Event, Problem> {
        let required = |column: usize, name: &str| match row.bytes(column) {
            b"" => Err(row.rejected(Rule::MissingField, name, b"")),
            bytes => std::str::from_utf8(bytes)
                .map(identifier)
                .map_err(|_| row.rejected(Rule::Malformed, name, bytes)),
        };
        let kind = match required(self.kind, "type")? {
            "1" => EventKind::ViewItem,
            "2" => EventKind::Purchase,
            "3" => EventKind::AddToWishlist,
            "4" => EventKind::Review,
            other => return Err(row.rejected(Rule::Malformed, "type", other.as_bytes())),
        };
        let time = required(self.time, "action_time")?;
        let timestamp = parse_timestamp(time, Format::Jdata.utc_offset_minutes())
            .ok_or_else(|| row.rejected(Rule::Malformed, "action_time", time.as_bytes()))?;
        let user = required(self.user, "user_id")?;
        let session = required(self.session, "sessionId")?;
        let mut event = Event::new(kind, timestamp);
        event.user_id = Some(user.to_owned());
        event.session_id = Some(format!("{user}-{session}"));
        event.items.push(Item {
            item_id: required(self.sku, "sku_id")?.to_owned(),
            ..Item::default()
        });
        Ok(event)
    }
}
