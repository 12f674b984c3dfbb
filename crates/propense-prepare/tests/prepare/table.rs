//! The written table: sessions, event numbers, the lines of an order.

use crate::inputs::{Shop, events};

/// What stands in the table of a log, event by event: user, session, number of items.
fn check(log: &str, expected: &[(&str, &str, usize)]) {
    let text = format!("timestamp,event,user_id,session_id,item_id\n{log}");
    let shop = Shop::new(&[("log.csv", text.as_str())]);
    let mut found: Vec<(String, String, usize)> = events(&shop.prepare("out"))
        .into_iter()
        .map(|event| {
            (
                event.user_id.unwrap_or_default(),
                event.session_id.unwrap_or_default(),
                event.items.len(),
            )
        })
        .collect();
    found.sort();
    let expected: Vec<_> = expected
        .iter()
        .map(|(user, session, items)| ((*user).to_owned(), (*session).to_owned(), *items))
        .collect();
    assert_eq!(found, expected, "{log}");
}

#[test]
fn a_pause_ends_a_session_and_an_id_of_the_shops_does_not() {
    check(
        "1700000000000,view_item,u,,a\n1700001800000,view_item,u,,b\n1700003600001,view_item,u,,c\n",
        &[("u", "u#1", 1), ("u", "u#1", 1), ("u", "u#2", 1)],
    );
    check(
        "1700000000000,view_item,u,s,a\n1700009000000,view_item,u,s,b\n1700009001000,page_view,u,,\n",
        &[("u", "s", 0), ("u", "s", 1), ("u", "s", 1)],
    );
}

#[test]
fn users_with_the_name_of_a_session_stay_apart() {
    check(
        "1700000000000,view_item,u,,a\n1700000000000,view_item,,u,b\n",
        &[("", "u", 1), ("u", "u#1", 1)],
    );
}

#[test]
fn rows_out_of_order_are_put_in_order() {
    check(
        "1700003600001,view_item,u,,c\n1700000000000,view_item,u,,a\n",
        &[("u", "u#1", 1), ("u", "u#2", 1)],
    );
}
