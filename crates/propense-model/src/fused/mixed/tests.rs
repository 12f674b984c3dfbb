use burn::tensor::{Tensor, TensorData};

use super::{is_there, product};
use crate::cpu_device;
use crate::fused::testing::{draws, half_gpu, read};

/// What rounding both factors to eleven bits may change, relative to the largest number of a result.
const ROUNDED: f32 = 1e-3;

/// The largest difference, relative to the largest number expected.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0f32, |most, next| most.max(next.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0, |worst: f32, (a, b)| match (a - b).abs() / largest {
        next if next.is_nan() => f32::INFINITY,
        next => worst.max(next),
    })
}

/// Gradients as small as those of a large batch, and as large as those of a bad start: neither vanishes
/// nor overflows, though f16 ends at 6e-8 and at 65,504.
#[test]
fn products_and_their_gradients_are_those_of_f32() {
    let Some(gpu) = half_gpu() else { return };
    for ([n, m, k], size) in [
        ([1, 1, 1], 1.0),
        ([3, 7, 5], 1e-9),
        ([65, 224, 512], 1e-6),
        ([33, 100, 80], 1e9),
    ] {
        let mut numbers = draws((n + m + k) as u64);
        let left = numbers(n * m, 1.0);
        let right = numbers(m * k, 0.1);
        let counts = numbers(n * k, size);
        let solve = |device: &burn::tensor::Device, mixed: bool| -> [Vec<f32>; 3] {
            let device = device.clone().autodiff();
            let of = |numbers: &[f32], shape: [usize; 2]| {
                Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), shape), &device)
            };
            let left = of(&left, [n, m]).require_grad();
            let right = of(&right, [m, k]).require_grad();
            let out = match mixed {
                true => product(&left, &right).expect("it is taken"),
                false => left.clone().matmul(right.clone()),
            };
            let gradients = (out.clone() * of(&counts, [n, k])).backward();
            let found = "the product depends on it";
            [
                read(out.inner()),
                read(left.grad(&gradients).expect(found)),
                read(right.grad(&gradients).expect(found)),
            ]
        };
        let expected = solve(&cpu_device(), false);
        let found = solve(&gpu, true);
        for (index, name) in ["product", "left", "right"].iter().enumerate() {
            let worst = difference(&found[index], &expected[index]);
            println!("[{n}, {m}, {k}] × {size:e}, {name}: {worst:.1e}");
            assert!(worst <= ROUNDED, "[{n}, {m}, {k}] {name}: {worst:e}");
        }
    }
}

#[test]
fn a_product_without_a_gradient_stays_in_f32() {
    let Some(gpu) = half_gpu() else { return };
    let ones = |device| Tensor::<2>::ones([2, 2], device);
    assert!(product(&ones(&gpu), &ones(&gpu)).is_none());
    let tracked = gpu.clone().autodiff();
    assert!(product(&ones(&tracked), &ones(&tracked)).is_some());
}

#[test]
fn the_cpu_has_none_of_it() {
    assert!(!is_there(&cpu_device()));
}
