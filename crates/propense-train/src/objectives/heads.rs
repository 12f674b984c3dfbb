//! Heads on the state after each event, and what they miss.

use burn::module::{Module, Param};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};

use super::{Aim, Columns};
use crate::loss::cross_entropy;

/// Which heads there are, and on what they stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadSizes {
    pub(crate) aims: Vec<Aim>,
    pub(crate) columns: Columns,
    /// Numbers of the state after an event.
    pub(crate) states: usize,
}

impl HeadSizes {
    /// Heads of zeros: nothing lies behind a head that would have to differ.
    pub(crate) fn init(&self, device: &Device) -> Heads {
        let (_, kinds) = self.columns.kinds;
        let items = self.columns.items.map_or(0, |items| items.count);
        let head = |aim: &Aim| {
            let classes = match aim {
                Aim::NextEvent | Aim::LaterEvents => kinds,
                // A hash is a column and a sign.
                Aim::NextItem => 2 * items,
            };
            Head {
                weight: Param::from_tensor(Tensor::zeros([self.states, classes], device)),
                bias: Param::from_tensor(Tensor::zeros([classes], device)),
            }
        };
        Heads {
            heads: self.aims.iter().map(head).collect(),
            sizes: self.clone(),
        }
    }
}

/// A linear layer.
#[derive(Module, Debug)]
struct Head {
    /// `[states, classes]`.
    weight: Param<Tensor<2>>,
    /// `[classes]`.
    bias: Param<Tensor<1>>,
}

/// The heads, in the order of their aims.
#[derive(Module, Debug)]
pub(crate) struct Heads {
    heads: Vec<Head>,
    #[module(skip)]
    sizes: HeadSizes,
}

impl Heads {
    /// The sum over the heads of their mean loss over the events that have something to forecast:
    /// `[1]`; none without heads. `states` is `[batch, time, states]`, `rows` `[batch, time, features]`,
    /// zeros behind a session's last event.
    pub(crate) fn missed(&self, states: &Tensor<3>, rows: &Tensor<3>) -> Option<Tensor<1>> {
        let aims = self.sizes.aims.iter().zip(&self.heads);
        let losses = aims.map(|(aim, head)| match aim {
            Aim::NextEvent => next(head, states, self.kinds(rows)),
            Aim::NextItem => next(head, states, self.items(rows)),
            Aim::LaterEvents => later(head, states, self.kinds(rows)),
        });
        losses.reduce(|a, b| a + b)
    }

    /// `[batch, time, kinds]`: 1 for the event's kind.
    fn kinds(&self, rows: &Tensor<3>) -> Tensor<3> {
        let (first, count) = self.sizes.columns.kinds;
        rows.clone().narrow(2, first, count)
    }

    /// `[batch, time, 2 × columns]`: 1 for the hash of the event's item, zeros where it has none.
    fn items(&self, rows: &Tensor<3>) -> Tensor<3> {
        let (first, count) = match self.sizes.columns.items {
            Some(items) => (items.first, items.count),
            None => (0, 0),
        };
        let hashes = rows.clone().narrow(2, first, count);
        Tensor::cat(vec![relu(hashes.clone()), relu(hashes.neg())], 2)
    }
}

impl Head {
    /// `[batch, time, states]` to `[batch, time, classes]`.
    fn scores(&self, states: Tensor<3>) -> Tensor<3> {
        let [batch, time, width] = states.dims();
        let [_, classes] = self.weight.dims();
        let scores = states
            .reshape([batch * time, width])
            .matmul(self.weight.val());
        let scores = scores + self.bias.val().unsqueeze::<2>();
        scores.reshape([batch, time, classes])
    }
}

/// Mean cross-entropy of the class that the next event has, where it has one.
fn next(head: &Head, states: &Tensor<3>, classes: Tensor<3>) -> Tensor<1> {
    let [_, time, _] = classes.dims();
    if time < 2 {
        return Tensor::zeros([1], &classes.device());
    }
    let coming = classes.narrow(1, 1, time - 1);
    let scores = head.scores(states.clone().narrow(1, 0, time - 1));
    let count = coming.clone().sum().clamp_min(1.0);
    (coming * log_softmax(scores, 2)).sum().neg() / count
}

/// Cross-entropy of each kind, whether it comes later or not; the sum over the kinds, mean over the events.
fn later(head: &Head, states: &Tensor<3>, kinds: Tensor<3>) -> Tensor<1> {
    let [batch, time, count] = kinds.dims();
    let device = kinds.device();
    let after: Vec<f32> = (0..time * time)
        .map(|place| f32::from(u8::from(place % time > place / time)))
        .collect();
    let after = Tensor::<2>::from_data(TensorData::new(after, [time, time]), &device);
    let after = after.unsqueeze::<3>().expand([batch, time, time]);
    let coming = after.matmul(kinds.clone()).clamp_max(1.0); // [batch, time, kinds]
    let there = kinds.sum_dim(2); // [batch, time, 1]
    let events = there.clone().sum().clamp_min(1.0);
    let flat = [batch * time, count];
    let scores = head.scores(states.clone()).reshape(flat);
    let loss = cross_entropy(scores, coming.reshape(flat));
    (loss.reshape([batch, time, count]) * there).sum() / events
}

#[cfg(test)]
mod tests {
    use propense_model::{HashedColumns, cpu_device, read_weights, write_weights};

    use super::*;
    use crate::adam::numbers;

    /// Two kinds, then the hash of an item in two columns; the state is one number.
    fn heads(aim: Aim, weight: [f32; 4]) -> Heads {
        let sizes = HeadSizes {
            aims: vec![aim],
            columns: Columns {
                kinds: (0, 2),
                items: Some(HashedColumns { first: 2, count: 2 }),
            },
            states: 1,
        };
        let heads = sizes.init(&cpu_device());
        let mut weights = read_weights(&heads).expect("weights");
        let classes = weights[0].data.len();
        weights[0].data.copy_from_slice(&weight[..classes]);
        write_weights(heads, &weights).expect("heads")
    }

    fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &cpu_device())
    }

    /// A session of three events, one of two, and one alone.
    fn rows() -> Tensor<3> {
        let views = |hash: [f32; 2]| [1.0, 0.0, hash[0], hash[1]];
        let carts = [0.0, 1.0, 0.0, -1.0];
        let none = [0.0; 4];
        let rows = [
            views([1.0, 0.0]),
            carts,
            views([0.0, 0.0]),
            views([0.0, 1.0]),
            views([0.0, 1.0]),
            none,
            carts,
            none,
            none,
        ];
        tensor(&rows.concat(), [3, 3, 4])
    }

    fn missed(aim: Aim, weight: [f32; 4]) -> f64 {
        let states = tensor(&[1.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0], [3, 3, 1]);
        let missed = heads(aim, weight).missed(&states, &rows());
        f64::from(numbers(missed.expect("a loss")).expect("a number")[0])
    }

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
    }

    #[test]
    fn the_next_event_is_one_of_the_kinds() {
        let ln = |x: f64| x.ln();
        check(missed(Aim::NextEvent, [0.0; 4]), ln(2.0));
        // Scores of 0 and the state: after 1 a cart comes, after 2 a view, after 3 a view.
        let expected = ln(1.0 + (-1f64).exp()) + ln(1.0 + 2f64.exp()) + ln(1.0 + 3f64.exp());
        check(missed(Aim::NextEvent, [0.0, 1.0, 0.0, 0.0]), expected / 3.0);
    }

    #[test]
    fn the_next_item_is_a_column_and_a_sign_and_none_counts_for_nothing() {
        let ln = |x: f64| x.ln();
        check(missed(Aim::NextItem, [0.0; 4]), ln(4.0));
        // The classes: +0, +1, -0, -1. After 1 comes -1, after 3 comes +1; the third item is not told.
        let expected = [ln(3.0 + 1f64.exp()) - 1.0, ln(3.0 + 3f64.exp())];
        check(
            missed(Aim::NextItem, [0.0, 0.0, 0.0, 1.0]),
            (expected[0] + expected[1]) / 2.0,
        );
    }

    #[test]
    fn what_comes_later_is_told_kind_by_kind() {
        let ln = |x: f64| x.ln();
        check(missed(Aim::LaterEvents, [0.0; 4]), 2.0 * ln(2.0));
        // Carts, scored by the state: one comes after the first event alone. Views, scored 0: six events.
        let carts = [
            ln(1.0 + (-1f64).exp()),
            ln(1.0 + 2f64.exp()),
            ln(2.0),
            ln(1.0 + 3f64.exp()),
            ln(2.0),
            ln(2.0),
        ];
        let expected = carts.iter().sum::<f64>() / 6.0 + ln(2.0);
        check(missed(Aim::LaterEvents, [0.0, 1.0, 0.0, 0.0]), expected);
    }

    #[test]
    fn weights_come_back_as_they_were_given() {
        let heads = heads(Aim::NextItem, [1.0, 2.0, 3.0, 4.0]);
        let weights = read_weights(&heads).expect("weights");
        let fresh = || heads.sizes.init(&cpu_device());
        let again = write_weights(fresh(), &weights).expect("heads");
        assert_eq!(read_weights(&again).expect("weights"), weights);
        assert_eq!(weights[0].data, [1.0, 2.0, 3.0, 4.0]);
        assert!(write_weights(fresh(), &[]).is_err());
    }
}
