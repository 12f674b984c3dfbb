//! Identifiers hashed into signed columns.

use std::collections::BTreeSet;

use propense_events::{EventKind, Session};
use propense_features::{FitOptions, HashedField, MAX_BUCKETS, RowFeature, featurise, fit};

use crate::{event, session, spec, with_item};

/// From the reference implementation (Python's `xxhash`): `xxh64_intdigest(value, seed)`.
#[test]
fn the_hash_is_the_documented_one() {
    let rows: [(HashedField, &str, u64); 5] = [
        (HashedField::ItemId, "", 0xef46db3751d8e999),
        (HashedField::ItemId, "85123A", 0x07aeef0622b0eb53),
        (
            HashedField::ItemId,
            "never seen in training",
            0x400c45a43b8476fd,
        ),
        (HashedField::ItemCategory, "85123A", 0x07360db9dc3a5646),
        (HashedField::ItemCategory, "Möbel/Sofas", 0x8d4b87a8854027e9),
    ];
    for (field, value, hash) in rows {
        for buckets in [1, 7, 16, 4096] {
            let column = ((hash % (1 << 63)) % u64::from(buckets)) as u32;
            let sign = if hash < 1 << 63 { 1.0 } else { -1.0 };
            assert_eq!(field.bucket(value, buckets), (column, sign), "{value}");
        }
    }
}

#[test]
fn one_signed_column_for_an_id_and_none_for_nothing() {
    let buckets = 8;
    let spec = spec(vec![
        RowFeature::Hashed {
            field: HashedField::ItemId,
            buckets,
        },
        RowFeature::Hashed {
            field: HashedField::ItemCategory,
            buckets: 4,
        },
    ]);
    assert_eq!(spec.row_len(), 12);
    assert_eq!(spec.row_names()[7..9], ["item_id#7", "item_category#0"]);
    let row =
        |event: propense_events::Event| featurise(&spec, &session(vec![event.clone()]), &[event]).0;
    assert_eq!(row(event(EventKind::PageView, 0)), [0.0; 12]);
    let without_category = row(with_item(event(EventKind::ViewItem, 0), "A", "", None));
    assert_eq!(without_category[8..], [0.0; 4]);
    for id in ["A", "B", "85123A", "é", "never seen in training"] {
        let row = row(with_item(event(EventKind::ViewItem, 0), id, "red", None));
        let (column, sign) = HashedField::ItemId.bucket(id, buckets);
        for (position, number) in row[..8].iter().enumerate() {
            let expected = if position == column as usize {
                sign
            } else {
                0.0
            };
            assert_eq!(*number, expected, "{id} at {position}");
        }
        assert_eq!(row[8..].iter().map(|x| x.abs()).sum::<f32>(), 1.0);
    }
}

#[test]
fn ids_spread_evenly_and_signs_cancel() {
    let count = 8000;
    let mut columns = [0_u32; 8];
    let mut sum = 0.0;
    for number in 0..count {
        let (column, sign) = HashedField::ItemId.bucket(&number.to_string(), 8);
        columns[column as usize] += 1;
        sum += sign;
    }
    // Four standard deviations of a fair draw.
    for column in columns {
        assert!(
            (f64::from(column) - 1000.0).abs() < 4.0 * 30.0,
            "{columns:?}"
        );
    }
    assert!(sum.abs() < 4.0 * 90.0, "{sum}");
}

#[test]
fn hashing_is_only_done_where_it_is_asked_for_and_possible() {
    let names = |sessions: &[Session], options: &FitOptions| -> BTreeSet<String> {
        let sessions: Vec<_> = sessions.iter().collect();
        let (spec, notes) = fit(&sessions, options);
        assert_eq!(spec.validate(), Ok(()));
        let mut names: BTreeSet<String> = spec.row_names().into_iter().collect();
        names.retain(|name| name.contains('#'));
        names.extend(notes.into_iter().filter(|note| note.contains("`item_")));
        names
    };
    let shop = crate::fitting::shop();
    assert!(names(&shop, &FitOptions::default()).is_empty());
    assert!(names(&shop, &FitOptions::full()).is_empty());
    let asked = FitOptions {
        item_buckets: 2,
        category_buckets: u32::MAX,
        ..FitOptions::default()
    };
    let found = names(&shop, &asked);
    assert!(found.contains("item_id#1") && !found.contains("item_id#2"));
    assert!(found.contains(&format!("item_category#{}", MAX_BUCKETS - 1)));
    let no_items = [session(vec![event(EventKind::Search, 0)])];
    let found = names(&no_items, &asked);
    for field in ["`item_id`", "`item_category`"] {
        assert!(found.iter().any(|note| note.contains(field)), "{found:?}");
    }
}
