//! The loop: AdamW (Loshchilov and Hutter 2019) under a warm-up and a cosine, dropout, a running
//! average of the weights, the epoch with the lowest log-loss on what each member left out kept.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData, activation};
use propense_model::{
    CnnLstm, Ensemble, EnsembleConfig, Masks, ModelConfig, ModelError, NamedTensor,
};
use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::average::Average;
use super::{PARTS, Table, Targets, log_loss};
use crate::TrainError;
use crate::adam::{Adam, numbers};
use crate::calibrate::Scaling;
use crate::loss::cross_entropy;
use crate::metrics::roc_auc;
use crate::progress::{EpochReport, Observer, Pace, Progress, StopReason};
use crate::recipe::{Loss, Recipe};
use crate::start::start_at_base_rate;

/// A trained ensemble.
pub(crate) struct Ensembled {
    pub(crate) config: EnsembleConfig,
    /// The ensemble's weights, by the bundle's names.
    pub(crate) weights: Vec<NamedTensor>,
    /// For each row of the table the mean logit of the members that have not learnt from it.
    pub(crate) held_out: Vec<f32>,
    pub(crate) history: Vec<EpochReport>,
    pub(crate) best_epoch: usize,
    pub(crate) reason: StopReason,
    pub(crate) samples_per_second: f64,
}

impl Ensembled {
    /// The network that is nothing but this ensemble, for rows of `sizes` (features, context): its
    /// recurrent path has the least size and is silent, with output weights of zero.
    pub(crate) fn network(
        &self,
        sizes: (usize, usize),
        seed: u64,
    ) -> Result<(ModelConfig, Vec<NamedTensor>), ModelError> {
        let config = ModelConfig {
            filters: 1,
            hidden: 1,
            context_hidden: 1,
            ensemble: Some(self.config.clone()),
            ..ModelConfig::seed(sizes.0, sizes.1)
        };
        let mut weights = config.initial_weights(seed)?;
        for weight in &mut weights {
            if weight.name.starts_with("output.") {
                weight.data.fill(0.0);
            }
            if let Some(own) = self.weights.iter().find(|own| own.name == weight.name) {
                weight.clone_from(own);
            }
        }
        Ok((config, weights))
    }
}

/// Trains an ensemble on this table towards these targets, each input laid out on the bins between
/// its edges, with rows of `sizes` (features, context); none where the observer stopped it before the
/// first epoch was complete.
pub(crate) fn train(
    (table, targets, edges): (&Table, &Targets, &[Vec<f32>]),
    sizes: (usize, usize),
    recipe: &Recipe,
    device: &Device,
    limit: Option<Duration>,
    observer: &mut dyn Observer,
) -> Result<Option<Ensembled>, TrainError> {
    let config = EnsembleConfig {
        members: PARTS * recipe.replicas,
        hidden: recipe.hidden,
        edges: edges.to_vec(),
    };
    let (features, context) = sizes;
    let whole = ModelConfig {
        ensemble: Some(config.clone()),
        ..ModelConfig::seed(features, context)
    };
    let mut weights = whole.initial_weights(recipe.seed)?;
    let outcomes = table.labels.iter().copied();
    start_at_base_rate(&mut weights, "ensemble.output_bias", outcomes);
    let differentiable = device.clone().autodiff();
    let network = CnnLstm::from_weights(&whole, &weights, &differentiable)?;
    let Some(ensemble) = network.ensemble().cloned() else {
        return Ok(None);
    };
    let mut run = Run {
        table,
        targets,
        recipe,
        device: differentiable,
        members: config.members,
        units: config.units(),
        ensemble,
        adam: Adam::new(recipe.rate, None).with_decay(recipe.decay),
        average: Average::default(),
        random: ChaCha12Rng::seed_from_u64(recipe.seed),
        step: 0,
        order_weight: recipe.loss.order_weight(table),
    };
    observer.on(&Progress::Start {
        done: &[],
        epochs: recipe.epochs,
        examples: table.len(),
        // What else a network has is silent beside it.
        parameters: weights
            .iter()
            .filter(|weight| weight.name.starts_with("ensemble."))
            .map(|weight| weight.data.len())
            .sum(),
    });
    let started = Instant::now();
    let mut samples_per_second = 0.0;
    let mut history: Vec<EpochReport> = Vec::new();
    let mut best: Option<(usize, Average, Vec<f32>, Scaling)> = None;
    let reason = loop {
        let epoch = history.len() + 1;
        if epoch > recipe.epochs {
            break StopReason::Epochs;
        }
        if best.is_some() && limit.is_some_and(|limit| started.elapsed() >= limit) {
            break StopReason::Time;
        }
        let clock = Instant::now();
        let Some(train_loss) = run.epoch(observer)? else {
            break StopReason::Interrupted;
        };
        samples_per_second = table.len() as f64 / clock.elapsed().as_secs_f64().max(1e-9);
        let (held_out, scaling, loss) = run.held_out()?;
        if !(loss.is_finite() && train_loss.is_finite()) {
            return Err(TrainError::Diverged { epoch });
        }
        let lowest = history.iter().map(|e| e.validation_loss);
        let is_best = loss < lowest.fold(f64::INFINITY, f64::min);
        let epoch_report = EpochReport {
            epoch,
            train_loss,
            validation_loss: loss,
            validation_auc: roc_auc(&held_out, &table.labels),
            best: is_best,
        };
        let seconds = clock.elapsed().as_secs_f64();
        observer.on(&Progress::Epoch {
            report: &epoch_report,
            pace: Pace {
                samples_per_second,
                epoch_seconds: seconds,
                seconds_left: seconds * (recipe.epochs - epoch) as f64,
            },
            epochs: recipe.epochs,
        });
        history.push(epoch_report);
        if is_best {
            best = Some((epoch, run.average.clone(), held_out, scaling));
        } else if best
            .as_ref()
            .is_some_and(|b| epoch - b.0 >= recipe.patience)
        {
            break StopReason::Patience;
        }
    };
    let Some((best_epoch, average, held_out, scaling)) = best else {
        return Ok(None);
    };
    observer.on(&Progress::End { best_epoch, reason });
    let mut weights = average.write(run.ensemble.valid()).named_weights()?;
    for weight in &mut weights {
        let offset = match weight.name.as_str() {
            "ensemble.output" => 0.0,
            "ensemble.output_bias" => scaling.offset,
            _ => continue,
        };
        let scaled = |value: &mut f32| *value = scaling.slope * *value + offset;
        weight.data.iter_mut().for_each(scaled);
    }
    Ok(Some(Ensembled {
        weights,
        config,
        held_out,
        history,
        best_epoch,
        reason,
        samples_per_second,
    }))
}

/// Rows of one pass in scoring.
const SCORED: usize = 4_096;

struct Run<'a> {
    table: &'a Table,
    targets: &'a Targets,
    recipe: &'a Recipe,
    device: Device,
    members: usize,
    units: usize,
    ensemble: Ensemble,
    adam: Adam,
    average: Average,
    random: ChaCha12Rng,
    step: usize,
    /// How much more a row with an order weighs.
    order_weight: f32,
}

impl Run<'_> {
    /// One pass: the mean loss, or none where the observer stopped it.
    fn epoch(&mut self, observer: &dyn Observer) -> Result<Option<f64>, TrainError> {
        let mut order: Vec<usize> = (0..self.table.len()).collect();
        order.shuffle(&mut self.random);
        let (mut sum, mut total) = (0.0, 0.0);
        for indices in order.chunks(self.recipe.batch.max(1)) {
            let (loss, weight) = self.step(indices)?;
            sum += loss;
            total += weight;
            if observer.stop() {
                return Ok(None);
            }
        }
        Ok(Some(sum / f64::max(total, 1e-9)))
    }

    /// Sum of the weighted losses over members and rows, and of the weights.
    fn step(&mut self, indices: &[usize]) -> Result<(f64, f64), TrainError> {
        let mut targets = Vec::with_capacity(self.members * indices.len());
        let mut weights = Vec::with_capacity(self.members * indices.len());
        for member in 0..self.members {
            let part = member % PARTS;
            let loss = self.recipe.loss;
            targets.extend(
                indices
                    .iter()
                    .map(|&row| loss.target(self.targets.get(part, row))),
            );
            weights.extend(indices.iter().map(|&row| {
                let learns = self.table.folds[row] != part;
                let order = match self.table.labels[row] {
                    true => self.order_weight,
                    false => 1.0,
                };
                f32::from(learns) * order * self.table.weights[row]
            }));
        }
        let total: f32 = weights.iter().sum();
        let size = indices.len();
        let targets = self.tensor(targets, [self.members, size]);
        let weights = self.tensor(weights, [self.members, size]);
        let masks = self.masks(size);
        let rows = self.thinned(indices);
        let inputs = self.tensor(rows, [size, self.table.width]);
        let logits = self.ensemble.members(inputs, masks); // [members, size]
        let loss = match self.recipe.loss {
            Loss::Focal => focal(logits, targets),
            _ => cross_entropy(logits, targets),
        };
        let loss = (loss * weights).sum(); // [1]
        let value = numbers(loss.clone().inner())?;
        // The members share nothing: each sees the gradient of its own mean loss, up to a factor
        // that Adam does not feel.
        let scale = self.members as f32 / total.max(1e-6);
        let gradients = loss.mul_scalar(scale).backward();
        let gradients = GradientsParams::from_grads(gradients, &self.ensemble);
        self.adam.set_rate(self.rate());
        self.ensemble = self.adam.step(self.ensemble.clone(), gradients);
        self.average.add(&self.ensemble, self.recipe.average);
        self.step += 1;
        let value = value.first().copied().map_or(f64::NAN, f64::from);
        Ok((value, f64::from(total)))
    }

    /// Rises over the first twentieth of the steps, then falls to zero along a cosine.
    fn rate(&self) -> f32 {
        if !self.recipe.schedule {
            return self.recipe.rate;
        }
        let batches = self.table.len().div_ceil(self.recipe.batch.max(1));
        let all = (self.recipe.epochs * batches).max(1) as f64;
        let done = self.step as f64 / all;
        let warm = (done / 0.05).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
        (f64::from(self.recipe.rate) * warm * cosine) as f32
    }

    /// Which hidden units take part, drawn on the CPU, so that every device draws the same.
    fn masks(&mut self, size: usize) -> Option<Masks> {
        let share = self.recipe.dropout;
        if share <= 0.0 {
            return None;
        }
        let border = (share * 65_536.0).round().clamp(0.0, 65_535.0) as u16;
        let kept = (1.0 / (1.0 - f64::from(border) / 65_536.0)) as f32;
        let mut bytes = vec![0u8; 2 * size * self.units];
        Some([(); 2].map(|()| {
            self.random.fill_bytes(&mut bytes);
            let draws = bytes
                .chunks_exact(2)
                .map(|two| u16::from_le_bytes([two[0], two[1]]));
            let mask = draws.map(|draw| if draw < border { 0.0 } else { kept });
            let shape = [size, self.units];
            Tensor::from_data(
                TensorData::new(mask.collect::<Vec<f32>>(), shape),
                &self.device,
            )
        }))
    }

    /// For each row the mean logit of the members that leave it out, scaled as it is to be, how it was
    /// scaled, and the log-loss of that.
    fn held_out(&self) -> Result<(Vec<f32>, Scaling, f64), TrainError> {
        let averaged = self.average.write(self.ensemble.valid());
        let rows: Vec<usize> = (0..self.table.len()).collect();
        let mut logits = Vec::with_capacity(rows.len());
        for indices in rows.chunks(SCORED) {
            let inputs = self.inputs(indices).inner();
            let scores = numbers(averaged.members(inputs, None))?; // [members, indices]
            for (place, &row) in indices.iter().enumerate() {
                let own = (0..self.members).filter(|m| m % PARTS == self.table.folds[row]);
                let own: Vec<f32> = own
                    .filter_map(|member| scores.get(member * indices.len() + place))
                    .copied()
                    .collect();
                logits.push(own.iter().sum::<f32>() / own.len().max(1) as f32);
            }
        }
        let scaling = self.scaling(&logits);
        for logit in &mut logits {
            *logit = scaling.scaled(*logit) as f32;
        }
        let loss = log_loss(&logits, self.table);
        Ok((logits, scaling, loss))
    }

    /// What makes logits of these, which the loss did not mean as such.
    fn scaling(&self, held_out: &[f32]) -> Scaling {
        let Table {
            labels, weights, ..
        } = self.table;
        match self.recipe.loss {
            Loss::CrossEntropy | Loss::Smoothed => Scaling::IDENTITY,
            Loss::Balanced => Scaling {
                offset: -self.order_weight.ln(),
                ..Scaling::IDENTITY
            },
            Loss::Focal => Scaling::fit_weighted(held_out, labels, weights),
        }
    }

    fn inputs(&self, indices: &[usize]) -> Tensor<2> {
        self.tensor(self.rows(indices), [indices.len(), self.table.width])
    }

    fn rows(&self, indices: &[usize]) -> Vec<f32> {
        let rows = indices.iter().flat_map(|&row| self.table.row(row));
        rows.copied().collect()
    }

    /// The rows as a step sees them: where the recipe says so, with numbers and items left out.
    fn thinned(&mut self, indices: &[usize]) -> Vec<f32> {
        let mut rows = self.rows(indices);
        let (input, item) = (self.recipe.input_dropout, self.recipe.item_dropout);
        if item > 0.0 && !self.table.of_items.is_empty() {
            for row in rows.chunks_exact_mut(self.table.width.max(1)) {
                if !self.random.random_bool(item) {
                    continue;
                }
                for (column, unknown) in &self.table.of_items {
                    if let Some(number) = row.get_mut(*column) {
                        *number = *unknown;
                    }
                }
            }
        }
        if input > 0.0 {
            for number in &mut rows {
                if self.random.random_bool(input) {
                    *number = 0.0;
                }
            }
        }
        rows
    }

    fn tensor(&self, values: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}

/// Cross-entropy with logits, each outcome's part times the square of the probability that it does not
/// come.
fn focal(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let order = activation::sigmoid(logits.clone());
    let none = activation::sigmoid(logits.clone().neg());
    let certain = targets.ones_like();
    let if_order = cross_entropy(logits.clone(), certain) * none.powi_scalar(2);
    let if_none = cross_entropy(logits, targets.zeros_like()) * order.powi_scalar(2);
    targets.clone() * if_order + (targets.neg() + 1.0) * if_none
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use propense_model::cpu_device;

    use super::*;
    use crate::calibrate::sigmoid;
    use crate::ensemble::table_edges;
    use crate::progress::Silent;

    /// One order in ten rows; the first column tells a little of it.
    fn table() -> Table {
        Table::of((0..1_000usize).map(|row| {
            let order = row % 10 == 0;
            let told = (row * 7 % 20) as f32 / 20.0 + if order { 0.4 } else { 0.0 };
            ([told, (row % 3) as f32, 0.5, 0.0], order, row / 10 % PARTS)
        }))
    }

    /// The mean probability.
    fn forecast(loss: Loss) -> f64 {
        let table = table();
        let recipe = Recipe {
            epochs: 12,
            rate: 0.01,
            loss,
            ..Recipe::default()
        };
        let (edges, targets) = (table_edges(&table, |_| 8), Targets::outcomes(&table));
        let what = (&table, &targets, &edges[..]);
        let trained = train(what, (4, 0), &recipe, &cpu_device(), None, &mut Silent);
        let trained = trained.expect("trained").expect("not interrupted");
        // What is written forecasts as what is reported: with all members, near the mean of theirs.
        let (whole, weights) = trained.network((4, 0), 1).expect("sound");
        let network = CnnLstm::from_weights(&whole, &weights, &cpu_device()).expect("a network");
        let ensemble = network.ensemble().expect("an ensemble");
        let data = TensorData::new(table.inputs.clone(), [table.len(), 4]);
        let inputs = Tensor::from_data(data, &cpu_device());
        let written = numbers(ensemble.logits(inputs)).expect("numbers");
        let mean = |logits: &[f32]| {
            let sum: f64 = logits.iter().map(|x| sigmoid(f64::from(*x))).sum();
            sum / logits.len() as f64
        };
        let (held_out, all) = (mean(&trained.held_out), mean(&written));
        assert!((held_out - all).abs() < 0.02, "{held_out} and {all}");
        all
    }

    #[test]
    fn probabilities_stay_probabilities_where_orders_weigh_more() {
        let check = |loss: Loss, expected: f64| {
            let found = forecast(loss);
            assert!((found - expected).abs() < 0.02, "{loss:?}: {found}");
        };
        check(Loss::CrossEntropy, 0.1);
        check(Loss::Balanced, 0.1);
        check(Loss::Focal, 0.1);
        check(Loss::Smoothed, 0.95 * 0.1 + 0.025);
    }

    #[test]
    fn what_is_left_out_in_learning_is_there_in_scoring() {
        let table = Table {
            of_items: vec![(0, 0.0), (3, 1.0)],
            ..table()
        };
        let (edges, targets) = (table_edges(&table, |_| 8), Targets::outcomes(&table));
        let trained = |change: fn(&mut Recipe)| {
            let mut recipe = Recipe {
                epochs: 12,
                rate: 0.01,
                ..Recipe::default()
            };
            change(&mut recipe);
            let what = (&table, &targets, &edges[..]);
            let trained = train(what, (4, 0), &recipe, &cpu_device(), None, &mut Silent);
            trained.expect("trained").expect("not interrupted").held_out
        };
        let auc = |held_out: &[f32]| roc_auc(held_out, &table.labels);
        let plain = trained(|_| ());
        for part in [
            trained(|recipe| recipe.input_dropout = 0.1),
            trained(|recipe| recipe.item_dropout = 0.1),
        ] {
            assert_ne!(plain, part);
            assert!((auc(&plain) - auc(&part)).abs() < 0.03);
        }
        // Of items that are always unknown nothing is learnt of what is known of them.
        let nothing = trained(|recipe| recipe.item_dropout = 1.0);
        assert!(auc(&nothing) < auc(&plain) - 0.1);
    }

    #[test]
    fn focal_loss_is_cross_entropy_times_the_squared_doubt() {
        let check = |logit: f32, target: f32, expected: f32| {
            let of = |value: f32| {
                let data = TensorData::new(vec![value], [1, 1]);
                Tensor::<2>::from_data(data, &cpu_device())
            };
            let found = numbers(focal(of(logit), of(target))).expect("a number");
            assert!(
                (found[0] - expected).abs() < 1e-6,
                "{found:?} for {expected}"
            );
        };
        let half = std::f32::consts::LN_2;
        check(0.0, 1.0, 0.25 * half);
        check(0.0, 0.0, 0.25 * half);
        // A probability of 0.8: 0.04 · ln 1.25 for an order, 0.64 · ln 5 for none.
        let likely = 4.0f32.ln();
        check(likely, 1.0, 0.04 * 1.25f32.ln());
        check(likely, 0.0, 0.64 * 5.0f32.ln());
        check(likely, 0.5, 0.02 * 1.25f32.ln() + 0.32 * 5.0f32.ln());
    }
}
