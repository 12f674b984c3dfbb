//! A chart with ends of its own in both directions, as inline SVG.

/// From which ratio of the ends on values are drawn by their logarithm, as a range is drawn from.
const SPREAD: f64 = 4.0;

const LEFT: f64 = 52.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 150.0;

/// The frame of a chart: its ends in both directions, and places in it.
pub(super) struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    /// Whether x is drawn by its logarithm.
    logarithmic: bool,
}

impl Frame {
    pub(super) fn around(points: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let ends = |of: fn((f64, f64)) -> f64| {
            let values = points.clone().map(of);
            let low = values.clone().fold(f64::INFINITY, f64::min);
            (low, values.fold(f64::NEG_INFINITY, f64::max))
        };
        Self {
            x: ends(|point| point.0),
            y: ends(|point| point.1),
            logarithmic: false,
        }
    }

    /// The same with x by its logarithm, where its ends lie far enough apart.
    pub(super) fn spread(mut self) -> Self {
        self.logarithmic = self.x.0 > 0.0 && self.x.1 > SPREAD * self.x.0;
        self
    }

    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| match high > low {
            true => ((value - low) / (high - low)).clamp(0.0, 1.0),
            false => 0.5,
        };
        let across = match self.logarithmic {
            true => share(x.ln(), (self.x.0.ln(), self.x.1.ln())),
            false => share(x, self.x),
        };
        (
            LEFT + across * (RIGHT - LEFT),
            BOTTOM - share(y, self.y) * (BOTTOM - TOP),
        )
    }

    pub(super) fn svg(&self, label: &str, inside: &str) -> String {
        let short = |value: f64| {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        format!(
            "<svg viewBox=\"0 0 360 172\" role=\"img\" aria-label=\"{label}\">\n\
             <rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>\n{inside}\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.4}</text><text x=\"{}\" y=\"{BOTTOM}\" text-anchor=\"end\">{:.4}</text>\
             <text x=\"{LEFT}\" y=\"{}\">{}</text><text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">{}</text>\n</svg>\n",
            RIGHT - LEFT,
            BOTTOM - TOP,
            LEFT - 4.0,
            TOP + 8.0,
            self.y.1,
            LEFT - 4.0,
            self.y.0,
            BOTTOM + 16.0,
            short(self.x.0),
            BOTTOM + 16.0,
            short(self.x.1)
        )
    }
}
