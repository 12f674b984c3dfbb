//! Where training runs, chosen and explained.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use propense_model::{cpu_device, gpu_device};

use crate::TrainError;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A hardware GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU through wgpu, a software adapter included.
    Wgpu,
    /// NVIDIA's CUDA.
    Cuda,
}

impl FromStr for DeviceChoice {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "wgpu" => Ok(Self::Wgpu),
            "cuda" => Ok(Self::Cuda),
            other => Err(TrainError::UnknownDevice(other.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        })
    }
}

/// A device, and the words about it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// `cpu` or `wgpu`.
    pub name: &'static str,
    /// What was chosen and why, for people.
    pub reason: String,
    /// The tensor device, without autodiff.
    pub device: Device,
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    ///
    /// Where the device asked for does not exist here. `Auto` never fails.
    pub fn open(self) -> Result<Chosen, TrainError> {
        let cpu = |reason: String| Chosen {
            name: "cpu",
            reason: format!("device: cpu ({reason})"),
            device: cpu_device(),
        };
        let wgpu = |device, reason: String| Chosen {
            name: "wgpu",
            reason: format!("device: wgpu ({reason})"),
            device,
        };
        match self {
            Self::Cpu => Ok(cpu("as asked".to_owned())),
            Self::Cuda => Err(TrainError::NoCuda),
            Self::Wgpu => {
                let (device, adapter) = gpu_device()?;
                Ok(wgpu(device, format!("as asked; {adapter}")))
            }
            Self::Auto => Ok(match gpu_device() {
                Ok((device, adapter)) if !adapter.is_software() => {
                    wgpu(device, format!("auto: {adapter} is a hardware adapter"))
                }
                Ok((_, adapter)) => cpu(format!(
                    "auto: the only adapter, {adapter}, is a program on the CPU"
                )),
                Err(_) => cpu("auto: there is no GPU adapter".to_owned()),
            }),
        }
    }
}
