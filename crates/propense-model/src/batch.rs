//! Sessions of different lengths, laid out so that each ends in the phase that scores it.

#[cfg(feature = "burn")]
use burn::tensor::{Device, Tensor, TensorData};

use crate::ModelConfig;

/// Sessions to be scored together, each as a whole.
///
/// The published network pools with stride 2, aligned to the session's end. A session with an odd
/// number of events therefore gets `kernel` zero rows before it and one with an even number
/// `kernel − 1`: then pooling from the plane's first row on ends exactly at each session's end.
#[derive(Debug, Clone)]
pub struct Batch {
    features: usize,
    contexts: usize,
    kernel: usize,
    /// Number of LSTM steps of each session.
    steps: Vec<usize>,
    /// Rows of each session with the zero rows before them, without any after them.
    rows: Vec<Vec<f32>>,
    context: Vec<f32>,
}

impl Batch {
    /// An empty batch for a network of this configuration.
    #[must_use]
    pub fn new(config: &ModelConfig) -> Self {
        Self {
            // A configuration that `validate` refuses must not make this divide by zero.
            features: config.features.max(1),
            contexts: config.context,
            kernel: config.kernel.max(1),
            steps: Vec::new(),
            rows: Vec::new(),
            context: Vec::new(),
        }
    }

    /// The batch of these sessions, each its rows and its context, as [`Self::push`] takes them.
    #[must_use]
    pub fn of<'a>(
        config: &ModelConfig,
        sessions: impl IntoIterator<Item = (&'a [f32], &'a [f32])>,
    ) -> Self {
        let mut batch = Self::new(config);
        for (rows, context) in sessions {
            batch.push(rows, context);
        }
        batch
    }

    /// Adds a session: its rows, row-major, and its context. A surplus of numbers is cut and
    /// missing numbers of the context are zero; a rest that makes no whole row is left out.
    pub fn push(&mut self, rows: &[f32], context: &[f32]) {
        let events = rows.len() / self.features;
        let before = if events % 2 == 1 {
            self.kernel
        } else {
            self.kernel - 1
        };
        let mut padded = vec![0.0; before * self.features];
        padded.extend_from_slice(&rows[..events * self.features]);
        self.rows.push(padded);
        self.steps.push(events.div_ceil(2));
        let end = self.context.len() + self.contexts;
        self.context
            .extend(context.iter().copied().take(self.contexts));
        self.context.resize(end, 0.0);
    }

    /// Number of sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.steps.len()
    }

    /// LSTM steps of the longest session.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.iter().copied().max().unwrap_or(0)
    }

    /// Rows of every session with the zero rows before and after it.
    pub(crate) fn height(&self) -> usize {
        self.kernel - 1 + 2 * self.steps()
    }

    /// A session's context.
    #[cfg(any(feature = "wgpu", feature = "webgpu"))]
    pub(crate) fn context_of(&self, session: usize) -> &[f32] {
        &self.context[session * self.contexts..(session + 1) * self.contexts]
    }

    /// A session's newest row; the zero rows before a session stand for one without events.
    pub(crate) fn newest_of(&self, session: usize) -> &[f32] {
        let rows = &self.rows[session];
        rows.get(rows.len().saturating_sub(self.features)..)
            .unwrap_or_default()
    }

    /// Appends for each session the number of its steps, with `context` its context, and `height`
    /// rows.
    #[cfg(any(feature = "wgpu", feature = "webgpu"))]
    pub(crate) fn pack(&self, numbers: &mut Vec<f32>, context: bool) {
        for (session, (rows, &steps)) in self.rows.iter().zip(&self.steps).enumerate() {
            numbers.push(steps as f32);
            if context {
                numbers.extend_from_slice(self.context_of(session));
            }
            let end = numbers.len() + self.height() * self.features;
            numbers.extend_from_slice(rows);
            numbers.resize(end, 0.0);
        }
    }
}

#[cfg(feature = "burn")]
impl Batch {
    /// `[sessions, height, features]`.
    pub(crate) fn plane(&self, device: &Device) -> Tensor<3> {
        let height = self.height();
        let mut plane = Vec::with_capacity(self.sessions() * height * self.features);
        for (index, rows) in self.rows.iter().enumerate() {
            plane.extend_from_slice(rows);
            plane.resize((index + 1) * height * self.features, 0.0);
        }
        let shape = [self.sessions(), height, self.features];
        Tensor::from_data(TensorData::new(plane, shape), device)
    }

    /// `[sessions, context]`, or `[sessions, 1]` of zeros for a network without context.
    pub(crate) fn context(&self, device: &Device) -> Tensor<2> {
        if self.contexts == 0 {
            return Tensor::zeros([self.sessions(), 1], device);
        }
        let shape = [self.sessions(), self.contexts];
        Tensor::from_data(TensorData::new(self.context.clone(), shape), device)
    }

    /// The newest row of each session, zeros where it has none: `[sessions, 1, features]`.
    pub(crate) fn newest(&self, device: &Device) -> Tensor<3> {
        let newest = (0..self.sessions()).flat_map(|session| self.newest_of(session));
        let newest: Vec<f32> = newest.copied().collect();
        let shape = [self.sessions(), 1, self.features];
        Tensor::from_data(TensorData::new(newest, shape), device)
    }

    /// One where a session ends: `[sessions, steps]`.
    pub(crate) fn last_step(&self, device: &Device) -> Tensor<2> {
        let (sessions, longest) = (self.sessions(), self.steps());
        let mut last = vec![0.0f32; sessions * longest];
        for (session, &steps) in self.steps.iter().enumerate() {
            if let Some(step) = steps.checked_sub(1) {
                last[session * longest + step] = 1.0;
            }
        }
        Tensor::from_data(TensorData::new(last, [sessions, longest]), device)
    }
}

/// Which sessions to score together: those of like length, so that little is computed on padding,
/// and no more at a time than `rows` rows with padding, which bounds the memory of a pass. A session
/// longer than that comes alone; [`crate::CpuStream`] scores it in bounded memory too. Every position of `lengths` (events of each
/// session) comes exactly once.
#[must_use]
pub fn groups(lengths: &[usize], rows: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&session| lengths[session]);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for session in order {
        // In order of length, the newcomer is the longest of its group.
        match groups.last_mut() {
            Some(group) if (group.len() + 1) * lengths[session].max(1) <= rows => {
                group.push(session);
            }
            _ => groups.push(vec![session]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_hold_every_session_once_and_stay_within_bounds() {
        let lengths = [5, 700, 0, 3, 64, 5, 1, 2, 64, 0];
        let groups = groups(&lengths, 128);
        let mut all: Vec<usize> = groups.concat();
        all.sort_unstable();
        assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        for group in &groups {
            let longest = group
                .iter()
                .map(|&session| lengths[session])
                .max()
                .unwrap_or(0);
            assert!(
                group.len() == 1 || group.len() * longest <= 128,
                "{group:?}"
            );
        }
        assert!(groups.len() < lengths.len(), "sessions go together");
        assert!(super::groups(&[], 128).is_empty());
    }
}
