//! The engine: what the page's TypeScript holds.

use std::sync::Arc;

use propense_events::{Context, Limits, parse_event};
use propense_features::FeatureSpec;
use propense_model::{Bundle, CpuModel, CpuStream, Head, Manifest};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::catalogue::{self, Catalogue};
use super::exchange::{json, read_context};
use super::explain::Explainer;
use super::prepared::{Gatherer, Prepared};
use super::recommend::{self, after_views};
use super::recorder::{Recorded, Recorder};
use super::stay::Stay;
use crate::WebError;

/// How far an event may lie ahead of the browser's clock, in milliseconds.
const AHEAD: f64 = 24.0 * 3600.0 * 1000.0;

/// A bundle on the CPU and the live session. `free()` it in the end.
#[wasm_bindgen]
pub struct Engine {
    manifest: Manifest,
    spec: Arc<FeatureSpec>,
    /// The bundle's network; the live session may use one whose head has learnt.
    pub(super) shared: Arc<CpuModel>,
    /// None where the head does not learn by itself.
    pub(super) head: Option<Head>,
    /// A stream without events, to be cloned.
    fresh: CpuStream,
    catalogue: Catalogue,
    pub(super) session: Recorder,
    pub(super) stream: CpuStream,
    explainer: Explainer,
    stay: Stay,
    /// Events tracked since the engine was made.
    tracked: u64,
    /// Sessions begun since the engine was made.
    begun: u32,
}

/// What [`Engine::describe`] says.
#[derive(Serialize)]
struct Description<'a> {
    model: Model<'a>,
    max_items: usize,
    /// Milliseconds of a pause after which training began a new session.
    gap_ms: f64,
    /// Where the bundle says its catalogue is, relative to the bundle.
    catalogue: Option<&'a str>,
}

/// The page's `ModelInfo`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    name: &'a str,
    version: String,
    task: &'a str,
    threshold: f32,
    metrics: &'a serde_json::Value,
    created_at: &'a str,
    licence: &'a str,
    features: Vec<String>,
}

#[wasm_bindgen]
impl Engine {
    /// Reads a bundle. The session has no events yet.
    ///
    /// # Errors
    /// `{ code, message }`: what is wrong with the bundle.
    #[wasm_bindgen(constructor)]
    pub fn new(bundle: &[u8]) -> Result<Engine, JsValue> {
        let bundle = Bundle::from_bytes(bundle).map_err(WebError::from)?;
        let shared = bundle.cpu_model().map_err(WebError::from)?;
        let fresh = CpuStream::new(Arc::clone(&shared));
        let spec = Arc::new(bundle.manifest.features.clone());
        Ok(Self {
            catalogue: Catalogue::of_rates(&spec.item_rates),
            session: Recorder::new(&spec, Context::new(), 0),
            stream: fresh.clone(),
            explainer: Explainer::new(fresh.clone()),
            stay: Stay::new(&bundle.manifest),
            head: Head::of(&bundle).ok(),
            shared,
            manifest: bundle.manifest,
            spec,
            fresh,
            tracked: 0,
            begun: 0,
        })
    }

    /// The model: JSON.
    ///
    /// # Errors
    /// `{ code, message }`, should it not be writable as JSON.
    pub fn describe(&self) -> Result<String, JsValue> {
        let manifest = &self.manifest;
        let mut features = self.spec.row_names();
        features.extend(self.spec.context_names());
        json(&Description {
            model: Model {
                name: &manifest.name,
                version: manifest.version(),
                task: &manifest.task,
                threshold: manifest.threshold,
                metrics: &manifest.metrics,
                created_at: &manifest.created_at,
                licence: &manifest.licence,
                features,
            },
            max_items: Limits::default().max_items,
            gap_ms: manifest.session_gap_ms() as f64,
            catalogue: manifest.catalogue.as_ref().map(|named| named.file.as_str()),
        })
    }

    /// Takes one event: JSON as [`parse_event`] reads it. `now` is the browser's clock in
    /// milliseconds since 1970. Nothing is returned if all is well, otherwise the problems as JSON;
    /// an event of which one says `rejected` does not count.
    ///
    /// # Errors
    /// `{ code, message }`, should the problems not be writable as JSON.
    pub fn track(&mut self, event: &str, now: f64) -> Result<Option<String>, JsValue> {
        self.tracked += 1;
        let (event, mut problems) = parse_event(event, self.tracked, &limits(now));
        if let Some(event) = event {
            if self.session.ordered() && !self.spec.leaves_out(event.kind) {
                self.begin(self.session.given().clone(), event.timestamp);
            }
            if self.session.push(event, self.tracked, &mut problems) == Recorded::Row {
                self.stream.push(self.session.last_row());
            }
        }
        if problems.is_empty() {
            return Ok(None);
        }
        json(&problems).map(Some)
    }

    /// Begins a new session with this context (a JSON object).
    ///
    /// # Errors
    /// `{ code, message }`: `ARGUMENT` where the context is no object of values.
    pub fn reset(&mut self, context: &str, now: f64) -> Result<(), JsValue> {
        let context = read_context(context)?;
        self.begin(context, now as i64);
        Ok(())
    }

    /// Number of events that the model has seen in this session.
    #[wasm_bindgen(getter)]
    pub fn events(&self) -> usize {
        self.session.len()
    }

    /// Number of this session: another one after each reset, and after an order.
    #[wasm_bindgen(getter)]
    pub fn session(&self) -> u32 {
        self.begun
    }

    /// The logit of the session so far.
    pub fn logit(&self) -> f32 {
        self.stream.logit(self.session.context())
    }

    /// Time of the newest event, or of the session's start, in milliseconds since 1970.
    #[wasm_bindgen(getter)]
    pub fn latest(&self) -> f64 {
        self.session.latest() as f64
    }

    /// By how much the logit changes because nothing has happened since the newest event up to
    /// `now` (milliseconds since 1970), while the visitor stays. The session does not change.
    pub fn stay_effect(&mut self, now: f64) -> f32 {
        self.stay
            .effect(&self.spec, &self.session, &self.stream, now)
    }

    /// Takes the newest event's step with its head `times` times on a copy of the state, for
    /// timing. Returns the last logit.
    pub fn repeat_last_step(&self, times: u32) -> f32 {
        let mut stream = self.stream.clone();
        let mut logit = 0.0;
        for _ in 0..times {
            stream.push(self.session.last_row());
            logit = stream.logit(self.session.context());
        }
        logit
    }

    /// The session's rows from this event on.
    pub fn rows_from(&self, first: usize) -> Vec<f32> {
        let start = first.saturating_mul(self.spec.row_len());
        self.session
            .rows()
            .get(start..)
            .unwrap_or_default()
            .to_vec()
    }

    /// The session's context row.
    pub fn context_row(&self) -> Vec<f32> {
        self.session.context().to_vec()
    }

    /// The calibrated probability of this logit.
    pub fn probability(&self, logit: f32) -> f32 {
        self.manifest.probability(logit)
    }

    /// The share, 0 to 100, of scores at moments spread over the validation sessions (held out
    /// from learning) that lie below this one.
    pub fn percentile(&self, probability: f32) -> f32 {
        self.manifest.percentile(probability)
    }

    /// What each event did to the score: JSON, a list of
    /// `{ event, index, feature, effect, item_id?, times? }`.
    ///
    /// # Errors
    /// `{ code, message }`, should it not be writable as JSON.
    pub fn explain(&mut self) -> Result<String, JsValue> {
        json(&self.explainer.reasons(&self.spec, &self.session))
    }

    /// Sets the items to recommend: the catalogue's JSON, or an item table. `named` says that it is the one that the
    /// bundle names, whose checksum must then be the bundle's.
    ///
    /// # Errors
    /// `{ code, message }`: `CATALOGUE_INVALID`.
    pub fn set_catalogue(&mut self, items: &[u8], named: bool) -> Result<(), JsValue> {
        if named && let Some(reference) = &self.manifest.catalogue {
            catalogue::check(reference, items)?;
        }
        self.catalogue = Catalogue::parse(items)?;
        Ok(())
    }

    /// The `k` best items to show next: JSON, a list of `{ item_id, propensity, item_category? }`.
    ///
    /// # Errors
    /// `{ code, message }`, should it not be writable as JSON.
    pub fn recommend(&self, k: usize) -> Result<String, JsValue> {
        let probability = |logit| self.manifest.probability(logit);
        json(&recommend::recommend(
            &self.spec,
            &self.catalogue,
            &self.session,
            &self.stream,
            k,
            probability,
        ))
    }

    /// The logit that the session would have if this item were viewed next.
    pub fn logit_after_view(&self, item_id: &str) -> f32 {
        let item = self.catalogue.item(item_id);
        let logits = after_views(&self.spec, &self.session, &self.stream, &[&item]);
        logits.first().copied().unwrap_or(f32::NAN)
    }

    /// The logits of these rows with this context, streamed: before the first row, then after each.
    pub fn logits_of(&self, rows: &[f32], context: &[f32]) -> Vec<f32> {
        let mut stream = CpuStream::new(Arc::clone(&self.shared));
        let mut logits = vec![stream.logit(context)];
        for row in rows.chunks_exact(self.spec.row_len()) {
            stream.push(row);
            logits.push(stream.logit(context));
        }
        logits
    }

    /// Takes whole sessions, to be scored in bulk. `now` is the browser's clock in milliseconds
    /// since 1970.
    pub fn gather(&self, now: f64) -> Gatherer {
        Gatherer::new(Arc::clone(&self.spec), limits(now))
    }

    /// The bundle's golden session so many times, for measuring.
    pub fn prepare_golden(&self, copies: usize) -> Prepared {
        Prepared::golden(&self.spec, self.manifest.golden.as_ref(), copies)
    }

    /// The logit of each featurised session, by the shared head.
    pub fn score(&self, prepared: &Prepared) -> Vec<f32> {
        let model = &self.shared;
        let config = model.config();
        let sessions: Vec<_> = prepared.sessions(config.features, config.context).collect();
        model.score_batch(&sessions, 1)
    }
}

impl Engine {
    /// The live session goes on in this stream, which has no events yet.
    pub(super) fn put(&mut self, fresh: CpuStream) {
        self.stream = fresh.clone();
        for row in self.session.rows().chunks_exact(self.spec.row_len()) {
            self.stream.push(row);
        }
        self.explainer = Explainer::new(fresh.clone());
        self.stay.forget();
        self.fresh = fresh;
    }

    fn begin(&mut self, context: Context, start: i64) {
        self.session = Recorder::new(&self.spec, context, start);
        self.stream.clone_from(&self.fresh);
        self.explainer = Explainer::new(self.fresh.clone());
        self.stay.forget();
        self.begun = self.begun.wrapping_add(1);
    }
}

/// The bounds of a live event.
pub(crate) fn limits(now: f64) -> Limits {
    Limits {
        latest: (now + AHEAD) as i64,
        ..Limits::default()
    }
}
