//! The cut into sessions.

use crate::table::{check_sessions, with};

#[test]
fn by_the_shops_id_else_by_idle_gap() {
    check_sessions(
        &with(|_| {}),
        "
        0     page_view                | u#1 1
        1800  page_view                | u#1 2
        3601  page_view                | u#2 1
        3610  page_view session_id=s   | s 1
        3620  page_view session_id=t   | t 1
        3630  page_view                | t 2
        3640  page_view session_id=s   | s 2
        3650  page_view                | s 3
        5451  page_view                | u#3 1
        6000  page_view session_id=s   | s 4
        ",
    );
}

#[test]
fn midnight_of_the_shop() {
    let table = "
        82800  page_view | u#1 1
        84600  page_view | u#1 2
        86390  page_view | u#1 3
        86400  page_view | u#2 1
        86410  page_view session_id=s | s 1
        ";
    check_sessions(&with(|options| options.sessions.midnight = true), table);
    // An hour east of Greenwich midnight is an hour earlier.
    let table = "
        81000  page_view | u#1 1
        82790  page_view | u#1 2
        82800  page_view | u#2 1
        84600  page_view | u#2 2
        86400  page_view | u#2 3
        ";
    check_sessions(
        &with(|options| {
            options.sessions.midnight = true;
            options.sessions.utc_offset_minutes = 60;
        }),
        table,
    );
}

#[test]
fn lines_of_one_event_share_its_number() {
    check_sessions(
        &with(|_| {}),
        "
        0 view_item_list item_id=x row=1 | u#1 1
        0 view_item_list item_id=y row=1 | u#1 1
        0 view_item_list item_id=z row=2 | u#1 2
        9 view_item      item_id=x row=3 | u#1 3
        ",
    );
}

#[test]
fn lines_set_aside_have_no_place_and_open_nothing() {
    check_sessions(
        &with(|_| {}),
        "
        0    view_item item_id=x    | u#1 1
        1500 view_item item_id=test | -
        1801 view_item item_id=x    | u#2 1
        1801 view_item item_id=x    | -
        ",
    );
}

#[test]
fn names_do_not_meet_those_of_the_input() {
    check_sessions(
        &with(|_| {}),
        "
        0     page_view                | u#2 1
        9000  page_view session_id=u#1 | u#1 1
        9010  page_view                | u#1 2
        20000 page_view                | u#4 1
        30000 page_view session_id=u#3 | u#3 1
        40000 page_view session_id=v#5 | v#5 1
        50000 page_view                | u#5 1
        ",
    );
}

#[test]
fn the_owner_is_named_by_the_best_identity() {
    check_sessions(
        &with(|_| {}),
        "
        0    page_view user_id= anonymous_id=d | u#1 1
        9000 page_view user_id=u anonymous_id=d | u#2 1
        ",
    );
    check_sessions(&with(|_| {}), "0 page_view user_id= anonymous_id=d | d#1 1");
    check_sessions(
        &with(|_| {}),
        "0 page_view user_id= row=7 source=2 | anonymous-2-7#1 1",
    );
    check_sessions(&with(|_| {}), "0 page_view user_id= session_id=s | s 1");
}
