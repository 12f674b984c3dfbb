//! One weight matrix with what Adam remembers of its gradients (Kingma and Ba 2015).

use ndarray::{Array2, Zip};
use rand::Rng;

/// A weight matrix in training.
#[derive(Debug, Clone)]
pub(crate) struct Weight {
    pub(crate) value: Array2<f32>,
    mean: Array2<f32>,
    square: Array2<f32>,
}

impl Weight {
    /// Uniform at random with this standard deviation.
    pub(crate) fn random(shape: (usize, usize), deviation: f32, random: &mut impl Rng) -> Self {
        let bound = deviation * 3f32.sqrt();
        let value =
            Array2::from_shape_simple_fn(shape, || bound * (2.0 * random.random::<f32>() - 1.0));
        Self {
            mean: Array2::zeros(shape),
            square: Array2::zeros(shape),
            value,
        }
    }

    /// All zero.
    pub(crate) fn zeros(shape: (usize, usize)) -> Self {
        Self {
            value: Array2::zeros(shape),
            mean: Array2::zeros(shape),
            square: Array2::zeros(shape),
        }
    }

    /// One step against this gradient.
    ///
    /// # Panics
    /// Where the gradient has another shape.
    pub(crate) fn step(&mut self, gradient: &Array2<f32>, pace: Pace) {
        // In the weights' own layout: of another one the step took three times as long.
        Zip::from(&mut self.value)
            .and(&gradient.as_standard_layout())
            .and(&mut self.mean)
            .and(&mut self.square)
            .for_each(|value, gradient, mean, square| {
                *mean += 0.1 * (gradient - *mean);
                *square += 0.001 * (gradient * gradient - *square);
                let (mean, square) = (*mean / pace.seen_mean, *square / pace.seen_square);
                *value -= pace.rate * mean / (square.sqrt() + 1e-8);
            });
    }
}

/// How large a step is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    rate: f32,
    seen_mean: f32,
    seen_square: f32,
}

impl Pace {
    /// Of step `number` (from 0) of `all`: the rate rises over the first tenth and then falls to
    /// nothing along a cosine (Smith and Topin 2019).
    pub(crate) fn new(peak: f32, number: usize, all: usize) -> Self {
        let part = number as f32 / all.max(1) as f32;
        let rise = 0.1;
        let share = if part < rise {
            0.04 + 0.96 * part / rise
        } else {
            0.5 + 0.5 * (std::f32::consts::PI * (part - rise) / (1.0 - rise)).cos()
        };
        let steps = (number + 1) as f32;
        Self {
            rate: peak * share,
            seen_mean: 1.0 - 0.9f32.powf(steps),
            seen_square: 1.0 - 0.999f32.powf(steps),
        }
    }
}

/// The softmax of each row in place, less one at the target, divided by the number of rows: the
/// gradient of the mean cross-entropy. Returns that mean.
pub(crate) fn cross_entropy(logits: &mut Array2<f32>, targets: &[usize]) -> f32 {
    let count = logits.nrows().max(1) as f32;
    let mut loss = 0.0;
    for (mut row, target) in logits.rows_mut().into_iter().zip(targets) {
        let largest = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        row.mapv_inplace(|logit| (logit - largest).exp());
        let sum = row.sum();
        row.mapv_inplace(|part| part / sum);
        if let Some(own) = row.get_mut(*target) {
            loss -= own.max(1e-12).ln();
            *own -= 1.0;
        }
        row.mapv_inplace(|part| part / count);
    }
    loss / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_gradient_of_a_softmax_by_hand() {
        let mut logits = array![[0.0, 3f32.ln()], [0.0, 0.0]];
        let loss = cross_entropy(&mut logits, &[1, 0]);
        let expected = array![[0.125, -0.125], [-0.25, 0.25]];
        assert!(
            (&logits - &expected).iter().all(|d| d.abs() < 1e-6),
            "{logits}"
        );
        let by_hand = -(0.75f32.ln() + 0.5f32.ln()) / 2.0;
        assert!((loss - by_hand).abs() < 1e-6);
    }

    #[test]
    fn steps_lead_downhill() {
        let mut weight = Weight::zeros((1, 1));
        for step in 0..400 {
            let gradient = weight.value.mapv(|value| 2.0 * (value - 0.7));
            weight.step(&gradient, Pace::new(0.05, step, 400));
        }
        assert!(
            (weight.value[[0, 0]] - 0.7).abs() < 0.01,
            "{}",
            weight.value
        );
    }
}
