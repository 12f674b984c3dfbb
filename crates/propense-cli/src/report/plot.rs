//! A square plot as inline SVG.

use std::fmt::Write;

/// How points are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Line,
    Faint,
    Dashed,
    Dots,
}

/// One curve.
pub(crate) struct Series {
    points: Vec<(f64, f64)>,
    mark: Mark,
}

impl Series {
    /// The curve itself.
    pub(crate) const fn line(points: Vec<(f64, f64)>) -> Self {
        Self {
            points,
            mark: Mark::Line,
        }
    }

    /// What it is compared with.
    pub(crate) const fn faint(points: Vec<(f64, f64)>) -> Self {
        Self {
            points,
            mark: Mark::Faint,
        }
    }

    /// A second curve.
    pub(crate) const fn dashed(points: Vec<(f64, f64)>) -> Self {
        Self {
            points,
            mark: Mark::Dashed,
        }
    }

    /// Points joined by a line.
    pub(crate) const fn dots(points: Vec<(f64, f64)>) -> Self {
        Self {
            points,
            mark: Mark::Dots,
        }
    }
}

/// Axes from 0 to `range`, both alike.
pub(crate) struct Plot {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    range: f64,
    series: Vec<Series>,
}

/// Left and top margin, side of the square, size of the picture.
const LEFT: f64 = 48.0;
const TOP: f64 = 28.0;
const SIDE: f64 = 260.0;
const SIZE: (f64, f64) = (324.0, 336.0);

impl Plot {
    /// Axes from 0 to 1.
    pub(crate) const fn unit(
        title: &'static str,
        x: &'static str,
        y: &'static str,
        series: Vec<Series>,
    ) -> Self {
        Self {
            title,
            x,
            y,
            range: 1.0,
            series,
        }
    }

    /// The same with both axes to another end.
    pub(crate) const fn up_to(mut self, range: f64) -> Self {
        self.range = range;
        self
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let scale = |value: f64| (value / self.range).clamp(0.0, 1.0) * SIDE;
        (LEFT + scale(x), TOP + SIDE - scale(y))
    }

    /// The picture. Writing to a string cannot fail, so results of `write!` are let go.
    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n<text class=\"title\" x=\"{LEFT}\" y=\"16\">{}</text>\n\
             <rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>\n",
            SIZE.0, SIZE.1, self.title, self.title
        );
        for (value, label) in ticks(self.range) {
            let (x, bottom) = self.place((value, 0.0));
            let (_, y) = self.place((0.0, value));
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                bottom + 15.0,
                LEFT - 5.0,
                y + 4.0
            );
        }
        let middle = LEFT + SIDE / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(11 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            TOP + SIDE + 34.0,
            self.x,
            TOP + SIDE / 2.0,
            self.y
        );
        for series in &self.series {
            self.draw(series, &mut svg);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw(&self, series: &Series, svg: &mut String) {
        let class = match series.mark {
            Mark::Faint => "faint",
            Mark::Dashed => "dashed",
            Mark::Line | Mark::Dots => "line",
        };
        let _ = write!(svg, "<polyline class=\"{class}\" points=\"");
        for point in &series.points {
            let (x, y) = self.place(*point);
            let _ = write!(svg, "{x:.1},{y:.1} ");
        }
        svg.push_str("\"/>\n");
        if series.mark == Mark::Dots {
            for point in &series.points {
                let (x, y) = self.place(*point);
                let _ = writeln!(
                    svg,
                    "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
                );
            }
        }
    }
}

/// Round numbers from 0 to this end, three to six of them, with their labels. Steps are 1, 2 or 5 times
/// a power of ten.
fn ticks(range: f64) -> Vec<(f64, String)> {
    let rough = (range / 5.0).max(1e-9);
    let power = rough.log10().floor();
    let unit = 10f64.powf(power);
    // Whatever is lost in dividing must not make the step twice as large.
    let steps = [1.0, 2.0, 5.0, 10.0];
    let times = steps
        .into_iter()
        .find(|times| times * unit >= rough * (1.0 - 1e-9));
    let times = times.unwrap_or(10.0);
    let step = times * unit;
    let places = (-step.log10()).ceil().max(0.0) as usize;
    let last = (range / step + 1e-9).floor() as usize;
    (0..=last)
        .map(|number| {
            let value = number as f64 * step;
            (value, format!("{value:.places$}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_labelled_with_round_numbers() {
        let check = |range: f64, expected: &[&str]| {
            let labels: Vec<String> = ticks(range).into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels, expected, "{range}");
            let svg = Plot::unit("A", "x", "y", Vec::new()).up_to(range).svg();
            for label in expected {
                assert_eq!(svg.matches(&format!(">{label}</text>")).count(), 2, "{svg}");
            }
        };
        check(1.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(0.177, &["0.00", "0.05", "0.10", "0.15"]);
        check(0.0525, &["0.00", "0.02", "0.04"]);
        check(0.5, &["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        check(0.84, &["0.0", "0.2", "0.4", "0.6", "0.8"]);
        for range in (5..=100).map(|percent| f64::from(percent) / 100.0) {
            let count = ticks(range).len();
            assert!((3..=6).contains(&count), "{range}: {count}");
        }
    }
}
