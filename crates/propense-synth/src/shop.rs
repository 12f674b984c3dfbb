//! What a visit of a given month can draw from: that month's real invoices.

use std::collections::BTreeMap;

use crate::{
    catalogue::Catalogue,
    draw::Draws,
    rates::{MAX_INVOICE_LINES, MAX_QUANTITY},
    sales::Sale,
};

/// One line of a real invoice: a product's position in the catalogue, and its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product: usize,
    pub(crate) units: u32,
}

/// One month of invoices.
#[derive(Debug, Default)]
pub(crate) struct Month {
    /// Whole invoices that may be one shopper's cart: every product in the catalogue, no line of
    /// more than [`MAX_QUANTITY`] units. The shortest first.
    carts: Vec<Vec<Line>>,
    /// The catalogue's products on each invoice that is not too long.
    baskets: Vec<Vec<usize>>,
    /// The product of every line of every invoice: drawing from it is drawing by popularity.
    sold: Vec<usize>,
    /// For each product, the baskets that hold it.
    holding: BTreeMap<usize, Vec<usize>>,
    /// Minutes since midnight of every invoice: on weekdays, on weekends.
    minutes: [Vec<u16>; 2],
}

/// The months of the file, by (year, month).
#[derive(Debug)]
pub(crate) struct Shop {
    months: BTreeMap<(i32, u8), Month>,
}

impl Shop {
    /// Sorts the sales into months. Months without an invoice that may be a cart are left out.
    pub(crate) fn new(sales: &[Sale], catalogue: &Catalogue) -> Self {
        let mut months: BTreeMap<(i32, u8), Month> = BTreeMap::new();
        for sale in sales {
            let month = months.entry((sale.year, sale.month)).or_default();
            month.add(sale, catalogue);
        }
        months.retain(|_, month| !month.carts.is_empty());
        for month in months.values_mut() {
            // Stable, so that equally long ones stay in the order of the file.
            month.carts.sort_by_key(Vec::len);
        }
        Self { months }
    }

    /// Invoices from which items are drawn.
    pub(crate) fn baskets(&self) -> usize {
        self.months.values().map(|month| month.baskets.len()).sum()
    }

    /// Invoices that visits can be interested in, and carts hold.
    pub(crate) fn carts(&self) -> usize {
        self.months.values().map(|month| month.carts.len()).sum()
    }

    /// This month, or the nearest earlier one in the file, or the first.
    pub(crate) fn month(&self, year: i32, month: u8) -> Option<&Month> {
        self.months
            .range(..=(year, month))
            .next_back()
            .or_else(|| self.months.iter().next())
            .map(|(_, month)| month)
    }
}

impl Month {
    fn add(&mut self, sale: &Sale, catalogue: &Catalogue) {
        self.minutes[usize::from(sale.weekend)].push(sale.minute);
        let lines: Vec<Line> = catalogue
            .lines(sale)
            .map(|(product, line)| Line {
                product,
                units: line.units,
            })
            .collect();
        let products: Vec<usize> = lines.iter().map(|line| line.product).collect();
        self.sold.extend(&products);
        if products.is_empty() || sale.lines.len() > MAX_INVOICE_LINES {
            return;
        }
        for product in &products {
            self.holding
                .entry(*product)
                .or_default()
                .push(self.baskets.len());
        }
        self.baskets.push(products);
        let whole = lines.len() == sale.products().count();
        if whole && lines.iter().all(|line| line.units <= MAX_QUANTITY) {
            self.carts.push(lines);
        }
    }

    /// One of the month's whole invoices with at most this many lines; one of its shortest where
    /// none is so short.
    pub(crate) fn cart(&self, most_lines: usize, draws: &mut Draws) -> Option<&[Line]> {
        let shortest = self.carts.first()?.len();
        let fitting = self
            .carts
            .partition_point(|lines| lines.len() <= most_lines.max(shortest));
        draws.pick(self.carts.get(..fitting)?).map(Vec::as_slice)
    }

    /// The minute of the day of one of the month's invoices on that kind of day. Where the month
    /// has none on that kind of day, of any of its invoices; midday where it has none at all.
    pub(crate) fn minute(&self, weekend: bool, draws: &mut Draws) -> u16 {
        let like = &self.minutes[usize::from(weekend)];
        let other = &self.minutes[usize::from(!weekend)];
        let from = if like.is_empty() { other } else { like };
        draws.pick(from).copied().unwrap_or(12 * 60)
    }

    /// A product, as often as it stands on the month's invoices.
    pub(crate) fn popular(&self, draws: &mut Draws) -> Option<usize> {
        draws.pick(&self.sold).copied()
    }

    /// A product of a basket that also holds this one, other than this one.
    pub(crate) fn co_purchased(&self, product: usize, draws: &mut Draws) -> Option<usize> {
        let basket = *draws.pick(self.holding.get(&product)?)?;
        let others: Vec<usize> = self
            .baskets
            .get(basket)?
            .iter()
            .copied()
            .filter(|&other| other != product)
            .collect();
        draws.pick(&others).copied()
    }
}
