//! Reading a bundle. The bytes come from outside: everything is checked, nothing panics.

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::manifest::{FORMAT_VERSION, UNSIGNED, known_version};
use super::precision::{few_steps, restore, scale_name};
use super::{Bundle, METADATA_KEY, Manifest, Precision, checksum, find};
use crate::{ModelError, NamedTensor};

/// Longest header that is read, in bytes: the same bound as the safetensors library's.
const MAX_HEADER: u64 = 100_000_000;

impl Bundle {
    /// Reads a bundle: envelope, version, checksum, manifest, weights, in this order, so that the
    /// first thing wrong is the one that is named.
    ///
    /// # Errors
    /// A [`ModelError`] for every way in which the bytes can be wrong; see `docs/bundle.md`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let header = header(bytes)?;
        let text = manifest_text(bytes, header)?;
        let value: Value = serde_json::from_str(&text).map_err(invalid)?;
        version(&value)?;
        verify(&bytes[..8 + header.len()], bytes, &value)?;
        let manifest: Manifest = serde_json::from_value(value).map_err(invalid)?;
        manifest.validate()?;
        let tensors = SafeTensors::deserialize(bytes).map_err(foreign)?;
        let weights = weights(&manifest, &tensors)?;
        Ok(Self { manifest, weights })
    }
}

impl Precision {
    /// How the weights of a bundle are stored: what is made of it can be stored so, too.
    ///
    /// # Errors
    /// [`ModelError::NotSafetensors`] where the bytes are none.
    pub fn of(bundle: &[u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bundle).map_err(foreign)?;
        let mut found = Self::F32;
        for (_, tensor) in tensors.iter() {
            match tensor.dtype() {
                Dtype::F16 => return Ok(Self::F16),
                Dtype::I8 if tensor.data().iter().all(|&step| few_steps(step)) => {
                    found = Self::Int5;
                }
                Dtype::I8 => return Ok(Self::Int8),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn foreign(detail: impl core::fmt::Display) -> ModelError {
    ModelError::NotSafetensors {
        detail: detail.to_string(),
    }
}

fn invalid(detail: impl core::fmt::Display) -> ModelError {
    ModelError::Manifest {
        detail: detail.to_string(),
    }
}

/// The JSON header's bytes.
pub(super) fn header(bytes: &[u8]) -> Result<&[u8], ModelError> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(foreign(format!("it has only {} bytes", bytes.len())));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER || rest.first().is_some_and(|&byte| byte != b'{') {
        return Err(foreign("it does not begin with a safetensors header"));
    }
    // Bounded above, so that it fits `usize` on every target.
    rest.get(..length as usize).ok_or(ModelError::Truncated {
        expected: 8 + length,
        found: bytes.len() as u64,
    })
}

/// The manifest's JSON text, after checking that the file is as long as its header says.
fn manifest_text(bytes: &[u8], header: &[u8]) -> Result<String, ModelError> {
    let json: Value = serde_json::from_slice(header).map_err(foreign)?;
    let entries = json
        .as_object()
        .ok_or_else(|| foreign("its header is no JSON object"))?;
    let end = entries
        .values()
        .filter_map(|entry| entry.get("data_offsets")?.get(1)?.as_u64())
        .max()
        .unwrap_or(0);
    let found = bytes.len() as u64;
    let expected = end.saturating_add(8 + header.len() as u64);
    if found < expected {
        return Err(ModelError::Truncated { expected, found });
    }
    if found > expected {
        let surplus = found - expected;
        return Err(foreign(format!("{surplus} bytes follow its end")));
    }
    entries
        .get("__metadata__")
        .and_then(|metadata| metadata.get(METADATA_KEY))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| foreign(format!("it has no metadata key `{METADATA_KEY}`")))
}

/// Refuses other versions before anything else of the manifest is looked at.
fn version(manifest: &Value) -> Result<(), ModelError> {
    let found = manifest
        .get("format_version")
        .and_then(Value::as_u64)
        .ok_or_else(|| ModelError::Missing {
            what: "format_version".into(),
        })?;
    if !known_version(found) {
        return Err(ModelError::Version {
            found,
            supported: FORMAT_VERSION,
        });
    }
    Ok(())
}

/// Checks the SHA-256 over the whole file.
fn verify(head: &[u8], bytes: &[u8], manifest: &Value) -> Result<(), ModelError> {
    let stored = manifest
        .get("sha256")
        .and_then(Value::as_str)
        .ok_or_else(|| ModelError::Missing {
            what: "sha256".into(),
        })?;
    let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if stored.len() != UNSIGNED.len() || !stored.bytes().all(digits) {
        return Err(invalid("`sha256` is not 64 hexadecimal digits"));
    }
    // The digits as the header holds them. Escaped in some other way they are not found, which is
    // no checksum of ours either.
    let computed = find(head, stored.as_bytes())
        .map(|hole| checksum(bytes, hole))
        .unwrap_or_default();
    if computed != stored {
        return Err(ModelError::Checksum {
            stored: stored.into(),
            computed,
        });
    }
    Ok(())
}

/// Every weight that the configuration implies, in full precision.
fn weights(manifest: &Manifest, tensors: &SafeTensors) -> Result<Vec<NamedTensor>, ModelError> {
    manifest
        .model
        .weight_shapes()
        .into_iter()
        .map(|(name, shape)| {
            let tensor = tensors
                .tensor(name)
                .map_err(|_| ModelError::Missing { what: name.into() })?;
            if tensor.shape() != shape {
                return Err(ModelError::Shape {
                    name: name.into(),
                    expected: shape,
                    found: tensor.shape().to_vec(),
                });
            }
            let scale = scale_name(name);
            let scales = match tensors.tensor(&scale) {
                Ok(view) => {
                    let length = view.shape().iter().product();
                    let kind = view.dtype();
                    Some(restore(&scale, kind, &[length], view.data(), None)?)
                }
                Err(_) => None,
            };
            let kind = tensor.dtype();
            let data = restore(name, kind, &shape, tensor.data(), scales.as_deref())?;
            Ok(NamedTensor {
                name: name.into(),
                shape,
                data,
            })
        })
        .collect()
}
