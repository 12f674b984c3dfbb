//! The context layer of a batch, forward and back.

use super::Lesson;
use super::dropout::{Dropout, vector};
use super::packed::{Gradients, Packed};
use crate::cpu::arithmetic::{add_product, add_scaled, dot};

/// The context layer of each lesson.
pub(super) struct Contexts {
    /// `[lessons, context_hidden]`: after ReLU and dropout.
    units: Vec<f32>,
    /// What it and the bias add to every logit.
    pub(super) bases: Vec<f32>,
    /// Gradients of the bases.
    pub(super) of_bases: Vec<f32>,
}

impl Contexts {
    pub(super) fn of(
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        dropout: Option<Dropout>,
    ) -> Self {
        let count = packed.context_bias.len();
        let mut units = Vec::with_capacity(lessons.len() * count);
        let mut bases = Vec::with_capacity(lessons.len());
        for (number, lesson) in lessons {
            let from = units.len();
            units.extend_from_slice(packed.context_bias);
            let own = &mut units[from..];
            if count > 0 {
                add_product(own, lesson.context, packed.context);
            }
            for (unit, value) in own.iter_mut().enumerate() {
                // Not `max`, which would make zero of what is no number.
                let positive = if *value < 0.0 { 0.0 } else { *value };
                let factor = dropout.map_or(1.0, |d| d.factor(vector(*number, 0), unit));
                *value = positive * factor;
            }
            bases.push(packed.output_bias + dot(own, packed.context_readout));
        }
        Self {
            units,
            of_bases: vec![0.0; bases.len()],
            bases,
        }
    }

    /// Adds to the gradients of the context layer, its part of the output layer and the bias.
    pub(super) fn learn(
        &self,
        packed: &Packed<'_>,
        lessons: &[(usize, Lesson<'_>)],
        gradients: &mut Gradients,
    ) {
        let (hidden, count) = (packed.config.hidden, packed.context_bias.len());
        let keeps = (1.0 / (1.0 - packed.config.dropout)) as f32;
        let mut of_units = vec![0.0; count];
        for (place, ((_, lesson), &slope)) in lessons.iter().zip(&self.of_bases).enumerate() {
            gradients.output_bias += slope;
            if count == 0 || slope == 0.0 {
                continue;
            }
            let units = &self.units[place * count..(place + 1) * count];
            add_scaled(&mut gradients.output[hidden..], slope, units);
            for ((of_unit, unit), weight) in
                of_units.iter_mut().zip(units).zip(packed.context_readout)
            {
                // What ReLU cut or dropout dropped is zero; the rest was scaled by `keeps`.
                *of_unit = if *unit > 0.0 {
                    slope * weight * keeps
                } else {
                    0.0
                };
            }
            add_scaled(&mut gradients.context_bias, 1.0, &of_units);
            for (row, &value) in gradients
                .context
                .chunks_exact_mut(count)
                .zip(lesson.context)
            {
                if value != 0.0 {
                    add_scaled(row, value, &of_units);
                }
            }
        }
    }
}
