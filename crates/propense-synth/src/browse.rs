//! Which item each product page of a visit shows.
//!
//! Every visit follows one real invoice of its month as its interest, whether it ends with an
//! order or not: one that is no longer than the visit's item pages can hold. Each of its lines is
//! shown once, at a random place; the other item pages wander along co-purchases and best sellers
//! of the month, and return to what was seen before, by the weights of [`crate::rates::NEXT_ITEM`].

use std::collections::BTreeMap;

use crate::{
    draw::Draws,
    rates::{LIST_PAGES, NEXT_ITEM, VIEWS_PER_CART_LINE},
    shop::{Line, Month},
};

/// What a visit's product pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Browse {
    /// The real invoice that the visit is interested in, whole.
    pub(crate) interest: Vec<Line>,
    /// For each product page in order, the product it shows; none for a list.
    pub(crate) shown: Vec<Option<usize>>,
}

/// Chooses the interest, and what each of the visit's product pages shows.
pub(crate) fn browse(product_pages: usize, month: &Month, draws: &mut Draws) -> Browse {
    let mut is_item = vec![true; product_pages];
    // One page at least shows an item, so that whoever sees a product page can fill a cart.
    for page in is_item.iter_mut().skip(1) {
        *page = !draws.chance(LIST_PAGES);
    }
    draws.shuffle(&mut is_item);
    let mut item_pages: Vec<usize> = (0..product_pages).filter(|&page| is_item[page]).collect();

    let most_lines = (item_pages.len() / VIEWS_PER_CART_LINE).max(1);
    let interest = month.cart(most_lines, draws).unwrap_or_default().to_vec();
    draws.shuffle(&mut item_pages);
    let line_on: BTreeMap<usize, usize> = item_pages
        .into_iter()
        .zip(&interest)
        .map(|(page, line)| (page, line.product))
        .collect();

    let mut seen: Vec<usize> = Vec::new();
    let shown = (0..product_pages)
        .zip(is_item)
        .map(|(page, is_item)| {
            let product = match line_on.get(&page) {
                Some(product) => Some(*product),
                None if is_item => next_item(&seen, month, draws),
                None => None,
            };
            seen.extend(product);
            product
        })
        .collect();
    Browse { interest, shown }
}

fn next_item(seen: &[usize], month: &Month, draws: &mut Draws) -> Option<usize> {
    let way = draws.below(100);
    let found = if way < NEXT_ITEM.co_purchased {
        None
    } else if way < NEXT_ITEM.co_purchased + NEXT_ITEM.popular {
        month.popular(draws)
    } else {
        draws.pick(seen).copied()
    };
    // Also where nothing has been seen yet.
    found
        .or_else(|| month.co_purchased(*draws.pick(seen)?, draws))
        .or_else(|| month.popular(draws))
}
