//! What may be used of one real session summary.

use std::path::Path;

use propense_events::{Session, Value};

use crate::SynthError;

/// The three kinds of page that the summaries count, as events name them, in the order of
/// [`Visit::pages`].
pub(crate) const PAGE_TYPES: [&str; 3] = ["administrative", "informational", "product"];

/// Position of `product` in [`PAGE_TYPES`].
pub(crate) const PRODUCT: usize = 2;

/// One real session, without its outcome: all that decides what the visitor does and sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Visit {
    /// Position in the file, from 0. Also the number of the visit's random streams.
    pub(crate) number: u64,
    /// Pages of each kind.
    pub(crate) pages: [usize; 3],
    /// Milliseconds on pages of each kind. The last page of a session is never measured.
    pub(crate) stay: [u64; 3],
    /// `new`, `returning` or `other`.
    pub(crate) visitor_type: String,
    /// 1 to 12.
    pub(crate) month: u8,
    pub(crate) weekend: bool,
}

/// Abbreviations of the months as the file writes them (June alone is written out).
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The month's name in a session's context: `jan` to `dec`.
pub(crate) fn month_name(month: u8) -> String {
    MONTHS
        .get(usize::from(month).wrapping_sub(1))
        .map_or_else(String::new, |name| name.to_lowercase())
}

/// Pages of one kind in a session: the set's most is 705. Every page is laid out, so a mistyped
/// count would otherwise ask for any amount of memory.
const MOST_PAGES: f64 = 10_000.0;

/// Takes what may be used from a summary, and its outcome.
pub(crate) fn visit(
    session: &Session,
    number: u64,
    path: &Path,
) -> Result<(Visit, bool), SynthError> {
    let wrong = |what: String| SynthError::Summary {
        path: path.to_owned(),
        session: session.id.clone(),
        what,
    };
    let quantity = |column: &str| match session.context.get(column) {
        Some(Value::Number(n)) if (0.0..1e8).contains(n) => Ok(*n),
        other => Err(wrong(format!(
            "`{column}` should be a number of 0 or more, not {other:?}"
        ))),
    };
    let pages_of = |column: &str| match quantity(column)? {
        pages if pages <= MOST_PAGES => Ok(pages as usize),
        pages => Err(wrong(format!(
            "`{column}` should be at most {MOST_PAGES}, not {pages}"
        ))),
    };
    let text = |column: &str| match session.context.get(column) {
        Some(Value::Category(name)) => Ok(name.as_str()),
        other => Err(wrong(format!("`{column}` should be a name, not {other:?}"))),
    };
    let mut pages = [0; 3];
    let mut stay = [0; 3];
    for (kind, column) in ["Administrative", "Informational", "ProductRelated"]
        .into_iter()
        .enumerate()
    {
        pages[kind] = pages_of(column)?;
        stay[kind] = (quantity(&format!("{column}_Duration"))? * 1_000.0).round() as u64;
    }
    let month = text("Month")?;
    let month = MONTHS
        .iter()
        .position(|name| month.starts_with(name))
        .ok_or_else(|| wrong(format!("`Month` should be a month, not {month}")))?;
    let weekend = match session.context.get("Weekend") {
        Some(Value::Flag(weekend)) => *weekend,
        other => {
            return Err(wrong(format!(
                "`Weekend` should be true or false, not {other:?}"
            )));
        }
    };
    let bought = session
        .outcome
        .ok_or_else(|| wrong("`Revenue` is missing".to_owned()))?;
    let visit = Visit {
        number,
        pages,
        stay,
        visitor_type: match text("VisitorType")? {
            "New_Visitor" => "new",
            "Returning_Visitor" => "returning",
            _ => "other",
        }
        .to_owned(),
        month: month as u8 + 1,
        weekend,
    };
    Ok((visit, bought))
}
