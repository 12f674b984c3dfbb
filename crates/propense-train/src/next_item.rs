//! GRU4Rec, to compare the recommender with: a recurrent network on the clicks of a visit, trained with
//! cross-entropy over all items.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use propense_model::{NextItemGru, cpu_device};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::TrainError;
use crate::adam::{Adam, numbers};

/// Clicks of a visit that are looked at: the last ones.
const CLICKS: usize = 20;

/// How it is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GruOptions {
    /// Numbers of an embedding and of the state.
    pub width: usize,
    /// Most epochs.
    pub epochs: usize,
    /// Epochs without a lower loss before training stops.
    pub patience: usize,
    /// Visits in a batch.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f32,
    /// Seed of weights and shuffles.
    pub seed: u64,
}

impl Default for GruOptions {
    fn default() -> Self {
        Self {
            width: 100,
            epochs: 20,
            patience: 2,
            batch: 64,
            learning_rate: 0.002,
            seed: 1,
        }
    }
}

/// A trained network.
#[derive(Debug)]
pub struct Gru4Rec {
    network: NextItemGru,
    items: usize,
}

impl Gru4Rec {
    /// Learns from visits, each its items' numbers in the order of the clicks, oldest visit first. The
    /// last tenth of the visits decides when to stop. `progress` is told of each epoch.
    ///
    /// # Errors
    ///
    /// Where the sizes are out of range or the loss leaves the range of numbers.
    pub fn fit(
        visits: &[Vec<u32>],
        items: usize,
        options: &GruOptions,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, TrainError> {
        let useful: Vec<&[u32]> = visits
            .iter()
            .filter(|visit| visit.len() > 1)
            .map(|visit| {
                visit
                    .get(visit.len().saturating_sub(CLICKS + 1)..)
                    .unwrap_or_default()
            })
            .collect();
        let (train, held) = useful.split_at(useful.len() - useful.len() / 10);
        let device = cpu_device().autodiff();
        let seed = options.seed;
        let mut network = NextItemGru::init(items, options.width, &device, seed)?;
        let mut adam = Adam::new(options.learning_rate, Some(5.0));
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut best = (f64::INFINITY, network.clone(), 0);
        for epoch in 1..=options.epochs {
            let mut order: Vec<&[u32]> = train.to_vec();
            order.shuffle(&mut random);
            // Like lengths together within a pool, so that little is padded.
            for pool in order.chunks_mut(options.batch.max(1) * 16) {
                pool.sort_by_key(|visit| visit.len());
                for batch in pool.chunks(options.batch.max(1)) {
                    let (sum, count) = loss(&network, batch, &device);
                    let gradients = (sum / count.max(1.0)).backward();
                    let gradients = GradientsParams::from_grads(gradients, &network);
                    network = adam.step(network, gradients);
                }
            }
            let found = mean_loss(&network.valid(), held, options.batch)?;
            if !found.is_finite() {
                return Err(TrainError::Diverged { epoch });
            }
            progress(&format!(
                "gru4rec, epoch {epoch}: loss {found:.4} on the last tenth of the visits"
            ));
            if found < best.0 {
                best = (found, network.clone(), epoch);
            } else if epoch - best.2 >= options.patience {
                break;
            }
        }
        Ok(Self {
            network: best.1.valid(),
            items,
        })
    }

    /// Scores of all items after these clicks; zeros where there are none.
    ///
    /// # Errors
    ///
    /// Where the tensors cannot be read.
    pub fn scores(&self, seen: &[u32]) -> Result<Vec<f32>, TrainError> {
        let seen = seen
            .get(seen.len().saturating_sub(CLICKS)..)
            .unwrap_or_default();
        if seen.is_empty() {
            return Ok(vec![0.0; self.items]);
        }
        let clicks: Vec<i32> = seen.iter().map(|item| *item as i32).collect();
        let data = TensorData::new(clicks, [1, seen.len()]);
        numbers(
            self.network
                .last(Tensor::<2, Int>::from_data(data, &cpu_device())),
        )
    }

    /// Trained numbers.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.network.parameters()
    }
}

/// Sum of the cross-entropies of each next item, and their number.
fn loss(network: &NextItemGru, visits: &[&[u32]], device: &Device) -> (Tensor<1>, f32) {
    let time = visits
        .iter()
        .map(|visit| visit.len() - 1)
        .max()
        .unwrap_or(1)
        .max(1);
    let mut clicks = vec![0i32; visits.len() * time];
    let mut next = vec![0i32; visits.len() * time];
    let mut weights = vec![0f32; visits.len() * time];
    let mut count = 0.0;
    for (row, visit) in visits.iter().enumerate() {
        for (step, pair) in visit.windows(2).enumerate() {
            let place = row * time + step;
            if let [from, to] = *pair {
                clicks[place] = from as i32;
                next[place] = to as i32;
                weights[place] = 1.0;
                count += 1.0;
            }
        }
    }
    let shape = [visits.len(), time];
    let clicks = Tensor::<2, Int>::from_data(TensorData::new(clicks, shape), device);
    let all = visits.len() * time;
    let next = Tensor::<2, Int>::from_data(TensorData::new(next, [all, 1]), device);
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [all, 1]), device);
    let logs = log_softmax(network.forward(clicks), 1); // [batch × time, items]
    let sum = (logs.gather(1, next) * weights).sum().neg();
    (sum, count)
}

fn mean_loss(network: &NextItemGru, visits: &[&[u32]], batch: usize) -> Result<f64, TrainError> {
    let (mut sum, mut count) = (0.0, 0.0);
    let mut visits = visits.to_vec();
    visits.sort_by_key(|visit| visit.len());
    for batch in visits.chunks(batch.max(1)) {
        let (part, of) = loss(network, batch, &cpu_device());
        sum += numbers(part)?.first().copied().map_or(f64::NAN, f64::from);
        count += f64::from(of);
    }
    Ok(sum / f64::max(count, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_through_a_ring_is_learnt_and_the_seed_decides() {
        let visit = |start: usize| {
            (0..4)
                .map(|step| ((start * 7 + step) % 12) as u32)
                .collect()
        };
        let visits: Vec<Vec<u32>> = (0..300).map(visit).collect();
        let options = GruOptions {
            width: 16,
            epochs: 12,
            learning_rate: 0.01,
            ..GruOptions::default()
        };
        let of = |seed| {
            let options = GruOptions { seed, ..options };
            Gru4Rec::fit(&visits, 12, &options, &mut |_| {}).expect("a network")
        };
        let model = of(1);
        for item in 0..12u32 {
            let scores = model.scores(&[(item + 11) % 12, item]).expect("scores");
            let best = (0..12).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            assert_eq!(
                best,
                Some((item as usize + 1) % 12),
                "after {item}: {scores:?}"
            );
        }
        assert_eq!(
            model.scores(&[3]).expect("scores"),
            of(1).scores(&[3]).expect("scores")
        );
        assert_ne!(
            model.scores(&[3]).expect("scores"),
            of(2).scores(&[3]).expect("scores")
        );
        assert_eq!(model.scores(&[]).expect("scores"), [0.0; 12]);
    }
}
