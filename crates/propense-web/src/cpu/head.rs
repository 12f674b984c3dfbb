//! Learning in the page: the head alone, from what it read of the visitor's finished sessions.

use std::sync::Arc;

use propense_model::{Contribution, CpuStream, Lived, Privacy, Steps};
use wasm_bindgen::prelude::*;

use super::engine::Engine;

/// Numbers of sessions laid one after the other, taken apart.
fn lessons<'a>(
    width: usize,
    inputs: &'a [f32],
    moments: &'a [u32],
    bought: &'a [u8],
) -> Vec<Lived<'a>> {
    let mut rest = inputs;
    let sessions = moments.iter().zip(bought);
    let lived = sessions.map_while(|(&moments, &bought)| {
        let (inputs, after) = rest.split_at_checked(width.checked_mul(moments as usize)?)?;
        rest = after;
        Some(Lived {
            inputs,
            bought: bought != 0,
        })
    });
    lived.collect()
}

#[wasm_bindgen]
impl Engine {
    /// What the head reads of the session so far; empty where this bundle's head does not learn by
    /// itself, or the session has had its order.
    pub fn head_input(&self) -> Vec<f32> {
        if self.head.is_none() || self.session.ordered() {
            return Vec::new();
        }
        self.stream.head_input(self.session.context())
    }

    /// Has the head learn from these sessions, beginning at the shared weights; none give those
    /// back. `inputs` are those of [`Engine::head_input`], one after the other, `moments` of them
    /// for each session. The live session goes on.
    pub fn adapt(&mut self, inputs: &[f32], moments: &[u32], bought: &[u8]) {
        let Some(head) = &self.head else { return };
        let sessions = lessons(head.width(), inputs, moments, bought);
        let model = if sessions.is_empty() {
            Arc::clone(&self.shared)
        } else {
            let difference = head.learn(&sessions, Steps::VISITOR);
            Arc::new(self.shared.with_difference(&difference))
        };
        self.put(CpuStream::new(model));
    }

    /// What these sessions would change about the head for everybody, clipped and with noise:
    /// whole numbers, as `POST /v1/contributions` takes them. `random` are four 32-bit draws of a
    /// source that cannot be foretold for each number of the head. Empty where with the noise of
    /// the `earlier` contributions the visitor's ε at `delta` would be passed, or something is
    /// missing.
    #[allow(clippy::too_many_arguments)]
    pub fn contribution(
        &self,
        inputs: &[f32],
        moments: &[u32],
        bought: &[u8],
        multiplier: f64,
        earlier: &[f64],
        epsilon: f64,
        delta: f64,
        random: &[u32],
    ) -> Vec<i32> {
        let Some(head) = &self.head else {
            return Vec::new();
        };
        let spent = earlier.iter().map(|&multiplier| Privacy::of(multiplier));
        let spent = spent.fold(Privacy::of(multiplier), Privacy::and);
        let sessions = lessons(head.width(), inputs, moments, bought);
        // Not `>`: what is no number is refused, too. A rounding error is no overdraft.
        let within = spent.epsilon(delta) <= epsilon * (1.0 + 1e-9);
        if !within || sessions.is_empty() || random.len() < 4 * head.width() {
            return Vec::new();
        }
        let mut draws = random.chunks_exact(2);
        let draw = || {
            let pair = draws.next().unwrap_or(&[0, 0]);
            u64::from(pair[0]) << 32 | u64::from(pair[1])
        };
        Contribution::of(head, &sessions, multiplier, draw).numbers
    }
}
