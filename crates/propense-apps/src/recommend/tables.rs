//! Counts of what follows what, and of what comes together: item by item, no visit is kept.

use rustc_hash::FxHashMap;

use super::index::distinct;
use super::log::{Click, Items};

/// Places between two clicks of a visit that are still counted as near.
const REACH: usize = 6;
/// Added to the denominator of every share, so that a single visit proves little.
const DOUBT: f32 = 3.0;
/// Against rare items that were together by chance.
const REGULARISATION: f32 = 20.0;
/// Places after which an earlier click of the visit counts 1/e.
const MEMORY: f32 = 1.5;
/// Clicks ago that weigh less than a ten-millionth, and are passed over: an order may have a thousand lines.
const FORGOTTEN: f32 = 24.0;

/// A sparse square table: for each item, others with a number, by ascending item.
type Rows = Vec<Vec<(u32, f32)>>;

/// The counts of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables {
    /// Times that j was clicked right after i.
    next: Rows,
    /// The same, by j.
    before: Rows,
    /// Times that j came two clicks after i.
    second: Rows,
    /// j within six clicks after i: 1/distance each (sequential rules, Kamehkhosh et al. 2017).
    near: Rows,
    /// c_ij / sqrt(n_i · (n_j + 20)) of visits with both.
    together: Rows,
    next_sum: Vec<f32>,
    before_sum: Vec<f32>,
    second_sum: Vec<f32>,
    near_sum: Vec<f32>,
    /// ln(1 + clicks).
    popular: Vec<f32>,
    /// ln(1 + clicks weighed by age).
    lately: Vec<f32>,
    /// Place in the order of identifiers: neighbours there are often kinds of one product.
    shelf: Vec<u32>,
}

/// What the counts say of every item for one moment of a visit: one array for each signal.
pub(crate) const SIGNALS: usize = 8;

impl Tables {
    /// How many numbers they hold.
    pub(crate) fn numbers(&self) -> usize {
        let rows = [
            &self.next,
            &self.before,
            &self.second,
            &self.near,
            &self.together,
        ];
        let sums = [
            &self.next_sum,
            &self.before_sum,
            &self.second_sum,
            &self.near_sum,
            &self.popular,
            &self.lately,
        ];
        // Of each cell its column and its value.
        let cells: usize = rows.into_iter().flatten().map(|row| 2 * row.len()).sum();
        cells + sums.into_iter().map(Vec::len).sum::<usize>() + self.shelf.len()
    }

    /// Counts the visits, whose items are numbered as in `items`.
    #[must_use]
    pub(crate) fn new(items: &Items, visits: &[Vec<Click>]) -> Self {
        let count = items.len();
        let mut pairs: [FxHashMap<(u32, u32), f32>; 4] = Default::default();
        let mut with = vec![0.0_f32; count];
        let end = visits.iter().flatten().map(|click| click.at).max();
        let begin = visits.iter().flatten().map(|click| click.at).min();
        let (end, begin) = (end.unwrap_or(0), begin.unwrap_or(0));
        let age = ((end - begin) as f32 / 6.0).max(1.0);
        let mut lately = vec![0.0_f32; count];
        for visit in visits {
            let [next, second, near, together] = &mut pairs;
            for (place, click) in visit.iter().enumerate() {
                if let Some(lately) = lately.get_mut(click.item as usize) {
                    *lately += (-((end - click.at) as f32) / age).exp();
                }
                for (distance, later) in (1..=REACH).zip(visit.iter().skip(place + 1)) {
                    let pair = (click.item, later.item);
                    match distance {
                        1 => *next.entry(pair).or_default() += 1.0,
                        2 => *second.entry(pair).or_default() += 1.0,
                        _ => {}
                    }
                    *near.entry(pair).or_default() += 1.0 / distance as f32;
                }
            }
            let seen = distinct(visit);
            for one in &seen {
                if let Some(with) = with.get_mut(one.item as usize) {
                    *with += 1.0;
                }
                for other in seen.iter().filter(|other| other.item != one.item) {
                    *together.entry((one.item, other.item)).or_default() += 1.0;
                }
            }
        }
        let [next, second, near, mut together] = pairs;
        let visits_with = |item: u32| with.get(item as usize).copied().unwrap_or(0.0);
        for ((one, other), share) in &mut together {
            *share /= (visits_with(*one) * (visits_with(*other) + REGULARISATION)).sqrt();
        }
        let turned = next.iter().map(|((from, to), n)| ((*to, *from), *n));
        let before = rows(count, turned);
        let [next, second, near, together] =
            [next, second, near, together].map(|pairs| rows(count, pairs));
        let log = |value: &f32| value.ln_1p();
        Self {
            next_sum: sums(&next),
            before_sum: sums(&before),
            second_sum: sums(&second),
            near_sum: sums(&near),
            popular: items.clicks().iter().map(|n| (*n as f32).ln_1p()).collect(),
            lately: lately.iter().map(log).collect(),
            shelf: shelf(items),
            next,
            before,
            second,
            near,
            together,
        }
    }

    /// How popular an item is: ln(1 + clicks), and the same with clicks weighed by age.
    pub(crate) fn popularity(&self, item: u32) -> (f32, f32) {
        let of = |list: &[f32]| list.get(item as usize).copied().unwrap_or(0.0);
        (of(&self.popular), of(&self.lately))
    }

    /// The items that were in one visit with this one, each with the cosine.
    pub(crate) fn together(&self, item: u32) -> impl Iterator<Item = (u32, f32)> {
        let row = self.together.get(item as usize);
        row.into_iter().flatten().copied()
    }

    /// The items that came soon after this one (itself among them, where it came again), each with its
    /// share.
    pub(crate) fn after(&self, item: u32) -> impl Iterator<Item = (u32, f32)> {
        let sum = self.near_sum.get(item as usize).copied().unwrap_or(0.0) + DOUBT;
        let row = self.near.get(item as usize).into_iter().flatten();
        row.map(move |(other, value)| (*other, value / sum))
    }

    /// Items between two in the order of identifiers, plus one; 0 for an item and itself.
    pub(crate) fn apart(&self, one: u32, other: u32) -> u32 {
        let place = |item: u32| self.shelf.get(item as usize).copied().unwrap_or(0);
        place(one).abs_diff(place(other))
    }

    /// The signals of all items, in the order of the features (`SIGNALS` arrays, each as long as
    /// there are items and all zero before).
    pub(crate) fn signals(&self, seen: &[Click], signals: &mut [Vec<f32>; SIGNALS]) {
        let Some(last) = seen.last() else { return };
        let [
            next,
            next_count,
            before,
            second,
            near,
            near_all,
            together,
            together_all,
        ] = signals;
        let add = |out: &mut [f32], table: &Rows, sums: Option<&[f32]>, item: u32, weight: f32| {
            let place = item as usize;
            let sum = sums.map_or(1.0, |sums| sums.get(place).copied().unwrap_or(0.0) + DOUBT);
            for (other, value) in table.get(place).into_iter().flatten() {
                if let Some(out) = out.get_mut(*other as usize) {
                    *out += weight * value / sum;
                }
            }
        };
        add(next, &self.next, Some(&self.next_sum), last.item, 1.0);
        add(next_count, &self.next, None, last.item, 1.0);
        next_count
            .iter_mut()
            .for_each(|count| *count = count.ln_1p());
        add(before, &self.before, Some(&self.before_sum), last.item, 1.0);
        if let Some(previous) = seen.len().checked_sub(2).and_then(|place| seen.get(place)) {
            add(
                second,
                &self.second,
                Some(&self.second_sum),
                previous.item,
                1.0,
            );
        }
        add(near, &self.near, Some(&self.near_sum), last.item, 1.0);
        add(together, &self.together, None, last.item, 1.0);
        for item in distinct(seen) {
            let ago = (seen.len() as u32 - 1 - item.place) as f32;
            if ago > FORGOTTEN {
                continue;
            }
            let weight = (-ago / MEMORY).exp();
            add(
                near_all,
                &self.near,
                Some(&self.near_sum),
                item.item,
                weight,
            );
            add(together_all, &self.together, None, item.item, weight);
        }
    }
}

fn rows(count: usize, pairs: impl IntoIterator<Item = ((u32, u32), f32)>) -> Rows {
    let mut rows: Rows = vec![Vec::new(); count];
    for ((from, to), value) in pairs {
        if let Some(row) = rows.get_mut(from as usize) {
            row.push((to, value));
        }
    }
    for row in &mut rows {
        row.sort_unstable_by_key(|(item, _)| *item);
    }
    rows
}

fn sums(rows: &Rows) -> Vec<f32> {
    let sum = |row: &Vec<(u32, f32)>| row.iter().map(|(_, value)| value).sum();
    rows.iter().map(sum).collect()
}

/// Numbers in order of size, then all other identifiers in alphabetical order.
fn shelf(items: &Items) -> Vec<u32> {
    let mut order: Vec<(Option<u64>, &str, usize)> = (0..)
        .zip(items.ids())
        .map(|(number, id)| (id.parse().ok(), id.as_str(), number))
        .collect();
    order.sort_unstable_by(|a, b| {
        let numbers_first = a.0.is_none().cmp(&b.0.is_none());
        numbers_first.then_with(|| a.0.cmp(&b.0)).then(a.1.cmp(b.1))
    });
    let mut shelf = vec![0; order.len()];
    for (place, (_, _, number)) in (0..).zip(order) {
        if let Some(shelf) = shelf.get_mut(number) {
            *shelf = place;
        }
    }
    shelf
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::tests::clicks;

    fn visit(items: &[u32]) -> Vec<Click> {
        clicks(items, 0)
    }

    #[test]
    fn signals_by_hand() {
        let counts = [("10", 4), ("9", 3), ("x", 2), ("b", 1)];
        let items = Items::new(counts.map(|(id, n)| (id.to_owned(), n)));
        let tables = Tables::new(&items, &[visit(&[0, 1, 2]), visit(&[0, 1]), visit(&[0, 0])]);
        let mut signals: [Vec<f32>; SIGNALS] = std::array::from_fn(|_| vec![0.0; 4]);
        tables.signals(&visit(&[0, 1]), &mut signals);
        let check = |signal: usize, expected: [f32; 4]| {
            for (found, expected) in signals[signal].iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{signal}: {:?}",
                    signals[signal]
                );
            }
        };
        // After 1 came 2 once; before 1 came 0 twice.
        check(0, [0.0, 0.0, 1.0 / 4.0, 0.0]);
        check(1, [0.0, 0.0, 2f32.ln(), 0.0]);
        check(2, [2.0 / 5.0, 0.0, 0.0, 0.0]);
        // Two after 0 came 2.
        check(3, [0.0, 0.0, 1.0 / 4.0, 0.0]);
        check(4, [0.0, 0.0, 1.0 / 4.0, 0.0]);
        // After 0: itself once, 1 twice, 2 once at two places.
        let ago = (-1.0 / MEMORY).exp();
        let near = |value: f32| ago * value / 6.5;
        check(5, [near(1.0), near(2.0), 0.25 + near(0.5), 0.0]);
        let cosine = |both: f32, n: f32, other: f32| both / (n * (other + 20.0)).sqrt();
        check(6, [cosine(2.0, 2.0, 3.0), 0.0, cosine(1.0, 2.0, 1.0), 0.0]);
        // Numbers stand first, by size: 9, 10, b, x.
        assert_eq!(tables.shelf, [1, 0, 3, 2]);
        assert_eq!((tables.apart(0, 2), tables.apart(3, 3)), (2, 0));
        assert!((tables.popularity(0).0 - 5f32.ln()).abs() < 1e-6);
        assert!((tables.popularity(3).1 - 0.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_seen_is_no_signal() {
        let tables = Tables::new(&Items::default(), &[]);
        let mut signals: [Vec<f32>; SIGNALS] = Default::default();
        tables.signals(&[], &mut signals);
        tables.signals(&visit(&[7, 8]), &mut signals);
        assert_eq!(signals, <[Vec<f32>; SIGNALS]>::default());
    }
}
