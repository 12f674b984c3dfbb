//! Charts as inline SVG, each with its figures in a table behind it.
//!
//! A chart is 360 units wide, the width of a phone, so that its letters are legible there and no
//! smaller than the text beside it elsewhere. Writing to a string cannot fail, so results of
//! `write!` are let go.

use std::fmt::Write;

use super::text::{cut, escape, prose, short};

/// The width of a chart.
pub(super) const WIDTH: f64 = 360.0;

/// Bars of the most frequent names; the others are in the table.
pub(super) const SHOWN: usize = 6;

/// A chart with its words and its figures.
pub(super) struct Chart {
    title: String,
    words: String,
    pictures: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    wide: bool,
}

impl Chart {
    pub(super) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            words: String::new(),
            pictures: String::new(),
            head: Vec::new(),
            rows: Vec::new(),
            wide: false,
        }
    }

    /// What a reader should take from it; words between backquotes are code.
    pub(super) fn words(mut self, words: impl AsRef<str>) -> Self {
        self.words = prose(words.as_ref());
        self
    }

    /// The picture, in SVG.
    pub(super) fn picture(mut self, svg: impl AsRef<str>) -> Self {
        self.pictures.push_str(svg.as_ref());
        self
    }

    /// Over the whole width of the page.
    pub(super) const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// The table behind it.
    pub(super) fn table(mut self, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        self.head = head.iter().map(|name| (*name).to_owned()).collect();
        self.rows = rows;
        self
    }

    pub(super) fn html(&self) -> String {
        let mut html = format!(
            "<figure class=\"chart{}\">\n<figcaption><h3>{}</h3>",
            if self.wide { " across" } else { "" },
            escape(&self.title)
        );
        if !self.words.is_empty() {
            let _ = write!(html, "<p>{}</p>", self.words);
        }
        html.push_str("</figcaption>\n");
        html.push_str(&self.pictures);
        if !self.rows.is_empty() {
            html.push_str("<details><summary>Figures</summary>\n");
            let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
            html.push_str(&table(&head, &self.rows));
            html.push_str("</details>\n");
        }
        html.push_str("</figure>\n");
        html
    }
}

/// A table; the first column is text, the others are numbers.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr>");
    for name in head {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(name));
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{}</td>", escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// Opens a picture.
pub(super) fn open(class: &str, width: f64, height: f64, label: &str) -> String {
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(label)
    )
}

/// Even ticks from zero to at least `most`: their distance and number.
pub(super) fn ticks(most: f64, about: u32) -> (f64, u32) {
    if !most.is_finite() || most <= 0.0 {
        return (1.0, 1);
    }
    let rough = most / f64::from(about.max(1));
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|nice| nice * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(rough);
    (step, (most / step).ceil().clamp(1.0, 20.0) as u32)
}

/// A horizontal bar with its name above it.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    /// A second, lighter value behind the first.
    pub(super) behind: Option<f64>,
    /// At the right end of the name's line.
    pub(super) note: String,
    /// Drawn as something that needs attention.
    pub(super) marked: bool,
}

impl Bar {
    pub(super) fn new(name: &str, value: f64, note: String) -> Self {
        Self {
            name: name.to_owned(),
            value,
            behind: None,
            note,
            marked: false,
        }
    }
}

const BAR_ROW: f64 = 36.0;

/// Horizontal bars, one below the other; the longest goes over the whole width.
pub(super) fn bars(label: &str, bars: &[Bar]) -> String {
    let most = bars
        .iter()
        .map(|bar| bar.value.max(bar.behind.unwrap_or_default()))
        .fold(0.0, f64::max);
    let length = |value: f64| {
        if most > 0.0 && value > 0.0 {
            (value / most * WIDTH).max(1.5)
        } else {
            0.0
        }
    };
    let mut svg = open("bars", WIDTH, BAR_ROW * bars.len() as f64, label);
    for (number, bar) in bars.iter().enumerate() {
        let top = BAR_ROW * number as f64;
        // About seven units a letter.
        let room = 48_usize.saturating_sub(bar.note.chars().count()).max(8);
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"0\" y=\"{:.1}\">{}</text>\
             <text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"track\" x=\"0\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"9\" rx=\"2\"/>",
            top + 14.0,
            escape(&cut(&bar.name, room)),
            top + 14.0,
            escape(&bar.note),
            top + 20.0,
        );
        if let Some(behind) = bar.behind {
            let _ = write!(
                svg,
                "<rect class=\"behind\" x=\"0\" y=\"{:.1}\" width=\"{:.1}\" height=\"9\" rx=\"2\"/>",
                top + 20.0,
                length(behind)
            );
        }
        let _ = writeln!(
            svg,
            "<rect class=\"{}\" x=\"0\" y=\"{:.1}\" width=\"{:.1}\" height=\"9\" rx=\"2\"/>",
            if bar.marked { "mark" } else { "bar" },
            top + 20.0,
            length(bar.value)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A column of a histogram.
pub(super) struct Column {
    /// Its name, in full: shown on pointing at it.
    pub(super) name: String,
    /// What stands below it, where there is room.
    pub(super) below: String,
    /// Whether that is its lower edge, and stands there.
    pub(super) at_edge: bool,
    pub(super) count: u64,
}

const LEFT: f64 = 40.0;
const TOP: f64 = 8.0;
const HIGH: f64 = 150.0;

/// A histogram. `below` names the axis.
pub(super) fn columns(label: &str, below: &str, columns: &[Column]) -> String {
    let most = columns
        .iter()
        .map(|column| column.count)
        .max()
        .unwrap_or_default();
    let (step, count) = ticks(most as f64, 4);
    let top_value = step * f64::from(count);
    let wide = WIDTH - LEFT - 8.0;
    let mut svg = open("columns", WIDTH, TOP + HIGH + 38.0, label);
    grid(&mut svg, (LEFT, WIDTH - 8.0), TOP, HIGH, step, count);
    let each = wide / columns.len().max(1) as f64;
    let letters = columns
        .iter()
        .map(|column| column.below.chars().count())
        .max();
    // About six and a half units a letter, and some space between.
    let every = ((letters.unwrap_or_default() as f64 * 6.5 + 8.0) / each)
        .ceil()
        .max(1.0) as usize;
    for (number, column) in columns.iter().enumerate() {
        let left = LEFT + each * number as f64;
        let height = column.count as f64 / top_value * HIGH;
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
             <title>{}</title></rect>",
            left + each * 0.06,
            TOP + HIGH - height,
            each * 0.88,
            height,
            escape(&column.name)
        );
        if number % every == 0 {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                if column.at_edge {
                    left
                } else {
                    left + each / 2.0
                },
                TOP + HIGH + 15.0,
                escape(&column.below)
            );
        }
        svg.push('\n');
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n</svg>",
        LEFT + wide / 2.0,
        TOP + HIGH + 33.0,
        escape(below)
    );
    svg
}

/// Lines across from `x.0` to `x.1` with the values at their left.
pub(super) fn grid(svg: &mut String, x: (f64, f64), top: f64, high: f64, step: f64, count: u32) {
    for tick in 0..=count {
        let y = top + high - high * f64::from(tick) / f64::from(count);
        let _ = writeln!(
            svg,
            "<line class=\"{}\" x1=\"{}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            if tick == 0 { "base" } else { "grid" },
            x.0,
            x.1,
            x.0 - 5.0,
            y + 4.0,
            short(step * f64::from(tick))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        for (most, expected) in [
            (0.0, (1.0, 1)),
            (1.0, (0.25, 4)),
            (9.0, (2.5, 4)),
            (97.0, (25.0, 4)),
            (1234.0, (500.0, 3)),
            (f64::NAN, (1.0, 1)),
            (f64::INFINITY, (1.0, 1)),
        ] {
            assert_eq!(ticks(most, 4), expected, "{most}");
        }
    }

    #[test]
    fn pictures_hold_what_they_are_given_and_escape_it() {
        let bar = Bar::new("<i>", 0.0, "\"".to_owned());
        let svg = bars("a & b", &[bar, Bar::new("x", 2.0, String::new())]);
        assert!(svg.contains("&lt;i&gt;") && svg.contains("a &amp; b") && !svg.contains("NaN"));
        let svg = columns("l", "b", &[]);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
