//! Little memory: the sort spills, and nothing else changes.

use propense_prepare::prepare;

use crate::inputs::{Shop, events, log};

#[test]
fn one_user_with_two_fifths_of_the_rows_spills_and_comes_out_whole() {
    let text = log(120_000, 1000, 40);
    let shop = Shop::new(&[("log.csv", text.as_str())]);
    let roomy = shop.prepare("roomy");
    assert_eq!(roomy.cleaning.spilled, 0);
    let mut request = shop.request("tight");
    request.memory = 24 << 20;
    request.bucket_bits = Some(2);
    let tight = prepare(&request, &mut ()).expect("prepared");
    assert!(tight.cleaning.spilled > 0, "{:?}", tight.cleaning);
    assert_eq!(tight.records_out, 120_000);
    assert_eq!(tight.cleaning.sessions, roomy.cleaning.sessions);
    assert!(events(&tight) == events(&roomy), "the tables differ");
}
