//! The results as one picture: a bar for each row, as long as its logarithm.

use super::tables::{Table, time};

const WIDTH: f64 = 960.0;
const LABELS: f64 = 380.0;
const BAR: f64 = 460.0;
const LINE: f64 = 22.0;

/// An SVG with all tables, one under the other. Within a table a bar's length is the logarithm of
/// the figure, so that a factor of ten is the same distance everywhere.
pub(super) fn svg(tables: &[Table]) -> String {
    let mut parts = Vec::new();
    let mut y = 10.0;
    for table in tables {
        y += LINE;
        parts.push(format!(
            r#"<text x="10" y="{y}" font-weight="bold">{}</text>"#,
            escape(table.title)
        ));
        let values: Vec<f64> = table
            .rows
            .iter()
            .filter_map(|row| Some(row.figures.as_ref().ok()?.median))
            .collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let decades = (most / least).log10().max(1.0);
        for row in &table.rows {
            y += LINE;
            let Ok(found) = &row.figures else { continue };
            // A tenth for the shortest, so that it can be seen.
            let length = BAR * (0.1 + 0.9 * (found.median / least).log10() / decades);
            let own = row.name.starts_with("Propense");
            let colour = if own { "#c2410c" } else { "#94a3b8" };
            let words = if table.rate {
                format!("{:.0}/s", found.median)
            } else {
                time(found.median)
            };
            parts.push(format!(
                r#"<text x="{}" y="{y}" text-anchor="end">{}</text><rect x="{LABELS}" y="{}" width="{length:.0}" height="{}" fill="{colour}"/><text x="{:.0}" y="{y}">{words}</text>"#,
                LABELS - 8.0,
                escape(&row.name),
                y - LINE * 0.7,
                LINE * 0.8,
                LABELS + length + 8.0,
            ));
        }
        y += LINE / 2.0;
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{0}" viewBox="0 0 {WIDTH} {0}" font-family="system-ui, sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>{1}</svg>
"#,
        y + LINE,
        parts.join("\n")
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
