//! An owner in slabs: cut where no session goes on, with the verdicts of one go.

use propense_prepare::clean::{Rules, Scratch, Verdicts, begin_owner, clean_slab};
use propense_prepare::table::Lines;

use crate::table::{Row, batch, clean, place_name, rows, sort, with};

/// Judges the rows in slabs of at most `size` lines. Returns the verdicts as text, and the lines
/// in each slab.
fn in_slabs(rows: &[Row], rules: &Rules, size: usize) -> (Vec<String>, Vec<usize>) {
    let batch = batch(rows);
    let lines = Lines::new(&batch).expect("the staged table");
    let (mut scratch, mut verdicts) = (Scratch::default(), Verdicts::default());
    begin_owner(&mut scratch);
    let (mut start, mut slabs) = (0, Vec::new());
    while start < rows.len() {
        let end = rows.len().min(start + size);
        let last = end == rows.len();
        let judged = clean_slab(&lines, start..end, last, rules, &mut scratch, &mut verdicts);
        assert!(judged > 0 && start + judged <= end);
        slabs.push(judged);
        start += judged;
    }
    (texts(&lines, &verdicts), slabs)
}

fn texts(lines: &Lines<'_>, verdicts: &Verdicts) -> Vec<String> {
    let place = |place: &_| place_name(lines, verdicts, *place);
    let mut texts: Vec<String> = verdicts.places.iter().map(place).collect();
    for removal in &verdicts.removed {
        assert_eq!(texts[removal.line], "-");
        texts[removal.line] = format!("{}: {}", removal.rule, removal.detail);
    }
    texts
}

fn in_one_go(rows: &[Row], rules: &Rules) -> Vec<String> {
    let (batch, verdicts) = clean(rows, rules);
    texts(&Lines::new(&batch).expect("the staged table"), &verdicts)
}

fn same_in_slabs(text: &str, size: usize, expected_slabs: &[usize]) {
    let rules = with(|_| {});
    let mut rows = rows(text);
    sort(&mut rows);
    let (found, slabs) = in_slabs(&rows, &rules, size);
    assert_eq!(slabs, expected_slabs);
    assert_eq!(found, in_one_go(&rows, &rules));
}

#[test]
fn cut_at_a_pause_that_no_session_spans() {
    same_in_slabs(
        "
        0     page_view
        10    page_view
        9000  page_view
        9010  page_view
        9020  page_view
        20000 page_view
        ",
        4,
        &[2, 4],
    );
    same_in_slabs(
        "
        0     page_view session_id=s
        9000  page_view
        9010  page_view session_id=s
        20000 page_view
        20010 page_view
        30000 page_view
        ",
        4,
        &[3, 3],
    );
}

#[test]
fn without_a_pause_the_sessions_go_on() {
    // Every two lines a slab: a shop's session, one by idle gap, an order, a double fire.
    same_in_slabs(
        "
        0    page_view session_id=s
        10   page_view session_id=s
        20   purchase item_id=x transaction_id=T1 session_id=s
        30   purchase item_id=x transaction_id=T1 session_id=s
        40   page_view
        40.5 page_view
        2000 page_view
        2001 page_view page_type=x
        2002 purchase item_id=x transaction_id=T1
        ",
        2,
        &[1, 1, 1, 1, 1, 1, 1, 2],
    );
}

#[test]
fn equal_lines_stay_together() {
    same_in_slabs(
        "
        0 page_view
        5 page_view
        5 page_view
        5 page_view
        ",
        3,
        &[1, 3],
    );
    // Not if a slab has nothing else.
    let rules = with(|_| {});
    let rows = rows("5 page_view\n5 page_view\n5 page_view\n5 page_view");
    let (found, slabs) = in_slabs(&rows, &rules, 2);
    assert_eq!(slabs, [2, 2]);
    assert_eq!(
        found.iter().filter(|verdict| *verdict == "u#1 1").count(),
        1
    );
}

#[test]
fn a_session_that_was_set_aside_stays_so() {
    let text: String = (0..1500)
        .map(|event| format!("{} view_item item_id=i{event} session_id=s\n", event * 20))
        .collect();
    let rules = with(|_| {});
    let (found, _) = in_slabs(&rows(&text), &rules, 400);
    let bots = found
        .iter()
        .filter(|verdict| verdict.starts_with("bot"))
        .count();
    // The slabs before the thousandth event were judged without knowing it.
    assert!((500..=702).contains(&bots), "{bots}");
    assert!(found.last().is_some_and(|last| last.starts_with("bot")));
}
