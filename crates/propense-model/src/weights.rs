//! Weights as plain numbers: their names, their initial values, independent of any device.

use crate::{ModelConfig, ModelError};

/// One weight as it stands in a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Name, as in `lstm.input`.
    pub name: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub data: Vec<f32>,
}

/// The values of the weight with this name, after checking its shape.
pub(crate) fn values<'a>(
    weights: &'a [NamedTensor],
    name: &str,
    shape: &[usize],
) -> Result<&'a [f32], ModelError> {
    let weight = weights
        .iter()
        .find(|weight| weight.name == name)
        .ok_or_else(|| ModelError::Missing { what: name.into() })?;
    if weight.shape != shape || weight.data.len() != shape.iter().product::<usize>() {
        return Err(ModelError::Shape {
            name: name.into(),
            expected: shape.to_vec(),
            found: weight.shape.clone(),
        });
    }
    Ok(&weight.data)
}

/// `[a, b, c]` to `[b, a, c]`.
pub(crate) fn swap_outer(values: &[f32], a: usize, b: usize, c: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    if values.is_empty() {
        return out;
    }
    for j in 0..b {
        for i in 0..a {
            let start = (i * b + j) * c;
            out.extend_from_slice(&values[start..start + c]);
        }
    }
    out
}

impl ModelConfig {
    /// The values of the weight with this name, after checking its shape; none where a network of
    /// this configuration has no such weight.
    pub(crate) fn weight<'a>(
        &self,
        weights: &'a [NamedTensor],
        name: &str,
    ) -> Result<&'a [f32], ModelError> {
        let shapes = self.weight_shapes();
        match shapes.iter().find(|(known, _)| *known == name) {
            Some((_, shape)) => values(weights, name, shape),
            None => Ok(&[]),
        }
    }

    /// Fresh weights: Glorot-uniform kernels, an orthogonal recurrent kernel, zero biases and a
    /// forget bias of one, which are Keras' defaults. Drawn on the CPU from the seed, so that
    /// every device starts from the same numbers.
    ///
    /// # Errors
    /// [`ModelError::Config`] where the configuration is out of range.
    pub fn initial_weights(&self, seed: u64) -> Result<Vec<NamedTensor>, ModelError> {
        self.validate()?;
        let mut random = Random(seed);
        let area = self.kernel * self.kernel;
        Ok(self
            .weight_shapes()
            .into_iter()
            .map(|(name, shape)| {
                let data = match (name, shape.as_slice()) {
                    ("conv.weight", _) => {
                        random.glorot(self.filters * area, area, self.filters * area)
                    }
                    ("lstm.recurrent", _) => random.orthogonal(self.hidden, 4 * self.hidden),
                    ("lstm.bias", _) => {
                        let mut bias = vec![0.0; 4 * self.hidden];
                        bias[self.hidden..2 * self.hidden].fill(1.0);
                        bias
                    }
                    ("ensemble.first", &[rows, units]) => random.even(rows * units, rows),
                    ("ensemble.second" | "ensemble.output", _) => {
                        let units = self.ensemble.as_ref().map_or(1, |e| e.hidden);
                        random.even(shape.iter().product(), units)
                    }
                    (_, &[rows, columns]) => random.glorot(rows * columns, rows, columns),
                    (_, shape) => vec![0.0; shape.iter().product()],
                };
                NamedTensor {
                    name: name.into(),
                    shape,
                    data,
                }
            })
            .collect())
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same on every target.
pub(crate) struct Random(u64);

impl Random {
    /// Draws from this seed.
    #[cfg(feature = "burn")]
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws from this seed, 64 bits at a time.
    #[cfg(test)]
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    #[cfg(test)]
    pub(crate) fn bits(&mut self) -> u64 {
        self.next()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (core::f64::consts::TAU * self.uniform()).cos()
    }

    /// Uniform within ±√(6 / (fan in + fan out)) (Glorot and Bengio 2010).
    pub(crate) fn glorot(&mut self, count: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
        let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
        (0..count)
            .map(|_| ((2.0 * self.uniform() - 1.0) * limit) as f32)
            .collect()
    }

    /// Uniform within ±1 / √(fan in): the ensemble's members stand side by side in one matrix, so
    /// that its width is no fan out.
    pub(crate) fn even(&mut self, count: usize, fan_in: usize) -> Vec<f32> {
        let limit = 1.0 / (fan_in.max(1) as f64).sqrt();
        (0..count)
            .map(|_| ((2.0 * self.uniform() - 1.0) * limit) as f32)
            .collect()
    }

    /// Rows of unit length at right angles to each other (Saxe et al. 2013): normal draws, then
    /// Gram and Schmidt. Needs `rows <= columns`.
    pub(crate) fn orthogonal(&mut self, rows: usize, columns: usize) -> Vec<f32> {
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(rows);
        while basis.len() < rows {
            let mut row: Vec<f64> = (0..columns).map(|_| self.normal()).collect();
            // Twice is enough against cancellation (Giraud et al. 2005).
            for _ in 0..2 {
                for other in &basis {
                    let along: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                    for (value, direction) in row.iter_mut().zip(other) {
                        *value -= along * direction;
                    }
                }
            }
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            // A draw that lies in the span of the rows before it is drawn again.
            if length > 1e-6 {
                for value in &mut row {
                    *value /= length;
                }
                basis.push(row);
            }
        }
        basis.into_iter().flatten().map(|v| v as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_weights() {
        let config = ModelConfig::seed(16, 5);
        let weights = config.initial_weights(7).expect("valid");
        assert_eq!(weights, config.initial_weights(7).expect("valid"));
        assert_ne!(weights, config.initial_weights(8).expect("valid"));
        let count: usize = weights.iter().map(|weight| weight.data.len()).sum();
        assert_eq!(count, config.parameters());
    }

    #[test]
    fn the_recurrent_kernel_is_orthogonal_and_the_forget_bias_one() {
        let config = ModelConfig::seed(16, 0);
        let weights = config.initial_weights(1).expect("valid");
        let recurrent = values(&weights, "lstm.recurrent", &[128, 512]).expect("there");
        for i in 0..128 {
            for j in 0..=i {
                let dot: f32 = (0..512)
                    .map(|k| recurrent[i * 512 + k] * recurrent[j * 512 + k])
                    .sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-5, "rows {i}, {j}: {dot}");
            }
        }
        let bias = values(&weights, "lstm.bias", &[512]).expect("there");
        assert_eq!(bias.iter().sum::<f32>(), 128.0);
        assert_eq!(bias[128..256].iter().sum::<f32>(), 128.0);
    }
}
