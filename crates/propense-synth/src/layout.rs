//! The order of a visit's pages and the time on each.
//!
//! Page counts and total seconds by page type are real; the order is random, and the seconds of a
//! type are cut at random places among its pages. The analytics behind the summaries measured a
//! page's time by the request for the next page, so the last page of a session has none: the sums
//! are spread over the other pages, and seconds between the events of a laid-out session add up to
//! the real ones.

use crate::{
    draw::Draws,
    visit::{PAGE_TYPES, Visit},
};

/// One page of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Position in [`PAGE_TYPES`]; none for the landing page of a visit whose summary counts no
    /// page at all.
    pub(crate) page_type: Option<usize>,
    /// Milliseconds since the visit's start.
    pub(crate) at: u64,
    /// Milliseconds until the next page; on the last page an imputed time, which only says when
    /// things done on that page happen.
    pub(crate) stay: u64,
}

/// The pages of a visit in order: never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) pages: Vec<Page>,
    /// Whether the summary counts no page, so that a landing page was put in.
    pub(crate) repaired: bool,
    /// Whether every type of the visit has measured time on its only page, so that the measured
    /// time of the last page cannot show between events.
    pub(crate) hidden_time: bool,
}

/// Seconds on the last page, where no earlier page tells: from and up to.
const LAST_STAY: (u64, u64) = (10, 120);

/// Lays the visit's pages out in time.
pub(crate) fn lay_out(visit: &Visit, draws: &mut Draws) -> Layout {
    let total: usize = visit.pages.iter().sum();
    if total == 0 {
        return Layout {
            pages: vec![Page {
                page_type: None,
                at: 0,
                stay: last_stay(&[], draws),
            }],
            repaired: true,
            hidden_time: false,
        };
    }
    let (last, hidden_time) = last_type(visit, draws);
    let mut remaining = visit.pages;
    remaining[last] -= 1;
    let mut order: Vec<usize> = (0..PAGE_TYPES.len())
        .flat_map(|page_type| std::iter::repeat_n(page_type, remaining[page_type]))
        .collect();
    draws.shuffle(&mut order);
    order.push(last);

    let mut stays = [Vec::new(), Vec::new(), Vec::new()];
    for (page_type, stays) in stays.iter_mut().enumerate() {
        let measured = remaining[page_type] + usize::from(hidden_time && page_type == last);
        *stays = spread(visit.stay[page_type], measured, draws);
    }
    let mut stays = stays.map(Vec::into_iter);
    let mut at = 0;
    let mut pages: Vec<Page> = Vec::with_capacity(total);
    for page_type in order {
        let stay = match stays[page_type].next() {
            Some(stay) => stay,
            None => last_stay(&pages, draws),
        };
        pages.push(Page {
            page_type: Some(page_type),
            at,
            stay,
        });
        at += stay;
    }
    Layout {
        pages,
        repaired: false,
        hidden_time,
    }
}

/// The type of the last page: one that can do without measured time on one of its pages, as likely
/// as its share of those pages. Where there is none, any type, and true.
fn last_type(visit: &Visit, draws: &mut Draws) -> (usize, bool) {
    let able = |page_type: usize| visit.pages[page_type] > 1 || visit.stay[page_type] == 0;
    let hidden = !(0..PAGE_TYPES.len()).any(|kind| visit.pages[kind] > 0 && able(kind));
    let candidates: Vec<usize> = (0..PAGE_TYPES.len())
        .filter(|&page_type| hidden || able(page_type))
        .flat_map(|page_type| std::iter::repeat_n(page_type, visit.pages[page_type]))
        .collect();
    (draws.pick(&candidates).copied().unwrap_or_default(), hidden)
}

/// Spreads milliseconds over pages in whole seconds; the first page takes what is left of a second.
fn spread(total: u64, pages: usize, draws: &mut Draws) -> Vec<u64> {
    let mut stays: Vec<u64> = draws
        .spacings(total / 1_000, pages)
        .into_iter()
        .map(|seconds| seconds * 1_000)
        .collect();
    if let Some(first) = stays.first_mut() {
        *first += total % 1_000;
    }
    stays
}

/// The time on a last page: that on an earlier page of the visit, within bounds.
fn last_stay(earlier: &[Page], draws: &mut Draws) -> u64 {
    let (least, most) = LAST_STAY;
    let seconds = match draws.pick(earlier) {
        Some(page) => (page.stay / 1_000).clamp(least, most),
        None => least + draws.below(most - least + 1),
    };
    seconds * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    fn check(pages: [usize; 3], stay: [u64; 3], hidden: bool) {
        for number in 0..50 {
            let visit = Visit {
                number,
                pages,
                stay,
                visitor_type: "new".to_owned(),
                month: 5,
                weekend: false,
            };
            let layout = lay_out(&visit, &mut Draws::new(3, Purpose::Layout, number));
            assert_eq!(layout.hidden_time, hidden);
            let mut counted = [0; 3];
            let mut measured = [0; 3];
            let mut at = 0;
            for (position, page) in layout.pages.iter().enumerate() {
                assert_eq!(page.at, at);
                at += page.stay;
                let page_type = page.page_type.unwrap();
                counted[page_type] += 1;
                if hidden || position + 1 < layout.pages.len() {
                    measured[page_type] += page.stay;
                }
            }
            assert_eq!(counted, pages);
            assert_eq!(measured, stay);
        }
    }

    #[test]
    fn counts_and_measured_times_are_kept() {
        check([3, 0, 20], [40_123, 0, 900_999], false);
        check([1, 1, 1], [9_000, 0, 5_000], false);
        check([0, 0, 2], [0, 0, 64_000], false);
        check([0, 0, 1], [0, 0, 0], false);
        check([0, 0, 5], [0, 0, 0], false);
        check([0, 0, 1], [0, 0, 7_500], true);
        check([1, 0, 1], [1_000, 0, 7_500], true);
    }

    #[test]
    fn a_visit_without_pages_gets_a_landing_page() {
        let visit = Visit {
            number: 0,
            pages: [0; 3],
            stay: [0; 3],
            visitor_type: "new".to_owned(),
            month: 5,
            weekend: false,
        };
        let layout = lay_out(&visit, &mut Draws::new(3, Purpose::Layout, 0));
        assert!(layout.repaired);
        assert_eq!(layout.pages.len(), 1);
        assert_eq!(layout.pages[0].page_type, None);
    }
}
