//! The catalogue that a bundle names: the items that a shop page can recommend.

use std::fs;
use std::path::Path;

use propense_model::CatalogueRef;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::TrainError;
use propense_prepare::hex;

/// What must be there for a page to read it. Everything else is the page's affair.
#[derive(Deserialize)]
struct Document {
    items: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    /// Only that it is there, and text.
    #[serde(rename = "item_id")]
    _item_id: String,
}

/// Names a catalogue for a bundle: its file name, since it is served beside the bundle, and the
/// SHA-256 of its bytes.
///
/// # Errors
///
/// Where the file cannot be read, or is neither JSON with a list `items`, each with an `item_id`, nor (by
/// its first bytes; the rest is for the caller to check) an item table.
pub fn catalogue(path: &Path) -> Result<CatalogueRef, TrainError> {
    let bytes = fs::read(path).map_err(TrainError::io(path))?;
    let wrong = |reason: String| TrainError::Catalogue {
        path: path.to_owned(),
        reason,
    };
    // A table is a safetensors file: the length of its header comes first.
    if bytes.get(8) != Some(&b'{') || bytes.first() == Some(&b'{') {
        let document: Document =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if document.items.is_empty() {
            return Err(wrong("the list is empty".to_owned()));
        }
    }
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(CatalogueRef {
        file: name
            .ok_or_else(|| wrong("its name is not text".to_owned()))?
            .to_owned(),
        sha256: hex(&Sha256::digest(&bytes)),
    })
}
