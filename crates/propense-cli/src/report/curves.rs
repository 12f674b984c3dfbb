//! Points of the curves, from the highest score down. Scores that are equal are one step.

use propense_apps::segment;

/// Points kept of a curve: more than a screen has pixels is waste.
const POINTS: usize = 400;

/// Counts after each distinct score: (taken, orders among them).
fn steps(scores: &[f32], labels: &[bool]) -> Vec<(usize, usize)> {
    segment::steps(scores.iter().map(|score| f64::from(*score)), labels)
}

fn share(a: usize, b: usize) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

/// Every n-th point, the first and the last among them.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points
        .into_iter()
        .enumerate()
        .filter(|(index, _)| index % every == 0 || *index == last)
        .map(|(_, point)| point)
        .collect()
}

/// False-positive share against true-positive share.
pub(crate) fn roc(scores: &[f32], labels: &[bool]) -> Vec<(f64, f64)> {
    let orders = labels.iter().filter(|label| **label).count();
    let others = labels.len() - orders;
    let mut points = vec![(0.0, 0.0)];
    points.extend(
        steps(scores, labels)
            .into_iter()
            .map(|(taken, found)| (share(taken - found, others), share(found, orders))),
    );
    thin(points)
}

/// Recall against precision.
pub(crate) fn precision_recall(scores: &[f32], labels: &[bool]) -> Vec<(f64, f64)> {
    let orders = labels.iter().filter(|label| **label).count();
    thin(
        steps(scores, labels)
            .into_iter()
            .map(|(taken, found)| (share(found, orders), share(found, taken)))
            .collect(),
    )
}

/// Share of examples addressed against share of orders reached.
pub(crate) fn gains(scores: &[f32], labels: &[bool]) -> Vec<(f64, f64)> {
    let orders = labels.iter().filter(|label| **label).count();
    let mut points = vec![(0.0, 0.0)];
    points.extend(
        steps(scores, labels)
            .into_iter()
            .map(|(taken, found)| (share(taken, labels.len()), share(found, orders))),
    );
    thin(points)
}

/// Lift of the best-scored share, and the share of orders in it. A tie at the border counts in
/// proportion.
pub(crate) fn lift_at(scores: &[f32], labels: &[bool], best: f64) -> (f64, f64) {
    let orders = labels.iter().filter(|label| **label).count();
    let wanted = best * labels.len() as f64;
    let (mut before, mut reached) = ((0, 0), 0.0);
    for (taken, found) in steps(scores, labels) {
        if taken as f64 >= wanted {
            let part = (wanted - before.0 as f64) / (taken - before.0) as f64;
            reached = before.1 as f64 + part * (found - before.1) as f64;
            break;
        }
        before = (taken, found);
        reached = found as f64;
    }
    let reached = if orders == 0 {
        0.0
    } else {
        reached / orders as f64
    };
    (reached / best, reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_of_a_small_case_by_hand() {
        // by score: order, other, {order, other} tied
        let scores = [0.9, 0.8, 0.5, 0.5];
        let labels = [true, false, true, false];
        assert_eq!(
            roc(&scores, &labels),
            [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (1.0, 1.0)]
        );
        assert_eq!(
            precision_recall(&scores, &labels),
            [(0.5, 1.0), (0.5, 0.5), (1.0, 0.5)]
        );
        assert_eq!(
            gains(&scores, &labels),
            [(0.0, 0.0), (0.25, 0.5), (0.5, 0.5), (1.0, 1.0)]
        );
        assert_eq!(lift_at(&scores, &labels, 0.25), (2.0, 0.5));
        assert_eq!(lift_at(&scores, &labels, 0.75), (1.0, 0.75));
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let scores: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
        let labels: Vec<bool> = (0..10_000).map(|i| i % 2 == 0).collect();
        let curve = roc(&scores, &labels);
        assert!(curve.len() <= POINTS + 2);
        assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
    }
}
