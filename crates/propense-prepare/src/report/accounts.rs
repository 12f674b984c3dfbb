//! The accounts of a run as a report begins with them.

use std::fs;

use crate::account::add_all;
use crate::clean::CleaningRule;
use crate::{InputAccount, Prepared};

use super::intake::{Counted, FileFigures, Intake, Records};

impl Intake {
    /// The accounts of a run.
    #[must_use]
    pub fn of(prepared: &Prepared) -> Self {
        let cleaning = &prepared.cleaning;
        let mut set_aside = cleaning.removed_by.clone();
        let mut repaired = cleaning.repaired_by.clone();
        for input in &prepared.inputs {
            add_all(&mut set_aside, &input.rejected_by);
            add_all(&mut repaired, &input.repaired_by);
        }
        Self {
            name: prepared.name.clone(),
            files: prepared.inputs.iter().map(file).collect(),
            records: Records {
                read: prepared.records_in,
                written: prepared.records_out,
                quarantined: prepared.records_quarantined,
                summaries: prepared.inputs.iter().map(|input| input.summaries).sum(),
            },
            set_aside: Self::counts(&set_aside, summary),
            repaired: Self::counts(&repaired, summary),
            joins: joins(prepared),
        }
    }
}

fn file(input: &InputAccount) -> FileFigures {
    FileFigures {
        path: input.path.display().to_string(),
        format: input.format.clone(),
        utc_offset_minutes: input.utc_offset_minutes,
        // The file was read a moment ago; one that is gone since has no size.
        bytes: fs::metadata(&input.path).map_or(0, |file| file.len()),
        rows: input.rows,
        kept: input.rows.saturating_sub(input.rejected),
        lines: input.lines,
        quarantined: input.rejected_by.clone(),
        repaired: input.repaired_by.clone(),
    }
}

/// What a rule does, in a sentence: of cleaning as it says itself, of reading as follows.
fn summary(rule: &str) -> String {
    if let Some(rule) = CleaningRule::from_name(rule) {
        return rule.summary().to_owned();
    }
    match rule {
        "malformed" => "A record that cannot be read at all is set aside.",
        "missing_field" => "A record without a field that it cannot do without is set aside.",
        "absurd_timestamp" => {
            "A record from before the year 2000 or without a possible time is set aside."
        }
        "absurd_price" => "A price below zero, or none that is a number, is taken as missing.",
        "absurd_quantity" => "A quantity that is not a number above zero is taken as one.",
        "absurd_number" => "Another impossible number is taken as missing.",
        "wrong_type" => {
            "A number written as a text is read; another wrong type is taken as missing."
        }
        "unknown_event" => "An event of no known name is kept as `other`.",
        "not_utf8" => "Bytes that are no text are replaced.",
        "too_many_items" => "Items of an event beyond the most that are read are left out.",
        "text_too_long" => "A text beyond the longest that is read is cut.",
        "record_too_long" => "A record beyond the longest that is read is set aside.",
        "left_out" => "A kind of record that has no place in the table is left out.",
        _ => "",
    }
    .to_owned()
}

fn joins(prepared: &Prepared) -> Vec<Counted> {
    let (stitched, filled) = (&prepared.stitched, &prepared.cleaning.filled);
    let catalogue = &prepared.sides.catalogue;
    let conflicts: u64 = catalogue.conflicts.values().sum();
    let columns = [
        filled.item_name,
        filled.item_category,
        filled.item_brand,
        filled.price,
    ];
    let counts: [(&str, u64, &str); 12] = [
        (
            "stitched",
            stitched.stitched,
            "browsers of which the user became known",
        ),
        (
            "changed_hands",
            stitched.changed_hands,
            "of them, browsers of two or three users",
        ),
        (
            "shared",
            stitched.shared,
            "browsers of more users, left as nobody's",
        ),
        (
            "stitched_lines",
            prepared.stitched_lines,
            "lines that got the user of their browser",
        ),
        (
            "stitching_left_out",
            stitched.left_out,
            "sightings of browsers left out for want of memory",
        ),
        ("catalogue_items", catalogue.items, "items of the catalogue"),
        (
            "catalogue_conflicts",
            conflicts,
            "values of the catalogue that lost to another of the same item",
        ),
        (
            "filled",
            columns.iter().map(|column| column.filled).sum(),
            "values that lines got from the catalogue",
        ),
        (
            "disagree",
            columns.iter().map(|column| column.disagree).sum(),
            "values of lines that differ from the catalogue's, and stay",
        ),
        (
            "unknown_items",
            filled.unknown_items,
            "lines with an item that is not in the catalogue",
        ),
        (
            "attributed_lines",
            prepared.cleaning.attributed,
            "lines that got attributes of their user",
        ),
        (
            "attribute_conflicts",
            prepared.sides.attributes.conflicts,
            "rows on users that lost to another of the same user",
        ),
    ];
    counts
        .into_iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(name, count, what)| Counted {
            name: name.to_owned(),
            count,
            what: what.to_owned(),
        })
        .collect()
}
