//! The network on WebGPU by a shader of our own, with nothing between it and `wgpu`: what the page
//! loads. One launch for a batch of whole sessions, two for a few of them or for an event of a live one.
//!
//! The GPU has the convolution and the LSTM. What needs neither (context, ensemble, bias) is a few
//! thousand multiply-adds a session, and is added here, on the CPU, when the number comes back; so
//! another context costs no launch.

mod live;
mod shader;

use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use wgpu::util::DeviceExt;

pub use self::live::GpuStream;
use self::shader::{Entry, STEPS};
use crate::cpu::Base;
use crate::limits::{self, TILE};
use crate::weights::swap_outer;
use crate::{Batch, ModelConfig, ModelError, NamedTensor};

/// The network's weights on a WebGPU device. Cloning is cheap: they are shared.
#[derive(Debug, Clone)]
pub struct GpuModel(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    config: ModelConfig,
    base: Base,
    device: wgpu::Device,
    queue: wgpu::Queue,
    gates: Held,
    small: Held,
    layout: wgpu::BindGroupLayout,
    project: wgpu::ComputePipeline,
    recur: wgpu::ComputePipeline,
    /// Made when the first batch wants it: a live score does not wait for it.
    sessions: OnceCell<wgpu::ComputePipeline>,
}

/// A buffer that gives its memory back when it is dropped: the browser's garbage collector, which
/// sees a few bytes, may take its time.
#[derive(Debug)]
struct Held(wgpu::Buffer);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

impl GpuModel {
    /// Sessions that a workgroup takes, where there are as many.
    pub const TILE: usize = TILE;

    /// Packs a bundle's weights and puts them on the device.
    ///
    /// # Errors
    /// [`ModelError`] where the configuration is out of range, a weight is missing or has the
    /// wrong shape; [`ModelError::NoGpu`] where the network is too large for the shader.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        config: &ModelConfig,
        weights: &[NamedTensor],
    ) -> Result<Self, ModelError> {
        config.validate()?;
        shader::fits(config)?;
        let hold = |numbers: &[f32]| {
            Held(
                device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                    label: None,
                    contents: &bytes(numbers),
                    usage: wgpu::BufferUsages::STORAGE,
                }),
            )
        };
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &[0, 1, 2, 3, 4].map(|binding| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage {
                        read_only: binding < 3,
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            }),
        });
        Ok(Self(Rc::new(Shared {
            base: Base::new(config, weights)?,
            gates: hold(&gates(config, weights)?),
            small: hold(&small(config, weights)?),
            project: pipeline(device, &layout, config, Entry::Project),
            recur: pipeline(device, &layout, config, Entry::Recur),
            sessions: OnceCell::new(),
            layout,
            config: config.clone(),
            device: device.clone(),
            queue: queue.clone(),
        })))
    }

    /// The sizes of this network.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.0.config
    }

    /// A live session without events.
    #[must_use]
    pub fn stream(&self) -> GpuStream {
        GpuStream::new(self)
    }

    /// The logit of each session as a whole.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device fails.
    pub async fn score(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        let sessions = batch.sessions();
        if sessions == 0 {
            return Ok(Vec::new());
        }
        let mut given = vec![
            sessions as f32,
            batch.height() as f32,
            batch.steps() as f32,
            0.0,
        ];
        batch.pack(&mut given, false);
        let shared = &*self.0;
        let packed = shared.buffer(given.len(), wgpu::BufferUsages::COPY_DST);
        shared.queue.write_buffer(&packed.0, 0, &bytes(&given));
        let out = shared.buffer(sessions, wgpu::BufferUsages::COPY_SRC);
        let mut encoder = shared.encoder();
        let steps = batch.steps();
        let few = sessions < TILE && limits::holds_steps(shared.config.hidden, sessions * steps);
        let parts = shared.parts(if few { sessions * steps } else { 0 });
        let group = shared.group(&packed, &out, &parts);
        if few {
            shared.launch_few(&mut encoder, &group, sessions, steps);
        } else {
            shared.launch_many(&mut encoder, &group, sessions);
        }
        let read = shared.read(encoder, &out, sessions);
        let mut logits = read.await?;
        for (session, logit) in logits.iter_mut().enumerate() {
            *logit += shared
                .base
                .logit(batch.context_of(session), batch.newest_of(session));
        }
        Ok(logits)
    }
}

impl Shared {
    /// A storage buffer for so many numbers, all zero.
    fn buffer(&self, numbers: usize, usage: wgpu::BufferUsages) -> Held {
        Held(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: (numbers * size_of::<f32>()) as u64,
            usage: usage | wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        }))
    }

    /// Room for what goes from one launch to the other, of so many steps.
    fn parts(&self, steps: usize) -> Held {
        // A binding takes a buffer even where nothing is written to it.
        let numbers = 4 * self.config.hidden * steps.max(1);
        self.buffer(numbers, wgpu::BufferUsages::empty())
    }

    fn group(&self, given: &Held, out: &Held, parts: &Held) -> wgpu::BindGroup {
        let bound = [given, &self.gates, &self.small, out, parts];
        let bound = [0, 1, 2, 3, 4].map(|binding| (binding, bound[binding as usize]));
        let entries = bound.map(|(binding, held)| wgpu::BindGroupEntry {
            binding,
            resource: held.0.as_entire_binding(),
        });
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &entries,
        })
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        self.device.create_command_encoder(&descriptor)
    }

    /// Queues few sessions, none with more than so many steps.
    fn launch_few(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        group: &wgpu::BindGroup,
        sessions: usize,
        steps: usize,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_bind_group(0, group, &[]);
        pass.set_pipeline(&self.project);
        pass.dispatch_workgroups((sessions * steps.div_ceil(STEPS)) as u32, 1, 1);
        pass.set_pipeline(&self.recur);
        pass.dispatch_workgroups(sessions as u32, 1, 1);
    }

    /// Queues many sessions.
    fn launch_many(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        group: &wgpu::BindGroup,
        sessions: usize,
    ) {
        let pipeline = || pipeline(&self.device, &self.layout, &self.config, Entry::Sessions);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(self.sessions.get_or_init(pipeline));
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups(sessions.div_ceil(TILE) as u32, 1, 1);
    }

    /// Submits what was queued, and reads the first so many numbers of a buffer as it then is.
    fn read(
        &self,
        mut encoder: wgpu::CommandEncoder,
        from: &Held,
        numbers: usize,
    ) -> impl Future<Output = Result<Vec<f32>, ModelError>> + use<> {
        let size = (numbers * size_of::<f32>()) as u64;
        let staging = Held(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        }));
        encoder.copy_buffer_to_buffer(&from.0, 0, &staging.0, 0, size);
        self.queue.submit([encoder.finish()]);
        let (done, mapped) = oneshot::channel();
        staging
            .0
            .map_async(wgpu::MapMode::Read, .., move |outcome| {
                // Nobody waits any more where the page has dropped the promise.
                let _ = done.send(outcome);
            });
        // In a browser this does nothing: its event loop calls back.
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        async move {
            let failed = |detail: String| ModelError::Device { detail };
            polled.map_err(|error| failed(error.to_string()))?;
            let outcome = mapped.await.map_err(|error| failed(error.to_string()))?;
            outcome.map_err(|error| failed(error.to_string()))?;
            let view = staging.0.get_mapped_range(..);
            let view = view.map_err(|error| failed(error.to_string()))?;
            let numbers = view.chunks_exact(size_of::<f32>());
            Ok(numbers
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                .collect())
        }
    }
}

/// The shader's entry, compiled.
fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    config: &ModelConfig,
    entry: Entry,
) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(shader::source(config, entry).into()),
    });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(entry.name()),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

/// What each input gives to the four gates of each unit, and their biases, as the shader reads them.
fn gates(config: &ModelConfig, weights: &[NamedTensor]) -> Result<Vec<f32>, ModelError> {
    let hidden = config.hidden;
    let input = config.weight(weights, "lstm.input")?;
    // By column, then by filter.
    let mut rows = swap_outer(input, config.filters, config.pooled_columns(), 4 * hidden);
    rows.extend_from_slice(config.weight(weights, "lstm.recurrent")?);
    rows.extend_from_slice(config.weight(weights, "lstm.bias")?);
    // `[4, hidden]` of each row to `[hidden, 4]`.
    let rows = rows.chunks_exact(4 * hidden);
    Ok(rows.flat_map(|row| swap_outer(row, 4, hidden, 1)).collect())
}

/// The convolution and the LSTM's part of the output layer.
fn small(config: &ModelConfig, weights: &[NamedTensor]) -> Result<Vec<f32>, ModelError> {
    let readout = &config.weight(weights, "output.weight")?[..config.hidden];
    let convolution = config.weight(weights, "conv.weight")?;
    Ok([convolution, config.weight(weights, "conv.bias")?, readout].concat())
}

/// Little-endian, as GPUs and WebAssembly have them.
fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}
