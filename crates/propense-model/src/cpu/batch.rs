//! Whole sessions on the CPU, many at a time.
//!
//! Sessions of like length go side by side in a tile and advance in step: at each LSTM step a panel
//! of weights is fetched once and used by all of them. No activation outlives its step, so that the
//! memory taken is a tile's state, whatever the sessions' length.

use super::CpuModel;
use super::kernels::{Convolve, Pool, StepMany};
use super::parallel::in_parallel;

/// A session to be scored: its rows, row-major, and its context.
pub type SessionRows<'a> = (&'a [f32], &'a [f32]);

impl CpuModel {
    /// The logit of each session on all of its events: that of [`Self::score`] to the last bit,
    /// several sessions at a time, on up to so many threads (the result does not depend on their
    /// number; in the browser there is one).
    #[must_use]
    pub fn score_batch(&self, sessions: &[SessionRows<'_>], threads: usize) -> Vec<f32> {
        self.in_tiles(sessions, threads, |tile| last(self, tile))
    }

    /// The logit before the first event of each session and after each, as [`super::CpuStream`]
    /// gives them, on up to so many threads.
    #[must_use]
    pub fn score_prefixes(&self, sessions: &[SessionRows<'_>], threads: usize) -> Vec<Vec<f32>> {
        self.in_tiles(sessions, threads, |tile| prefixes(self, tile))
    }

    /// Puts sessions of like length together, the longest first, has `work` done on each tile, and
    /// brings the results back into the order given.
    fn in_tiles<T: Clone + Default + Send>(
        &self,
        sessions: &[SessionRows<'_>],
        threads: usize,
        work: impl Fn(&[SessionRows<'_>]) -> Vec<T> + Sync,
    ) -> Vec<T> {
        let mut order: Vec<usize> = (0..sessions.len()).collect();
        // Stable: equals stay in order.
        order.sort_by_key(|&session| core::cmp::Reverse(sessions[session].0.len()));
        let share = sessions.len().div_ceil(threads.max(1));
        let tiles: Vec<&[usize]> = order.chunks(share.clamp(1, Tile::SESSIONS)).collect();
        let results = in_parallel(threads, tiles.len(), |tile| {
            let members = tiles[tile].iter();
            work(&members.map(|&index| sessions[index]).collect::<Vec<_>>())
        });
        let mut out = vec![T::default(); sessions.len()];
        for (index, result) in order.into_iter().zip(results.into_iter().flatten()) {
            out[index] = result;
        }
        out
    }
}

/// The logit of each of these sessions, the longest first, on all its events.
fn last(model: &CpuModel, sessions: &[SessionRows<'_>]) -> Vec<f32> {
    let features = model.config().features;
    let events: Vec<usize> = sessions
        .iter()
        .map(|(rows, _)| rows.len() / features)
        .collect();
    let mut tile = Tile::new(model, 1);
    let steps = events.first().map_or(0, |events| events.div_ceil(2));
    for step in 0..steps {
        let active = events.partition_point(|events| events.div_ceil(2) > step);
        for (place, ((rows, _), events)) in sessions.iter().zip(&events).take(active).enumerate() {
            // Windows end with the session: the first of an odd number begins before it.
            let last = 2 * step + 1 - events % 2;
            if last == 0 {
                tile.convolved(place, 1).fill(0.0);
            } else {
                tile.convolve(place, rows, last - 1);
            }
            tile.convolve(place, rows, last);
            tile.pool(place, 0);
        }
        tile.step(active, 0);
    }
    let scores = sessions.iter().zip(events).enumerate();
    scores
        .map(|(place, ((rows, context), events))| match events {
            0 => model.base(context, &[]),
            _ => {
                let newest = &rows[(events - 1) * features..events * features];
                model.base(context, newest) + tile.read_out(place, 0)
            }
        })
        .collect()
}

/// The logits of each of these sessions, the longest first, before its first event and after each.
fn prefixes(model: &CpuModel, sessions: &[SessionRows<'_>]) -> Vec<Vec<f32>> {
    let features = model.config().features;
    let events: Vec<usize> = sessions
        .iter()
        .map(|(rows, _)| rows.len() / features)
        .collect();
    let mut logits: Vec<Vec<f32>> = sessions
        .iter()
        .zip(&events)
        .map(|((_, context), events)| {
            let mut logits = Vec::with_capacity(events + 1);
            logits.push(model.base(context, &[]));
            logits
        })
        .collect();
    let mut tile = Tile::new(model, 2);
    for event in 0..events.first().copied().unwrap_or(0) {
        let active = events.partition_point(|&events| events > event);
        for (place, (rows, _)) in sessions.iter().take(active).enumerate() {
            tile.convolve(place, rows, event);
            tile.pool(place, event % 2);
        }
        tile.step(active, event % 2);
        let advanced = sessions.iter().zip(&mut logits).take(active).enumerate();
        for (place, ((rows, context), logits)) in advanced {
            let newest = &rows[event * features..(event + 1) * features];
            logits.push(model.base(context, newest) + tile.read_out(place, event % 2));
        }
    }
    logits
}

/// The state of sessions side by side.
pub(super) struct Tile<'a> {
    model: &'a CpuModel,
    /// Each session's newest convolution rows, of its events with even index and with odd index:
    /// `[sessions, convolved]` each.
    convolved: [Vec<f32>; 2],
    /// What the step is to read: `[sessions, stride]`, the output of the step before, the window,
    /// and room for a vector.
    inputs: Vec<f32>,
    stride: usize,
    /// The states of one phase or of both.
    phases: Vec<Phase>,
    /// Rows with the zero rows before a session, `[kernel, features]`.
    rows: Vec<f32>,
}

/// The LSTM states of one phase, `[sessions, units]` each.
struct Phase {
    outputs: Vec<f32>,
    cells: Vec<f32>,
}

impl<'a> Tile<'a> {
    /// Sessions side by side: a multiple of what the kernels take at a time, enough that fetching
    /// the weights does not count, few enough that what a step reads stays in a near cache.
    pub(super) const SESSIONS: usize = 24;

    /// Sessions without events.
    pub(super) fn new(model: &'a CpuModel, phases: usize) -> Self {
        let config = model.config();
        let stride = (model.panels.rows() + model.level.lanes()).next_multiple_of(16);
        let convolved = || vec![0.0; Self::SESSIONS * model.convolved()];
        let phase = || Phase {
            outputs: vec![0.0; Self::SESSIONS * model.units()],
            cells: vec![0.0; Self::SESSIONS * model.units()],
        };
        Self {
            convolved: [convolved(), convolved()],
            inputs: vec![0.0; Self::SESSIONS * stride],
            stride,
            phases: (0..phases).map(|_| phase()).collect(),
            rows: vec![0.0; config.kernel * config.features],
            model,
        }
    }

    /// Begins a session in the middle, and takes its next event in: the last `kernel` rows with that
    /// event's, the convolution row before it, and the state of the phase that it advances.
    pub(super) fn branch(
        &mut self,
        place: usize,
        recent: &[f32],
        newest: &[f32],
        (output, cell): (&[f32], &[f32]),
    ) {
        let (units, kernel) = (self.model.units(), self.model.config().kernel);
        let own = place * units..(place + 1) * units;
        self.phases[0].outputs[own.clone()].copy_from_slice(output);
        self.phases[0].cells[own].copy_from_slice(cell);
        self.convolved(place, kernel % 2).copy_from_slice(newest);
        self.convolve(place, recent, kernel - 1);
        self.pool(place, 0);
    }

    /// A session's convolution row of the newest event with this parity.
    fn convolved(&mut self, place: usize, parity: usize) -> &mut [f32] {
        let length = self.model.convolved();
        &mut self.convolved[parity][place * length..(place + 1) * length]
    }

    /// Takes an event of a session in.
    fn convolve(&mut self, place: usize, session: &[f32], event: usize) {
        let (model, kernel) = (self.model, self.model.config().kernel);
        let features = model.config().features;
        let end = (event + 1) * features;
        let rows = match (event + 1).checked_sub(kernel) {
            Some(first) => &session[first * features..end],
            None => {
                let before = self.rows.len() - end;
                self.rows[..before].fill(0.0);
                self.rows[before..].copy_from_slice(&session[..end]);
                &self.rows
            }
        };
        let length = model.convolved();
        model.level.run(Convolve::<false> {
            filters: &model.filters,
            rows,
            out: &mut self.convolved[event % 2][place * length..(place + 1) * length],
        });
    }

    /// Makes the newest two convolution rows of a session the window of its next step.
    fn pool(&mut self, place: usize, phase: usize) {
        let (model, length) = (self.model, self.model.convolved());
        let own = place * length..(place + 1) * length;
        let [even, odd] = &self.convolved;
        let input = &mut self.inputs[place * self.stride..(place + 1) * self.stride];
        let (before, window) = input.split_at_mut(model.config().hidden);
        before
            .copy_from_slice(&self.phases[phase].outputs[place * model.units()..][..before.len()]);
        model.level.run(Pool {
            filters: &model.filters,
            rows: [&even[own.clone()], &odd[own]],
            window,
        });
    }

    /// Advances one phase of the first so many sessions by their windows.
    pub(super) fn step(&mut self, sessions: usize, phase: usize) {
        let Phase { outputs, cells } = &mut self.phases[phase];
        self.model.level.run(StepMany {
            panels: &self.model.panels,
            activation: self.model.config().activation,
            sessions,
            inputs: &self.inputs,
            stride: self.stride,
            cells,
            outputs,
        });
    }

    /// What a session's output in one phase adds to its logit.
    pub(super) fn read_out(&self, place: usize, phase: usize) -> f32 {
        let units = self.model.units();
        let outputs = &self.phases[phase].outputs;
        self.model
            .read_out(&outputs[place * units..(place + 1) * units])
    }
}
