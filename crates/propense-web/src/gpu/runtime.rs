//! A network on the page's WebGPU device, with one live session.

use std::cell::RefCell;

use js_sys::Function;
use propense_model::{Batch, Bundle, Golden, GpuModel, GpuStream, ModelError, groups};
use wasm_bindgen::prelude::*;

use super::device::{self, Taken};
use crate::WebError;

/// Rows in one pass of a batch: enough to fill a GPU, two megabytes on the way to it.
const ROWS: usize = 16_384;

/// The network on WebGPU. Reading a number back from the GPU takes a promise; everything else is
/// queued and returns at once. `free()` it when no promise is pending.
#[wasm_bindgen]
pub struct Runtime {
    taken: Taken,
    golden: Option<Golden>,
    model: GpuModel,
    stream: RefCell<GpuStream>,
}

#[wasm_bindgen]
impl Runtime {
    /// Takes the page's WebGPU device and puts the bundle's weights on it.
    ///
    /// # Errors
    /// `{ code, message }`: `WEBGPU_UNAVAILABLE`, or what is wrong with the bundle.
    pub async fn create(bundle: Vec<u8>) -> Result<Runtime, JsValue> {
        let bundle = Bundle::from_bytes(&bundle).map_err(WebError::from)?;
        let taken = device::take().await.map_err(WebError::from)?;
        let model = bundle.gpu_model(&taken.device, &taken.queue);
        let model = model.map_err(WebError::from)?;
        Ok(Self {
            taken,
            golden: bundle.manifest.golden,
            stream: RefCell::new(model.stream()),
            model,
        })
    }

    /// What the adapter in use says about itself: JSON with `description`, `backend`, `software`.
    ///
    /// # Errors
    /// `{ code, message }`, should it not be writable as JSON.
    pub fn adapter(&self) -> Result<String, JsValue> {
        Ok(serde_json::to_string(&self.taken.adapter).map_err(WebError::Internal)?)
    }

    /// Has `callback(reason)` called once when the device is lost; at once if it is already.
    pub fn on_lost(&self, callback: Function) {
        self.taken.on_lost(callback);
    }

    /// The greatest difference of a logit from the bundle's golden session, scored live and as a
    /// batch.
    ///
    /// # Errors
    /// `{ code, message }`: `DEVICE_LOST` where the device fails, `BUNDLE_SHAPE` where the bundle
    /// has no golden session.
    pub async fn self_check(&self) -> Result<f32, JsValue> {
        let missing = || ModelError::Missing {
            what: "golden".into(),
        };
        let golden = self.golden.as_ref();
        let golden = golden.ok_or_else(missing).map_err(WebError::from)?;
        let last = golden.logits.last().ok_or_else(missing);
        let last = *last.map_err(WebError::from)?;
        let rows = golden.rows.concat();

        let mut stream = self.model.stream();
        for row in &golden.rows {
            stream.push(row);
        }
        let live = stream.logit(&golden.context);
        // As many as a workgroup takes: what scores few sessions has been checked by the stream.
        let session = (rows.as_slice(), golden.context.as_slice());
        let batch = Batch::of(self.model.config(), [session; GpuModel::TILE]);
        let mut found = self.model.score(&batch).await.map_err(WebError::from)?;
        // Only the last logit: reading one back takes longer than computing it.
        found.push(live.await.map_err(WebError::from)?);
        let expected = Golden {
            logits: vec![last; found.len()],
            ..Golden::default()
        };
        Ok(expected.difference(&found))
    }

    /// Begins a session anew.
    pub fn reset(&self) {
        self.stream.borrow_mut().reset();
    }

    /// Queues one LSTM step for each row: a whole number of rows, row-major.
    pub fn push(&self, rows: &[f32]) {
        let mut stream = self.stream.borrow_mut();
        for row in rows.chunks_exact(self.model.config().features) {
            stream.push(row);
        }
    }

    /// The logit of the session so far with this context.
    ///
    /// # Errors
    /// `{ code, message }`: `DEVICE_LOST` where the device fails.
    pub async fn logit(&self, context: Vec<f32>) -> Result<f32, JsValue> {
        // Not within the wait: the session may go on while this one is read.
        let logit = self.stream.borrow().logit(&context);
        Ok(logit.await.map_err(WebError::from)?)
    }

    /// The logit of each session: `rows` holds the rows of all, one session after the other,
    /// `lengths` the number of events of each, `contexts` their contexts.
    ///
    /// # Errors
    /// `{ code, message }`: `ARGUMENT` where the lengths do not fit, `DEVICE_LOST` where the device
    /// fails.
    pub async fn score(
        &self,
        rows: Vec<f32>,
        lengths: Vec<u32>,
        contexts: Vec<f32>,
    ) -> Result<Vec<f32>, JsValue> {
        let config = self.model.config();
        let wrong = || WebError::Argument("rows, lengths and contexts do not fit".into());
        let mut sessions = Vec::with_capacity(lengths.len());
        let mut rest = rows.as_slice();
        for (session, &events) in lengths.iter().enumerate() {
            let numbers = events as usize * config.features;
            let (own, after) = rest.split_at_checked(numbers).ok_or_else(wrong)?;
            let start = session * config.context;
            let context = contexts
                .get(start..start + config.context)
                .ok_or_else(wrong)?;
            sessions.push((own, context));
            rest = after;
        }
        let lengths: Vec<usize> = lengths.iter().map(|&events| events as usize).collect();
        let mut logits = vec![0.0; sessions.len()];
        for group in groups(&lengths, ROWS) {
            let batch = Batch::of(config, group.iter().map(|&session| sessions[session]));
            let scored = self.model.score(&batch).await;
            for (session, logit) in group.into_iter().zip(scored.map_err(WebError::from)?) {
                logits[session] = logit;
            }
        }
        Ok(logits)
    }
}
