//! The data report as a page: one file, no script, light and dark, from a phone's width to paper.
//!
//! Words come first, then charts, and behind each chart its figures. Everything that comes from
//! the data is escaped; nothing is loaded from anywhere.

mod chart;
mod distributions;
mod page;
mod people;
mod shop;
mod source;
mod style;
mod text;
mod timeline;

use super::figures::DataReport;

/// The report as a page.
#[must_use]
pub fn html(report: &DataReport) -> String {
    page::page(report)
}
