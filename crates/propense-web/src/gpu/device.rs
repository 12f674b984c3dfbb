//! The page's WebGPU device: taken once, shared by all runtimes, taken anew after it was lost.

use std::cell::RefCell;
use std::sync::Arc;

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
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) adapter: Adapter,
    number: usize,
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
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::BROWSER_WEBGPU,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    });
    let adapter = adapter.await.map_err(|error| no_gpu(error.to_string()))?;
    let device = adapter.request_device(&wgpu::DeviceDescriptor::default());
    let (device, queue) = device.await.map_err(|error| no_gpu(error.to_string()))?;
    let info = adapter.get_info();
    let number = WATCHES.with(|watches| {
        let mut watches = watches.borrow_mut();
        watches.push(Watch::default());
        watches.len() - 1
    });
    // What fails on the device (memory that it has not, say) makes the buffer that is read back
    // unusable: whoever waits for it is told. Unheard, the same error would be a panic.
    device.on_uncaptured_error(Arc::new(|_| ()));
    device.set_device_lost_callback(move |reason, message| {
        lose(number, &format!("{reason:?}: {message}"));
    });
    let taken = Taken {
        device,
        queue,
        adapter: Adapter {
            description: info.name,
            backend: format!("{:?}", info.backend),
            software: info.device_type == wgpu::DeviceType::Cpu,
        },
        number,
    };
    CURRENT.with(|current| *current.borrow_mut() = Some(taken.clone()));
    Ok(taken)
}

impl Taken {
    fn is_lost(&self) -> bool {
        watching(self.number, |watch| watch.lost.is_some()).unwrap_or(true)
    }

    /// Has `callback(reason)` called once the device is lost; at once if it is.
    pub(crate) fn on_lost(&self, callback: Function) {
        let reason = watching(self.number, |watch| {
            if watch.lost.is_none() {
                watch.listeners.push(callback.clone());
            }
            watch.lost.clone()
        });
        if let Some(Some(reason)) = reason {
            tell(&callback, &reason);
        }
    }
}

fn watching<T>(number: usize, look: impl FnOnce(&mut Watch) -> T) -> Option<T> {
    WATCHES.with(|watches| watches.borrow_mut().get_mut(number).map(look))
}

fn lose(number: usize, reason: &str) {
    let listeners = watching(number, |watch| {
        watch.lost = Some(reason.to_owned());
        std::mem::take(&mut watch.listeners)
    });
    for listener in &listeners.unwrap_or_default() {
        tell(listener, reason);
    }
}

fn tell(listener: &Function, reason: &str) {
    // The listener is the module's own TypeScript, which does not throw.
    let _ = listener.call1(&JsValue::UNDEFINED, &JsValue::from_str(reason));
}
