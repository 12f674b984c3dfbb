//! Several sources as one table: identity, catalogue, attributes of users.

use propense_events::{EventKind, Mapping, Value};
use propense_prepare::{Mappings, prepare};

use crate::inputs::{Shop, events, files};

const PAGE: &str = "\
timestamp,event,anonymous_id,user_id,item_id,price
1700000000000,view_item,a1,,x,
1700000060000,view_item,a1,ann,y,3
1700000120000,page_view,a1,,,
1700000120000,page_view,a2,,,
";

const ORDERS: &str = "\
timestamp,event,user_id,item_id,price,quantity
1700000180000,purchase,ann,y,2.5,1
";

#[test]
fn lines_under_an_anonymous_id_go_to_its_user() {
    let shop = Shop::new(&[("page.csv", PAGE), ("orders.csv", ORDERS)]);
    for bits in [0, 4] {
        let mut request = shop.request(&format!("out-{bits}"));
        request.bucket_bits = Some(bits);
        let prepared = prepare(&request, &mut ()).expect("prepared");
        assert_eq!(prepared.stitched_lines, 2);
        assert_eq!(prepared.stitched.stitched, 1);
        assert_eq!((prepared.records_in, prepared.records_out), (5, 5));
        let mut found: Vec<_> = events(&prepared)
            .into_iter()
            .map(|event| (event.session_id, event.timestamp, event.user_id))
            .collect();
        found.sort();
        let ann = |time| (Some("ann#1".to_owned()), time, Some("ann".to_owned()));
        let expected = [
            (Some("a2#1".to_owned()), 1_700_000_120_000, None),
            ann(1_700_000_000_000),
            ann(1_700_000_060_000),
            ann(1_700_000_120_000),
            ann(1_700_000_180_000),
        ];
        assert_eq!(found, expected, "{bits} bits");
    }
}

#[test]
fn the_catalogue_fills_what_lines_lack() {
    let shop = Shop::new(&[("page.csv", PAGE)]);
    let items = shop.path("items.csv");
    let users = shop.path("users.csv");
    std::fs::write(
        &items,
        "item_id,title,brand,price\nx,A lamp,Lux,9.5\ny,A chair,,4\n,Nothing,,1\n",
    )
    .expect("written");
    std::fs::write(&users, "user_id,member\nann,true\n").expect("written");
    let mut request = shop.request("out");
    request.sides.catalogue = vec![items];
    request.sides.users = vec![users];
    let prepared = prepare(&request, &mut ()).expect("prepared");
    assert_eq!(prepared.sides.rejected, 1);
    assert_eq!((prepared.records_in, prepared.records_out), (5, 4));
    assert_eq!(prepared.records_quarantined, 1);
    assert!(prepared.items.as_ref().is_some_and(|items| items.exists()));
    let events = events(&prepared);
    let item = |id: &str| {
        let mut items = events.iter().flat_map(|event| &event.items);
        items.find(|item| item.item_id == id).expect("the item")
    };
    assert_eq!(item("x").item_name.as_deref(), Some("A lamp"));
    assert_eq!(item("x").price, Some(9.5));
    assert_eq!(item("y").price, Some(3.0), "the event's own price wins");
    let members = events
        .iter()
        .filter(|event| event.context.get("user.member") == Some(&Value::Flag(true)))
        .count();
    assert_eq!(members, 3);
    assert!(files(&shop.path("out")).len() >= 3);
}

/// A page's export, the till's, and a third file in a known format: each read in its own way, and
/// joined by the user.
#[test]
fn every_source_has_its_own_mapping() {
    let shop = Shop::new(&[
        (
            "page.csv",
            "when;what;visitor;sku\n1700000000;click;ann;x\n1700000030;basket;ann;x\n",
        ),
        (
            "till.jsonl",
            "{\"time\":\"2023-11-14T22:14:20Z\",\"customer\":{\"id\":\"ann\"},\"sku\":\"x\",\"total\":5}\n",
        ),
        (
            "stars.csv",
            "timestamp,event,user_id,item_id,rating\n1700000090000,review,ann,x,4\n",
        ),
    ]);
    let mapping = |text: &str| Mapping::from_json(text).expect("a mapping");
    let page = mapping(
        r#"{"columns":{"timestamp":"when","event":"what","user_id":"visitor","item_id":"sku"},
            "timestamp_unit":"seconds","events":{"click":"view_item","basket":"add_to_cart"}}"#,
    );
    let till = mapping(
        r#"{"columns":{"timestamp":"time","user_id":"customer.id","item_id":"sku","value":"total"},
            "timestamp_unit":"text","default_event":"purchase"}"#,
    );
    let mut request = shop.request("out");
    request.mappings = Mappings {
        all: None,
        named: vec![("page.*".to_owned(), page), ("*.jsonl".to_owned(), till)],
    };
    let prepared = prepare(&request, &mut ()).expect("prepared");
    assert_eq!((prepared.records_in, prepared.records_out), (4, 4));
    let found: Vec<_> = events(&prepared)
        .into_iter()
        .map(|event| (event.timestamp, event.kind, event.session_id))
        .collect();
    let ann = || Some("ann#1".to_owned());
    let expected = [
        (1_700_000_000_000, EventKind::ViewItem, ann()),
        (1_700_000_030_000, EventKind::AddToCart, ann()),
        (1_700_000_060_000, EventKind::Purchase, ann()),
        (1_700_000_090_000, EventKind::Review, ann()),
    ];
    assert_eq!(found, expected);

    let slip = ("pages.*".to_owned(), request.mappings.named[0].1.clone());
    request.mappings.named.push(slip);
    let error = prepare(&request, &mut ()).expect_err("a slip").to_string();
    assert!(error.contains("`pages.*`"), "{error}");
}
