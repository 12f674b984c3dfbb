//! What can be wrong with a bundle, a configuration or a device, each with its remedy.

use thiserror::Error;

/// The crate's error. A bundle comes from outside, so that everything that can be wrong with its
/// bytes has a variant of its own.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The bytes are not a safetensors file.
    #[error("not a Propense bundle: {detail}. Give a file written by `propense train`")]
    NotSafetensors {
        /// What was expected and not found.
        detail: String,
    },
    /// The file ends before its own header says.
    #[error(
        "the bundle is cut short: {found} bytes where its header promises {expected}. Copy or \
         download it again"
    )]
    Truncated {
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The bytes are not those that were written.
    #[error(
        "the bundle is damaged: its SHA-256 is {computed}, it says {stored}. Copy or download it \
         again"
    )]
    Checksum {
        /// The sum that the bundle carries.
        stored: String,
        /// The sum over the bytes that were read.
        computed: String,
    },
    /// A bundle of a format that this build does not read.
    #[error(
        "the bundle has format version {found}, this build reads version {supported}. {}",
        if found > supported { "Update Propense" } else { "Train the model again" }
    )]
    Version {
        /// The bundle's version.
        found: u64,
        /// The newest version that this build reads.
        supported: u64,
    },
    /// The manifest is not what the format describes.
    #[error("the bundle's manifest is invalid: {detail}. Train the model again")]
    Manifest {
        /// The field and what is wrong with it.
        detail: String,
    },
    /// A size in the model's configuration is out of range.
    #[error("model setting `{field}` is {value}; allowed: {allowed}")]
    Config {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        allowed: String,
    },
    /// A weight has another shape than the configuration implies.
    #[error(
        "weight `{name}` has shape {found:?} where the model's settings imply {expected:?}. The \
         bundle's parts do not belong together: train the model again"
    )]
    Shape {
        /// The weight.
        name: String,
        /// The shape implied by the configuration.
        expected: Vec<usize>,
        /// The shape in the bundle.
        found: Vec<usize>,
    },
    /// A weight or a part of the manifest is missing.
    #[error("the bundle lacks `{what}`. Train the model again")]
    Missing {
        /// What is missing.
        what: String,
    },
    /// A weight holds a number type that the format does not use for it.
    #[error("weight `{name}` is stored as {found}; the format has F32, F16 and I8 with a scale")]
    Precision {
        /// The weight.
        name: String,
        /// Its type in the file.
        found: String,
    },
    /// A number that is not finite, or does not fit the chosen precision.
    #[error(
        "`{what}` holds a number that is not finite or does not fit the precision. Train again \
         with a lower learning rate or gradient clipping, or write with f32"
    )]
    NotFinite {
        /// The weight or field.
        what: String,
    },
    /// There is no GPU, or none that can be used.
    #[error(
        "no usable GPU: {detail}. Install a Vulkan, Metal or DX12 driver (on Debian or Ubuntu \
         `mesa-vulkan-drivers` gives a software one), or use `--device cpu`"
    )]
    NoGpu {
        /// What the graphics system answered.
        detail: String,
    },
    /// The device has no numbers of 16 bits.
    #[error(
        "mixed arithmetic needs a GPU with 16-bit floats (the feature shader-f16), and this device has none. Use \
         `--arithmetic f32`, or another device"
    )]
    NoHalf,
    /// The device failed while it was computing.
    #[error("the device failed while computing: {detail}. Use the CPU instead")]
    Device {
        /// What the device answered.
        detail: String,
    },
}

/// The error under the name that fits where a bundle is read or written.
pub type BundleError = ModelError;

/// The error under the name that fits where a device is chosen.
pub type DeviceError = ModelError;
