//! Whole sessions, featurised for either backend.

use std::sync::Arc;

use propense_events::{Context, Event, Limits, parse_event};
use propense_features::FeatureSpec;
use propense_model::Golden;
use wasm_bindgen::prelude::*;

use super::exchange::{json, read_context};
use super::recorder::{Recorded, Recorder};

/// Events of the stand-in for a bundle without golden session.
const STAND_IN: usize = 8;

/// Takes whole sessions, event by event, and featurises them. `finish()` or `free()` it.
///
/// The same way as in training: events go through the rules of [`parse_event`] (those set aside
/// are left out), are put in the order of their times, and count up to the first order; kinds that
/// training left out ([`FeatureSpec::leaves_out`]) do not count.
#[wasm_bindgen]
pub struct Gatherer {
    spec: Arc<FeatureSpec>,
    /// The bounds of a live event: what is too late for a visit is too late here.
    limits: Limits,
    /// The session that is being taken, if one has begun.
    current: Option<Gathered>,
    prepared: Prepared,
}

/// One session in the order in which its events were given.
struct Gathered {
    context: Context,
    /// Events that count, each with its number within the session, from 1.
    events: Vec<(u64, Event)>,
    /// Events given so far.
    given: u64,
}

#[wasm_bindgen]
impl Gatherer {
    /// Begins the next session with this context (a JSON object).
    ///
    /// # Errors
    /// `{ code, message }`: `ARGUMENT` where the context is no object of values.
    pub fn begin(&mut self, context: &str) -> Result<(), JsValue> {
        self.end();
        self.current = Some(Gathered {
            context: read_context(context)?,
            events: Vec::new(),
            given: 0,
        });
        Ok(())
    }

    /// Adds an event to the session begun last: JSON as [`parse_event`] reads it. As with
    /// [`Engine::track`](super::Engine::track), nothing is returned if all is well, otherwise the
    /// problems as JSON; an event of which one says `rejected` does not count.
    ///
    /// # Errors
    /// `{ code, message }`, should the problems not be writable as JSON.
    pub fn add(&mut self, event: &str) -> Result<Option<String>, JsValue> {
        let Some(current) = &mut self.current else {
            return Ok(None);
        };
        current.given += 1;
        let (event, problems) = parse_event(event, current.given, &self.limits);
        if let Some(event) = event {
            current.events.push((current.given, event));
        }
        if problems.is_empty() {
            return Ok(None);
        }
        json(&problems).map(Some)
    }

    /// The sessions, featurised.
    pub fn finish(mut self) -> Prepared {
        self.end();
        self.prepared
    }
}

impl Gatherer {
    /// No session yet.
    pub(super) fn new(spec: Arc<FeatureSpec>, limits: Limits) -> Self {
        Self {
            spec,
            limits,
            current: None,
            prepared: Prepared::default(),
        }
    }

    /// Featurises the session begun last.
    fn end(&mut self) {
        let Some(Gathered {
            context,
            mut events,
            ..
        }) = self.current.take()
        else {
            return;
        };
        events.sort_by_key(|(_, event)| event.timestamp);
        let start = events.first().map_or(0, |(_, event)| event.timestamp);
        let mut recorder = Recorder::new(&self.spec, context, start);
        // Sorted, so that none can be out of order: nothing more is to be said of them.
        let mut problems = Vec::new();
        for (row, event) in events {
            if recorder.push(event, row, &mut problems) == Recorded::Order {
                break;
            }
        }
        self.prepared.add(&recorder);
    }
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
    fn add(&mut self, session: &Recorder) {
        self.rows.extend_from_slice(session.rows());
        self.contexts.extend_from_slice(session.context());
        let events = u32::try_from(session.len()).unwrap_or(u32::MAX);
        self.lengths.push(events);
    }

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
