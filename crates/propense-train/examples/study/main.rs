//! Studies behind `docs/update.md` and `docs/drift.md`, on data that is not in the repository.
//!
//! ```text
//! cargo run --release -p propense-train --example study -- update-days UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- update-months online_retail.csv.gz
//! cargo run --release -p propense-train --example study -- drift-quiet UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- drift-shift UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- drift-quiet data/giftshop models/giftshop.propense
//! ```

mod drift;
mod update;

use std::path::PathBuf;

use propense_train::{LoadOptions, load, use_threads};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (what, path) = (args.next().unwrap_or_default(), args.next());
    let Some(path) = path else {
        return Err("usage: study update-days|update-months|drift-quiet|drift-shift FILE".into());
    };
    use_threads(1)?;
    let data = load(&[PathBuf::from(path)], &LoadOptions::default())?;
    match what.as_str() {
        "update-days" => update::days(&data, args.next().as_deref() == Some("refresh")),
        "update-months" => update::months(&data),
        "drift-quiet" => drift::quiet(&data, args.next()),
        "drift-shift" => drift::shift(&data, args.next()),
        other => Err(format!("unknown study `{other}`").into()),
    }
}
