//! The assortment: the best-selling products of the invoices, with what is bought beside each.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    department::department,
    sales::{Sale, SaleLine, is_stock_code},
    title,
};

/// One product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Product {
    pub(crate) item_id: String,
    pub(crate) item_name: String,
    pub(crate) item_category: &'static str,
    /// Pounds: the median over the lines in which it was sold.
    pub(crate) price: f64,
    /// Up to [`ALSO`] products often on the same invoice, the closest first.
    pub(crate) also: Vec<String>,
    /// Units sold over the whole file.
    pub(crate) sold: u64,
    /// The same price in pence, for exact sums.
    #[serde(skip)]
    pub(crate) pence: u32,
}

/// The products, those on the most invoices first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Catalogue {
    pub(crate) products: Vec<Product>,
    /// From stock code to position.
    pub(crate) position: BTreeMap<String, usize>,
}

/// Neighbours listed for each product.
const ALSO: usize = 8;

/// Invoices larger than this say little about what goes together and cost the most to count.
const MAX_BASKET: usize = 100;

/// What the invoices say of one stock code.
#[derive(Default)]
struct Seen {
    invoices: u32,
    units: u64,
    pence: Vec<u32>,
    titles: BTreeMap<String, u32>,
}

impl Catalogue {
    /// The `size` products that stand on the most invoices.
    pub(crate) fn new(sales: &[Sale], size: usize) -> Self {
        let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
        for line in sales.iter().flat_map(|sale| &sale.lines) {
            if is_stock_code(&line.code) {
                seen.entry(&line.code).or_default().add(line);
            }
        }
        let mut ranked: Vec<(u32, Product)> = seen
            .into_iter()
            .filter_map(|(code, seen)| Some((seen.invoices, seen.product(code)?)))
            .collect();
        // Stable, so that equal ones stay in order of their codes.
        ranked.sort_by_key(|(invoices, _)| std::cmp::Reverse(*invoices));
        ranked.truncate(size);
        let products: Vec<Product> = ranked.into_iter().map(|(_, product)| product).collect();
        let position = (0..)
            .zip(&products)
            .map(|(position, product)| (product.item_id.clone(), position))
            .collect();
        let mut catalogue = Self { products, position };
        catalogue.find_neighbours(sales);
        catalogue
    }

    /// Positions of the catalogue's products on an invoice, in the invoice's order, with the lines.
    pub(crate) fn lines<'a>(
        &'a self,
        sale: &'a Sale,
    ) -> impl Iterator<Item = (usize, &'a SaleLine)> {
        sale.lines
            .iter()
            .filter_map(|line| Some((*self.position.get(&line.code)?, line)))
    }

    /// Share of all sold lines that are of the catalogue's products.
    pub(crate) fn share_of_lines(&self, sales: &[Sale]) -> f64 {
        let all: usize = sales.iter().map(|sale| sale.lines.len()).sum();
        let ours: usize = sales.iter().map(|sale| self.lines(sale).count()).sum();
        ours as f64 / all.max(1) as f64
    }

    /// Fills [`Product::also`] by the cosine of co-occurrence, n(a, b) / √(n(a)·n(b)), which does
    /// not let what sells everywhere stand beside everything.
    fn find_neighbours(&mut self, sales: &[Sale]) {
        let size = self.products.len();
        let mut together = vec![0_u32; size * size];
        for sale in sales.iter().filter(|sale| sale.lines.len() <= MAX_BASKET) {
            let held: Vec<usize> = self.lines(sale).map(|(position, _)| position).collect();
            for &a in &held {
                for &b in &held {
                    together[a * size + b] += 1;
                }
            }
        }
        // The diagonal counts the invoices that hold the product at all.
        let alone: Vec<f64> = (0..size)
            .map(|a| f64::from(together[a * size + a]))
            .collect();
        let ids: Vec<String> = self.products.iter().map(|p| p.item_id.clone()).collect();
        for (a, product) in self.products.iter_mut().enumerate() {
            // Twice at least: one shared invoice is chance.
            let mut near: Vec<(f64, usize)> = (0..size)
                .filter(|&b| b != a && together[a * size + b] > 1)
                .map(|b| {
                    let joint = f64::from(together[a * size + b]);
                    (joint / (alone[a] * alone[b]).sqrt(), b)
                })
                .collect();
            near.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
            product.also = near
                .iter()
                .take(ALSO)
                .map(|&(_, b)| ids[b].clone())
                .collect();
        }
    }
}

impl Seen {
    fn add(&mut self, line: &SaleLine) {
        self.invoices += 1;
        self.units += u64::from(line.units);
        self.pence.push(line.pence);
        *self.titles.entry(line.title.clone()).or_default() += 1;
    }

    /// The product, unless no title names one.
    fn product(mut self, code: &str) -> Option<Product> {
        let (title, _) = self
            .titles
            .iter()
            .filter(|(title, _)| title::names_a_product(title))
            .max_by_key(|&(title, &count)| (count, std::cmp::Reverse(title)))?;
        self.pence.sort_unstable();
        // The lower of two middle ones: always a price that was really asked.
        let pence = *self.pence.get((self.pence.len() - 1) / 2)?;
        Some(Product {
            item_id: code.to_owned(),
            item_name: title::tidy(title),
            item_category: department(title),
            price: f64::from(pence) / 100.0,
            also: Vec::new(),
            sold: self.units,
            pence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(lines: &[(&str, &str, u32)]) -> Sale {
        Sale {
            year: 2011,
            month: 5,
            weekend: false,
            minute: 600,
            lines: lines
                .iter()
                .map(|&(code, title, pence)| SaleLine {
                    code: code.to_owned(),
                    title: title.to_owned(),
                    units: 2,
                    pence,
                })
                .collect(),
        }
    }

    #[test]
    fn the_best_sellers_with_their_middle_price_and_neighbours() {
        let sales = [
            sale(&[
                ("10001", "RED MUG", 100),
                ("10002", "RED JUG", 500),
                ("POST", "POSTAGE", 99),
            ]),
            sale(&[("10001", "RED MUG", 300), ("10002", "RED JUG", 500)]),
            sale(&[("10001", "damaged", 200), ("10003", "damaged", 5)]),
            sale(&[("10004", "BLUE BAG", 50), ("10001", "RED MUG", 9_000)]),
        ];
        let catalogue = Catalogue::new(&sales, 2);
        let ids: Vec<_> = catalogue
            .products
            .iter()
            .map(|p| p.item_id.as_str())
            .collect();
        assert_eq!(ids, ["10001", "10002"]);
        let mug = &catalogue.products[0];
        assert_eq!(
            (mug.item_name.as_str(), mug.pence, mug.sold),
            ("Red Mug", 200, 8)
        );
        assert_eq!(mug.also, ["10002"]);
    }
}
