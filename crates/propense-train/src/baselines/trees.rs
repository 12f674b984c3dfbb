//! Gradient-boosted trees on binned columns with the logistic loss (Friedman 2001; histograms and
//! leaf-wise growth as in Ke et al. 2017, "LightGBM"). Small on purpose: the yardstick, and a
//! teacher where it forecasts better than the network.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::calibrate::sigmoid;
use crate::ensemble::{Table, column_edges};

/// How the trees grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Growth {
    pub(crate) trees: usize,
    pub(crate) leaves: usize,
    /// Share of a tree's correction that is taken.
    pub(crate) rate: f64,
    /// Fewest rows of a leaf.
    pub(crate) least: usize,
    /// Added to each leaf's curvature: draws its value towards zero.
    pub(crate) ridge: f64,
    /// Share of the rows, and of the columns, that a tree looks at.
    pub(crate) rows: f64,
    pub(crate) columns: f64,
    pub(crate) seed: u64,
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            trees: 300,
            leaves: 15,
            rate: 0.02,
            least: 20,
            ridge: 1.0,
            rows: 0.8,
            columns: 0.6,
            seed: 1,
        }
    }
}

/// Most bins of a column.
const BINS: usize = 64;

enum Node {
    /// Rows whose bin is at most `bin` go to the first child, the others to the second.
    Split {
        column: usize,
        bin: u8,
        /// By how much the cut lowered the loss, to second order.
        gain: f64,
        children: [usize; 2],
    },
    Leaf(f64),
}

type Tree = Vec<Node>;

/// A table's columns as bins, `[columns][rows]`.
pub(crate) struct Binned {
    edges: Vec<Vec<f32>>,
    columns: Vec<Vec<u8>>,
}

/// Boosted trees.
pub(crate) struct Trees {
    start: f64,
    trees: Vec<Tree>,
}

impl Binned {
    /// Every row of the table; the edges are those of all rows, which tell nothing of outcomes.
    pub(crate) fn new(table: &Table) -> Self {
        let edges = |column: usize| column_edges(values(table, column), BINS);
        Self::on((0..table.width).map(edges).collect(), table)
    }

    /// The rows of another table on the same edges.
    pub(crate) fn like(&self, table: &Table) -> Self {
        Self::on(self.edges.clone(), table)
    }

    fn on(edges: Vec<Vec<f32>>, table: &Table) -> Self {
        let column = |(column, edges): (usize, &Vec<f32>)| -> Vec<u8> {
            let bin = |value: f32| edges.partition_point(|edge| *edge < value).min(BINS) as u8;
            values(table, column).into_iter().map(bin).collect()
        };
        Self {
            columns: edges.iter().enumerate().map(column).collect(),
            edges,
        }
    }
}

/// One column of a table.
fn values(table: &Table, column: usize) -> Vec<f32> {
    let value = |row: usize| table.row(row).get(column).copied().unwrap_or(0.0);
    (0..table.len()).map(value).collect()
}

impl Trees {
    /// Numbers that the trees hold: a column and a border for each split, a value for each leaf.
    pub(crate) fn parameters(&self) -> usize {
        let held = |node: &Node| match node {
            Node::Split { .. } => 2,
            Node::Leaf(_) => 1,
        };
        self.trees.iter().flatten().map(held).sum()
    }

    /// Adds to each column what its cuts gained.
    pub(crate) fn add_gains(&self, gains: &mut [f64]) {
        for node in self.trees.iter().flatten() {
            if let Node::Split { column, gain, .. } = node
                && let Some(sum) = gains.get_mut(*column)
            {
                *sum += gain;
            }
        }
    }

    /// Learns from these rows of the table.
    pub(crate) fn fit(binned: &Binned, table: &Table, rows: &[usize], growth: &Growth) -> Self {
        let label = |row: usize| f64::from(u8::from(table.labels[row]));
        let weight = |row: usize| f64::from(table.weights[row]);
        let (yes, all) = rows.iter().fold((0.0, 0.0), |(yes, all), &row| {
            (yes + weight(row) * label(row), all + weight(row))
        });
        let rate = (yes / f64::max(all, 1e-9)).clamp(0.001, 0.999);
        let start = (rate / (1.0 - rate)).ln();
        let mut logits = vec![start; table.len()];
        let mut slopes = vec![[0.0; 2]; table.len()];
        let mut random = ChaCha12Rng::seed_from_u64(growth.seed);
        let mut columns: Vec<usize> = (0..table.width).collect();
        let mut sample = rows.to_vec();
        let share =
            |share: f64, of: usize| ((share * of as f64).ceil() as usize).clamp(1, of.max(1));
        let mut trees = Vec::with_capacity(growth.trees);
        for _ in 0..growth.trees {
            for &row in rows {
                let p = sigmoid(logits[row]);
                slopes[row] = [weight(row) * (p - label(row)), weight(row) * p * (1.0 - p)];
            }
            let (some, _) = sample.partial_shuffle(&mut random, share(growth.rows, rows.len()));
            let some = some.to_vec();
            let (looked_at, _) =
                columns.partial_shuffle(&mut random, share(growth.columns, table.width));
            let tree = grow(binned, some, &slopes, looked_at, growth);
            for &row in rows {
                logits[row] += value(&tree, binned, row);
            }
            trees.push(tree);
        }
        Self { start, trees }
    }

    /// The logit of a row of the table that was binned.
    pub(crate) fn logit(&self, binned: &Binned, row: usize) -> f64 {
        let trees = self.trees.iter().map(|tree| value(tree, binned, row));
        self.start + trees.sum::<f64>()
    }
}

fn value(tree: &[Node], binned: &Binned, row: usize) -> f64 {
    let mut at = 0;
    loop {
        match tree.get(at) {
            Some(Node::Split {
                column,
                bin,
                children,
                ..
            }) => at = children[usize::from(binned.columns[*column][row] > *bin)],
            Some(Node::Leaf(value)) => return *value,
            None => return 0.0,
        }
    }
}

/// A leaf that may be split further.
struct Open {
    node: usize,
    rows: Vec<usize>,
    best: Option<Cut>,
}

#[derive(Clone, Copy)]
struct Cut {
    gain: f64,
    column: usize,
    bin: u8,
}

fn grow(
    binned: &Binned,
    rows: Vec<usize>,
    slopes: &[[f64; 2]],
    columns: &[usize],
    growth: &Growth,
) -> Tree {
    let leaf = |rows: &[usize]| {
        let [slope, curve] = sum(rows, slopes);
        Node::Leaf(-growth.rate * slope / (curve + growth.ridge))
    };
    let open = |node: usize, rows: Vec<usize>| Open {
        best: best_cut(binned, &rows, slopes, columns, growth),
        node,
        rows,
    };
    let mut tree = vec![leaf(&rows)];
    let mut leaves = vec![open(0, rows)];
    while leaves.len() < growth.leaves {
        let gain = |place: &usize| leaves[*place].best.map_or(0.0, |cut| cut.gain);
        let Some(place) = (0..leaves.len()).max_by(|a, b| gain(a).total_cmp(&gain(b))) else {
            break;
        };
        let Some(cut) = leaves[place].best else {
            break;
        };
        let parent = leaves.swap_remove(place);
        let column = &binned.columns[cut.column];
        let (low, high): (Vec<usize>, Vec<usize>) =
            parent.rows.iter().partition(|row| column[**row] <= cut.bin);
        let children = [tree.len(), tree.len() + 1];
        tree[parent.node] = Node::Split {
            column: cut.column,
            bin: cut.bin,
            gain: cut.gain,
            children,
        };
        for (node, rows) in children.into_iter().zip([low, high]) {
            tree.push(leaf(&rows));
            leaves.push(open(node, rows));
        }
    }
    tree
}

fn sum(rows: &[usize], slopes: &[[f64; 2]]) -> [f64; 2] {
    rows.iter().fold([0.0; 2], |[g, h], &row| {
        [g + slopes[row][0], h + slopes[row][1]]
    })
}

/// The cut that lowers the loss most; none where no cut leaves enough rows on both sides.
fn best_cut(
    binned: &Binned,
    rows: &[usize],
    slopes: &[[f64; 2]],
    columns: &[usize],
    growth: &Growth,
) -> Option<Cut> {
    if rows.len() < 2 * growth.least {
        return None;
    }
    let [all_slope, all_curve] = sum(rows, slopes);
    let score = |slope: f64, curve: f64| slope * slope / (curve + growth.ridge);
    let whole = score(all_slope, all_curve);
    let mut best: Option<Cut> = None;
    for &column in columns {
        // Slope, curvature and rows of each bin.
        let mut bins = [(0.0, 0.0, 0usize); BINS + 1];
        let values = &binned.columns[column];
        for &row in rows {
            let bin = &mut bins[usize::from(values[row]).min(BINS)];
            bin.0 += slopes[row][0];
            bin.1 += slopes[row][1];
            bin.2 += 1;
        }
        let (mut slope, mut curve, mut count) = (0.0, 0.0, 0);
        for (bin, part) in bins.iter().enumerate().take(BINS) {
            slope += part.0;
            curve += part.1;
            count += part.2;
            if part.2 == 0 || count < growth.least {
                continue;
            }
            if rows.len() - count < growth.least {
                break;
            }
            let gain = score(slope, curve) + score(all_slope - slope, all_curve - curve) - whole;
            if gain > best.map_or(1e-9, |cut| cut.gain) {
                let bin = bin as u8;
                best = Some(Cut { gain, column, bin });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::roc_auc;

    /// Two columns of a grid and one without meaning; the outcome is an exclusive or of the first
    /// two, which no sum of columns tells.
    fn grid() -> Table {
        Table::of((0..2_000usize).map(|row| {
            let [x, y, z] = [row % 20, row / 20 % 20, row * 7 % 13];
            // Whole copies of the grid on either side.
            let side = row / 400 % 2;
            ([x, y, z].map(|v| v as f32), (x < 10) != (y < 10), side)
        }))
    }

    #[test]
    fn an_exclusive_or_is_learnt_and_nothing_is_learnt_from_shuffled_outcomes() {
        let check = |table: &Table| {
            let binned = Binned::new(table);
            let (rows, rest): (Vec<usize>, Vec<usize>) =
                (0..table.len()).partition(|row| table.folds[*row] == 0);
            let trees = Trees::fit(&binned, table, &rows, &Growth::default());
            let logits: Vec<f32> = rest
                .iter()
                .map(|row| trees.logit(&binned, *row) as f32)
                .collect();
            let labels: Vec<bool> = rest.iter().map(|row| table.labels[*row]).collect();
            roc_auc(&logits, &labels)
        };
        let mut table = grid();
        assert!(check(&table) > 0.99, "{}", check(&table));
        table.labels.shuffle(&mut ChaCha12Rng::seed_from_u64(3));
        assert!((check(&table) - 0.5).abs() < 0.06, "{}", check(&table));
    }
}
