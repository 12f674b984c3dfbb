//! One live session on the CPU.

use std::sync::Arc;

use super::CpuModel;
use super::arithmetic::dot;
use super::batch::Tile;
use super::kernels::{Convolve, Given, Pool, StepOne};

/// Two-phase streaming on the CPU: the numbers of the batch pass, a few microseconds an event.
///
/// Pooling has stride 2 in time and is aligned to the session's end, so that event n completes a
/// window of one of two sequences: that of the odd events or that of the even ones. Both LSTM
/// states are kept; each event advances one and scores from it.
///
/// Nothing is allocated after [`CpuStream::new`]. A clone is a snapshot: what-if scores push onto a
/// clone. [`Clone::clone_from`] restores a snapshot into an existing session without allocating.
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
    /// Rows of the convolution: that of the newest odd event, then that of the newest even one.
    convolved: [Vec<f32>; 2],
    /// The LSTM of the odd events' sequence, then that of the even ones'.
    phases: [Phase; 2],
    events: usize,
}

/// An LSTM's state: output and cell, `[hidden made up to whole vectors]` each.
#[derive(Debug)]
struct Phase {
    output: Vec<f32>,
    cell: Vec<f32>,
}

/// Room for intermediate results. Its content means nothing between two events.
#[derive(Debug)]
struct Scratch {
    /// The pooled window, and room for a vector beyond it.
    window: Vec<f32>,
    given: Vec<Given>,
    /// The next output, `[hidden made up to whole vectors]`.
    output: Vec<f32>,
}

impl CpuStream {
    /// A session without events.
    #[must_use]
    pub fn new(model: Arc<CpuModel>) -> Self {
        let config = model.config();
        let convolved = || vec![0.0; model.convolved()];
        let phase = || Phase {
            output: vec![0.0; model.units()],
            cell: vec![0.0; model.units()],
        };
        Self {
            state: State {
                rows: vec![0.0; config.kernel * config.features],
                convolved: [convolved(), convolved()],
                phases: [phase(), phase()],
                events: 0,
            },
            scratch: Scratch {
                window: vec![0.0; config.step_inputs() + model.level.lanes()],
                given: vec![(0, 0.0); model.panels.rows()],
                output: vec![0.0; model.units()],
            },
            model,
        }
    }

    /// Back to a session without events.
    pub fn reset(&mut self) {
        let State {
            rows,
            convolved,
            phases,
            events,
        } = &mut self.state;
        rows.fill(0.0);
        for row in convolved {
            row.fill(0.0);
        }
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
        base + self.model.read_out(&phase.output)
    }

    /// What the output layer reads after the last event, or before the first, with this context:
    /// `[hidden + context_hidden + 1]`, the last number one, for the bias. Its product with
    /// [`CpuModel::head`] is the logit, where no ensemble stands beside.
    #[must_use]
    pub fn head_input(&self, context: &[f32]) -> Vec<f32> {
        let hidden = self.model.config.hidden;
        let phase = &self.state.phases[(self.state.events + 1) % 2];
        let output = phase.output[..hidden].iter().copied();
        let units = self.model.context_units(context);
        output.chain(units).chain([1.0]).collect()
    }

    /// The logit after one more event, for each of these rows as that event: what pushing each onto
    /// a clone would give, for less, since all are computed at a time.
    #[must_use]
    pub fn what_if(&self, rows: &[f32], context: &[f32]) -> Vec<f32> {
        let State {
            rows: recent,
            convolved,
            phases,
            events,
        } = &self.state;
        let features = self.model.config().features;
        let (phase, newest) = (&phases[events % 2], &convolved[(events + 1) % 2]);
        let mut recent = recent.clone();
        recent.copy_within(features.., 0);
        let last = recent.len() - features;
        let mut logits = Vec::with_capacity(rows.len() / features);
        let mut tile = Tile::new(&self.model, 1);
        for group in rows.chunks(features * Tile::SESSIONS) {
            let group = group.chunks_exact(features);
            let count = group.len();
            for (place, row) in group.clone().enumerate() {
                recent[last..].copy_from_slice(row);
                tile.branch(place, &recent, newest, (&phase.output, &phase.cell));
            }
            tile.step(count, 0);
            let scores = group
                .enumerate()
                .map(|(place, row)| self.model.base(context, row) + tile.read_out(place, 0));
            logits.extend(scores);
        }
        logits
    }

    /// Takes the row in.
    fn convolve(&mut self, row: &[f32]) {
        let model = &*self.model;
        let State {
            rows,
            convolved,
            events,
            ..
        } = &mut self.state;
        super::append_row(rows, row, model.config().features);
        model.level.run(Convolve::<false> {
            filters: &model.filters,
            rows,
            out: &mut convolved[*events % 2],
        });
        *events += 1;
    }

    /// Advances the phase of the newest event by its window.
    fn step(&mut self) {
        let model = &*self.model;
        let config = model.config();
        let State {
            convolved: [odd, even],
            phases,
            events,
            ..
        } = &mut self.state;
        let Scratch {
            window,
            given,
            output,
        } = &mut self.scratch;
        let phase = &mut phases[(*events + 1) % 2];
        model.level.run(Pool {
            filters: &model.filters,
            rows: [odd, even],
            window,
        });
        let count = StepOne::gather(
            given,
            &phase.output[..config.hidden],
            &window[..config.step_inputs()],
            model.panels.width(),
        );
        model.level.run(StepOne {
            panels: &model.panels,
            activation: config.activation,
            given: &given[..count],
            cell: &mut phase.cell,
            output,
        });
        core::mem::swap(&mut phase.output, output);
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

    /// Length of a row of the convolution.
    pub(super) fn convolved(&self) -> usize {
        self.config.pooled_columns() * self.filters.padded()
    }

    /// Hidden units, made up to whole vectors.
    pub(super) fn units(&self) -> usize {
        self.panels.count() * self.level.lanes()
    }

    /// What an LSTM's output adds to the logit.
    pub(super) fn read_out(&self, output: &[f32]) -> f32 {
        dot(&output[..self.config.hidden], &self.readout)
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
        for (row, source) in self.state.convolved.iter_mut().zip(&source.state.convolved) {
            row.copy_from_slice(source);
        }
        for (phase, source) in self.state.phases.iter_mut().zip(&source.state.phases) {
            phase.output.copy_from_slice(&source.output);
            phase.cell.copy_from_slice(&source.cell);
        }
        self.state.events = source.state.events;
    }
}
