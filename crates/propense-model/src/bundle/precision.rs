//! How weights are stored: in full, in half, or in eight bits with a scale for each output.

use half::f16;
use safetensors::Dtype;

use crate::{ModelError, NamedTensor};

/// Precision of the weights in the file. Biases are always stored in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    F32,
    /// 16-bit floating point.
    F16,
    /// 8-bit integers, symmetric, with one 32-bit scale for each output channel.
    Int8,
    /// As [`Self::Int8`], but only the integers from −15 to 15: the file is as long, and compresses
    /// to about two thirds, which is what a page downloads.
    Int5,
}

/// Most steps of a weight in [`Precision::Int5`].
const FEW: i8 = 15;

/// Whether a stored step is one of [`Precision::Int5`].
pub(super) const fn few_steps(byte: u8) -> bool {
    -FEW <= byte as i8 && byte as i8 <= FEW
}

impl Precision {
    /// The weights as a reader will find them after they were written in this precision: what is
    /// fitted to a network (calibration, threshold, golden logits) is to be fitted to these.
    ///
    /// # Errors
    /// [`ModelError::NotFinite`] where a number does not fit the precision.
    pub fn round(self, weights: &[NamedTensor]) -> Result<Vec<NamedTensor>, ModelError> {
        weights
            .iter()
            .map(|weight| {
                let stored = store(weight, self)?;
                let scales = match stored.get(1) {
                    Some(scale) => Some(restore(
                        &scale.name,
                        scale.kind,
                        &scale.shape,
                        &scale.bytes,
                        None,
                    )?),
                    None => None,
                };
                let data = match stored.first() {
                    Some(tensor) => restore(
                        &tensor.name,
                        tensor.kind,
                        &tensor.shape,
                        &tensor.bytes,
                        scales.as_deref(),
                    )?,
                    None => weight.data.clone(),
                };
                Ok(NamedTensor {
                    data,
                    ..weight.clone()
                })
            })
            .collect()
    }
}

/// A tensor's bytes as they stand in the file.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) kind: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Name of the tensor that holds the scales of this one.
pub(super) fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

/// The axis that counts output channels: the first of a convolution kernel, the last of a matrix.
pub(super) fn channel_axis(shape: &[usize]) -> usize {
    if shape.len() > 2 { 0 } else { shape.len() - 1 }
}

/// Number of channels, and how to tell a value's channel from its place: `(place / inner) % count`.
fn channels(shape: &[usize]) -> (usize, usize) {
    let axis = channel_axis(shape);
    (shape[axis], shape[axis + 1..].iter().product())
}

/// One weight as tensors of the file: itself, and its scales where it has them.
pub(super) fn store(tensor: &NamedTensor, precision: Precision) -> Result<Vec<Stored>, ModelError> {
    let not_finite = || ModelError::NotFinite {
        what: tensor.name.clone(),
    };
    if tensor.data.iter().any(|value| !value.is_finite()) {
        return Err(not_finite());
    }
    let stored = |name: String, kind, shape: &[usize], bytes| Stored {
        name,
        kind,
        shape: shape.to_vec(),
        bytes,
    };
    let (name, shape) = (tensor.name.clone(), &tensor.shape);
    // A bias is a few hundred numbers: nothing to be gained.
    let precision = if shape.len() < 2 {
        Precision::F32
    } else {
        precision
    };
    match precision {
        Precision::F32 => Ok(vec![stored(name, Dtype::F32, shape, full(&tensor.data))]),
        Precision::F16 => {
            let halves: Vec<f16> = tensor
                .data
                .iter()
                .map(|&value| f16::from_f32(value))
                .collect();
            if halves.iter().any(|value| !value.is_finite()) {
                return Err(not_finite());
            }
            let bytes = halves
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            Ok(vec![stored(name, Dtype::F16, shape, bytes)])
        }
        Precision::Int8 | Precision::Int5 => {
            let most = if precision == Precision::Int8 {
                127.0
            } else {
                f32::from(FEW)
            };
            let (count, inner) = channels(shape);
            let mut scales = vec![0.0f32; count];
            for (place, value) in tensor.data.iter().enumerate() {
                let scale = &mut scales[(place / inner) % count];
                *scale = scale.max(value.abs() / most);
            }
            let bytes = tensor
                .data
                .iter()
                .enumerate()
                .map(|(place, value)| {
                    let scale = scales[(place / inner) % count];
                    let step = if scale > 0.0 { value / scale } else { 0.0 };
                    step.round().clamp(-most, most) as i8 as u8
                })
                .collect();
            let scale = stored(scale_name(&name), Dtype::F32, &[count], full(&scales));
            Ok(vec![stored(name, Dtype::I8, shape, bytes), scale])
        }
    }
}

/// The values of a stored weight. `scales` are those of an I8 tensor.
pub(super) fn restore(
    name: &str,
    kind: Dtype,
    shape: &[usize],
    bytes: &[u8],
    scales: Option<&[f32]>,
) -> Result<Vec<f32>, ModelError> {
    let values: Vec<f32> = match (kind, scales) {
        (Dtype::F32, _) => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        (Dtype::F16, _) => bytes
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
            .collect(),
        (Dtype::I8, Some(scales)) => {
            let (count, inner) = channels(shape);
            if scales.len() != count {
                return Err(ModelError::Shape {
                    name: scale_name(name),
                    expected: vec![count],
                    found: vec![scales.len()],
                });
            }
            bytes
                .iter()
                .enumerate()
                .map(|(place, &byte)| f32::from(byte as i8) * scales[(place / inner) % count])
                .collect()
        }
        (Dtype::I8, None) => {
            return Err(ModelError::Missing {
                what: scale_name(name),
            });
        }
        _ => {
            return Err(ModelError::Precision {
                name: name.into(),
                found: format!("{kind:?}"),
            });
        }
    };
    if values.iter().any(|value| !value.is_finite()) {
        return Err(ModelError::NotFinite { what: name.into() });
    }
    Ok(values)
}

fn full(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use propense_features::{FeatureSpec, RowFeature};

    use super::*;
    use crate::{Bundle, Manifest, ModelConfig};

    #[test]
    fn rounding_gives_what_a_reader_finds_and_does_so_once() {
        let config = ModelConfig {
            filters: 3,
            hidden: 5,
            ..ModelConfig::seed(8, 0)
        };
        let features = FeatureSpec {
            version: propense_features::SPEC_VERSION,
            row: vec![RowFeature::PageType {
                names: (0..7).map(|index| index.to_string()).collect(),
            }],
            context: Vec::new(),
            utc_offset_minutes: 0,
            item_rates: Default::default(),
            category_rates: Default::default(),
            item_orders: Default::default(),
            typical_prices: None,
        };
        let weights = config.initial_weights(6).expect("valid");
        for precision in [
            Precision::F32,
            Precision::F16,
            Precision::Int8,
            Precision::Int5,
        ] {
            let read_back = |weights: &[NamedTensor]| {
                let bundle = Bundle {
                    manifest: Manifest::new("m", "in-session", config.clone(), features.clone()),
                    weights: weights.to_vec(),
                };
                let bytes = bundle.to_bytes(precision).expect("writable");
                assert_eq!(Precision::of(&bytes).expect("a bundle"), precision);
                Bundle::from_bytes(&bytes).expect("readable").weights
            };
            let rounded = precision.round(&weights).expect("fits");
            assert_eq!(rounded, read_back(&weights), "{precision:?}");
            assert_eq!(rounded == weights, precision == Precision::F32);
            // Written, rounded weights stay as they are, but for the last digit of a scale.
            for (before, after) in rounded.iter().zip(read_back(&rounded)) {
                for (a, b) in before.data.iter().zip(after.data) {
                    assert!(
                        (a - b).abs() <= 1e-6 * a.abs(),
                        "{precision:?}: {a} and {b}"
                    );
                }
            }
        }
        let huge = [NamedTensor {
            name: "conv.weight".into(),
            shape: vec![1, 1],
            data: vec![1e6],
        }];
        Precision::F16
            .round(&huge)
            .expect_err("beyond half precision");
    }
}
