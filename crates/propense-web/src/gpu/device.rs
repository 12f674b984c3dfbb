//! The page's WebGPU device: taken once, shared by all runtimes, taken anew after it was lost.

use std::cell::RefCell;

use burn::tensor::{Device, DeviceKind};
use js_sys::Function;
use propense_model::ModelError;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// What the adapter says about itself.
#[derive(Clone, Serialize)]
pub(crate) struct Adapter {
    /// The browser's description; often empty.
    description: String,
    /// The graphics interface in use.
    backend: String,
    /// The adapter is a program on the CPU.
    software: bool,
}

/// A device and its place in the order of devices taken by this page.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) device: Device,
    pub(crate) adapter: Adapter,
    number: u16,
}

/// What became of the device with this number, and who wants to know.
#[derive(Default)]
struct Watch {
    lost: Option<String>,
    listeners: Vec<Function>,
}

thread_local! {
    static CURRENT: RefCell<Option<Taken>> = const { RefCell::new(None) };
    static WATCHES: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
}

/// The page's device; a new one where there is none, or where it was lost.
pub(crate) async fn take() -> Result<Taken, ModelError> {
    let current = CURRENT.with(|current| current.borrow().clone());
    if let Some(taken) = current
        && !taken.is_lost()
    {
        return Ok(taken);
    }
    let no_gpu = |detail: String| ModelError::NoGpu { detail };
    let number = WATCHES.with(|watches| {
        let mut watches = watches.borrow_mut();
        watches.push(Watch::default());
        u16::try_from(watches.len() - 1)
    });
    let number = number.map_err(|_| no_gpu("too many devices were lost on this page".into()))?;
    // A selector can be initialised once only. In a browser every kind and index means "the fast
    // adapter", so that a device taken after a loss goes by the next index.
    let kind = match number {
        0 => DeviceKind::DefaultDevice,
        later => DeviceKind::DiscreteGpu(usize::from(later - 1)),
    };
    let (device, setup) = Device::wgpu_options()
        .device_kind(kind)
        .init_with_setup_async()
        .await
        .map_err(|error| no_gpu(error.to_string()))?;
    let info = setup.adapter.get_info();
    setup
        .device
        .set_device_lost_callback(move |reason, message| {
            lose(number, &format!("{reason:?}: {message}"));
        });
    let taken = Taken {
        device,
        adapter: Adapter {
            description: info.name,
            backend: format!("{:?}", info.backend),
            software: info.device_type == burn::tensor::wgpu::wgpu::DeviceType::Cpu,
        },
        number,
    };
    CURRENT.with(|current| *current.borrow_mut() = Some(taken.clone()));
    Ok(taken)
}

impl Taken {
    fn is_lost(&self) -> bool {
        self.watch(|watch| watch.lost.is_some()).unwrap_or(true)
    }

    /// Has `callback(reason)` called once the device is lost; at once if it is.
    pub(crate) fn on_lost(&self, callback: Function) {
        let reason = self.watch(|watch| {
            if watch.lost.is_none() {
                watch.listeners.push(callback.clone());
            }
            watch.lost.clone()
        });
        if let Some(Some(reason)) = reason {
            tell(&callback, &reason);
        }
    }

    fn watch<T>(&self, look: impl FnOnce(&mut Watch) -> T) -> Option<T> {
        WATCHES.with(|watches| {
            watches
                .borrow_mut()
                .get_mut(usize::from(self.number))
                .map(look)
        })
    }
}

fn lose(number: u16, reason: &str) {
    let listeners = WATCHES.with(|watches| {
        let mut watches = watches.borrow_mut();
        let Some(watch) = watches.get_mut(usize::from(number)) else {
            return Vec::new();
        };
        watch.lost = Some(reason.to_owned());
        std::mem::take(&mut watch.listeners)
    });
    for listener in &listeners {
        tell(listener, reason);
    }
}

fn tell(listener: &Function, reason: &str) {
    // The listener is the module's own TypeScript, which does not throw.
    let _ = listener.call1(&JsValue::UNDEFINED, &JsValue::from_str(reason));
}
