//! Writing a bundle.

use std::collections::HashMap;

use safetensors::tensor::TensorView;

use super::manifest::{UNSIGNED, lowest_version};
use super::precision::store;
use super::{Bundle, METADATA_KEY, Manifest, Precision, checksum};
use crate::weights::values;
use crate::{ModelError, NamedTensor};

impl Bundle {
    /// The file's bytes: the same content gives the same bytes.
    ///
    /// # Errors
    /// [`ModelError`] where the bundle breaks a rule of the format: it could not be read back.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, ModelError> {
        let manifest = Manifest {
            format_version: lowest_version(&self.manifest.model),
            // What was signed is not what is written now.
            signature: None,
            sha256: UNSIGNED.into(),
            ..self.manifest.clone()
        };
        manifest.validate()?;
        let mut stored = Vec::new();
        for (name, shape) in manifest.model.weight_shapes() {
            let data = values(&self.weights, name, &shape)?.to_vec();
            let name = name.into();
            stored.extend(store(&NamedTensor { name, shape, data }, precision)?);
        }
        let views = stored
            .iter()
            .map(|tensor| {
                let view = TensorView::new(tensor.kind, tensor.shape.clone(), &tensor.bytes);
                Ok((tensor.name.as_str(), view.map_err(unwritable)?))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let json = serde_json::to_string(&manifest).map_err(unwritable)?;
        // JSON has no NaN: serde_json writes null, which a reader would refuse.
        serde_json::from_str::<Manifest>(&json).map_err(|error| ModelError::NotFinite {
            what: format!("manifest ({error})"),
        })?;
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), json)]);
        let mut bytes = safetensors::serialize(views, Some(metadata)).map_err(unwritable)?;
        // The checksum is the manifest's last field, and the manifest the only metadata: the last
        // occurrence in the header is its place.
        let key = br#"\"sha256\":\""#;
        let length = header_length(&bytes);
        let hole = bytes[..8 + length]
            .windows(key.len())
            .rposition(|window| window == key)
            .map(|place| place + key.len())
            .ok_or_else(|| unwritable("the checksum has no place"))?;
        let sum = checksum(&bytes, hole);
        bytes[hole..hole + sum.len()].copy_from_slice(sum.as_bytes());
        Ok(bytes)
    }
}

/// Length of the header of a file that was just written.
fn header_length(bytes: &[u8]) -> usize {
    let mut length = [0; 8];
    length.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(length) as usize
}

fn unwritable(error: impl core::fmt::Display) -> ModelError {
    ModelError::Manifest {
        detail: error.to_string(),
    }
}
