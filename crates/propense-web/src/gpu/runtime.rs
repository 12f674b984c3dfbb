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

    /// The difference of the live logit from that of the bundle's golden session.
    ///
    /// # Errors
    /// `{ code, message }`: `DEVICE_LOST` where the device fails, `BUNDLE_SHAPE` where the bundle
    /// has no golden session.
    pub async fn self_check(&self) -> Result<f32, JsValue> {
        let (golden, last) = self.golden()?;
        let mut stream = self.model.stream();
        for row in &golden.rows {
            stream.push(row);
        }
        // Only the last logit: reading one back takes longer than computing it.
        let live = stream.logit(&golden.context).await;
        Ok(difference(last, &[live.map_err(WebError::from)?]))
    }

    /// The same in a batch, as large as the shader for batches wants: the greatest difference.
    ///
    /// # Errors
    /// As those of [`Self::self_check`].
    pub async fn self_check_batch(&self) -> Result<f32, JsValue> {
        let (golden, last) = self.golden()?;
        let rows = golden.rows.concat();
        let session = (rows.as_slice(), golden.context.as_slice());
        let batch = Batch::of(self.model.config(), [session; GpuModel::TILE]);
        let logits = self.model.score(&batch).await.map_err(WebError::from)?;
        Ok(difference(last, &logits))
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

    /// The golden session and its last logit.
    fn golden(&self) -> Result<(&Golden, f32), WebError> {
        let golden = self.golden.as_ref();
        let found = golden.and_then(|golden| Some((golden, *golden.logits.last()?)));
        found.ok_or_else(|| {
            WebError::from(ModelError::Missing {
                what: "golden".into(),
            })
        })
    }
}

/// The greatest difference of these logits from that one; infinite where one is no number.
fn difference(expected: f32, logits: &[f32]) -> f32 {
    let golden = Golden {
        logits: vec![expected; logits.len()],
        ..Golden::default()
    };
    golden.difference(logits)
}
