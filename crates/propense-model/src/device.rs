//! Choosing a device, without a panic where there is none. The browser's GPU, which cannot be waited
//! for and can be lost, is `propense-web`'s affair.

#[cfg(any(feature = "flex", feature = "wgpu"))]
use burn::tensor::Device;

#[cfg(feature = "wgpu")]
use crate::DeviceError;

/// What the graphics system says about the adapter behind a device.
#[cfg(feature = "wgpu")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adapter {
    /// The adapter's name; may be empty.
    pub name: String,
    /// The graphics interface: `vulkan`, `metal`, `dx12`, `gl`.
    pub backend: String,
    /// The kind of device: `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: String,
    /// The driver and its version, where known.
    pub driver: String,
}

#[cfg(feature = "wgpu")]
impl core::fmt::Display for Adapter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = if self.name.is_empty() {
            "unnamed adapter"
        } else {
            &self.name
        };
        write!(f, "{name} ({}, {})", self.backend, self.kind)
    }
}

#[cfg(feature = "wgpu")]
impl Adapter {
    /// Whether the "GPU" is a program on the CPU: it computes correctly, but more slowly than the
    /// CPU backend.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }
}

/// The CPU.
#[cfg(feature = "flex")]
#[must_use]
pub fn cpu_device() -> Device {
    Device::flex()
}

/// The GPU that the system prefers, started on the first call, and its adapter.
///
/// # Errors
/// [`DeviceError::NoGpu`] where there is none or it does not start.
#[cfg(feature = "wgpu")]
pub fn gpu_device() -> Result<(Device, Adapter), DeviceError> {
    use std::sync::OnceLock;

    // The runtime can be started once for a process: everyone shares it.
    static GPU: OnceLock<Result<(Device, Adapter), DeviceError>> = OnceLock::new();
    GPU.get_or_init(|| {
        Device::wgpu_options()
            .init_with_setup()
            .map(|(device, setup)| (device, describe(&setup)))
            .map_err(no_gpu)
    })
    .clone()
}

/// The GPU; none, said aloud, where there is none. With `PROPENSE_REQUIRE_GPU=1` that is a failure.
#[cfg(all(test, feature = "wgpu"))]
pub(crate) fn gpu_for_tests() -> Option<Device> {
    match gpu_device() {
        Ok((device, _)) => Some(device),
        Err(error) => {
            let required = std::env::var("PROPENSE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "PROPENSE_REQUIRE_GPU is set: {error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[cfg(feature = "wgpu")]
fn no_gpu(error: impl core::fmt::Display) -> DeviceError {
    DeviceError::NoGpu {
        detail: error.to_string(),
    }
}

#[cfg(feature = "wgpu")]
fn describe(setup: &burn_wgpu::WgpuSetup) -> Adapter {
    use burn_wgpu::wgpu::{Backend, DeviceType};

    let info = setup.adapter.get_info();
    let backend = match info.backend {
        Backend::Vulkan => "vulkan",
        Backend::Metal => "metal",
        Backend::Dx12 => "dx12",
        Backend::Gl => "gl",
        _ => "other",
    };
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    };
    Adapter {
        name: info.name,
        backend: backend.into(),
        kind: kind.into(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .into(),
    }
}
