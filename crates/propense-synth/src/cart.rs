//! Who fills a cart, with what, and what happens to it before an order or its absence.
//!
//! Filling a cart knows nothing of the outcome. The outcome decides twice only: every buyer fills
//! a cart while of the others some do, and every buyer begins the checkout while of the others
//! with a cart some do. Both at the rates of [`crate::rates`].

use std::collections::BTreeMap;

use crate::{
    draw::Draws,
    rates::{CART_VIEWED, CHECKOUT_EARLIER, REMOVED_LINES},
    shop::Line,
};

/// One thing done with the cart. In this order within a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Add,
    Look,
    Remove,
    LookBeforeCheckout,
    BeginCheckout,
}

/// An act, on which page (from 0), with which line of the invoice where it concerns one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) page: usize,
    pub(crate) act: Act,
    pub(crate) line: Option<Line>,
}

/// A filled cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cart {
    /// In order of time.
    pub(crate) steps: Vec<Step>,
    /// What it holds in the end: the invoice, in its order. Never nothing.
    pub(crate) held: Vec<Line>,
    /// Whether no page showed a line, so that it was added from elsewhere.
    pub(crate) without_view: bool,
}

/// Fills a cart with the real invoice that the visit is interested in, each line on a page that
/// shows its product. Other products that were seen may be put in, one unit of each, and are taken
/// out again. `shown` has an entry for every page of the visit, a product where the page shows one.
/// None where the invoice is empty.
pub(crate) fn fill(shown: &[Option<usize>], interest: &[Line], draws: &mut Draws) -> Option<Cart> {
    let mut pages_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (page, product) in shown.iter().enumerate() {
        if let Some(product) = product {
            pages_of.entry(*product).or_default().push(page);
        }
    }
    let mut without_view = false;
    let mut others: Vec<usize> = pages_of
        .keys()
        .copied()
        .filter(|product| interest.iter().all(|line| line.product != *product))
        .collect();
    draws.shuffle(&mut others);

    let mut steps = Vec::new();
    for line in interest {
        let page = match pages_of.get(&line.product) {
            Some(pages) => draws.pick(pages).copied().unwrap_or_default(),
            None => {
                without_view = true;
                draws.index(shown.len())
            }
        };
        add(&mut steps, page, *line, draws);
        if !draws.chance(REMOVED_LINES) {
            continue;
        }
        let Some((product, pages)) = others
            .pop()
            .and_then(|product| Some((product, pages_of.get(&product)?)))
        else {
            continue;
        };
        let page = draws.pick(pages).copied().unwrap_or_default();
        let line = Line { product, units: 1 };
        add(&mut steps, page, line, draws);
        steps.push(Step {
            page: page + draws.index(shown.len() - page),
            act: Act::Remove,
            line: Some(line),
        });
    }
    if steps.is_empty() {
        return None;
    }
    steps.sort_by_key(|step| (step.page, step.act));
    Some(Cart {
        steps,
        held: interest.to_vec(),
        without_view,
    })
}

/// Puts a line into the cart, and perhaps looks at it then.
fn add(steps: &mut Vec<Step>, page: usize, line: Line, draws: &mut Draws) {
    let mut step = |act, line| steps.push(Step { page, act, line });
    step(Act::Add, Some(line));
    if draws.chance(CART_VIEWED) {
        step(Act::Look, None);
    }
}

/// Begins the checkout with this cart: on the last of `pages` pages, or some pages earlier, but not
/// before the cart is as it stays.
pub(crate) fn begin_checkout(cart: &mut Cart, pages: usize, draws: &mut Draws) {
    let first = cart.steps.last().map_or(0, |step| step.page);
    let mut page = pages.saturating_sub(1).max(first);
    while page > first && draws.chance(CHECKOUT_EARLIER) {
        page -= 1;
    }
    for act in [Act::LookBeforeCheckout, Act::BeginCheckout] {
        cart.steps.push(Step {
            page,
            act,
            line: None,
        });
    }
}

/// One visit without an order, as far as it matters for whether it fills a cart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Browser {
    /// Item pages seen.
    pub(crate) item_pages: usize,
    /// A draw from 0 to 1.
    pub(crate) draw: f64,
}

/// Chooses `wanted` of the visits without an order to fill a cart all the same: each item page seen
/// leads to a filled cart with the same probability, which is returned with the choice.
pub(crate) fn who_abandons(browsers: &[Browser], wanted: usize) -> (Vec<bool>, f64) {
    let choose = |chance: f64| -> Vec<bool> {
        browsers
            .iter()
            .map(|browser| {
                let none =
                    (0..browser.item_pages.max(1)).fold(1.0, |none, _| none * (1.0 - chance));
                browser.draw < 1.0 - none
            })
            .collect()
    };
    let count = |chosen: &[bool]| chosen.iter().filter(|&&fills| fills).count();
    // The number chosen never falls as the chance rises, so halving finds the least chance with
    // at least as many as wanted.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..64 {
        let middle = (low + high) / 2.0;
        if count(&choose(middle)) >= wanted {
            high = middle;
        } else {
            low = middle;
        }
    }
    (choose(high), high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    fn line(product: usize) -> Line {
        Line {
            product,
            units: 2 + product as u32,
        }
    }

    #[test]
    fn a_cart_ends_as_the_whole_invoice_each_line_from_a_page_that_shows_it() {
        let interest: Vec<Line> = [5, 1, 3].map(line).to_vec();
        let shown: Vec<Option<usize>> = [None, Some(1), Some(9), Some(3), None, Some(1), Some(5)]
            .into_iter()
            .chain((20..25).map(Some))
            .collect();
        let mut removed = 0;
        for visit in 0..200 {
            let mut draws = Draws::new(5, Purpose::Cart, visit);
            let mut cart = fill(&shown, &interest, &mut draws).unwrap();
            assert!(!cart.without_view);
            assert_eq!(cart.held, interest);
            begin_checkout(&mut cart, shown.len(), &mut draws);
            let order: Vec<_> = cart
                .steps
                .iter()
                .map(|step| (step.page, step.act))
                .collect();
            assert!(order.is_sorted());
            let mut inside: BTreeMap<usize, u32> = BTreeMap::new();
            for step in &cart.steps {
                assert!(step.page < shown.len());
                match (step.act, step.line) {
                    (Act::Add, Some(line)) => {
                        assert_eq!(shown[step.page], Some(line.product));
                        assert_eq!(inside.insert(line.product, line.units), None);
                    }
                    (Act::Remove, Some(line)) => {
                        removed += 1;
                        assert_eq!(inside.remove(&line.product), Some(line.units));
                    }
                    _ => {}
                }
            }
            let wanted: BTreeMap<usize, u32> = interest
                .iter()
                .map(|line| (line.product, line.units))
                .collect();
            assert_eq!(inside, wanted);
        }
        // Three lines, 8 % each.
        assert!((25..80).contains(&removed), "{removed}");
    }

    #[test]
    fn without_item_pages_the_invoice_is_added_from_elsewhere() {
        let mut draws = Draws::new(5, Purpose::Cart, 0);
        let cart = fill(&[None, None], &[line(4), line(5)], &mut draws).unwrap();
        assert!(cart.without_view);
        assert_eq!(cart.held, [line(4), line(5)]);
        assert_eq!(fill(&[None], &[], &mut draws), None);
    }

    #[test]
    fn as_many_abandon_as_wanted_and_more_of_those_who_see_more() {
        let mut draws = Draws::new(5, Purpose::WhoFillsACart, 0);
        let browsers: Vec<Browser> = (0..2_000)
            .map(|i| Browser {
                item_pages: if i % 2 == 0 { 2 } else { 20 },
                draw: draws.unit(),
            })
            .collect();
        let (chosen, chance) = who_abandons(&browsers, 600);
        assert_eq!(chosen.iter().filter(|&&fills| fills).count(), 600);
        let few = chosen.iter().step_by(2).filter(|&&fills| fills).count();
        assert!(few * 4 < 600, "{few}");
        assert!((0.0..0.2).contains(&chance), "{chance}");
        assert_eq!(who_abandons(&browsers, 5_000).0, vec![true; 2_000]);
    }
}
