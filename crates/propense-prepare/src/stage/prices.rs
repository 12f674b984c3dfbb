//! A sample of the prices of every item, from staged lines.

use std::path::Path;

use super::parts::all;
use super::read;
use crate::PrepareError;
use crate::table::{Lines, number_at, text_at};
use crate::usual_price::PriceSamples;

/// Adds the prices of an input's staged lines. `tick` is called after each part.
pub(crate) fn sample_prices(
    folder: &Path,
    samples: &mut PriceSamples,
    tick: &mut dyn FnMut() -> Result<(), PrepareError>,
) -> Result<(), PrepareError> {
    for part in all(folder)? {
        for batch in read(&part)? {
            let batch = batch.map_err(PrepareError::engine(part.display()))?;
            let lines = Lines::new(&batch).map_err(PrepareError::engine(part.display()))?;
            for line in 0..lines.len() {
                let Some((item, price)) =
                    text_at(lines.item_id, line).zip(number_at(lines.price, line))
                else {
                    continue;
                };
                // Row and time tell lines apart whatever the order of the files.
                let row = lines.row.get(line).copied().unwrap_or_default();
                let time = lines.timestamp.get(line).copied().unwrap_or_default();
                samples.add(item, price, row ^ time.cast_unsigned().rotate_left(32));
            }
        }
        tick()?;
    }
    Ok(())
}
