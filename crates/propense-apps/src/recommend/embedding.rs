//! A small network that knows which items are like each other: every item is a vector, a visit is
//! the last item's vector and a fading mean of all, and what comes next is the nearest item.
//!
//! ```text
//! s = Σ e^(−a/2) · v_a / Σ e^(−a/2)         a = clicks ago, v_a the item's vector
//! h = tanh([v_0, s] · H + c) + (v_0 + s) / 2
//! P(next = j) = softmax_j(h · u_j + b_j)
//! ```
//!
//! in the manner of STAMP (Liu et al. 2018) without its attention, which the few clicks of one shop
//! did not pay for. `v` and `u` of an item are its own vector plus one for each group that it
//! shares an identifier's beginning with (all but the last one, two, three characters): shops give
//! kinds of one product neighbouring numbers, and a rarely seen item is known by its neighbours.

use std::collections::HashMap;

use ndarray::{Array1, Array2, Axis, s};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::adam::{Pace, Weight, cross_entropy};
use super::log::{Click, Items};

/// Clicks of a visit that are looked at, the latest ones.
const WINDOW: usize = 12;
const WIDTH: usize = 64;
const BATCH: usize = 256;
const EPOCHS: usize = 8;
const RATE: f32 = 3e-3;
const DROPOUT: f32 = 0.25;
/// Batches of a pass at most: where a shop has more, every pass sees others.
const BATCHES: usize = 240;
/// Items against which a position is contrasted, where there are more than these: a random choice,
/// together with the targets of the batch.
const CONTRASTED: usize = 6000;

/// The network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Embedding {
    /// `[items, width]`
    input: Array2<f32>,
    /// `[items, width]`
    output: Array2<f32>,
    bias: Array1<f32>,
    /// `[2 · width, width]`
    hidden: Array2<f32>,
    hidden_bias: Array1<f32>,
}

impl Embedding {
    /// How many weights it has.
    pub(crate) fn numbers(&self) -> usize {
        let Self {
            input,
            output,
            bias,
            hidden,
            hidden_bias,
        } = self;
        input.len() + output.len() + bias.len() + hidden.len() + hidden_bias.len()
    }
}

/// A click within a window: item and weight. The first is the last click.
type Window = Vec<(usize, f32)>;

fn window(seen: &[Click], items: usize) -> Window {
    let latest = seen.iter().rev().take(WINDOW);
    let known = latest.filter(|click| (click.item as usize) < items);
    let mut window: Window = known
        .zip(0_u8..)
        .map(|(click, ago)| (click.item as usize, (-f32::from(ago) / 2.0).exp()))
        .collect();
    let sum: f32 = window.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut window {
        *weight /= sum;
    }
    window
}

impl Embedding {
    /// Learns from visits. The same visits and seed give the same network.
    #[must_use]
    pub(crate) fn fit(items: &Items, visits: &[Vec<Click>], seed: u64) -> Self {
        let mut examples: Vec<(Window, usize)> = Vec::new();
        for visit in visits {
            for (place, target) in visit.iter().enumerate().skip(1) {
                let seen = visit.get(..place).unwrap_or_default();
                examples.push((window(seen, items.len()), target.item as usize));
            }
        }
        examples.retain(|(window, target)| !window.is_empty() && *target < items.len());
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut training = Training::new(items, &mut random);
        let steps = examples.len().div_ceil(BATCH).min(BATCHES) * EPOCHS;
        let mut step = 0;
        for _ in 0..EPOCHS {
            examples.shuffle(&mut random);
            for batch in examples.chunks(BATCH).take(BATCHES) {
                training.step(batch, Pace::new(RATE, step, steps), &mut random);
                step += 1;
            }
        }
        training.finish()
    }

    /// ln P(next = j) of every item; nothing changes where no item of the visit is known.
    pub(crate) fn score(&self, seen: &[Click], scores: &mut [f32]) {
        let window = window(seen, self.input.nrows());
        let Some((first, _)) = window.first() else {
            return;
        };
        let first = self.input.row(*first);
        let mut mean = Array1::zeros(WIDTH);
        for (item, weight) in &window {
            mean.scaled_add(*weight, &self.input.row(*item));
        }
        let mut both = Array1::zeros(2 * WIDTH);
        both.slice_mut(s![..WIDTH]).assign(&first);
        both.slice_mut(s![WIDTH..]).assign(&mean);
        let state = (both.dot(&self.hidden) + &self.hidden_bias).mapv(f32::tanh);
        let state = state + (&mean + &first) * 0.5;
        let logits = self.output.dot(&state) + &self.bias;
        let largest = logits.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        let whole = largest + sum.ln();
        for (score, logit) in scores.iter_mut().zip(&logits) {
            *score = logit - whole;
        }
    }
}

/// Groups of items by the beginning of their identifiers: for each of three lengths the group of
/// every item, and how many groups there are.
fn groups(items: &Items) -> Vec<(Vec<usize>, usize)> {
    let level = |cut: usize| {
        let mut names: HashMap<&str, usize> = HashMap::new();
        let of = items.ids().iter().map(|id| {
            let end = id.char_indices().rev().nth(cut - 1).map_or(0, |(at, _)| at);
            let next = names.len();
            *names
                .entry(id.get(..end).unwrap_or_default())
                .or_insert(next)
        });
        let of: Vec<usize> = of.collect();
        (of, names.len())
    };
    (1..=3).map(level).collect()
}

struct Training {
    input: Weight,
    output: Weight,
    groups: Vec<(Vec<usize>, usize)>,
    group_inputs: Vec<Weight>,
    group_outputs: Vec<Weight>,
    bias: Weight,
    hidden: Weight,
    hidden_bias: Weight,
}

impl Training {
    fn new(items: &Items, random: &mut ChaCha12Rng) -> Self {
        let groups = groups(items);
        let mut table = |rows: usize| Weight::random((rows, WIDTH), 0.05, random);
        let input = table(items.len());
        let output = table(items.len());
        let group_inputs = groups.iter().map(|(_, count)| table(*count)).collect();
        let group_outputs = groups.iter().map(|(_, count)| table(*count)).collect();
        let deviation = (1.0 / (2.0 * WIDTH as f32)).sqrt();
        Self {
            input,
            output,
            groups,
            group_inputs,
            group_outputs,
            bias: Weight::zeros((1, items.len())),
            hidden: Weight::random((2 * WIDTH, WIDTH), deviation, random),
            hidden_bias: Weight::zeros((1, WIDTH)),
        }
    }

    /// Own vectors plus those of the groups.
    fn whole(&self, own: &Weight, of_groups: &[Weight]) -> Array2<f32> {
        let mut whole = own.value.clone();
        for ((group, _), vectors) in self.groups.iter().zip(of_groups) {
            for (mut row, group) in whole.rows_mut().into_iter().zip(group) {
                row += &vectors.value.row(*group);
            }
        }
        whole
    }

    /// One step on a batch.
    fn step(&mut self, batch: &[(Window, usize)], pace: Pace, random: &mut ChaCha12Rng) {
        let rows = batch.len();
        let input = self.whole(&self.input, &self.group_inputs);
        let output = self.whole(&self.output, &self.group_outputs);
        let kept = 1.0 - DROPOUT;
        let mut mask = |shape: (usize, usize)| {
            Array2::from_shape_simple_fn(shape, || {
                if random.random::<f32>() < kept {
                    1.0 / kept
                } else {
                    0.0
                }
            })
        };
        // Forward. [batch, 2 · width]: the last item beside the fading mean.
        let places: usize = batch.iter().map(|(window, _)| window.len()).sum();
        let input_mask = mask((places, WIDTH));
        let state_mask = mask((rows, WIDTH));
        let mut both = Array2::<f32>::zeros((rows, 2 * WIDTH));
        let mut place = 0;
        for ((window, _), mut row) in batch.iter().zip(both.rows_mut()) {
            for (ago, (item, weight)) in window.iter().enumerate() {
                let vector = &input.row(*item) * &input_mask.row(place);
                row.slice_mut(s![WIDTH..]).scaled_add(*weight, &vector);
                if ago == 0 {
                    row.slice_mut(s![..WIDTH]).assign(&vector);
                }
                place += 1;
            }
        }
        let bent = (both.dot(&self.hidden.value) + &self.hidden_bias.value).mapv(f32::tanh);
        let skipped = (&both.slice(s![.., ..WIDTH]) + &both.slice(s![.., WIDTH..])) * 0.5;
        let state = (&bent + &skipped) * &state_mask; // [batch, width]
        let (columns, targets) = contrasted(batch, output.nrows(), random);
        let chosen = columns.as_ref().map(|c| output.select(Axis(0), &c.items));
        let shown = chosen.as_ref().unwrap_or(&output); // [columns, width]
        let mut logits = state.dot(&shown.t());
        match &columns {
            Some(columns) => {
                logits += &self.bias.value.select(Axis(1), &columns.items);
                logits += &columns.correction;
            }
            None => logits += &self.bias.value,
        }
        cross_entropy(&mut logits, &targets);

        // Backward.
        let shown_gradient = logits.t().dot(&state);
        let bias_gradient = logits.sum_axis(Axis(0));
        let state_gradient = logits.dot(shown) * &state_mask;
        let bent_gradient = &state_gradient * &bent.mapv(|tanh| 1.0 - tanh * tanh);
        let hidden_gradient = both.t().dot(&bent_gradient);
        let hidden_bias_gradient = bent_gradient.sum_axis(Axis(0)).insert_axis(Axis(0));
        let mut both_gradient = bent_gradient.dot(&self.hidden.value.t());
        for half in [s![.., ..WIDTH], s![.., WIDTH..]] {
            both_gradient
                .slice_mut(half)
                .scaled_add(0.5, &state_gradient);
        }
        let mut input_gradient = Array2::<f32>::zeros(input.raw_dim());
        let mut place = 0;
        for ((window, _), row) in batch.iter().zip(both_gradient.rows()) {
            let (first, mean) = (row.slice(s![..WIDTH]), row.slice(s![WIDTH..]));
            for (ago, (item, weight)) in window.iter().enumerate() {
                let mut gradient = &mean * *weight;
                if ago == 0 {
                    gradient += &first;
                }
                gradient *= &input_mask.row(place);
                let mut total = input_gradient.row_mut(*item);
                total += &gradient;
                place += 1;
            }
        }
        let (mut output_gradient, mut all_bias) = (shown_gradient, bias_gradient);
        if let Some(columns) = &columns {
            let mut whole = Array2::<f32>::zeros(output.raw_dim());
            let mut whole_bias = Array1::<f32>::zeros(output.nrows());
            for (place, item) in columns.items.iter().enumerate() {
                whole.row_mut(*item).assign(&output_gradient.row(place));
                whole_bias[*item] = all_bias[place];
            }
            (output_gradient, all_bias) = (whole, whole_bias);
        }
        for (level, (group, count)) in self.groups.iter().enumerate() {
            let gathered = |gradient: &Array2<f32>| {
                let mut sums = Array2::<f32>::zeros((*count, WIDTH));
                for (row, group) in gradient.rows().into_iter().zip(group) {
                    let mut sum = sums.row_mut(*group);
                    sum += &row;
                }
                sums
            };
            if let Some(weight) = self.group_inputs.get_mut(level) {
                weight.step(&gathered(&input_gradient), pace);
            }
            if let Some(weight) = self.group_outputs.get_mut(level) {
                weight.step(&gathered(&output_gradient), pace);
            }
        }
        self.input.step(&input_gradient, pace);
        self.output.step(&output_gradient, pace);
        self.bias.step(&all_bias.insert_axis(Axis(0)), pace);
        self.hidden.step(&hidden_gradient, pace);
        self.hidden_bias.step(&hidden_bias_gradient, pace);
    }

    fn finish(self) -> Embedding {
        let row = |weight: &Weight| weight.value.iter().copied().collect::<Array1<f32>>();
        Embedding {
            input: self.whole(&self.input, &self.group_inputs),
            output: self.whole(&self.output, &self.group_outputs),
            bias: row(&self.bias),
            hidden_bias: row(&self.hidden_bias),
            hidden: self.hidden.value,
        }
    }
}

/// The items that a batch is contrasted with.
struct Columns {
    items: Vec<usize>,
    /// Minus the logarithm of about the chance to be among them (sampled softmax: Jean et al. 2015).
    correction: Array1<f32>,
}

/// None where all items are; and each target's column.
fn contrasted(
    batch: &[(Window, usize)],
    items: usize,
    random: &mut ChaCha12Rng,
) -> (Option<Columns>, Vec<usize>) {
    if items <= CONTRASTED {
        return (None, batch.iter().map(|(_, target)| *target).collect());
    }
    let mut place_of: HashMap<usize, usize> = HashMap::new();
    let mut columns: Vec<usize> = Vec::new();
    let mut targets = Vec::with_capacity(batch.len());
    for (_, target) in batch {
        let place = *place_of.entry(*target).or_insert_with(|| {
            columns.push(*target);
            columns.len() - 1
        });
        targets.push(place);
    }
    let certain = columns.len();
    for _ in 0..CONTRASTED {
        let item = random.random_range(0..items);
        place_of.entry(item).or_insert_with(|| {
            columns.push(item);
            columns.len() - 1
        });
    }
    let rare = (items as f32 / CONTRASTED as f32).ln();
    let correction = (0..columns.len()).map(|place| if place < certain { 0.0 } else { rare });
    let columns = Columns {
        correction: correction.collect(),
        items: columns,
    };
    (Some(columns), targets)
}
