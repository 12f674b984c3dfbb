//! A table for other programs: columns with names, as CSV or Parquet by the file's ending.

use std::path::Path;

use anyhow::Context;

use crate::outcome::Failure;
use crate::output::write_file;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Csv,
    Parquet,
}

impl Layout {
    /// By the ending; anything else is wrong use.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") if cfg!(feature = "engine") => Ok(Self::Parquet),
            Some("parquet") => Err(Failure::Usage(
                "--out: this build writes .csv only; build the whole command with \
                 `cargo build --release --package propense-cli`"
                    .to_owned(),
            )),
            _ => Err(Failure::Usage(format!(
                "--out: {} should end in .csv or .parquet",
                path.display()
            ))),
        }
    }
}

/// A column's cells.
enum Cells {
    Text(Vec<String>),
    Number(Vec<Option<f64>>),
    /// Numbers that are written in full, however small.
    Exact(Vec<Option<f64>>),
}

/// Columns of equal length.
#[derive(Default)]
pub(crate) struct Sheet {
    columns: Vec<(String, Cells)>,
}

impl Sheet {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a column of text.
    pub(crate) fn text<R>(mut self, name: &str, rows: &[R], cell: impl Fn(&R) -> String) -> Self {
        let cells = rows.iter().map(cell).collect();
        self.columns.push((name.to_owned(), Cells::Text(cells)));
        self
    }

    /// Adds a column of numbers; not every row need have one.
    pub(crate) fn number<R>(
        mut self,
        name: &str,
        rows: &[R],
        cell: impl Fn(&R) -> Option<f64>,
    ) -> Self {
        let cells = rows.iter().map(cell).collect();
        self.columns.push((name.to_owned(), Cells::Number(cells)));
        self
    }

    /// Adds a column of numbers of any size, such as scores that are compared.
    pub(crate) fn exact<R>(
        mut self,
        name: &str,
        rows: &[R],
        cell: impl Fn(&R) -> Option<f64>,
    ) -> Self {
        let cells = rows.iter().map(cell).collect();
        self.columns.push((name.to_owned(), Cells::Exact(cells)));
        self
    }

    /// Writes the table.
    pub(crate) fn write(&self, path: &Path, layout: Layout) -> anyhow::Result<()> {
        let bytes = match layout {
            Layout::Csv => self.csv()?,
            #[cfg(feature = "engine")]
            Layout::Parquet => self.parquet()?,
            #[cfg(not(feature = "engine"))]
            Layout::Parquet => anyhow::bail!("this build writes no Parquet"),
        };
        write_file(path, &bytes)
    }

    fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(self.columns.iter().map(|(name, _)| name))?;
        let rows = self.columns.iter().map(|(_, cells)| match cells {
            Cells::Text(cells) => cells.len(),
            Cells::Number(cells) | Cells::Exact(cells) => cells.len(),
        });
        for row in 0..rows.max().unwrap_or(0) {
            let number = |cells: &[Option<f64>], words: fn(f64) -> String| {
                cells
                    .get(row)
                    .copied()
                    .flatten()
                    .map_or(String::new(), words)
            };
            out.write_record(self.columns.iter().map(|(_, cells)| match cells {
                Cells::Text(cells) => cells.get(row).cloned().unwrap_or_default(),
                Cells::Number(cells) => number(cells, short),
                Cells::Exact(cells) => number(cells, |value| (value as f32).to_string()),
            }))?;
        }
        out.into_inner().context("writing the table")
    }

    #[cfg(feature = "engine")]
    fn parquet(&self) -> anyhow::Result<Vec<u8>> {
        use std::sync::Arc;

        use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

        let columns = self.columns.iter().map(|(name, cells)| {
            let array: ArrayRef = match cells {
                Cells::Text(cells) => Arc::new(StringArray::from_iter_values(cells)),
                Cells::Number(cells) | Cells::Exact(cells) => {
                    Arc::new(Float64Array::from(cells.clone()))
                }
            };
            (name, array, true)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(bytes)
    }
}

/// At most four places after the point, and none that are zero.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_and_missing_numbers_are_empty() {
        let rows = [("a,b", Some(2.0)), ("c\"d", None), ("e", Some(0.123_456))];
        let sheet = Sheet::new()
            .text("name", &rows, |row| row.0.to_owned())
            .number("units", &rows, |row| row.1)
            .exact("score", &rows, |row| row.1.map(|units| units / 1e6));
        let text = String::from_utf8(sheet.csv().expect("a table")).expect("UTF-8");
        assert_eq!(
            text,
            "name,units,score\n\"a,b\",2,0.000002\n\"c\"\"d\",,\ne,0.1235,0.000000123456\n"
        );
        assert_eq!(short(-0.000_01), "0");
    }

    #[test]
    fn the_ending_decides() {
        assert_eq!(Layout::of(Path::new("a/b.csv")).ok(), Some(Layout::Csv));
        assert!(matches!(
            Layout::of(Path::new("b.xlsx")),
            Err(Failure::Usage(_))
        ));
    }
}
