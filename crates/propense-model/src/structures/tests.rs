//! Every structure looks back only, is drawn from its seed and comes back from its weights.

use super::*;
use crate::{EnsembleConfig, cpu_device};

const FEATURES: usize = 12;
const CONTEXT: usize = 3;

fn config(kind: StructureKind) -> StructureConfig {
    StructureConfig {
        width: 8,
        context_hidden: 4,
        items: Some(HashedColumns { first: 5, count: 4 }),
        bins: Some(EnsembleConfig {
            members: 1,
            hidden: 4,
            edges: vec![vec![-1.0, 0.0, 1.0]; CONTEXT],
        }),
        ..StructureConfig::new(kind, FEATURES, CONTEXT)
    }
}

fn inputs(time: usize, salt: usize) -> (Tensor<3>, Tensor<2>) {
    let number = |place: usize| ((place * 37 + salt * 11) % 23) as f32 / 11.0 - 1.0;
    let rows: Vec<f32> = (0..2 * time * FEATURES).map(number).collect();
    let context: Vec<f32> = (0..2 * CONTEXT).map(number).collect();
    let device = cpu_device();
    (
        Tensor::from_data(TensorData::new(rows, [2, time, FEATURES]), &device),
        Tensor::from_data(TensorData::new(context, [2, CONTEXT]), &device),
    )
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_to_vec_as::<f32>().expect("numbers")
}

#[test]
fn later_events_change_no_earlier_logit() {
    for kind in StructureKind::ALL {
        let model = config(kind).init(&cpu_device(), 5).expect("a network");
        let (rows, context) = inputs(7, 0);
        let whole = model.forward(rows.clone(), context.clone());
        assert_eq!(whole.dims(), [2, 7], "{}", kind.name());
        for known in 1..7 {
            let part = model.forward(rows.clone().narrow(1, 0, known), context.clone());
            let (part, same) = (numbers(part), numbers(whole.clone().narrow(1, 0, known)));
            for (a, b) in part.iter().zip(&same) {
                assert!(
                    (a - b).abs() < 1e-5,
                    "{} at {known}: {a} and {b}",
                    kind.name()
                );
            }
        }
        let reads_events = kind != StructureKind::Context;
        let (other, _) = inputs(7, 1);
        let changed = numbers(model.forward(other, context)) != numbers(whole);
        assert_eq!(changed, reads_events, "{}", kind.name());
    }
}

#[test]
fn weights_come_from_the_seed_and_come_back() {
    for kind in StructureKind::ALL {
        let device = cpu_device();
        let of = |seed| config(kind).init(&device, seed).expect("a network");
        let weights = of(1).weights().expect("weights");
        assert_eq!(
            weights,
            of(1).weights().expect("weights"),
            "{}",
            kind.name()
        );
        assert_ne!(
            weights,
            of(2).weights().expect("weights"),
            "{}",
            kind.name()
        );
        let again = of(2).with_weights(&weights).expect("weights that fit");
        let (rows, context) = inputs(5, 0);
        assert_eq!(
            numbers(again.forward(rows.clone(), context.clone())),
            numbers(of(1).forward(rows, context))
        );
        let error = of(2)
            .with_weights(&weights[1..])
            .expect_err("one is missing");
        assert!(matches!(error, ModelError::Missing { .. }), "{error}");
    }
}

#[test]
fn what_makes_no_network_is_refused_by_name() {
    let check = |kind: StructureKind, change: fn(&mut StructureConfig), expected: &str| {
        let mut config = config(kind);
        change(&mut config);
        let error = config.init(&cpu_device(), 1).expect_err("must be refused");
        assert!(
            matches!(error, ModelError::Config { field, .. } if field == expected),
            "{error}"
        );
    };
    check(StructureKind::Lstm, |c| c.features = 0, "features");
    check(StructureKind::Transformer, |c| c.width = 6, "width");
    check(StructureKind::ConvLstmItems, |c| c.items = None, "items");
    check(
        StructureKind::ConvLstmItems,
        |c| c.items = Some(HashedColumns { first: 9, count: 4 }),
        "items",
    );
    check(StructureKind::Context, |c| c.bins = None, "bins");
}
