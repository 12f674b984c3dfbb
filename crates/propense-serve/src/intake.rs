//! From a body to checked events: a JSON array of them, or one a line.

use axum::http::StatusCode;
use propense_events::{Event, Limits, Problem, parse_event};
use serde_json::value::RawValue;

use crate::clock;
use crate::error::Refusal;

/// How far ahead of this clock an event may be, as in the browser: clocks differ, and so do
/// readings of time zones.
const AHEAD: i64 = 24 * 3600 * 1000;

/// What a body held.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The events that may be kept, in their order.
    pub(crate) events: Vec<Event>,
    /// How many may not.
    pub(crate) rejected: usize,
    /// What was repaired or rejected; the row counts the batch's events from 1.
    pub(crate) problems: Vec<Problem>,
}

/// The bounds of an event that arrives now.
pub(crate) fn bounds() -> Limits {
    Limits {
        latest: clock::now_ms().saturating_add(AHEAD),
        ..Limits::default()
    }
}

/// Reads a body of at most so many events.
pub(crate) fn take(body: &[u8], most: usize) -> Result<Taken, Refusal> {
    let refuse = |message: String| Refusal::new(StatusCode::BAD_REQUEST, "BODY", message);
    let text = std::str::from_utf8(body).map_err(|error| refuse(format!("the body: {error}")))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let parts: Vec<&str> = if text.starts_with('[') {
        let parts: Vec<&RawValue> = serde_json::from_str(text)
            .map_err(|error| refuse(format!("the body is no JSON array: {error}")))?;
        parts.into_iter().map(RawValue::get).collect()
    } else {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect()
    };
    if parts.is_empty() {
        let what = "no event: send a JSON array of events, or one a line";
        return Err(refuse(what.to_owned()));
    }
    if parts.len() > most {
        let message = format!("{} events; send at most {most} at a time", parts.len());
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "TOO_MANY",
            message,
        ));
    }
    let bounds = bounds();
    let mut taken = Taken::default();
    for (part, row) in parts.into_iter().zip(1..) {
        taken.add(part, row, &bounds);
    }
    Ok(taken)
}

impl Taken {
    /// Adds one event's JSON.
    pub(crate) fn add(&mut self, json: &str, row: u64, bounds: &Limits) {
        let (event, problems) = parse_event(json, row, bounds);
        match event {
            Some(event) => self.events.push(event),
            None => self.rejected += 1,
        }
        self.problems.extend(problems);
    }

    /// The events as they are stored.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let events = self.events.iter();
        // An event that was read from JSON can be written as JSON.
        events
            .filter_map(|event| serde_json::to_string(event).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_both_shapes() {
        const ONE: &str = r#"{"event":"view_item","timestamp":1700000000000,"user_id":"u"}"#;
        let check = |body: &str, kept: usize, rejected: usize| {
            let taken = take(body.as_bytes(), 3).expect(body);
            assert_eq!(
                (taken.events.len(), taken.rejected),
                (kept, rejected),
                "{body}"
            );
        };
        check(&format!("[{ONE},{ONE}]"), 2, 0);
        check(&format!("\u{feff} [ {ONE} ]\n"), 1, 0);
        check(&format!("{ONE}\r\n\n{ONE}"), 2, 0);
        check(
            &format!("{ONE}\n{{\"event\":\"view_item\"}}\nnonsense"),
            1,
            2,
        );
        check(&format!("[{ONE}, 7, null]"), 1, 2);
    }

    #[test]
    fn bodies_that_are_refused() {
        let check = |body: &[u8], status: u16| {
            let refusal = take(body, 2).expect_err("refused");
            assert_eq!(refusal.status.as_u16(), status);
        };
        check(b"", 400);
        check(b"[]", 400);
        check(b"[{}", 400);
        check(b"\xff\xfe", 400);
        check(b"{}\n{}\n{}", 413);
    }
}
