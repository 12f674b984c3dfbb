//! UCI Online Retail (Chen 2015) and Online Retail II: one line for each item of an invoice.
//!
//! An invoice becomes one [`EventKind::Purchase`]; an invoice whose number begins with `C`
//! (a cancellation) becomes one [`EventKind::Refund`], its quantities made positive. The event's
//! time is that of the invoice's first line, its value the sum of quantity times price. Lines
//! with a quantity of zero or less on an ordinary invoice are stock movements (breakages, samples), and invoices
//! whose number begins with another letter are book entries ("adjust bad debt"): both are set
//! aside as [`Rule::LeftOut`]. Lines without a customer are kept, without `user_id`.

use std::io::Read;

use crate::{
    Event, EventKind, EventsError, Format, Item, Key, Place, Problem, Rule, Value, ledger::Ledger,
    parse_timestamp,
};

use super::rows::{Header, Row, Rows, identifier};

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::OnlineRetail, delimiter, true, ledger);
    let layout = Layout::new(&rows.header()?)?;
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        let (invoice, event) = match layout.line(&row, ledger) {
            Ok(line) => line,
            Err(problem) => {
                ledger.reject(problem);
                continue;
            }
        };
        ledger.emit(event, Place::new(row.number, Key::Anywhere(&invoice)));
    }
    Ok(())
}

struct Layout {
    invoice: usize,
    stock_code: usize,
    description: Option<usize>,
    quantity: usize,
    date: usize,
    price: usize,
    customer: usize,
    country: Option<usize>,
}

impl Layout {
    fn new(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as UCI publishes it, or use format `csv` with a mapping";
        Ok(Self {
            invoice: header.require(&["InvoiceNo", "Invoice"], remedy)?,
            stock_code: header.require(&["StockCode"], remedy)?,
            description: header.find(&["Description"]),
            quantity: header.require(&["Quantity"], remedy)?,
            date: header.require(&["InvoiceDate"], remedy)?,
            price: header.require(&["UnitPrice", "Price"], remedy)?,
            customer: header.require(&["CustomerID", "Customer ID"], remedy)?,
            country: header.find(&["Country"]),
        })
    }

    /// The invoice's number, and its one line as an event.
    fn line(&self, row: &Row, ledger: &mut Ledger<'_>) -> Result<(String, Event), Problem> {
        let required = |column: usize, name: &str| match row.bytes(column) {
            b"" => Err(row.rejected(Rule::MissingField, name, b"")),
            bytes => {
                std::str::from_utf8(bytes).map_err(|_| row.rejected(Rule::Malformed, name, bytes))
            }
        };
        let invoice = identifier(required(self.invoice, "InvoiceNo")?);
        let kind = match invoice.bytes().next() {
            Some(b'C' | b'c') => EventKind::Refund,
            Some(first) if first.is_ascii_alphabetic() => {
                return Err(row.rejected(Rule::LeftOut, "InvoiceNo", invoice.as_bytes()));
            }
            _ => EventKind::Purchase,
        };
        let date = required(self.date, "InvoiceDate")?;
        let timestamp = parse_timestamp(date, 0)
            .ok_or_else(|| row.rejected(Rule::Malformed, "InvoiceDate", date.as_bytes()))?;
        let mut quantity = row.number(Some(self.quantity), "Quantity", ledger);
        if kind == EventKind::Refund {
            quantity = quantity.map(f64::abs);
        } else if quantity.is_some_and(|quantity| quantity <= 0.0) {
            return Err(row.rejected(Rule::LeftOut, "Quantity", row.bytes(self.quantity)));
        }
        let mut event = Event::new(kind, timestamp);
        event.user_id = row
            .optional(Some(self.customer), "CustomerID", ledger)
            .map(|customer| identifier(&customer).to_owned());
        event.transaction_id = Some(invoice.to_owned());
        event.items.push(Item {
            item_id: identifier(required(self.stock_code, "StockCode")?).to_owned(),
            item_name: row.optional(self.description, "Description", ledger),
            price: row.number(Some(self.price), "UnitPrice", ledger),
            quantity: Some(quantity.unwrap_or(1.0)),
            ..Item::default()
        });
        if let Some(country) = row.optional(self.country, "Country", ledger) {
            event
                .context
                .insert("country".to_owned(), Value::Category(country));
        }
        Ok((invoice.to_owned(), event))
    }
}
