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
        Precision::Int8 => {
            let (count, inner) = channels(shape);
            let mut scales = vec![0.0f32; count];
            for (place, value) in tensor.data.iter().enumerate() {
                let scale = &mut scales[(place / inner) % count];
                *scale = scale.max(value.abs() / 127.0);
            }
            let bytes = tensor
                .data
                .iter()
                .enumerate()
                .map(|(place, value)| {
                    let scale = scales[(place / inner) % count];
                    let step = if scale > 0.0 { value / scale } else { 0.0 };
                    step.round().clamp(-127.0, 127.0) as i8 as u8
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
