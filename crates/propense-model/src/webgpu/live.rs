//! A live session on WebGPU: one LSTM step for each event.

use std::future::Future;

use super::shader::HEAD;
use super::{GpuModel, Held, bytes};
use crate::ModelError;
use crate::cpu::append_row;

/// A live session on a WebGPU device.
///
/// Pooling has stride 2 in time and is aligned to the session's end, so that event n completes a
/// window of one of two sequences: that of the odd events or that of the even ones. Both LSTM
/// states stay on the device; each event advances one and scores from it.
#[derive(Debug)]
pub struct GpuStream {
    model: GpuModel,
    /// The head, the number of steps, the newest rows.
    given: Held,
    /// A logit, the LSTM's output, its cell: of the odd events' sequence, then of the even ones'.
    states: [Held; 2],
    /// What goes from one launch to the other: held as long as the groups.
    _parts: Held,
    groups: [wgpu::BindGroup; 2],
    /// The last `kernel + 1` rows, oldest first; zero rows before the session's start.
    rows: Vec<f32>,
    events: usize,
}

impl GpuStream {
    /// A session without events.
    pub(super) fn new(model: &GpuModel) -> Self {
        let shared = &*model.0;
        let rows = (shared.config.kernel + 1) * shared.config.features;
        let given = shared.buffer(HEAD + 1 + rows, wgpu::BufferUsages::COPY_DST);
        let parts = shared.parts(1);
        let states = [(); 2].map(|()| {
            let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
            shared.buffer(1 + 2 * shared.config.hidden, usage)
        });
        Self {
            groups: [0, 1].map(|phase| shared.group(&given, &states[phase], &parts)),
            _parts: parts,
            given,
            states,
            rows: vec![0.0; rows],
            events: 0,
            model: model.clone(),
        }
    }

    /// Back to a session without events.
    pub fn reset(&mut self) {
        self.rows.fill(0.0);
        self.events = 0;
        let shared = &*self.model.0;
        let mut encoder = shared.encoder();
        for state in &self.states {
            encoder.clear_buffer(&state.0, 0, None);
        }
        shared.queue.submit([encoder.finish()]);
    }

    /// Number of events so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events
    }

    /// Whether there was no event yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Takes one event's row of `features` numbers and queues one LSTM step on the device. Missing
    /// numbers count as zero, a surplus is ignored.
    pub fn push(&mut self, row: &[f32]) {
        let shared = &*self.model.0;
        append_row(&mut self.rows, row, shared.config.features);
        let mut given = vec![1.0, (shared.config.kernel + 1) as f32, 1.0, 1.0, 1.0];
        given.extend_from_slice(&self.rows);
        shared.queue.write_buffer(&self.given.0, 0, &bytes(&given));
        let mut encoder = shared.encoder();
        shared.launch_few(&mut encoder, &self.groups[self.events % 2], 1, 1);
        shared.queue.submit([encoder.finish()]);
        self.events += 1;
    }

    /// The logit after the last event, or before the first, with this context. What is awaited is
    /// the logit of now: the session may go on meanwhile.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device fails.
    pub fn logit(&self, context: &[f32]) -> impl Future<Output = Result<f32, ModelError>> + use<> {
        let shared = &*self.model.0;
        let newest = &self.rows[self.rows.len() - shared.config.features..];
        let base = shared.base.logit(context, newest);
        // The last event, number `events`, advanced the state with index (events − 1) mod 2. Before
        // the first event both are zero.
        let state = &self.states[(self.events + 1) % 2];
        let read = shared.read(shared.encoder(), state, 1);
        async move {
            let read = read.await?;
            Ok(base + read.first().copied().unwrap_or_default())
        }
    }
}
