//! How far a distribution moved.

/// The least share of the reference in a bin.
const LEAST_BIN: f64 = 0.05;

/// The population stability index, and what chance alone gives.
///
/// `Σ (a - b) · ln(a / b)` over bins, `a` and `b` being the shares of the two parts. Neighbouring
/// bins (of an ordered feature) are joined until each holds 5 % of the reference, or (of names)
/// the rare ones are. Half a count is added to each bin, so that an empty one is no infinity.
/// Without a shift the index is about `(bins - 1) · (1/n + 1/m)` (Yurdakul, "Statistical properties
/// of population stability index", 2018).
pub(super) fn stability(reference: &[u64], other: &[u64], ordered: bool) -> (f64, f64) {
    let n: u64 = reference.iter().sum();
    let m: u64 = other.iter().sum();
    if n == 0 || m == 0 {
        return (0.0, 0.0);
    }
    let least = (n as f64 * LEAST_BIN).ceil() as u64;
    let mut bins: Vec<(u64, u64)> = Vec::new();
    let mut rest = (0, 0);
    for (&a, &b) in reference.iter().zip(other) {
        if ordered {
            rest = (rest.0 + a, rest.1 + b);
            if rest.0 >= least {
                bins.push(std::mem::take(&mut rest));
            }
        } else if a >= least {
            bins.push((a, b));
        } else {
            rest = (rest.0 + a, rest.1 + b);
        }
    }
    match bins.last_mut() {
        // What is left at the end of an ordered feature joins its neighbour.
        Some(last) if ordered => *last = (last.0 + rest.0, last.1 + rest.1),
        _ if rest != (0, 0) => bins.push(rest),
        _ => {}
    }
    let smooth =
        |count: u64, all: u64| (count as f64 + 0.5) / (all as f64 + 0.5 * bins.len() as f64);
    let index = bins
        .iter()
        .map(|&(a, b)| {
            let (a, b) = (smooth(a, n), smooth(b, m));
            (a - b) * (a / b).ln()
        })
        .sum();
    let noise = bins.len().saturating_sub(1) as f64 * (1.0 / n as f64 + 1.0 / m as f64);
    (index, noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_by_hand() {
        // 60/40 against 40/60: 2 · 0.2 · ln 1.5
        let (index, noise) = stability(&[6000, 4000], &[4000, 6000], false);
        assert!((index - 0.4 * 1.5_f64.ln()).abs() < 1e-3, "{index}");
        assert!((noise - 0.0002).abs() < 1e-12);
    }

    #[test]
    fn equal_shares_give_nothing_and_empty_parts_neither() {
        for (a, b) in [
            (vec![10, 20, 70], vec![100, 200, 700]),
            (vec![], vec![]),
            (vec![0, 0], vec![5, 5]),
            (vec![5, 5], vec![0, 0]),
        ] {
            let (index, _) = stability(&a, &b, true);
            assert!(index.abs() < 0.01, "{a:?} {b:?} {index}");
        }
    }

    #[test]
    fn rare_bins_are_joined() {
        // A hundred bins of one count each: at least five counts a bin, so at most twenty bins.
        let (_, noise) = stability(&[1; 100], &[1; 100], true);
        assert!((noise - 19.0 * 0.02).abs() < 1e-9, "{noise}");
    }

    #[test]
    fn a_bin_that_only_the_later_part_has_counts() {
        let (index, _) = stability(&[1000, 0], &[500, 500], false);
        assert!(index > 1.0, "{index}");
    }
}
