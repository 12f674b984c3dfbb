//! Studies behind `docs/on-device.md`: heads that adapt to a visitor, and heads that devices improve
//! together, on data that is not in the repository.
//!
//! ```text
//! cargo run --release -p propense-train --example devices -- visitor UserBehavior.csv.gz
//! cargo run --release -p propense-train --example devices -- choose UserBehavior.csv.gz
//! cargo run --release -p propense-train --example devices -- together UserBehavior.csv.gz
//! ```

mod sessions;
mod together;
mod visitor;

use std::path::PathBuf;

use propense_train::{LoadOptions, load, use_threads};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(what), Some(path)) = (args.next(), args.next()) else {
        return Err("usage: devices visitor|choose|together FILE [USERS-IN-A-HUNDRED]".into());
    };
    use_threads(1)?;
    let data = load(&[PathBuf::from(path)], &LoadOptions::default())?;
    let share = args.next().map_or(Ok(100), |share| share.parse())?;
    let start = sessions::Start::of(&data, share)?;
    match what.as_str() {
        "visitor" => visitor::replay(&start),
        "choose" => together::choose(&start),
        "together" => together::simulate(&start),
        other => Err(format!("unknown study `{other}`").into()),
    }
}
