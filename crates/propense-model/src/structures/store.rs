//! A module's weights as named numbers, and back.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::{ModelError, NamedTensor, network};

/// Every weight of a module, named by its place, in the order in which the module visits them. Blocks until
/// the device is done: for native use.
///
/// # Errors
/// [`ModelError::Device`] where the device cannot be read.
pub fn read_weights<M: Module>(module: &M) -> Result<Vec<NamedTensor>, ModelError> {
    let mut reader = Reader::default();
    module.visit(&mut reader);
    reader.weights.into_iter().collect()
}

/// The module with these weights, by the names that [`read_weights`] gives; others among them are not
/// looked at.
///
/// # Errors
/// [`ModelError`] where one is missing or of another shape.
pub fn write_weights<M: Module>(module: M, weights: &[NamedTensor]) -> Result<M, ModelError> {
    let mut writer = Writer {
        path: Vec::new(),
        weights,
        wrong: None,
    };
    let module = module.map(&mut writer);
    match writer.wrong {
        Some(error) => Err(error),
        None => Ok(module),
    }
}

#[derive(Default)]
struct Reader {
    path: Vec<String>,
    weights: Vec<Result<NamedTensor, ModelError>>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let data = network::read(tensor.try_to_vec_as::<f32>());
        self.weights.push(data.map(|data| NamedTensor {
            name: self.path.join("."),
            shape,
            data,
        }));
    }
}

struct Writer<'a> {
    path: Vec<String>,
    weights: &'a [NamedTensor],
    wrong: Option<ModelError>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.dims();
        let tensor = match crate::weights::values(self.weights, &name, &shape) {
            Ok(values) => {
                let data = TensorData::new(values.to_vec(), shape);
                let device = tensor.device();
                let fresh = Tensor::<D>::from_data(data, &device);
                match device.is_autodiff() {
                    true => fresh.require_grad(),
                    false => fresh,
                }
            }
            Err(error) => {
                self.wrong.get_or_insert(error);
                tensor
            }
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
