//! Two-phase streaming on any device: one LSTM step for each event.

use burn::tensor::{Tensor, TensorData};

use crate::cpu::append_row;
#[cfg(feature = "wgpu")]
use crate::fused::{Fused, FusedState};
use crate::layers::Layers;
use crate::lstm::State;
use crate::network::read;
use crate::{CnnLstm, ModelConfig, ModelError, Scorer};

/// A live session on a device.
///
/// Pooling has stride 2 in time and is aligned to the session's end, so that event n completes a
/// window of one of two sequences: that of the odd events or that of the even ones. Both LSTM
/// states are kept; each event advances one and scores from it. The logits equal those of
/// [`CnnLstm::forward`]. Cloning is cheap: the tensors are shared.
#[derive(Debug, Clone)]
pub struct Stream {
    model: CnnLstm,
    way: Way,
    /// The last `kernel + 1` rows, oldest first; zero rows before the session's start.
    rows: Vec<f32>,
    /// With what context steps are scored.
    #[cfg(feature = "wgpu")]
    context: Vec<f32>,
    events: usize,
}

/// How a step is taken, and what it left: the state of the odd events' sequence, then that of the
/// even ones'.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one a session")]
enum Way {
    /// With the GPU's kernel.
    #[cfg(feature = "wgpu")]
    Fused(Fused, [Option<FusedState>; 2]),
    /// With tensors.
    Tensors(Layers, [Option<State>; 2]),
}

impl Stream {
    /// A session without events, on the device that holds the model: [`Scorer::stream`], for whoever
    /// scores no batches beside it.
    #[must_use]
    pub fn new(model: &CnnLstm) -> Self {
        Scorer::new(model).stream()
    }

    #[cfg(feature = "wgpu")]
    pub(crate) fn fused(model: &CnnLstm, fused: Fused) -> Self {
        Self::by(model, Way::Fused(fused, [None, None]))
    }

    /// A session without events that goes by tensors wherever the model lies: what others are
    /// tested against.
    #[must_use]
    pub fn with_tensors(model: &CnnLstm) -> Self {
        Self::by(model, Way::Tensors(model.layers(), [None, None]))
    }

    fn by(model: &CnnLstm, way: Way) -> Self {
        let config = model.config();
        Self {
            model: model.clone(),
            way,
            rows: vec![0.0; (config.kernel + 1) * config.features],
            #[cfg(feature = "wgpu")]
            context: Vec::new(),
            events: 0,
        }
    }

    /// Back to a session without events.
    pub fn reset(&mut self) {
        self.rows.fill(0.0);
        match &mut self.way {
            #[cfg(feature = "wgpu")]
            Way::Fused(_, states) => *states = [None, None],
            Way::Tensors(_, states) => *states = [None, None],
        }
        self.events = 0;
    }

    /// Number of events so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there was no event yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Takes one event's row of `features` numbers and queues one LSTM step on the device. Missing
    /// numbers count as zero, a surplus is ignored.
    pub fn push(&mut self, row: &[f32]) {
        let ModelConfig {
            features, kernel, ..
        } = *self.model.config();
        append_row(&mut self.rows, row, features);
        let phase = self.events % 2;
        match &mut self.way {
            #[cfg(feature = "wgpu")]
            Way::Fused(fused, states) => {
                let next = fused.step(&self.rows, &self.context, states[phase].as_ref());
                states[phase] = Some(next);
            }
            Way::Tensors(layers, states) => {
                let shape = [1, kernel + 1, features];
                let plane = TensorData::new(self.rows.clone(), shape);
                let plane = Tensor::<3>::from_data(plane, &self.model.device());
                let window = layers.windows(plane, 1); // [1, 1, step_inputs]
                let gates = layers.project(window).squeeze_dim::<2>(1); // [1, 4 × hidden]
                let state = &mut states[phase];
                *state = Some(layers.lstm.step(gates, state.take()));
            }
        }
        self.events += 1;
    }

    /// With what context the logits are going to be asked for: those with another one cost a GPU a
    /// launch of their own.
    pub fn expect_context(&mut self, context: &[f32]) {
        #[cfg(feature = "wgpu")]
        if self.context != context {
            self.context = context.to_vec();
        }
        #[cfg(not(feature = "wgpu"))]
        let _ = context;
    }

    /// The logit after the last event, or before the first, with this context. Blocks until the
    /// device is done.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn logit(&self, context: &[f32]) -> Result<f32, ModelError> {
        first(&read(self.output(context).try_to_vec_as::<f32>())?)
    }

    /// A tensor that begins with the logit.
    fn output(&self, context: &[f32]) -> Tensor<2> {
        // The last event, number `events`, advanced the state with index (events − 1) mod 2.
        let phase = (self.events + 1) % 2;
        let state = match &self.way {
            #[cfg(feature = "wgpu")]
            Way::Fused(fused, states) => {
                // Before the first event both states are empty.
                return fused.logit(states[phase].as_ref(), context);
            }
            Way::Tensors(_, states) => states[phase].as_ref(),
        };
        let device = self.model.device();
        let width = self.model.config().context.max(1);
        let mut context: Vec<f32> = context.iter().copied().take(width).collect();
        context.resize(width, 0.0);
        let context = Tensor::<2>::from_data(TensorData::new(context, [1, width]), &device);
        let features = self.model.config().features;
        let newest = self.rows[self.rows.len() - features..].to_vec();
        let newest = TensorData::new(newest, [1, 1, features]);
        let newest = Tensor::<3>::from_data(newest, &device);
        let beside = self.model.beside(newest, context.clone()); // [1, 1]
        let base = self.model.base(context) + beside; // [1, 1]
        match state {
            Some((output, _)) => output.clone().matmul(self.model.readout()) + base,
            None => base,
        }
    }
}

fn first(values: &[f32]) -> Result<f32, ModelError> {
    values.first().copied().ok_or_else(|| ModelError::Device {
        detail: "the device returned no number".into(),
    })
}
