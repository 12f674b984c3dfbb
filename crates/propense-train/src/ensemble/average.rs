//! A running average of weights over the steps of training: it lies nearer the middle of a flat
//! minimum than any single step (Polyak and Juditsky 1992; Izmailov et al. 2018).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// The average, parameter by parameter in the order in which a module visits them.
#[derive(Clone, Default)]
pub(crate) struct Average {
    weights: Vec<Tensor<1>>,
    steps: u32,
}

impl Average {
    /// Takes the weights after one more step in. Early steps count less: `decay` is reached in the
    /// course of training.
    pub(crate) fn add<M: Module>(&mut self, module: &M, decay: f64) {
        self.steps += 1;
        let steps = f64::from(self.steps);
        let mut reader = Reader(Vec::with_capacity(self.weights.len()));
        module.visit(&mut reader);
        let kept = decay.min((1.0 + steps) / (10.0 + steps));
        self.weights = if self.weights.is_empty() {
            reader.0
        } else {
            let pairs = self.weights.drain(..).zip(reader.0);
            pairs
                .map(|(old, new)| old * kept + new * (1.0 - kept))
                .collect()
        };
    }

    /// The module, which is not to be differentiated, with the average in the place of its weights.
    pub(crate) fn write<M: Module>(&self, module: M) -> M {
        let mut weights = self.weights.iter();
        module.map(&mut Writer(&mut weights))
    }
}

struct Reader(Vec<Tensor<1>>);

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weight = param.val().inner();
        let length = weight.shape().num_elements();
        self.0.push(weight.reshape([length]));
    }
}

struct Writer<'a, I>(&'a mut I);

impl<'a, I: Iterator<Item = &'a Tensor<1>>> ModuleMapper for Writer<'_, I> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, weight, mapper) = param.consume();
        let shape = weight.shape();
        let weight = match self.0.next() {
            Some(average) => average.clone().reshape(shape),
            None => weight,
        };
        Param::from_mapped_value(id, weight, mapper)
    }
}
