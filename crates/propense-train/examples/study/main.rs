//! Studies behind `docs/update.md`, `docs/drift.md` and `docs/on-device.md`, on data that is not in the
//! repository.
//!
//! ```text
//! cargo run --release -p propense-train --example study -- update-days UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- update-days UserBehavior.csv.gz 2
//! cargo run --release -p propense-train --example study -- update-months online_retail.csv.gz
//! cargo run --release -p propense-train --example study -- drift-quiet UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- drift-shift UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- drift-quiet data/giftshop models/giftshop.propense
//! cargo run --release -p propense-train --example study -- visitor UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- choose UserBehavior.csv.gz
//! cargo run --release -p propense-train --example study -- together UserBehavior.csv.gz
//! ```

mod drift;
mod fitting;
mod sessions;
mod together;
mod update;
mod visitor;

use std::path::PathBuf;

use propense_train::{LoadOptions, load, use_threads};

pub(crate) type Done = Result<(), Box<dyn std::error::Error>>;

const USAGE: &str =
    "usage: study update-days|update-months|drift-quiet|drift-shift|visitor|choose|together FILE";

/// Of the weights, the shuffles and the replayed sample.
fn seed(given: Option<String>) -> Result<u64, std::num::ParseIntError> {
    given.map_or(Ok(1), |seed| seed.parse())
}

fn main() -> Done {
    let mut args = std::env::args().skip(1);
    let (what, path) = (args.next().unwrap_or_default(), args.next());
    let Some(path) = path else {
        return Err(USAGE.into());
    };
    use_threads(1)?;
    let data = load(&[PathBuf::from(path)], &LoadOptions::default())?;
    match what.as_str() {
        "update-days" => update::days(&data, seed(args.next())?),
        "update-months" => update::months(&data, seed(args.next())?),
        "drift-quiet" => drift::quiet(&data, args.next()),
        "drift-shift" => drift::shift(&data, args.next()),
        "visitor" => visitor::replay(&sessions::Start::of(&data)?),
        "choose" => together::choose(&sessions::Start::of(&data)?),
        "together" => together::simulate(&sessions::Start::of(&data)?),
        other => Err(format!("unknown study `{other}`").into()),
    }
}
