//! One live session on the CPU.

use std::sync::Arc;

use super::CpuModel;
use super::arithmetic::{add_product, add_scaled, dot, keep_larger, larger, sigmoid, tanh};
use crate::stream::append_row;
use crate::{CellActivation, ModelConfig};

/// Two-phase streaming on the CPU: the numbers of [`crate::Stream`], a few microseconds an event.
///
/// A clone is a snapshot: what-if scores push onto a clone. [`Clone::clone_from`] restores a
/// snapshot into an existing session without allocating.
#[derive(Debug)]
pub struct CpuStream {
    model: Arc<CpuModel>,
    state: State,
    scratch: Scratch,
}

/// What a session is, besides the model.
#[derive(Debug)]
struct State {
    /// The last `kernel` rows, oldest first; zero rows before the session's start.
    rows: Vec<f32>,
    /// The newest convolution row, the larger of each pair of columns, before bias and ReLU:
    /// `[pooled columns, filters]`.
    newest: Vec<f32>,
    /// The LSTM of the odd events' sequence, then that of the even ones'.
    phases: [Phase; 2],
    events: usize,
}

/// An LSTM's state: output and cell, `[hidden]` each.
#[derive(Debug)]
struct Phase {
    output: Vec<f32>,
    cell: Vec<f32>,
}

/// Room for intermediate results. Its content means nothing between two events.
#[derive(Debug)]
struct Scratch {
    /// Two neighbouring columns of the convolution, `[2, filters]`.
    pair: Vec<f32>,
    /// `[pooled columns, filters]`.
    window: Vec<f32>,
    /// `[4 × hidden]`.
    gates: Vec<f32>,
}

impl CpuStream {
    /// A session without events.
    #[must_use]
    pub fn new(model: Arc<CpuModel>) -> Self {
        let config = model.config();
        let phase = || Phase {
            output: vec![0.0; config.hidden],
            cell: vec![0.0; config.hidden],
        };
        Self {
            state: State {
                rows: vec![0.0; config.kernel * config.features],
                newest: vec![0.0; config.step_inputs()],
                phases: [phase(), phase()],
                events: 0,
            },
            scratch: Scratch {
                pair: vec![0.0; 2 * config.filters],
                window: vec![0.0; config.step_inputs()],
                gates: vec![0.0; 4 * config.hidden],
            },
            model,
        }
    }

    /// Back to a session without events.
    pub fn reset(&mut self) {
        let State {
            rows,
            newest,
            phases,
            events,
        } = &mut self.state;
        rows.fill(0.0);
        newest.fill(0.0);
        for phase in phases {
            phase.output.fill(0.0);
            phase.cell.fill(0.0);
        }
        *events = 0;
    }

    /// The model that this session uses.
    #[must_use]
    pub fn model(&self) -> &Arc<CpuModel> {
        &self.model
    }

    /// Number of events so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.events
    }

    /// Whether there was no event yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.events == 0
    }

    /// Takes one event's row of `features` numbers: one convolution row, one LSTM step. Missing
    /// numbers count as zero, a surplus is ignored.
    pub fn push(&mut self, row: &[f32]) {
        self.convolve(row);
        self.step();
    }

    /// The logit after the last event, or before the first, with this context.
    #[must_use]
    pub fn logit(&self, context: &[f32]) -> f32 {
        // Zero rows before the first event.
        let newest = self.model.config.features;
        let newest = &self.state.rows[self.state.rows.len() - newest..];
        let base = self.model.base(context, newest);
        if self.is_empty() {
            return base;
        }
        // The last event, number `events`, advanced the phase with index (events − 1) mod 2.
        let phase = &self.state.phases[(self.state.events + 1) % 2];
        base + dot(&phase.output, &self.model.readout)
    }

    /// Takes the row in and leaves the pooled window of the new event in the scratch space.
    fn convolve(&mut self, row: &[f32]) {
        let model = &*self.model;
        let ModelConfig {
            features,
            kernel,
            filters,
            ..
        } = model.config;
        let State {
            rows,
            newest,
            events,
            ..
        } = &mut self.state;
        let Scratch { pair, window, .. } = &mut self.scratch;
        append_row(rows, row, features);
        window.copy_from_slice(newest);
        for (index, cell) in newest.chunks_exact_mut(filters).enumerate() {
            pair.fill(0.0);
            let (left, right) = pair.split_at_mut(filters);
            for (side, out) in [left, right].into_iter().enumerate() {
                let column = 2 * index + side;
                for (row, weights) in rows
                    .chunks_exact(features)
                    .zip(model.conv.chunks_exact(kernel * filters))
                {
                    let inputs = &row[column..column + kernel];
                    for (&input, weights) in inputs.iter().zip(weights.chunks_exact(filters)) {
                        add_scaled(out, input, weights);
                    }
                }
            }
            let (left, right) = pair.split_at(filters);
            for ((cell, &left), &right) in cell.iter_mut().zip(left).zip(right) {
                *cell = larger(left, right);
            }
        }
        // Bias and ReLU are monotone: after the maximum they give what they give before it.
        keep_larger(window, newest);
        for cell in window.chunks_exact_mut(filters) {
            for (value, bias) in cell.iter_mut().zip(&model.conv_bias) {
                *value = larger(*value + bias, 0.0);
            }
        }
        *events += 1;
    }

    /// Advances the phase of the newest event by its window.
    fn step(&mut self) {
        let model = &*self.model;
        let hidden = model.config.hidden;
        let Scratch { window, gates, .. } = &mut self.scratch;
        let Phase { output, cell } = &mut self.state.phases[(self.state.events + 1) % 2];
        gates.copy_from_slice(&model.bias);
        add_product(gates, window, &model.input);
        add_product(gates, output, &model.recurrent);
        let (input_gate, rest) = gates.split_at(hidden);
        let (forget_gate, rest) = rest.split_at(hidden);
        let (candidate, output_gate) = rest.split_at(hidden);
        let gates = input_gate
            .iter()
            .zip(forget_gate)
            .zip(candidate)
            .zip(output_gate);
        let state = output.iter_mut().zip(cell);
        match model.config.activation {
            CellActivation::Tanh => {
                for ((output, cell), (((&i, &f), &c), &o)) in state.zip(gates) {
                    *cell = sigmoid(f) * *cell + sigmoid(i) * tanh(c);
                    *output = sigmoid(o) * tanh(*cell);
                }
            }
            CellActivation::Relu => {
                for ((output, cell), (((&i, &f), &c), &o)) in state.zip(gates) {
                    *cell = sigmoid(f) * *cell + sigmoid(i) * larger(c, 0.0);
                    *output = sigmoid(o) * larger(*cell, 0.0);
                }
            }
        }
    }
}

impl CpuModel {
    /// The logit of a whole session: its rows, row-major, and its context. Only the phase in which
    /// the session ends is computed, half the work of streaming it.
    #[must_use]
    pub fn score(self: &Arc<Self>, rows: &[f32], context: &[f32]) -> f32 {
        let mut stream = CpuStream::new(Arc::clone(self));
        let events = rows.len() / self.config.features;
        for (index, row) in rows.chunks_exact(self.config.features).enumerate() {
            stream.convolve(row);
            if (events - index) % 2 == 1 {
                stream.step();
            }
        }
        stream.logit(context)
    }
}

impl Clone for CpuStream {
    fn clone(&self) -> Self {
        let mut copy = Self::new(Arc::clone(&self.model));
        copy.clone_from(self);
        copy
    }

    fn clone_from(&mut self, source: &Self) {
        if !Arc::ptr_eq(&self.model, &source.model) {
            *self = Self::new(Arc::clone(&source.model));
        }
        self.state.rows.copy_from_slice(&source.state.rows);
        self.state.newest.copy_from_slice(&source.state.newest);
        for (phase, source) in self.state.phases.iter_mut().zip(&source.state.phases) {
            phase.output.copy_from_slice(&source.output);
            phase.cell.copy_from_slice(&source.cell);
        }
        self.state.events = source.state.events;
    }
}
