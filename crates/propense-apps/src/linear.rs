//! Small linear algebra: normal equations with a ridge.

/// Weighted least squares over columns that are brought to one scale, with a ridge (Hoerl and
/// Kennard 1970) on all but the constant.
#[derive(Debug, Clone)]
pub(crate) struct Ridge {
    means: Vec<f64>,
    scales: Vec<f64>,
    weights: Vec<f64>,
    constant: f64,
}

/// Sums that the fit needs, gathered row by row, so that rows need not be kept.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    columns: usize,
    weight: f64,
    x: Vec<f64>,
    y: f64,
    /// Upper triangle, row by row, of the columns' products.
    xx: Vec<f64>,
    xy: Vec<f64>,
}

impl Sums {
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns,
            weight: 0.0,
            x: vec![0.0; columns],
            y: 0.0,
            xx: vec![0.0; columns * columns],
            xy: vec![0.0; columns],
        }
    }

    /// Adds a row of `columns` numbers.
    pub(crate) fn add(&mut self, row: &[f64], target: f64, weight: f64) {
        self.weight += weight;
        self.y += weight * target;
        let columns = self.x.iter_mut().zip(&mut self.xy);
        let products = self.xx.chunks_exact_mut(self.columns.max(1));
        for (place, ((value, (x, xy)), line)) in row.iter().zip(columns).zip(products).enumerate() {
            let weighted = weight * value;
            *x += weighted;
            *xy += weighted * target;
            for (cell, other) in line.iter_mut().zip(row).skip(place) {
                *cell += weighted * other;
            }
        }
    }

    /// The coefficients; none where there are no rows or the system cannot be solved.
    pub(crate) fn fit(&self, ridge: f64) -> Option<Ridge> {
        let n = self.columns;
        let (total, xx) = (self.weight, |a: usize, b: usize| {
            self.xx.get(a * n + b).copied()
        });
        if total <= 0.0 {
            return None;
        }
        let means: Vec<f64> = self.x.iter().map(|sum| sum / total).collect();
        let mut scales = Vec::with_capacity(n);
        for (place, mean) in means.iter().enumerate() {
            let variance = xx(place, place)? / total - mean * mean;
            // A column that does not vary says nothing; it is kept at zero.
            scales.push(if variance > 1e-9 {
                variance.sqrt()
            } else {
                f64::INFINITY
            });
        }
        let mean_y = self.y / total;
        let mut matrix = vec![0.0; n * n];
        let mut right = vec![0.0; n];
        for a in 0..n {
            let (mean_a, scale_a) = (*means.get(a)?, *scales.get(a)?);
            *right.get_mut(a)? = (self.xy.get(a)? - total * mean_a * mean_y) / scale_a;
            for b in a..n {
                let (mean_b, scale_b) = (*means.get(b)?, *scales.get(b)?);
                let value = (xx(a, b)? - total * mean_a * mean_b) / scale_a / scale_b;
                *matrix.get_mut(a * n + b)? = value;
                *matrix.get_mut(b * n + a)? = value;
            }
            *matrix.get_mut(a * n + a)? += ridge;
        }
        let weights = solve(matrix, right)?;
        Some(Ridge {
            means,
            scales,
            weights,
            constant: mean_y,
        })
    }
}

impl Ridge {
    /// The forecast for a row.
    pub(crate) fn forecast(&self, row: &[f64]) -> f64 {
        let columns = row
            .iter()
            .zip(&self.means)
            .zip(&self.scales)
            .zip(&self.weights);
        let sum: f64 = columns
            .map(|(((value, mean), scale), weight)| (value - mean) / scale * weight)
            .sum();
        self.constant + sum
    }
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix by Cholesky's method; none
/// where it is not one.
pub(crate) fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    for column in 0..n {
        for row in column..n {
            let mut value = *matrix.get(row * n + column)?;
            for k in 0..column {
                value -= matrix.get(row * n + k)? * matrix.get(column * n + k)?;
            }
            if row == column {
                if value <= 0.0 || !value.is_finite() {
                    return None;
                }
                *matrix.get_mut(row * n + column)? = value.sqrt();
            } else {
                *matrix.get_mut(row * n + column)? = value / matrix.get(column * n + column)?;
            }
        }
    }
    for row in 0..n {
        let mut value = *right.get(row)?;
        for k in 0..row {
            value -= matrix.get(row * n + k)? * right.get(k)?;
        }
        *right.get_mut(row)? = value / matrix.get(row * n + row)?;
    }
    for row in (0..n).rev() {
        let mut value = *right.get(row)?;
        for k in row + 1..n {
            value -= matrix.get(k * n + row)? * right.get(k)?;
        }
        *right.get_mut(row)? = value / matrix.get(row * n + row)?;
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_a_dead_column_is_harmless() {
        let mut sums = Sums::new(3);
        for step in 0..20 {
            let x = f64::from(step);
            let z = f64::from(step * step % 7);
            sums.add(
                &[x, z, 4.0],
                2.0 * x - 3.0 * z + 5.0,
                1.0 + f64::from(step % 3),
            );
        }
        let fitted = sums.fit(1e-9).expect("a fit");
        assert!((fitted.forecast(&[30.0, 2.0, 4.0]) - 59.0).abs() < 1e-5);
        assert!((fitted.forecast(&[30.0, 2.0, 9.0]) - 59.0).abs() < 1e-5);
    }

    #[test]
    fn what_cannot_be_solved_is_none() {
        assert!(Sums::new(1).fit(1.0).is_none());
        assert!(solve(vec![0.0], vec![1.0]).is_none());
        let found = solve(vec![4.0, 2.0, 2.0, 3.0], vec![8.0, 7.0]).expect("a solution");
        assert!((found[0] - 1.25).abs() < 1e-12 && (found[1] - 1.5).abs() < 1e-12);
    }
}
