//! Whole sessions, featurised for either backend.

use std::sync::Arc;

use propense_events::{Context, Limits, parse_event};
use propense_features::FeatureSpec;
use propense_model::Golden;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::recorder::{Recorded, Recorder};

/// Events of the stand-in for a bundle without golden session.
const STAND_IN: usize = 8;

/// One session as the page hands it over.
#[derive(Deserialize)]
struct Session {
    #[serde(default)]
    context: serde_json::Value,
    events: Vec<serde_json::Value>,
}

/// The page's list of sessions.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Sessions(Vec<Session>);

impl Sessions {
    /// The same way as in training: events go through the rules of [`parse_event`] (those set
    /// aside are left out), are put in the order of their times, and count up to the first order;
    /// kinds that training left out ([`FeatureSpec::leaves_out`]) do not count.
    pub(crate) fn featurise(self, spec: &Arc<FeatureSpec>) -> Prepared {
        let mut prepared = Prepared::default();
        for session in self.0 {
            let recorder = record(session, spec);
            prepared.rows.extend_from_slice(recorder.rows());
            prepared.contexts.extend_from_slice(recorder.context());
            prepared
                .lengths
                .push(u32::try_from(recorder.len()).unwrap_or(u32::MAX));
        }
        prepared
    }
}

fn record(session: Session, spec: &Arc<FeatureSpec>) -> Recorder {
    let limits = Limits::default();
    let mut events: Vec<_> = (1..)
        .zip(session.events)
        .filter_map(|(row, event)| parse_event(&event.to_string(), row, &limits).0)
        .collect();
    events.sort_by_key(|event| event.timestamp);
    let start = events.first().map_or(0, |event| event.timestamp);
    // A context object goes the way of an event's context, so that the same rules hold.
    let carrier = serde_json::json!({
        "event": "other",
        "timestamp": propense_events::EARLIEST,
        "context": session.context,
    });
    let context = parse_event(&carrier.to_string(), 0, &limits)
        .0
        .map_or_else(Context::new, |event| event.context);
    let mut recorder = Recorder::new(spec, context, start);
    let mut problems = Vec::new();
    for (row, event) in (1..).zip(events) {
        if recorder.push(event, row, &mut problems) == Recorded::Order {
            break;
        }
    }
    recorder
}

/// Featurised sessions. `free()` it when it has been scored.
#[wasm_bindgen]
#[derive(Default)]
pub struct Prepared {
    /// All rows, one session after the other.
    rows: Vec<f32>,
    /// Events of each session.
    lengths: Vec<u32>,
    /// Context rows, one session after the other.
    contexts: Vec<f32>,
}

#[wasm_bindgen]
impl Prepared {
    /// Sessions that are rows already: the rows of all, the number of events of each, their
    /// contexts.
    #[wasm_bindgen(constructor)]
    pub fn new(rows: Vec<f32>, lengths: Vec<u32>, contexts: Vec<f32>) -> Self {
        Self {
            rows,
            lengths,
            contexts,
        }
    }

    /// Number of sessions.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.lengths.len()
    }

    /// The rows of all sessions, one after the other.
    pub fn rows(&self) -> Vec<f32> {
        self.rows.clone()
    }

    /// Events of each session.
    pub fn lengths(&self) -> Vec<u32> {
        self.lengths.clone()
    }

    /// The context rows, one after the other.
    pub fn contexts(&self) -> Vec<f32> {
        self.contexts.clone()
    }
}

impl Prepared {
    /// The golden session so many times.
    pub(crate) fn golden(spec: &FeatureSpec, golden: Option<&Golden>, copies: usize) -> Self {
        let (rows, context) = golden.map_or_else(
            || {
                let rows = vec![0.0; STAND_IN * spec.row_len()];
                (rows, vec![0.0; spec.context_len()])
            },
            |golden| (golden.rows.concat(), golden.context.clone()),
        );
        let events = rows.len() / spec.row_len().max(1);
        Self {
            rows: rows.repeat(copies),
            lengths: vec![u32::try_from(events).unwrap_or(u32::MAX); copies],
            contexts: context.repeat(copies),
        }
    }

    /// Rows and context of each session.
    pub(crate) fn sessions(
        &self,
        row_len: usize,
        context_len: usize,
    ) -> impl Iterator<Item = (&[f32], &[f32])> {
        let mut start = 0;
        self.lengths
            .iter()
            .enumerate()
            .map(move |(session, &events)| {
                let end = start + events as usize * row_len;
                let rows = self.rows.get(start..end).unwrap_or_default();
                start = end;
                let own = session * context_len..(session + 1) * context_len;
                (rows, self.contexts.get(own).unwrap_or_default())
            })
    }
}
