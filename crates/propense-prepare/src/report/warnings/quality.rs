//! What reading and cleaning met, and what the lines lack.

use super::{Severity, Warning};
use crate::report::figures::DataReport;
use crate::report::share;
use crate::report::words::{list, number, of, percent};

/// Records in quarantine.
const QUARANTINED: f64 = 0.05;

/// Rows of one file in quarantine.
const FILE_QUARANTINED: f64 = 0.20;

/// Records that repeat another.
const REPEATED: f64 = 0.10;

/// Lines with an item and without a price.
const NO_PRICE: f64 = 0.20;

/// Lines in another than the main currency.
const OTHER_CURRENCY: f64 = 0.01;

pub(super) fn warnings(report: &DataReport) -> Vec<Warning> {
    [
        nothing(report),
        quarantined(report),
        bad_files(report),
        repeated(report),
        prices(report),
        currencies(report),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn nothing(report: &DataReport) -> Option<Warning> {
    if report.totals.events > 0 {
        return None;
    }
    let summaries = report.records.summaries;
    if summaries > 0 {
        return Some(
            Warning::new(
                "summaries_only",
                Severity::Note,
                "Sessions as summaries only",
            )
            .text(format!(
                "The input holds {} and no events: most of this report has nothing to show.",
                of(summaries, "session as a summary", "sessions as summaries")
            ))
            .remedy("They can be learnt from with the tasks over session summaries.")
            .figure("sessions", summaries as f64),
        );
    }
    Some(
        Warning::new("no_events", Severity::Severe, "Nothing is left")
            .text(format!(
                "Of {} not one became an event of the table.",
                of(report.records.read, "record", "records")
            ))
            .remedy("See which rules set them aside, below and in quarantine.csv.")
            .figure("records", report.records.read as f64),
    )
}

fn quarantined(report: &DataReport) -> Option<Warning> {
    let rate = share(report.records.quarantined, report.records.read);
    (rate > QUARANTINED).then(|| {
        let rules: Vec<String> = report
            .set_aside
            .iter()
            .map(|rule| format!("`{}` ({})", rule.name, number(rule.count)))
            .collect();
        Warning::new(
            "many_quarantined",
            if rate > 0.5 {
                Severity::Severe
            } else {
                Severity::Caution
            },
            "Many records were set aside",
        )
        .text(format!(
            "{} of {} records ({}) are in quarantine, by the rules {}.",
            number(report.records.quarantined),
            number(report.records.read),
            percent(rate),
            list(&rules, 3)
        ))
        .remedy(
            "Look at quarantine.csv. Where a rule is wrong for this shop, switch it off with \
             `--without RULE`; where a file is wrong, mend it.",
        )
        .figure("records", report.records.quarantined as f64)
        .figure("share", rate)
    })
}

fn bad_files(report: &DataReport) -> Option<Warning> {
    let bad: Vec<String> = report
        .files
        .iter()
        .filter_map(|file| {
            let rate = share(file.rows.saturating_sub(file.kept), file.rows);
            (rate > FILE_QUARANTINED).then(|| format!("{} ({})", file.path, percent(rate)))
        })
        .collect();
    (!bad.is_empty()).then(|| {
        Warning::new(
            "bad_file",
            Severity::Caution,
            "A file of which much could not be read",
        )
        .text(format!(
            "Rows that could not become an event: {}.",
            list(&bad, 5)
        ))
        .remedy(
            "The file may be in another format, encoding or separator than it was taken for: \
                 check the format in the list of files, or give it with `--format`.",
        )
        .figure("files", bad.len() as f64)
    })
}

fn repeated(report: &DataReport) -> Option<Warning> {
    let of_rule = |name: &str| {
        report
            .set_aside
            .iter()
            .find(|rule| rule.name == name)
            .map_or(0, |rule| rule.count)
    };
    let (equal, fired) = (of_rule("duplicate"), of_rule("double_fire"));
    let rate = share(equal + fired, report.records.read);
    (rate > REPEATED).then(|| {
        Warning::new(
            "events_repeated",
            Severity::Caution,
            "Many events were recorded twice",
        )
        .text(format!(
            "{} repeat an earlier one in every field, and {} the same action within a second: \
                 {} of all.",
            of(equal, "record", "records"),
            number(fired),
            percent(rate)
        ))
        .remedy(
            "They are set aside. Still, look for a tracker that is built in twice, or a file \
                 that was exported twice: counts in other reports are wrong by as much.",
        )
        .figure("duplicates", equal as f64)
        .figure("double_fires", fired as f64)
        .figure("share", rate)
    })
}

fn prices(report: &DataReport) -> Option<Warning> {
    let price = &report.feature("price")?.values;
    let lines = price.count + price.missing;
    let rate = share(price.missing, lines);
    if lines == 0 || rate <= NO_PRICE {
        return None;
    }
    Some(
        Warning::new(
            "prices_missing",
            if price.count == 0 {
                Severity::Note
            } else {
                Severity::Caution
            },
            if price.count == 0 {
                "No prices"
            } else {
                "Prices are missing"
            },
        )
        .text(if price.count == 0 {
            "No line has a price: features of price, cart value and order value stay empty."
                .to_owned()
        } else {
            format!("{} of the lines with an item have no price.", percent(rate))
        })
        .remedy(
            "Add a catalogue with prices to the inputs, or name the price's column in the mapping.",
        )
        .figure("share", rate),
    )
}

fn currencies(report: &DataReport) -> Option<Warning> {
    let all: u64 = report.currencies.values().sum();
    let (main, most) = report.currencies.iter().max_by_key(|(_, lines)| **lines)?;
    let rate = 1.0 - share(*most, all);
    (rate > OTHER_CURRENCY).then(|| {
        let others: Vec<String> = report
            .currencies
            .keys()
            .filter(|name| *name != main)
            .cloned()
            .collect();
        Warning::new(
            "several_currencies",
            Severity::Caution,
            "Amounts in several currencies",
        )
        .text(format!(
            "{} of the amounts are in {main}, the others in {}. Prices are compared as if they \
                 were all in one.",
            percent(1.0 - rate),
            list(&others, 5)
        ))
        .remedy(
            "Give the shop's currency and the rates of the others, and prepare again: the rule \
                 `foreign_currency` then converts them.",
        )
        .figure("share_of_others", rate)
    })
}
