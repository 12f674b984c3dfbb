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
        for part in 0..=4 {
            let value = self.range * f64::from(part) / 4.0;
            let label = format!("{value:.2}");
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
