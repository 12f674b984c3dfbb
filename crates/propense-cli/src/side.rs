//! Small tables that a user hands in beside the data: CSV with a header, separated by commas,
//! semicolons or tabs.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail};

/// Rows with the lines of the file on which they begin, cells by the names asked for.
pub(crate) struct SideFile {
    path: String,
    rows: Vec<(u64, Vec<Option<String>>)>,
}

/// A row of a [`SideFile`].
pub(crate) struct SideRow<'a> {
    path: &'a str,
    number: u64,
    cells: &'a [Option<String>],
}

impl SideFile {
    /// Reads the columns. Each is named by its possible names, joined by `|`; those with a `?` at
    /// the end may be missing.
    pub(crate) fn read(path: &Path, columns: &[&str]) -> anyhow::Result<Self> {
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(place)?;
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().skip_while(|line| line.is_empty());
        let head = lines.next().unwrap_or_default();
        let count = |byte: &u8| head.bytes().filter(|other| other == byte).count();
        let delimiter = [b'\t', b';', b',']
            .into_iter()
            .max_by_key(count)
            .unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let names = reader.headers().with_context(place)?.clone();
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let (wanted, optional) = match column.strip_suffix('?') {
                Some(wanted) => (wanted, true),
                None => (*column, false),
            };
            let found = wanted
                .split('|')
                .find_map(|one| names.iter().position(|name| name.eq_ignore_ascii_case(one)));
            if found.is_none() && !optional {
                let known: Vec<&str> = names.iter().collect();
                bail!(
                    "{}: no column `{}` in the first row; found: {}",
                    path.display(),
                    wanted.replace('|', "` or `"),
                    known.join(", ")
                );
            }
            places.push(found);
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.with_context(place)?;
            let cell = |found: &Option<usize>| {
                let text = record.get((*found)?)?;
                (!text.is_empty()).then(|| text.to_owned())
            };
            rows.push((line_of(&record, text), places.iter().map(cell).collect()));
        }
        Ok(Self {
            path: path.display().to_string(),
            rows,
        })
    }

    /// That no two rows have the same identifier: which of them counts would hang on their order.
    ///
    /// # Errors
    ///
    /// Where two have.
    pub(crate) fn unique(self, column: usize) -> anyhow::Result<Self> {
        let mut known = HashMap::new();
        for row in self.rows() {
            let Some(name) = row.cell(column) else {
                continue;
            };
            if let Some(first) = known.insert(name, row.number) {
                bail!(
                    "{}: row {}: `{name}` is there already, in row {first}; keep one of them",
                    self.path,
                    row.number
                );
            }
        }
        Ok(self)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = SideRow<'_>> {
        self.rows.iter().map(|(number, cells)| SideRow {
            path: &self.path,
            number: *number,
            cells,
        })
    }
}

/// The line on which a record begins. What the reader names is where it went on after the last
/// record, before blank lines.
fn line_of(record: &csv::StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else {
        return 0;
    };
    let rest = text.bytes().skip(position.byte() as usize);
    let blank = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + blank.filter(|byte| *byte == b'\n').count() as u64
}

impl<'a> SideRow<'a> {
    fn cell(&self, column: usize) -> Option<&'a str> {
        self.cells.get(column)?.as_deref()
    }

    fn wrong<T>(&self, column: usize, wanted: &str) -> anyhow::Result<T> {
        let found = self.cell(column).unwrap_or("nothing");
        bail!(
            "{}: row {}: expected {wanted}, found `{found}`",
            self.path,
            self.number
        )
    }

    /// An identifier, which must be there.
    pub(crate) fn text(&self, column: usize) -> anyhow::Result<String> {
        match self.cell(column) {
            Some(text) => Ok(text.to_owned()),
            None => self.wrong(column, "an identifier"),
        }
    }

    /// Any text; none where the cell is empty.
    pub(crate) fn words(&self, column: usize) -> Option<String> {
        self.cell(column).map(str::to_owned)
    }

    /// A number; none where the cell is empty.
    pub(crate) fn number(&self, column: usize) -> anyhow::Result<Option<f64>> {
        let Some(text) = self.cell(column) else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => self.wrong(column, "a number such as 12.5"),
        }
    }

    /// A day or moment, in milliseconds; as a page logs it, a number of twelve digits or more, too.
    pub(crate) fn time(&self, column: usize) -> anyhow::Result<i64> {
        let number = |text: &str| text.parse().ok().filter(|_| text.len() >= 12);
        let parsed = self
            .cell(column)
            .and_then(|text| number(text).or_else(|| propense_events::parse_timestamp(text, 0)));
        match parsed {
            Some(moment) => Ok(moment),
            None => self.wrong(column, "a time such as 2011-11-01 or 2011-11-01T08:00:00Z"),
        }
    }

    /// Yes or no.
    pub(crate) fn flag(&self, column: usize) -> anyhow::Result<bool> {
        match self.cell(column).map(str::to_ascii_lowercase).as_deref() {
            Some("1" | "true" | "yes") => Ok(true),
            Some("0" | "false" | "no") => Ok(false),
            _ => self.wrong(column, "1 or 0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, columns: &[&str]) -> anyhow::Result<SideFile> {
        let folder = tempfile::tempdir().expect("scratch folder");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).expect("file");
        SideFile::read(&path, columns)
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        for text in [
            "item_id,on_hand\na,3\n",
            "\u{feff}On_Hand;ITEM_ID;more\n 3 ; a ;x\n",
            "on_hand\titem_id\n3\ta\n",
        ] {
            let file = read(text, &["item_id|sku", "on_hand", "pack?"]).expect("a table");
            let row = file.rows().next().expect("a row");
            assert_eq!(row.text(0).ok().as_deref(), Some("a"));
            assert_eq!(row.number(1).ok(), Some(Some(3.0)));
            assert_eq!(row.number(2).ok(), Some(None));
        }
    }

    #[test]
    fn a_moment_is_a_date_or_milliseconds() {
        let text = "at\n2020-09-13T12:26:40Z\n1600000000000\n2020-09-13 12:26:40\n20200913\n";
        let file = read(text, &["at"]).expect("a table");
        let found: Vec<Option<i64>> = file.rows().map(|row| row.time(0).ok()).collect();
        let moment = Some(1_600_000_000_000);
        assert_eq!(found.get(..3), Some(&[moment; 3][..]));
        assert_ne!(found.get(3), Some(&Some(20_200_913)), "no milliseconds");
    }

    #[test]
    fn a_row_is_the_line_on_which_it_begins() {
        for text in [
            "id,n\n\n\na,1\n\"b\nb\",2\n\nc,3",
            "id,n\r\n\r\n\r\na,1\r\n\"b\nb\",2\r\n\r\nc,3\r\n",
        ] {
            let file = read(text, &["id", "n"]).expect("a table");
            let found: Vec<u64> = file.rows().map(|row| row.number).collect();
            assert_eq!(found, [4, 5, 8], "{text:?}");
        }
        let file = read("\n\nid;n\na;1", &["id", "n"]).expect("a table");
        assert_eq!(file.rows().next().expect("a row").number, 4);
    }

    #[test]
    fn an_identifier_stands_once() {
        let once = |text: &str| read(text, &["id"]).and_then(|file| file.unique(0));
        assert!(once("id\na\nA\nb\n").is_ok());
        let words = once("id\na\nb\n a \n").err().expect("refused").to_string();
        assert!(
            words.contains("row 4: `a` is there already, in row 2"),
            "{words}"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_row() {
        let missing = read("sku\na\n", &["item_id|item", "on_hand"])
            .err()
            .expect("refused");
        assert!(
            missing.to_string().contains("`item_id` or `item`"),
            "{missing}"
        );
        let file = read("item_id,n\na,1\n,x\n", &["item_id", "n"]).expect("a table");
        let row = file.rows().nth(1).expect("a row");
        for error in [
            row.text(0).err(),
            row.number(1).err(),
            row.time(1).err(),
            row.flag(1).err(),
        ] {
            let words = error.expect("refused").to_string();
            assert!(words.contains("row 3"), "{words}");
        }
    }
}
