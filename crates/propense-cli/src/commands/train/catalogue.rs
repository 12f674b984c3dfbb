//! The catalogue that a bundle names: the items that a shop page can recommend.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use propense_apps::recommend::ItemTable;
use propense_model::CatalogueRef;
use propense_prepare::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What is asked for where a file is something else.
const NEEDED: &str = "needed is JSON with a list `items`, each with an `item_id`, or a table of \
                      `recommend --export-table`";

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
/// Where the file cannot be read, is neither an item table nor JSON with a list `items`, each with an
/// `item_id`, or has no items.
pub(super) fn catalogue(path: &Path) -> Result<CatalogueRef> {
    let place = || format!("catalogue {}", path.display());
    let bytes = fs::read(path).with_context(place)?;
    // A table is a safetensors file: the length of its header comes first.
    let items = if bytes.get(8) == Some(&b'{') && bytes.first() != Some(&b'{') {
        ItemTable::from_bytes(&bytes).with_context(place)?.len()
    } else {
        let read: Result<Document, _> = serde_json::from_slice(&bytes);
        read.context(NEEDED).with_context(place)?.items.len()
    };
    ensure!(items > 0, "{}: it has no items; {NEEDED}", place());
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(CatalogueRef {
        file: name
            .with_context(|| format!("{}: its name is not text", place()))?
            .to_owned(),
        sha256: hex(&Sha256::digest(&bytes)),
    })
}
