//! Loss and gradient of the whole network on the CPU, without tensors: training's inner step.
//!
//! The sessions of a batch are cut into slabs of like length, each of which is one thread's work
//! from rows to gradients. Within a slab the LSTM's two phases are sequences of their own, ordered by
//! length, so that a step takes the first so many rows and nothing is padded; a phase that no
//! weighed prefix ends in is left out, and so are steps beyond the last weighed one.
//!
//! Almost all of the arithmetic is four products, done by one kernel ([`products::Product`]): the
//! gates of a step, what the gates' gradients give to the output before and to the windows, and the
//! weights' gradients, one product over all rows of a slab.
//!
//! **Bits**: a slab's gradient does not depend on the thread, and slabs are added in their order. The
//! same machine gives the same bits on any number of threads.

mod cell;
mod contexts;
mod dropout;
mod packed;
mod products;
mod schedule;
mod slab;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Mutex;

use self::packed::Packed;
use self::slab::Slab;
use super::parallel::in_parallel;
use super::simd::Level;
use crate::{ModelConfig, ModelError, NamedTensor};

/// Sessions that one thread takes together: enough rows that fetching weights does not count, few
/// enough that what a step leaves behind for the way back stays in a near cache.
const SESSIONS: usize = 24;

/// A session to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// `[events, features]`, row-major.
    pub rows: &'a [f32],
    /// `[context]`.
    pub context: &'a [f32],
    /// The outcome as seen from each prefix, `[events + 1]`, 0 to 1; the first is that of the context
    /// alone.
    pub outcomes: &'a [f32],
    /// What each prefix weighs in the loss, `[events + 1]`.
    pub weights: &'a [f32],
}

/// Computes losses and gradients. Keeps its memory from batch to batch.
#[derive(Debug)]
pub struct CpuGradient {
    config: ModelConfig,
    level: Level,
    slabs: Mutex<Vec<Slab>>,
}

impl Clone for CpuGradient {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            level: self.level,
            slabs: Mutex::default(),
        }
    }
}

impl CpuGradient {
    /// For networks of these sizes; none where the configuration has an ensemble, which is trained
    /// in another way.
    ///
    /// # Errors
    /// [`ModelError::Config`] where the configuration is out of range.
    pub fn new(config: &ModelConfig) -> Result<Option<Self>, ModelError> {
        config.validate()?;
        Ok(config.ensemble.is_none().then(|| Self {
            config: config.clone(),
            level: Level::best(),
            slabs: Mutex::default(),
        }))
    }

    /// The sizes of the network.
    #[must_use]
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// `Σ weight · BCE` over all prefixes of all lessons, and the gradient of its quotient by the
    /// sum of all weights, for each weight in the order of [`ModelConfig::weight_shapes`].
    ///
    /// Where the configuration drops out, `draw` decides what: another one for each step. The result
    /// does not depend on the number of threads.
    ///
    /// # Errors
    /// [`ModelError`] where a weight is missing or has the wrong shape, and where a lesson's parts do
    /// not fit each other or the network.
    pub fn gradient(
        &self,
        weights: &[NamedTensor],
        lessons: &[Lesson<'_>],
        draw: u64,
        threads: usize,
    ) -> Result<(f64, Vec<Vec<f32>>), ModelError> {
        let packed = Packed::new(self.level, &self.config, weights)?;
        for lesson in lessons {
            self.check(lesson)?;
        }
        let total: f64 = lessons
            .iter()
            .flat_map(|lesson| lesson.weights)
            .map(|&weight| f64::from(weight))
            .sum();
        let scale = (1.0 / total.max(1e-6)) as f32;
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        // Stable: equals stay in order. The longest first, so that no thread ends with them.
        order.sort_by_key(|&lesson| core::cmp::Reverse(lessons[lesson].rows.len()));
        // Slabs of even size, and an even number of them.
        let count = lessons.len().div_ceil(SESSIONS).next_multiple_of(2);
        let share = lessons.len().div_ceil(count.max(1)).max(1);
        let parts: Vec<&[usize]> = order.chunks(share).collect();
        let learnt = in_parallel(threads, parts.len(), |part| {
            let mut slab = self.taken();
            let lessons: Vec<(usize, Lesson<'_>)> = parts[part]
                .iter()
                .map(|&lesson| (lesson, lessons[lesson]))
                .collect();
            slab.learn(&packed, &lessons, scale, draw);
            slab
        });
        let mut loss = 0.0;
        let mut gradients = packed.zeros();
        for slab in learnt {
            loss += slab.loss;
            gradients.add(&slab.gradients);
            self.given_back(slab);
        }
        Ok((loss, packed.unpack(&gradients)))
    }

    fn check(&self, lesson: &Lesson<'_>) -> Result<(), ModelError> {
        let features = self.config.features;
        let prefixes = lesson.rows.len() / features + 1;
        let parts = [
            ("rows", lesson.rows.len(), (prefixes - 1) * features),
            ("context", lesson.context.len(), self.config.context),
            ("outcomes", lesson.outcomes.len(), prefixes),
            ("weights", lesson.weights.len(), prefixes),
        ];
        match parts.into_iter().find(|(_, found, fits)| found != fits) {
            None => Ok(()),
            Some((name, found, fits)) => Err(ModelError::Shape {
                name: format!("a lesson's {name}"),
                expected: vec![fits],
                found: vec![found],
            }),
        }
    }

    fn taken(&self) -> Slab {
        let mut slabs = match self.slabs.lock() {
            Ok(slabs) => slabs,
            Err(poisoned) => poisoned.into_inner(),
        };
        slabs.pop().unwrap_or_default()
    }

    fn given_back(&self, slab: Slab) {
        if let Ok(mut slabs) = self.slabs.lock() {
            slabs.push(slab);
        }
    }
}
