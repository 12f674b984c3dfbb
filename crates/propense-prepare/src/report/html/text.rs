//! Text inside the page.

use crate::report::figures::{Bin, Unit};
use crate::report::words::number;

/// Text made safe inside HTML, in content and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Control characters, and those that turn the direction of writing around.
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                safe.push('\u{fffd}');
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A text of ours with words between backquotes set as code; escaped.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            html.push_str(&format!("<code>{}</code>", escape(part)));
        } else {
            html.push_str(&escape(part));
        }
    }
    html
}

/// A name cut to this many characters.
pub(super) fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let kept: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// `12k`, `1.5M`: for axes.
pub(super) fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 1e15 => return format!("{value:.0e}"),
        v if v >= 1e9 => (value / 1e9, "G"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = if scaled.fract().abs() < 1e-9 {
        format!("{scaled:.0}")
    } else if scaled.abs() >= 1.0 {
        format!("{scaled:.1}")
    } else {
        format!("{scaled:.2}")
    };
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    text + unit
}

/// A value in its unit, for people: `2.55`, `12`, `3 min`.
pub(super) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => duration(value),
        Unit::Count if value.fract().abs() < 1e-9 && value.abs() < 1e15 => whole(value),
        Unit::Count => short(value),
        Unit::Amount if value.abs() >= 1e4 => short(value),
        Unit::Amount => format!("{value:.2}"),
    }
}

fn whole(value: f64) -> String {
    if value < 0.0 {
        return format!("-{}", number((-value) as u64));
    }
    number(value as u64)
}

/// `0.4 s`, `30 s`, `12 min`, `2 h`, `3 days`.
pub(super) fn duration(seconds: f64) -> String {
    let (scaled, unit) = match seconds {
        s if s < 60.0 => (s, "s"),
        s if s < 3600.0 => (s / 60.0, "min"),
        s if s < 86_400.0 => (s / 3600.0, "h"),
        s => (s / 86_400.0, "days"),
    };
    let unit = if scaled == 1.0 && unit == "days" {
        "day"
    } else {
        unit
    };
    if scaled.fract().abs() < 0.05 || scaled >= 20.0 {
        format!("{scaled:.0} {unit}")
    } else {
        format!("{scaled:.1} {unit}")
    }
}

/// A bin's name: `3`, `5–6`, `20 s to 30 s`, `above 1 day`.
pub(super) fn bin(bin: &Bin, unit: Unit) -> String {
    match (bin.to, unit) {
        (Some(to), Unit::Count) if bin.from > 0.0 && to - bin.from <= 1.0 => whole(bin.from),
        (Some(_), Unit::Count) if bin.from <= 0.0 => "0".to_owned(),
        (Some(to), Unit::Count) => format!("{}–{}", whole(bin.from), whole(to - 1.0)),
        (Some(to), _) => format!("{} to {}", value(bin.from, unit), value(to, unit)),
        (None, _) => format!("{} and above", value(bin.from, unit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_harmless() {
        for (text, safe) in [
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert(1)&lt;/script&gt;",
            ),
            ("\" onload='x'", "&quot; onload=&#39;x&#39;"),
            ("a & b", "a &amp; b"),
            ("\u{202e}txt\0", "\u{fffd}txt\u{fffd}"),
        ] {
            assert_eq!(escape(text), safe);
        }
        assert_eq!(prose("`<b>` is"), "<code>&lt;b&gt;</code> is");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn values_as_people_write_them() {
        for (number, text) in [
            (0.0, "0"),
            (950.0, "950"),
            (1.5e6, "1.5M"),
            (20_000.0, "20k"),
            (0.25, "0.25"),
        ] {
            assert_eq!(short(number), text);
        }
        for (seconds, text) in [
            (0.4, "0.4 s"),
            (30.0, "30 s"),
            (90.0, "1.5 min"),
            (7200.0, "2 h"),
            (86_400.0, "1 day"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        let of = |from, to, unit| bin(&Bin { from, to, count: 1 }, unit);
        assert_eq!(of(3.0, Some(4.0), Unit::Count), "3");
        assert_eq!(of(5.0, Some(7.0), Unit::Count), "5–6");
        assert_eq!(of(0.0, Some(1.0), Unit::Count), "0");
        assert_eq!(of(1.5, Some(2.0), Unit::Amount), "1.50 to 2.00");
        assert_eq!(of(86_400.0, None, Unit::Seconds), "1 day and above");
    }
}
