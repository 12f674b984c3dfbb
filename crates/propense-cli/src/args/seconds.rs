//! Times that are typed as `30s`, `10m`, `6h` or `1d`.

use std::time::Duration;

/// Units with their seconds.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

/// Longest time: ten years, in seconds.
const LONGEST: u64 = 3_653 * 86_400;

/// A whole number above 0 with its unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write it as 30s, 10m, 6h or 1d, up to ten years");
    let units = UNITS.into_iter();
    let mut found = units.filter_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, unit) = found.next().ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
    match (1..=LONGEST).contains(&seconds) {
        true => Ok(Duration::from_secs(seconds)),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("6h", 21_600), ("1d", 86_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in [
            "",
            "5",
            "h",
            "0s",
            "-1h",
            "1.5h",
            "1w",
            "99999999999999999d",
            "ü",
        ] {
            duration(wrong).expect_err(wrong);
        }
    }
}
