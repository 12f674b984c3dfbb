//! `quarantine.csv`: one line for every record that was set aside.

use std::fmt::Display;
use std::io;

use propense_events::Problem;

/// The header.
pub(crate) const HEADER: &str = "source,row,rule,detail\n";

/// Lines of the file under construction.
pub(crate) struct Quarantine {
    out: csv::Writer<Vec<u8>>,
    lines: u64,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            out: csv::Writer::from_writer(Vec::new()),
            lines: 0,
        }
    }
}

impl Quarantine {
    /// A row that could not become an event.
    pub(crate) fn problem(&mut self, source: u16, problem: &Problem) -> io::Result<()> {
        let detail = match &problem.field {
            Some(field) if problem.detail.is_empty() => field.clone(),
            Some(field) => format!("{field}: {}", problem.detail),
            None => problem.detail.clone(),
        };
        self.line(source, problem.row, &problem.rule.to_string(), &detail)
    }

    /// A record that a rule set aside.
    pub(crate) fn line(
        &mut self,
        source: u16,
        row: u64,
        rule: &str,
        detail: &dyn Display,
    ) -> io::Result<()> {
        self.lines += 1;
        self.out
            .write_record([
                &source.to_string(),
                &row.to_string(),
                rule,
                &detail.to_string(),
            ])
            .map_err(io::Error::from)
    }

    /// The lines and their number.
    pub(crate) fn finish(self) -> io::Result<(Vec<u8>, u64)> {
        let bytes = self
            .out
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok((bytes, self.lines))
    }
}
