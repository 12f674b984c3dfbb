//! The results as tables: one for each place and case.

use serde_json::{Value, json};

use super::figures::Measured;
use super::spread::{Spread, spread};

/// Rows that can be compared with each other.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// Whether more is better: sessions a second rather than microseconds.
    pub(super) rate: bool,
    pub(super) rows: Vec<Row>,
}

/// One implementation's figures.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) figures: Result<Spread, String>,
    /// How many times Propense is as fast in the same case: a ratio of medians.
    pub(super) ratio: Option<f64>,
    /// Bytes of code over the wire, where the case loads any.
    code: Option<(u64, u64)>,
}

/// Title, place, and which case stands in a row for which implementation: Propense's own and the
/// others'.
struct Layout {
    title: &'static str,
    place: &'static str,
    /// Cases of Propense, with what is said of each; the first is the one that ratios refer to.
    own: &'static [(&'static str, &'static str)],
    others: &'static [(&'static str, &'static str)],
    rate: bool,
}

const ONE: [(&str, &str); 2] = [("event", "one live event"), ("one", "full pass")];
const PASS: [(&str, &str); 1] = [("one", "full pass")];
const MANY: [(&str, &str); 1] = [("many", "")];
const FIRST: [(&str, &str); 1] = [("first-score", "")];

const LAYOUTS: [Layout; 10] = [
    Layout {
        title: "One session, native",
        place: "native",
        own: &ONE,
        others: &[("one", "full pass"), ("one-1", "full pass, one thread")],
        rate: false,
    },
    Layout {
        title: "256 sessions, native, all threads",
        place: "native",
        own: &MANY,
        others: &MANY,
        rate: false,
    },
    Layout {
        title: "256 sessions, native, one thread",
        place: "native",
        own: &[("many-1", "")],
        others: &[("many-1", "")],
        rate: false,
    },
    Layout {
        title: "Training, native, batches of 64: sessions a second",
        place: "native",
        own: &[("train", "")],
        others: &[("train", "")],
        rate: true,
    },
    Layout {
        title: "One session, WebAssembly",
        place: "wasm",
        own: &ONE,
        others: &PASS,
        rate: false,
    },
    Layout {
        title: "256 sessions, WebAssembly",
        place: "wasm",
        own: &MANY,
        others: &MANY,
        rate: false,
    },
    Layout {
        title: "From navigation to the first score, WebAssembly",
        place: "wasm",
        own: &FIRST,
        others: &FIRST,
        rate: false,
    },
    Layout {
        title: "One session, WebGPU",
        place: "webgpu",
        own: &ONE,
        others: &PASS,
        rate: false,
    },
    Layout {
        title: "256 sessions, WebGPU",
        place: "webgpu",
        own: &MANY,
        others: &MANY,
        rate: false,
    },
    Layout {
        title: "From navigation to the first score, WebGPU",
        place: "webgpu",
        own: &FIRST,
        others: &FIRST,
        rate: false,
    },
];

/// All tables that have anything to say.
pub(super) fn tables(measured: &[Measured]) -> Vec<Table> {
    LAYOUTS
        .iter()
        .map(|layout| table(layout, measured))
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn is_propense(one: &Measured) -> bool {
    one.name.starts_with("Propense")
}

fn table(layout: &Layout, measured: &[Measured]) -> Table {
    let here = || measured.iter().filter(|one| one.place == layout.place);
    let figures = |one: &Measured, case: &str| spread(one.times.get(case)?);
    let base = layout.own.first().and_then(|(case, _)| {
        let own = here().find(|one| is_propense(one))?;
        Some(figures(own, case)?.median)
    });
    let mut rows = Vec::new();
    for one in here() {
        let cases = if is_propense(one) {
            layout.own
        } else {
            layout.others
        };
        for (case, words) in cases {
            let first = case.starts_with("first");
            let name = match (
                *words,
                one.threads.filter(|_| !case.ends_with("-1") && !first),
            ) {
                ("", None) => format!("{} {}", one.name, one.version),
                ("", Some(1)) => format!("{} {}, one thread", one.name, one.version),
                ("", Some(n)) => format!("{} {}, {n} threads", one.name, one.version),
                (words, _) => format!("{} {}: {words}", one.name, one.version),
            };
            let figures = match (figures(one, case), &one.failed) {
                (Some(found), _) => Ok(found),
                (None, Some(why)) => Err(why.clone()),
                (None, None) => continue,
            };
            let ratio = base.zip(figures.as_ref().ok()).map(|(base, found)| {
                if layout.rate {
                    base / found.median
                } else {
                    found.median / base
                }
            });
            rows.push(Row {
                name,
                figures,
                ratio,
                code: one.code.filter(|_| first),
            });
        }
    }
    Table {
        title: layout.title,
        rate: layout.rate,
        rows,
    }
}

impl Table {
    /// As a table of Markdown, which reads well on a terminal too.
    pub(super) fn markdown(&self) -> String {
        let code = self.rows.iter().any(|row| row.code.is_some());
        let mut lines = vec![vec![
            self.title.to_owned(),
            "median".into(),
            "p99".into(),
            "Propense is … as fast".into(),
        ]];
        if code {
            lines[0].push("code, brotli".into());
        }
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            match &row.figures {
                Ok(found) if self.rate => {
                    line.extend([
                        format!("{:.0}", found.median),
                        format!("{:.0}", found.least),
                    ]);
                }
                Ok(found) => line.extend([time(found.median), time(found.p99)]),
                Err(why) => line.extend([format!("not measured: {why}"), String::new()]),
            }
            line.push(
                row.ratio
                    .map_or_else(String::new, |ratio| format!("{ratio:.2}×")),
            );
            if code {
                let size = row
                    .code
                    .map(|(_, brotli)| format!("{} KB", brotli.div_ceil(1000)));
                line.push(size.unwrap_or_default());
            }
            lines.push(line);
        }
        if self.rate {
            lines[0][2] = "least".into();
        }
        aligned(&lines)
    }

    /// As JSON: microseconds, or sessions a second.
    pub(super) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| match &row.figures {
            Ok(found) => json!({
                "name": row.name, "median": found.median, "p99": found.p99, "least": found.least,
                "count": found.count, "ratio": row.ratio, "code_bytes": row.code.map(|code| code.0),
                "code_brotli_bytes": row.code.map(|code| code.1),
            }),
            Err(why) => json!({ "name": row.name, "not_measured": why }),
        });
        json!({
            "title": self.title,
            "unit": if self.rate { "sessions/s" } else { "µs" },
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let cell = if column == 0 {
                format!("| {cell:<width$} ")
            } else {
                format!("| {cell:>width$} ")
            };
            text.push_str(&cell);
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let (dashes, end) = (
                    width + usize::from(column == 0),
                    if column == 0 { "" } else { ":" },
                );
                text.push_str(&format!("|{}{end}", "-".repeat(dashes + 1)));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Microseconds with a unit that suits them.
pub(super) fn time(microseconds: f64) -> String {
    let (value, unit) = match microseconds {
        ..1e3 => (microseconds, "µs"),
        ..1e6 => (microseconds / 1e3, "ms"),
        _ => (microseconds / 1e6, "s"),
    };
    match value {
        ..10.0 => format!("{value:.2} {unit}"),
        ..100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Measured;
    use super::{tables, time};

    fn measured(name: &str, times: &[(&str, f64)]) -> Measured {
        Measured {
            name: name.into(),
            version: "1".into(),
            place: "native".into(),
            threads: Some(2),
            times: times
                .iter()
                .map(|(case, time)| ((*case).into(), vec![*time]))
                .collect(),
            ..Measured::default()
        }
    }

    #[test]
    fn ratios_say_how_many_times_propense_is_as_fast() {
        let tables = tables(&[
            measured(
                "Propense",
                &[("event", 5.0), ("one", 50.0), ("train", 300.0)],
            ),
            measured("Other", &[("one", 100.0), ("train", 600.0)]),
        ]);
        let ratios: Vec<Vec<f64>> = tables
            .iter()
            .map(|table| table.rows.iter().filter_map(|row| row.ratio).collect())
            .collect();
        assert_eq!(ratios, [vec![1.0, 10.0, 20.0], vec![1.0, 0.5]]);
        assert!(tables[0].markdown().contains("| Other 1: full pass"));
    }

    #[test]
    fn times_have_units() {
        let check = |microseconds, expected| assert_eq!(time(microseconds), expected);
        check(4.74, "4.74 µs");
        check(228.0, "228 µs");
        check(12_345.0, "12.3 ms");
        check(3_979_000.0, "3.98 s");
    }
}
