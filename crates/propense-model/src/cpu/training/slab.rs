//! One thread's share of a batch, from rows to gradients.

use super::Lesson;
use super::cell::{Advance, Retreat};
use super::contexts::Contexts;
use super::dropout::{Dropout, vector};
use super::packed::{Gradients, Packed};
use super::products::Product;
use super::schedule::{Schedule, Sequence};
use super::window::{PoolApart, Unpool};
use crate::cpu::arithmetic::{add_scaled, dot};
use crate::cpu::kernels::Convolve;

/// The memory of a slab, and what came out.
#[derive(Debug, Default)]
pub(super) struct Slab {
    pub(super) loss: f64,
    pub(super) gradients: Gradients,
    /// Each session with zero rows before it, `[kernel + events, features]`.
    planes: Vec<f32>,
    /// The convolution's rows of each session, that before its first event first:
    /// `[events + 1, cells, 2, filters made up]`.
    convolved: Vec<f32>,
    /// What each step reads, `stride` apart: the output before, the window, a one.
    inputs: Vec<f32>,
    gates: Vec<f32>,
    cells: Vec<f32>,
    squashed: Vec<f32>,
    outputs: Vec<f32>,
    /// Gradient of each row's logit.
    logits: Vec<f32>,
    of_outputs: Vec<f32>,
    of_cells: Vec<f32>,
    of_windows: Vec<f32>,
}

/// Distances between rows: whole vectors, and no power of two, so that a column's numbers do not
/// all fall into the same places of the cache.
fn stride(width: usize) -> usize {
    let lines = width.div_ceil(16);
    16 * (lines + 1 - lines % 2)
}

/// Makes room for so many numbers, whatever they hold.
fn room(numbers: &mut Vec<f32>, length: usize) {
    if numbers.len() < length {
        numbers.resize(length, 0.0);
    }
}

impl Slab {
    /// Loss and gradients of these lessons, each with its number in the batch; gradients are those of
    /// the loss times `scale`.
    pub(super) fn learn(
        &mut self,
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        scale: f32,
        draw: u64,
    ) {
        self.loss = 0.0;
        self.gradients.clear(packed);
        let dropout = Dropout::new(packed.config.dropout, draw);
        let schedule = Schedule::new(lessons);
        let mut contexts = Contexts::of(packed, lessons, dropout);
        let planes = self.look(packed, lessons, &schedule);
        self.advance(packed, &schedule);
        self.judge(packed, lessons, &schedule, &mut contexts, scale, dropout);
        self.retreat(packed, lessons, &schedule, dropout);
        self.weigh(packed, &schedule, &planes);
        contexts.learn(packed, lessons, &mut self.gradients);
    }

    /// Convolution and pooling: fills the windows of [`Self::inputs`]. Gives where each lesson's plane
    /// and convolved rows begin.
    fn look(
        &mut self,
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        schedule: &Schedule,
    ) -> Vec<(usize, usize)> {
        let (features, kernel) = (packed.config.features, packed.config.kernel);
        let line = packed.convolved();
        let mut events = vec![0; lessons.len()];
        for sequence in &schedule.sequences {
            let seen = 2 * sequence.steps - 1 + sequence.phase;
            events[sequence.lesson] = seen.max(events[sequence.lesson]);
        }
        let mut places = Vec::with_capacity(lessons.len());
        let (mut plane, mut convolved) = (0, 0);
        for &events in &events {
            places.push((plane, convolved));
            plane += (kernel + events) * features;
            convolved += (events + 1) * line;
        }
        room(&mut self.planes, plane);
        room(&mut self.convolved, convolved);
        for (((_, lesson), &(plane, convolved)), &events) in
            lessons.iter().zip(&places).zip(&events)
        {
            if events == 0 {
                continue;
            }
            let plane = &mut self.planes[plane..plane + (kernel + events) * features];
            let (before, rows) = plane.split_at_mut(kernel * features);
            before.fill(0.0);
            rows.copy_from_slice(&lesson.rows[..events * features]);
            let convolved = &mut self.convolved[convolved..convolved + (events + 1) * line];
            for (row, out) in convolved.chunks_exact_mut(line).enumerate() {
                packed.level.run(Convolve::<true> {
                    filters: &packed.filters,
                    rows: &plane[row * features..(row + kernel) * features],
                    out,
                });
            }
        }
        let (hidden, width) = (packed.config.hidden, packed.config.step_inputs());
        let stride = packed.input_stride();
        room(&mut self.inputs, schedule.rows() * stride);
        for (row, sequence, event) in schedule.each() {
            let input = &mut self.inputs[row * stride..(row + 1) * stride];
            packed.level.run(PoolApart {
                filters: &packed.filters,
                rows: rows_under(&self.convolved, places[sequence.lesson].1, line, event),
                window: &mut input[hidden..],
            });
            input[hidden + width] = 1.0;
        }
        places
    }

    /// The LSTM over all steps.
    fn advance(&mut self, packed: &Packed<'_>, schedule: &Schedule) {
        let (hidden, units) = (packed.config.hidden, packed.units());
        let (width, depth) = (packed.panels.width(), packed.panels.rows());
        let (input_stride, gate_stride) = (packed.input_stride(), packed.gate_stride());
        room(&mut self.gates, schedule.rows() * gate_stride);
        for numbers in [&mut self.cells, &mut self.squashed, &mut self.outputs] {
            room(numbers, schedule.rows() * units);
        }
        for (step, (&first, &rows)) in schedule.first.iter().zip(&schedule.active).enumerate() {
            let inputs = &mut self.inputs[first * input_stride..];
            // Before the first step all outputs are zero: only the windows count.
            let from = if step == 0 { hidden } else { 0 };
            let before = step.checked_sub(1).map(|before| schedule.first[before]);
            for (place, input) in inputs.chunks_exact_mut(input_stride).take(rows).enumerate() {
                match before {
                    Some(before) => input[..hidden]
                        .copy_from_slice(&self.outputs[(before + place) * units..][..hidden]),
                    None => input[..hidden].fill(0.0),
                }
            }
            let gates = &mut self.gates[first * gate_stride..];
            packed.level.run(Product {
                rows,
                depth: depth - from,
                panels: packed.panels.count(),
                a: &inputs[from..],
                a_row: input_stride,
                a_depth: 1,
                b: &packed.panels.weights()[from * width..],
                b_panel: depth * width,
                b_depth: width,
                start: Some(packed.panels.bias()),
                out: gates,
                out_row: gate_stride,
            });
            let (older, cells) = self.cells.split_at_mut(first * units);
            packed.level.run(Advance {
                activation: packed.config.activation,
                rows,
                units,
                gates,
                stride: gate_stride,
                before: before.map(|before| &older[before * units..]),
                cells,
                squashed: &mut self.squashed[first * units..],
                outputs: &mut self.outputs[first * units..],
            });
        }
    }

    /// Logits, losses, and the gradients of both.
    fn judge(
        &mut self,
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        schedule: &Schedule,
        contexts: &mut Contexts,
        scale: f32,
        dropout: Option<Dropout>,
    ) {
        let (hidden, units) = (packed.config.hidden, packed.units());
        self.logits.clear();
        self.logits.resize(schedule.rows(), 0.0);
        for (place, (_, lesson)) in lessons.iter().enumerate() {
            let (loss, slope) = cross_entropy(contexts.bases[place], lesson.outcomes[0]);
            if lesson.weights[0] != 0.0 {
                self.loss += f64::from(lesson.weights[0]) * f64::from(loss);
                contexts.of_bases[place] = lesson.weights[0] * scale * slope;
            }
        }
        let mut kept = vec![0.0; hidden];
        for (row, sequence, event) in schedule.each() {
            let (number, lesson) = lessons[sequence.lesson];
            let weight = lesson.weights[event + 1];
            if weight == 0.0 {
                continue;
            }
            let output = &self.outputs[row * units..row * units + hidden];
            let output = match dropout {
                Some(dropout) => {
                    for (unit, (kept, output)) in kept.iter_mut().zip(output).enumerate() {
                        *kept = output * dropout.factor(vector(number, event + 1), unit);
                    }
                    &kept
                }
                None => output,
            };
            let logit = contexts.bases[sequence.lesson] + dot(packed.readout, output);
            let (loss, slope) = cross_entropy(logit, lesson.outcomes[event + 1]);
            self.loss += f64::from(weight) * f64::from(loss);
            let slope = weight * scale * slope;
            self.logits[row] = slope;
            contexts.of_bases[sequence.lesson] += slope;
            add_scaled(&mut self.gradients.output[..hidden], slope, output);
        }
    }

    /// The way back through the steps: leaves the gradients of the gates' sums in place of the gates.
    fn retreat(
        &mut self,
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        schedule: &Schedule,
        dropout: Option<Dropout>,
    ) {
        let (hidden, units) = (packed.config.hidden, packed.units());
        let gate_stride = packed.gate_stride();
        let width = packed.panels.width();
        let output_row = packed.to_outputs.panels * width;
        let most = schedule.active.first().copied().unwrap_or(0);
        room(&mut self.of_outputs, most * output_row);
        self.of_cells.clear();
        self.of_cells.resize(most * units, 0.0);
        let mut carried = 0;
        for (step, &rows) in schedule.active.iter().enumerate().rev() {
            let first = schedule.first[step];
            // Sequences that end here are given nothing by the step after.
            self.of_outputs[carried * output_row..rows * output_row].fill(0.0);
            for place in 0..rows {
                let slope = self.logits[first + place];
                if slope == 0.0 {
                    continue;
                }
                let own = &mut self.of_outputs[place * output_row..][..hidden];
                match dropout {
                    None => add_scaled(own, slope, packed.readout),
                    Some(dropout) => {
                        let Sequence { lesson, phase, .. } = schedule.sequences[place];
                        let vector = vector(lessons[lesson].0, 2 * step + phase + 1);
                        for (unit, (own, weight)) in own.iter_mut().zip(packed.readout).enumerate()
                        {
                            *own += slope * weight * dropout.factor(vector, unit);
                        }
                    }
                }
            }
            let before = step.checked_sub(1).map(|before| schedule.first[before]);
            let gates = &mut self.gates[first * gate_stride..];
            packed.level.run(Retreat {
                activation: packed.config.activation,
                rows,
                units,
                gates,
                stride: gate_stride,
                before: before.map(|before| &self.cells[before * units..]),
                squashed: &self.squashed[first * units..],
                outputs: &self.of_outputs,
                outputs_row: output_row,
                cells: &mut self.of_cells,
            });
            if before.is_some() {
                packed.level.run(Product {
                    rows,
                    depth: 4 * units,
                    panels: packed.to_outputs.panels,
                    a: gates,
                    a_row: gate_stride,
                    a_depth: 1,
                    b: &packed.to_outputs.weights,
                    b_panel: 4 * units * width,
                    b_depth: width,
                    start: None,
                    out: &mut self.of_outputs,
                    out_row: output_row,
                });
            }
            carried = rows;
        }
    }

    /// From the gates' gradients to those of LSTM and convolution.
    fn weigh(&mut self, packed: &Packed<'_>, schedule: &Schedule, places: &[(usize, usize)]) {
        let (rows, units) = (schedule.rows(), packed.units());
        if rows == 0 {
            return;
        }
        let (features, kernel) = (packed.config.features, packed.config.kernel);
        let (input_stride, gate_stride) = (packed.input_stride(), packed.gate_stride());
        let width = packed.panels.width();
        packed.level.run(Product {
            rows: packed.panels.rows() + 1,
            depth: rows,
            panels: packed.panels.count(),
            a: &self.inputs,
            a_row: 1,
            a_depth: input_stride,
            b: &self.gates,
            b_panel: width,
            b_depth: gate_stride,
            start: None,
            out: &mut self.gradients.lstm,
            out_row: 4 * units,
        });
        // Room for a vector beyond the last window.
        let window_stride = stride(packed.to_windows.panels * width + packed.level.lanes());
        room(&mut self.of_windows, rows * window_stride);
        packed.level.run(Product {
            rows,
            depth: 4 * units,
            panels: packed.to_windows.panels,
            a: &self.gates,
            a_row: gate_stride,
            a_depth: 1,
            b: &packed.to_windows.weights,
            b_panel: 4 * units * width,
            b_depth: width,
            start: None,
            out: &mut self.of_windows,
            out_row: window_stride,
        });
        let line = packed.convolved();
        for (row, sequence, event) in schedule.each() {
            let (plane, convolved) = places[sequence.lesson];
            let patch = plane + event * features;
            packed.level.run(Unpool {
                filters: &packed.filters,
                rows: rows_under(&self.convolved, convolved, line, event),
                session: &self.planes[patch..patch + (kernel + 1) * features],
                window: &self.of_windows[row * window_stride..(row + 1) * window_stride],
                kernel: &mut self.gradients.kernel,
                bias: &mut self.gradients.conv_bias,
            });
        }
    }
}

impl Packed<'_> {
    /// Numbers of a row of the convolution, both columns of each pair kept.
    fn convolved(&self) -> usize {
        self.config.pooled_columns() * 2 * self.filters.padded()
    }

    /// From one row's inputs to the next: room for a one and for a vector beyond the window.
    fn input_stride(&self) -> usize {
        stride(self.panels.rows() + 1 + self.level.lanes())
    }

    fn gate_stride(&self) -> usize {
        stride(4 * self.units())
    }
}

/// The convolution's rows that the window ending with this event pools.
fn rows_under(convolved: &[f32], from: usize, line: usize, event: usize) -> [&[f32]; 2] {
    let older = from + event * line;
    let (older, newer) = convolved[older..older + 2 * line].split_at(line);
    [older, newer]
}

/// Binary cross-entropy with a logit, and its slope: `max(x, 0) − x·y + ln(1 + e^−|x|)`, `σ(x) − y`.
fn cross_entropy(logit: f32, outcome: f32) -> (f32, f32) {
    let tail = (-logit.abs()).exp();
    let loss = if logit < 0.0 { 0.0 } else { logit } - logit * outcome + tail.ln_1p();
    let probability = if logit < 0.0 { tail } else { 1.0 } / (1.0 + tail);
    (loss, probability - outcome)
}
