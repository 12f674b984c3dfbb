//! The curve that does not fall with the least squared error: pool adjacent violators (Ayer et al.
//! 1955), weighted.

use propense_model::Calibration;

/// What was pooled: lowest and highest logit, weight, and weight of the orders.
#[derive(Clone, Copy)]
struct Block {
    ends: (f32, f32),
    weight: f64,
    orders: f64,
}

impl Block {
    fn rate(&self) -> f64 {
        self.orders / self.weight
    }

    fn join(self, other: Self) -> Self {
        Self {
            ends: (self.ends.0, other.ends.1),
            weight: self.weight + other.weight,
            orders: self.orders + other.orders,
        }
    }
}

/// Level within a block, linear from one to the next. The lowest and the highest block
/// never say 0 or 1: what has been seen `w` times is not held for more certain than `1 / (w + 2)`.
/// The logistic function where nothing has any weight.
pub(super) fn fit(logits: &[f32], labels: &[bool], weights: &[f32]) -> Calibration {
    let mut scores: Vec<(f32, bool, f32)> = logits
        .iter()
        .zip(labels)
        .zip(weights)
        .map(|((logit, label), weight)| (*logit, *label, *weight))
        .filter(|(logit, _, weight)| logit.is_finite() && *weight > 0.0)
        .collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<Block> = Vec::new();
    // Equal logits are one block from the start.
    for same in scores.chunk_by(|a, b| a.0 == b.0) {
        let at = same[0].0;
        let (weight, orders) =
            same.iter()
                .fold((0.0, 0.0), |(sum, orders), &(_, label, weight)| {
                    let weight = f64::from(weight);
                    (sum + weight, orders + weight * f64::from(u8::from(label)))
                });
        let mut block = Block {
            ends: (at, at),
            weight,
            orders,
        };
        while let Some(before) = blocks.last().copied() {
            if before.rate() < block.rate() {
                break;
            }
            blocks.pop();
            block = before.join(block);
        }
        blocks.push(block);
    }
    let (mut x, mut y): (Vec<f32>, Vec<f32>) = (Vec::new(), Vec::new());
    for (place, block) in blocks.iter().enumerate() {
        let doubt = 1.0 / (block.weight + 2.0);
        // A light block that keeps away from 0 or 1 does not pass its neighbour, nor move it: few
        // sessions say nothing of all the others. Rates rise, so that inner ones are neither.
        let neighbour = |place: Option<usize>| Some(blocks.get(place?)?.rate());
        let rate = match block.rate() {
            0.0 => neighbour(Some(place + 1)).map_or(doubt, |next| next.min(doubt)),
            1.0 => {
                neighbour(place.checked_sub(1)).map_or(1.0 - doubt, |last| last.max(1.0 - doubt))
            }
            rate => rate,
        } as f32;
        let (from, to) = block.ends;
        for at in [from, to] {
            if x.last().is_none_or(|last| *last < at) {
                x.push(at);
                y.push(rate);
            }
        }
    }
    if x.is_empty() {
        return Calibration::Identity;
    }
    Calibration::Isotonic { x, y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_fall_are_pooled() {
        let logits = [-2.0, -1.0, 0.0, 1.0, 2.0, 2.0f32];
        let labels = [false, true, false, true, true, false];
        let weights = [4.0, 1.0, 3.0, 1.0, 1.0, 1.0f32];
        let Calibration::Isotonic { x, y } = fit(&logits, &labels, &weights) else {
            panic!("a curve");
        };
        // -1 and 0 pooled: one order of four; 1 and 2: two orders of three; alone at the left, none
        // of four, which is not held for impossible.
        let close = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len(), "{a:?}");
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?}");
        };
        close(&x, &[-2.0, -1.0, 0.0, 1.0, 2.0]);
        close(&y, &[1.0 / 6.0, 0.25, 0.25, 2.0 / 3.0, 2.0 / 3.0]);
        assert_eq!(fit(&[], &[], &[]), Calibration::Identity);
    }

    #[test]
    fn a_light_end_moves_nobody_else() {
        // One session in a hundred orders, whatever the logit; the lowest did not, the highest did.
        let count = 2_002;
        let logits: Vec<f32> = (0..count).map(|place| place as f32).collect();
        let inner = |place: usize| place % 100 == 1;
        let labels: Vec<bool> = (0..count)
            .map(|place| place == count - 1 || place > 0 && inner(place))
            .collect();
        let mut weights = vec![1.0f32; count];
        weights[0] = 0.3;
        weights[count - 1] = 0.3;
        let curve = fit(&logits, &labels, &weights);
        let mean = logits.iter().map(|logit| curve.apply(*logit)).sum::<f32>() / count as f32;
        assert!((0.008..0.013).contains(&mean), "{mean}");
    }
}
