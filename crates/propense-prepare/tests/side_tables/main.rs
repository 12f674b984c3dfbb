//! Catalogue and user attributes: files in, filled lines out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Decimal128Array, Float64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt8Array, UInt16Array, UInt64Array,
};
use arrow::datatypes::Float64Type;
use propense_events::EventKind;
use propense_prepare::SideTableError;
use propense_prepare::attributes::UserAttributes;
use propense_prepare::catalogue::{
    Catalogue, CatalogueBuilder, CatalogueColumns, FillCount, FillCounts, ItemField,
};
use propense_prepare::table::Column;
use proptest::prelude::*;

fn read(files: &[&str], columns: &CatalogueColumns) -> (Catalogue, Vec<String>) {
    let mut builder = CatalogueBuilder::default();
    let mut problems = Vec::new();
    for file in files {
        builder
            .read(file.as_bytes(), columns, &mut |problem| {
                problems.push(problem.to_string());
            })
            .expect("a catalogue");
    }
    (builder.finish(), problems)
}

/// Every item in one line: id, name, category, brand, price, image.
fn items(catalogue: &Catalogue) -> Vec<String> {
    let batch = catalogue.to_batch().expect("a batch");
    let ids = batch.column(0).as_string::<i32>();
    ids.iter()
        .flatten()
        .map(|id| {
            let row = catalogue.row(id).expect("an item of the table");
            let text = |field| catalogue.text(row, field).unwrap_or("-");
            let price = catalogue
                .price(row)
                .map_or("-".to_owned(), |price| price.to_string());
            format!(
                "{id} {} {} {} {price} {}",
                text(ItemField::ItemName),
                text(ItemField::ItemCategory),
                text(ItemField::ItemBrand),
                text(ItemField::ImagePath),
            )
        })
        .collect()
}

#[test]
fn files_of_many_kinds() {
    let named = CatalogueColumns {
        item_id: Some("Artikel".to_owned()),
        item_name: Some("Text".to_owned()),
        item_category: vec!["WG1".to_owned(), "WG2".to_owned()],
        price: Some("VK".to_owned()),
        ..CatalogueColumns::default()
    };
    let usual = CatalogueColumns::default();
    let rows: [(&str, &CatalogueColumns, &[&str]); 8] = [
        (
            "item_id,item_name,item_category,item_brand,price,image_path\na,Lamp,Home/Light,Lux,2.5,img/a.png\n",
            &usual,
            &["a Lamp Home/Light Lux 2.5 img/a.png"],
        ),
        // Another order, another case, a mark, other line ends, more columns, quotes.
        (
            "\u{feff}Price;Title;colour;ID\r\n\"2,50\";\"A; \"\"lamp\"\"\";red;a\r\n",
            &usual,
            &["a A; \"lamp\" - - 2.5 -"],
        ),
        (
            "id\ttitle\tproduct_type\tprice\timage_link\na\tLamp\tHome > Light\t2.50 EUR\thttps://x/a\n",
            &usual,
            &["a Lamp Home/Light - 2.5 https://x/a"],
        ),
        (
            "product_id,category_code,brand\na,electronics.audio,lux\n",
            &usual,
            &["a - electronics/audio lux - -"],
        ),
        (
            "sku,item_category,item_category2,item_category3\na,Home,,Light\n",
            &usual,
            &["a - Home/Light - - -"],
        ),
        (
            "{\"item_id\": 7, \"name\": \"Lamp\", \"category\": [\"Home\", \"Light\"], \"price\": 2.5}\n\n{\"item_id\": \"a\", \"name\": null}\n",
            &usual,
            &["7 Lamp Home/Light - 2.5 -", "a - - - - -"],
        ),
        (
            "Artikel|Text|WG1|WG2|VK\na|Lamp|Home|Light|2.5\n",
            &named,
            &["a Lamp Home/Light - 2.5 -"],
        ),
        (
            "item_id,item_name\na,\"two\nlines\"\n",
            &usual,
            &["a two\nlines - - - -"],
        ),
    ];
    for (file, columns, expected) in rows {
        let (catalogue, problems) = read(&[file], columns);
        assert_eq!(items(&catalogue), expected, "{file}");
        assert_eq!(problems, [] as [String; 0], "{file}");
    }
}

#[test]
fn retailrocket() {
    let properties = "timestamp,itemid,property,value\n\
        1435460400000,1,categoryid,14\n\
        1435460400000,1,790,n277.200\n\
        1435460400000,1,888,1116713 960601\n\
        1441508400000,1,790,n300.000\n\
        1431831600000,1,790,n100.000\n\
        1435460400000,2,categoryid,99\n\
        1435460400000,3,790,none\n\
        1435460400000,,790,n1.000\n";
    let tree = "categoryid,parentid\n14,12\n12,1\n1,\n";
    for files in [[properties, tree], [tree, properties]] {
        let (catalogue, problems) = read(&files, &CatalogueColumns::default());
        assert_eq!(
            items(&catalogue),
            ["1 - 1/12/14 - 300 -", "2 - 99 - - -", "3 - - - - -"]
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        let counts = catalogue.counts();
        assert_eq!((counts.rows, counts.rejected, counts.items), (11, 2, 3));
        assert_eq!(counts.conflicts.get(&ItemField::Price), Some(&2));
    }
    // A circle ends.
    let (catalogue, _) = read(
        &[
            "categoryid,parentid\n1,2\n2,1\n",
            "timestamp,itemid,property,value\n1,a,categoryid,1\n",
        ],
        &CatalogueColumns::default(),
    );
    assert_eq!(items(&catalogue), ["a - 2/1 - - -"]);
}

#[test]
fn the_latest_value_wins_else_that_of_the_last_row() {
    let rows = [
        ("item_id,name\na,one\na,two\n", "a two - - - -", 1),
        ("item_id,name\na,one\na,one\n", "a one - - - -", 0),
        ("item_id,name,brand\na,one,\na,,lux\n", "a one - lux - -", 0),
        (
            "item_id,name,updated_at\na,new,2024-02-01\na,old,2024-01-01\n",
            "a new - - - -",
            1,
        ),
        (
            "item_id,name,updated_at\na,old,2024-01-01\na,new,2024-02-01\n",
            "a new - - - -",
            1,
        ),
        (
            "item_id,name,updated_at\na,dated,2024-01-01\na,undated,\n",
            "a dated - - - -",
            1,
        ),
        (
            "item_id,name,time\na,new,1700000001\na,old,1700000000\n",
            "a new - - - -",
            1,
        ),
        (
            "item_id,name,time\na,x,1700000000\na,y,1700000000000\n",
            "a y - - - -",
            1,
        ),
    ];
    for (file, expected, conflicts) in rows {
        let (catalogue, _) = read(&[file], &CatalogueColumns::default());
        assert_eq!(items(&catalogue), [expected], "{file}");
        let found = catalogue.counts().conflicts.get(&ItemField::ItemName);
        assert_eq!(found.copied().unwrap_or_default(), conflicts, "{file}");
    }
}

#[test]
fn damaged_files() {
    let columns = CatalogueColumns::default();
    let error = |file: &str| {
        CatalogueBuilder::default()
            .read(file.as_bytes(), &columns, &mut |_| {})
            .expect_err("an error")
    };
    assert!(matches!(error(""), SideTableError::Empty));
    assert!(matches!(error(" \n \n"), SideTableError::Empty));
    let missing = error("colour,size\nred,1\n");
    assert!(missing.to_string().contains("colour, size"), "{missing}");
    let open = format!("item_id,name\na,\"{}", "x\n".repeat(9 << 20));
    assert!(matches!(
        error(&open),
        SideTableError::RecordTooLong { row: 2 }
    ));
    let long = format!("{{\"item_id\": \"{}", "x".repeat(17 << 20));
    assert!(matches!(
        error(&long),
        SideTableError::RecordTooLong { row: 1 }
    ));
    // Single rows are set aside, and the others stay.
    let (catalogue, problems) = read(
        &["{\"item_id\": \"a\"}\n{\"item_id\n{\"x\": 1}\n"],
        &columns,
    );
    assert_eq!(items(&catalogue), ["a - - - - -"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    let mut few = CatalogueBuilder::with_most_items(1);
    few.read("id\na\nb\na\n".as_bytes(), &columns, &mut |_| {})
        .expect("a catalogue");
    assert_eq!(few.finish().counts().left_out, 1);
}

/// Lines of `user|item|name|category|price|currency|context`; `-` is missing. Each is an event of
/// its own, but for those with a `+` in front, which go on with the event before.
fn batch(lines: &[&str]) -> RecordBatch {
    let fields: Vec<Vec<Option<&str>>> = lines
        .iter()
        .map(|line| {
            let fields = line.trim_start_matches('+').split('|');
            fields
                .map(|field| (field != "-").then_some(field))
                .collect()
        })
        .collect();
    let text = |position: usize| -> ArrayRef {
        Arc::new(
            fields
                .iter()
                .map(|line| line[position])
                .collect::<StringArray>(),
        )
    };
    let price: Float64Array = fields
        .iter()
        .map(|line| line[4].map(|price| price.parse().expect("a price")))
        .collect();
    let mut row = 0;
    let rows = lines.iter().map(|line| {
        row += u64::from(!line.starts_with('+'));
        row
    });
    let count = lines.len();
    let keys = Decimal128Array::from(vec![0; count]).with_precision_and_scale(38, 0);
    let columns: [(Column, ArrayRef); 14] = [
        (
            Column::Timestamp,
            Arc::new(TimestampMillisecondArray::from(vec![0; count]).with_timezone("UTC")),
        ),
        (
            Column::Event,
            Arc::new(UInt8Array::from(vec![EventKind::ViewItem.code(); count])),
        ),
        (Column::UserId, text(0)),
        (Column::ItemId, text(1)),
        (Column::ItemName, text(2)),
        (Column::ItemCategory, text(3)),
        (Column::ItemBrand, Arc::new(StringArray::new_null(count))),
        (Column::Price, Arc::new(price)),
        (Column::Currency, text(5)),
        (Column::Context, text(6)),
        (Column::Source, Arc::new(UInt16Array::from(vec![0; count]))),
        (Column::Row, Arc::new(UInt64Array::from_iter_values(rows))),
        (Column::Group, Arc::new(UInt64Array::from(vec![0; count]))),
        (Column::Key, Arc::new(keys.expect("a type of Arrow's"))),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(column, array)| (column.name(), array, true)),
    )
    .expect("a batch")
}

fn texts(batch: &RecordBatch, column: Column) -> Vec<String> {
    let array = batch.column_by_name(column.name()).expect("the column");
    let texts = array.as_string::<i32>();
    texts
        .iter()
        .map(|text| text.unwrap_or("-").to_owned())
        .collect()
}

#[test]
fn what_lines_lack_is_filled() {
    let (catalogue, _) = read(
        &["item_id,name,category,brand,price\na,Lamp,Home/Light,Lux,2.5\nb,,,,\n"],
        &CatalogueColumns::default(),
    );
    assert_eq!(
        catalogue.columns(),
        [
            Column::ItemName,
            Column::ItemCategory,
            Column::ItemBrand,
            Column::Price
        ]
    );
    let lines = batch(&[
        "u|a|-|-|-|-|-",
        "u|a|Lampe|Home|3|EUR|-",
        "u|a|Lamp|Garden|2.5|-|-",
        "u|a|Lamp|Home/Light|-|USD|-",
        "u|b|-|-|-|-|-",
        "u|c|-|-|-|-|-",
        "u|-|-|-|-|-|-",
    ]);
    let mut counts = FillCounts::default();
    let filled = catalogue
        .fill(&lines, Some("EUR"), &mut counts)
        .expect("a batch of the table");
    assert_eq!(
        texts(&filled, Column::ItemName),
        ["Lamp", "Lampe", "Lamp", "Lamp", "-", "-", "-"]
    );
    assert_eq!(
        texts(&filled, Column::ItemCategory),
        ["Home/Light", "Home", "Garden", "Home/Light", "-", "-", "-"]
    );
    assert_eq!(
        texts(&filled, Column::ItemBrand),
        ["Lux", "Lux", "Lux", "Lux", "-", "-", "-"]
    );
    let prices = filled.column_by_name("price").expect("prices");
    let prices: Vec<Option<f64>> = prices.as_primitive::<Float64Type>().iter().collect();
    assert_eq!(
        prices,
        [Some(2.5), Some(3.0), Some(2.5), None, None, None, None]
    );
    let count = |filled, disagree| FillCount { filled, disagree };
    let expected = FillCounts {
        item_name: count(1, 1),
        item_category: count(1, 1),
        item_brand: count(4, 0),
        price: count(1, 1),
        unknown_items: 1,
    };
    assert_eq!(counts, expected);
    // A second time nothing is left to fill.
    let mut again = FillCounts::default();
    let twice = catalogue
        .fill(&filled, Some("EUR"), &mut again)
        .expect("a batch");
    assert_eq!(twice, filled);
    assert_eq!(again.item_brand, count(0, 0));
}

#[test]
fn attributes_go_into_the_context_of_events() {
    let mut attributes = UserAttributes::default();
    let mut problems = Vec::new();
    let file = "Customer ID,age,city,member\nu,34,Rome,true\nv,,,\n,1,x,false\nw,5,Oslo,false\nw,6,Oslo,false\n";
    attributes
        .read(file.as_bytes(), None, &mut |problem| {
            problems.push(problem.row);
        })
        .expect("attributes");
    assert_eq!(problems, [4]);
    let counts = attributes.counts();
    assert_eq!(
        (counts.rows, counts.rejected, counts.users, counts.conflicts),
        (5, 1, 3, 1)
    );
    let lines = batch(&[
        "u|a|-|-|-|-|-",
        "+u|b|-|-|-|-|-",
        "u|a|-|-|-|-|{}",
        "u|a|-|-|-|-|{\"x\":1}",
        "u|a|-|-|-|-|{\"user.age\":35}",
        "v|a|-|-|-|-|{\"x\":1}",
        "w|a|-|-|-|-|-",
        "-|a|-|-|-|-|-",
        "z|a|-|-|-|-|-",
    ]);
    let mut events = 0;
    let filled = attributes.fill(&lines, &mut events).expect("a batch");
    let expected = [
        r#"{"user.age":34.0,"user.city":"Rome","user.member":true}"#,
        "-",
        r#"{"user.age":34.0,"user.city":"Rome","user.member":true}"#,
        r#"{"x":1,"user.age":34.0,"user.city":"Rome","user.member":true}"#,
        r#"{"user.age":35,"user.city":"Rome","user.member":true}"#,
        r#"{"x":1}"#,
        r#"{"user.age":6.0,"user.city":"Oslo","user.member":false}"#,
        "-",
        "-",
    ];
    assert_eq!(texts(&filled, Column::Context), expected);
    assert_eq!(events, 5);
}

#[test]
fn attributes_from_json_keep_their_types() {
    let mut attributes = UserAttributes::default();
    let file = "{\"user_id\":\"u\",\"zip\":\"00184\",\"age\":34,\"member\":true,\"x\":null,\"updated_at\":\"2024-02-01\"}\n\
        {\"user_id\":\"u\",\"zip\":\"1\",\"updated_at\":\"2024-01-01\"}\n";
    attributes
        .read(file.as_bytes(), None, &mut |problem| panic!("{problem}"))
        .expect("attributes");
    let filled = attributes
        .fill(&batch(&["u|a|-|-|-|-|-"]), &mut 0)
        .expect("a batch");
    let context = texts(&filled, Column::Context);
    assert_eq!(
        context,
        [r#"{"user.age":34,"user.member":true,"user.zip":"00184"}"#]
    );
    let error = attributes.read("zip\n1\n".as_bytes(), None, &mut |_| {});
    assert!(matches!(
        error,
        Err(SideTableError::MissingColumn {
            wanted: "user_id",
            ..
        })
    ));
}

proptest! {
    /// Whatever the bytes, every row is used or set aside, and nothing panics.
    #[test]
    fn any_bytes_can_be_read(
        start in proptest::sample::select(vec![
            "", "item_id,name,price\n", "timestamp,itemid,property,value\n", "user_id;x\n", "{\"id\":1}\n",
        ]),
        bytes in proptest::collection::vec(
            prop_oneof![
                3 => proptest::sample::select(b"\"\n\r,;|\t{}:a1.\\ \xef".to_vec()),
                1 => any::<u8>(),
            ],
            0..200,
        ),
    ) {
        let mut input = start.as_bytes().to_vec();
        input.extend(bytes);
        let mut builder = CatalogueBuilder::default();
        let mut set_aside = 0;
        let read = builder.read(input.as_slice(), &CatalogueColumns::default(), &mut |_| set_aside += 1);
        let catalogue = builder.finish();
        if read.is_ok() {
            prop_assert_eq!(catalogue.counts().rejected, set_aside);
            prop_assert!(catalogue.counts().rows >= set_aside);
        }
        prop_assert!(catalogue.to_batch().is_ok());
        let mut attributes = UserAttributes::default();
        let _ = attributes.read(input.as_slice(), None, &mut |_| {});
        let contexts = attributes.fill(&batch(&["1|a|-|-|-|-|{\"x\":1}"]), &mut 0).expect("a batch");
        for context in texts(&contexts, Column::Context) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&context).is_ok(), "{}", context);
        }
    }
}
