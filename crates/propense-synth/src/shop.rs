//! What a visit of a given month can draw from: that month's real invoices.

use std::collections::BTreeMap;

use crate::{
    catalogue::Catalogue,
    draw::Draws,
    rates::{MAX_INTEREST_LINES, MAX_QUANTITY},
    sales::Sale,
};

/// One line of a real invoice: a product's position in the catalogue, and its units as a cart may
/// hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product: usize,
    pub(crate) units: u32,
    /// Whether the invoice had more units than [`MAX_QUANTITY`].
    pub(crate) clipped: bool,
}

/// One month of invoices.
#[derive(Debug, Default)]
pub(crate) struct Month {
    /// Baskets of a size that one shopper may have had in mind.
    pub(crate) baskets: Vec<Vec<Line>>,
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
    /// Sorts the sales into months. Months without a single usable basket are left out.
    pub(crate) fn new(sales: &[Sale], catalogue: &Catalogue) -> Self {
        let mut months: BTreeMap<(i32, u8), Month> = BTreeMap::new();
        for sale in sales {
            let month = months.entry((sale.year, sale.month)).or_default();
            month.add(sale, catalogue);
        }
        months.retain(|_, month| !month.baskets.is_empty());
        Self { months }
    }

    /// Baskets that visits can be interested in.
    pub(crate) fn baskets(&self) -> usize {
        self.months.values().map(|month| month.baskets.len()).sum()
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
                units: line.units.min(MAX_QUANTITY),
                clipped: line.units > MAX_QUANTITY,
            })
            .collect();
        self.sold.extend(lines.iter().map(|line| line.product));
        if lines.is_empty() || sale.lines.len() > MAX_INTEREST_LINES {
            return;
        }
        for line in &lines {
            self.holding
                .entry(line.product)
                .or_default()
                .push(self.baskets.len());
        }
        self.baskets.push(lines);
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
            .map(|line| line.product)
            .filter(|&other| other != product)
            .collect();
        draws.pick(&others).copied()
    }
}
