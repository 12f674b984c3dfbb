//! Numbers in sentences.

/// `1,234,567`.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 %`, with as many places as it takes to tell a small share from none.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p < 0.001 => "below 0.001 %".to_owned(),
        p if p < 0.1 => format!("{p:.3} %"),
        p if p < 1.0 => format!("{p:.2} %"),
        p if (99.95..100.0).contains(&p) => "nearly 100 %".to_owned(),
        p => format!("{p:.1} %").replace(".0 %", " %"),
    }
}

/// `1 session`, `1,200 sessions`.
pub(crate) fn of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`; of more than `most` the number of the others.
pub(crate) fn list(names: &[String], most: usize) -> String {
    let rest = names.len().saturating_sub(most);
    let mut shown: Vec<String> = names.iter().take(most).cloned().collect();
    if rest > 0 {
        shown.push(format!("{} more", number(rest as u64)));
    }
    match shown.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(count), text);
        }
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_001, "below 0.001 %"),
            (0.000_5, "0.050 %"),
            (0.005, "0.50 %"),
            (0.123_4, "12.3 %"),
            (0.5, "50 %"),
            (0.999_9, "nearly 100 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), text);
        }
        assert_eq!(
            (of(1, "day", "days"), of(2, "day", "days")),
            ("1 day".into(), "2 days".into())
        );
    }

    #[test]
    fn lists_end_with_and() {
        let names = ["a", "b", "c"].map(str::to_owned);
        for (count, most, text) in [
            (0, 5, ""),
            (1, 5, "a"),
            (2, 5, "a and b"),
            (3, 5, "a, b and c"),
            (3, 1, "a and 2 more"),
        ] {
            assert_eq!(list(&names[..count], most), text);
        }
    }
}
