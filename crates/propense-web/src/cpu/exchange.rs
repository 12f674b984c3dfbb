//! What passes between the page and the module as text.

use propense_events::{Context, EARLIEST, EventKind, Limits, parse_event};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::WebError;

/// A context object goes the way of an event's context, so that the same rules hold.
pub(super) fn read_context(context: &str) -> Result<Context, WebError> {
    let event = format!(
        r#"{{"event":"{}","timestamp":{EARLIEST},"context":{context}}}"#,
        EventKind::Other.name(),
    );
    let (event, problems) = parse_event(&event, 0, &Limits::default());
    match (event, problems.first()) {
        (Some(event), None) => Ok(event.context),
        (_, Some(problem)) => Err(WebError::Argument(format!("the context: {problem}"))),
        (None, None) => Ok(Context::new()),
    }
}

/// A value as the page reads it.
pub(super) fn json(value: &impl Serialize) -> Result<String, JsValue> {
    Ok(serde_json::to_string(value).map_err(WebError::Internal)?)
}
