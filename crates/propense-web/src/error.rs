//! Failures as the page gets them: an object `{ code, message }`.

use js_sys::{Object, Reflect};
use propense_apps::recommend::RecommendError;
use propense_model::ModelError;
use thiserror::Error;
use wasm_bindgen::JsValue;

/// Everything that can fail in these bindings.
#[derive(Debug, Error)]
pub enum WebError {
    /// The bundle cannot be used, or the device failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The catalogue is not the JSON that it should be.
    #[error("the catalogue cannot be read: {0}")]
    Catalogue(serde_json::Error),
    /// The catalogue is neither JSON nor an item table.
    #[error("the catalogue cannot be read: {0}")]
    Table(#[from] RecommendError),
    /// The catalogue is not the one that the bundle names.
    #[error("{0}")]
    OtherCatalogue(String),
    /// An argument is not what the function wants.
    #[error("{0}")]
    Argument(String),
    /// An answer could not be written as JSON.
    #[error("{0}")]
    Internal(serde_json::Error),
}

impl WebError {
    /// The code that the page branches on: one of `PropenseErrorCode` in `web/src/errors.ts`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Catalogue(_) | Self::Table(_) | Self::OtherCatalogue(_) => "CATALOGUE_INVALID",
            Self::Argument(_) => "ARGUMENT",
            Self::Internal(_) => "INTERNAL",
            Self::Model(error) => match error {
                ModelError::Checksum { .. } => "BUNDLE_CHECKSUM",
                ModelError::Truncated { .. } => "BUNDLE_TRUNCATED",
                ModelError::Version { .. } => "BUNDLE_VERSION",
                ModelError::Shape { .. } | ModelError::Missing { .. } => "BUNDLE_SHAPE",
                ModelError::NoGpu { .. } => "WEBGPU_UNAVAILABLE",
                ModelError::Device { .. } => "DEVICE_LOST",
                // Not a safetensors file, a manifest, a setting or a number out of range.
                _ => "BUNDLE_INVALID",
            },
        }
    }
}

impl From<WebError> for JsValue {
    fn from(error: WebError) -> Self {
        let object = Object::new();
        for (key, value) in [("code", error.code()), ("message", &error.to_string())] {
            // Setting a property of a fresh, extensible object does not fail.
            let _ = Reflect::set(&object, &key.into(), &value.into());
        }
        object.into()
    }
}
