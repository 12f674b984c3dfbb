//! Which item each product page of a visit shows.
//!
//! Every visit follows one real invoice of its month as its interest, whether it ends with an
//! order or not. Its item pages walk through that invoice, wander along co-purchases and best
//! sellers of the month, and return to what was seen before, by the weights of
//! [`crate::rates::NEXT_ITEM`].

use crate::{
    draw::Draws,
    rates::{LIST_PAGES, NEXT_ITEM},
    shop::{Line, Month},
};

/// What a visit's product pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Browse {
    /// The real invoice that the visit is interested in: its lines that are in the catalogue.
    pub(crate) interest: Vec<Line>,
    /// For each product page in order, the product it shows; none for a list.
    pub(crate) shown: Vec<Option<usize>>,
}

/// Chooses the interest, and what each of the visit's product pages shows.
pub(crate) fn browse(product_pages: usize, month: &Month, draws: &mut Draws) -> Browse {
    let interest = draws.pick(&month.baskets).cloned().unwrap_or_default();
    let mut is_item = vec![true; product_pages];
    // One page at least shows an item, so that whoever sees a product page can fill a cart.
    for page in is_item.iter_mut().skip(1) {
        *page = !draws.chance(LIST_PAGES);
    }
    draws.shuffle(&mut is_item);

    let mut wanted: Vec<usize> = interest.iter().map(|line| line.product).collect();
    draws.shuffle(&mut wanted);
    let mut seen: Vec<usize> = Vec::new();
    let mut shown: Vec<Option<usize>> = is_item
        .into_iter()
        .map(|is_item| {
            let product = is_item.then(|| next_item(&mut wanted, &seen, month, draws))?;
            seen.extend(product);
            product
        })
        .collect();
    show_interest(&mut shown, &interest, draws);
    Browse { interest, shown }
}

fn next_item(
    wanted: &mut Vec<usize>,
    seen: &[usize],
    month: &Month,
    draws: &mut Draws,
) -> Option<usize> {
    let way = draws.below(100);
    let to_co_purchased = NEXT_ITEM.interest + NEXT_ITEM.co_purchased;
    let found = if way < NEXT_ITEM.interest {
        wanted.pop()
    } else if way < to_co_purchased {
        None
    } else if way < to_co_purchased + NEXT_ITEM.popular {
        month.popular(draws)
    } else {
        draws.pick(seen).copied()
    };
    // Also where the invoice is used up or nothing has been seen yet.
    found
        .or_else(|| month.co_purchased(*draws.pick(seen)?, draws))
        .or_else(|| month.popular(draws))
}

/// Where none of the pages shows a line of the invoice, lets one of the item pages do so.
fn show_interest(shown: &mut [Option<usize>], interest: &[Line], draws: &mut Draws) {
    let items: Vec<usize> = (0..shown.len())
        .filter(|&page| shown[page].is_some())
        .collect();
    let wanted = |product: usize| interest.iter().any(|line| line.product == product);
    if shown.iter().flatten().any(|&product| wanted(product)) {
        return;
    }
    if let (Some(&page), Some(line)) = (draws.pick(&items), draws.pick(interest)) {
        shown[page] = Some(line.product);
    }
}
