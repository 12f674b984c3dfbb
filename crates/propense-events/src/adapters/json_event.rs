//! What the adapters of JSON lines share: one object, one event. Also Propense's own schema.

use std::io::Read;

use crate::{
    Event, EventsError, Problem, json,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_rows::{Found, json_rows};

/// Makes one event of each object.
pub(super) fn read_events<R: Read>(
    input: R,
    ledger: &mut Ledger<'_>,
    make: impl Fn(&Fields, &mut FieldReader<'_>) -> Result<Event, Problem>,
) -> Result<(), EventsError> {
    json_rows(input, ledger, |fields, reader| {
        make(fields, reader).map(Found::from)
    })
}

/// Propense's own schema, as [`crate::parse_event`] reads it live. In a file, a word of the
/// shop's own is counted.
pub(crate) fn read_own<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    read_events(input, ledger, |fields, reader| {
        let event = json::event(fields, reader)?;
        if let Some(name) = json::name(fields) {
            reader.unless_known(event.kind, name);
        }
        Ok(event)
    })
}
