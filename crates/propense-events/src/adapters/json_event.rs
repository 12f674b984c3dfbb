//! What the adapters of JSON lines share: one object, one event. Also Propense's own schema.

use std::io::Read;

use crate::{
    Event, EventsError, Place, Problem, json,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_rows::json_rows;

/// Makes one event of each object.
pub(super) fn read_events<R: Read>(
    input: R,
    ledger: &mut Ledger<'_>,
    make: impl Fn(&Fields, &mut FieldReader<'_>) -> Result<Event, Problem>,
) -> Result<(), EventsError> {
    json_rows(input, ledger, |fields, row, ledger| {
        let limits = ledger.limits;
        let mut reader = FieldReader::new(row, &limits);
        let event = make(fields, &mut reader);
        for problem in reader.problems {
            ledger.note(problem);
        }
        match event {
            Ok(event) => ledger.emit(event, Place::own(row)),
            Err(problem) => ledger.reject(problem),
        }
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
