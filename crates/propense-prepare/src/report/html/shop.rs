//! What visitors do: kinds of events, the funnel, what there is to learn, items.

use super::chart::{Bar, Chart, SHOWN, bars};
use crate::report::figures::{Concentration, DataReport, Named};
use crate::report::share;
use crate::report::words::{number, of, percent};

pub(super) fn funnel(report: &DataReport) -> String {
    let sessions = report.totals.sessions;
    let steps: Vec<Bar> = report
        .funnel
        .iter()
        .map(|step| Bar {
            name: step.name.clone(),
            value: step.in_order as f64,
            behind: Some(step.sessions as f64),
            note: if step.recorded {
                format!(
                    "{} · {}",
                    number(step.sessions),
                    percent(share(step.sessions, sessions))
                )
            } else {
                "not recorded".to_owned()
            },
            marked: false,
        })
        .collect();
    let rows = report
        .funnel
        .iter()
        .map(|step| {
            vec![
                step.name.clone(),
                number(step.sessions),
                percent(share(step.sessions, sessions)),
                number(step.in_order),
                percent(share(step.in_order, sessions)),
            ]
        })
        .collect();
    let skipped = report.funnel.iter().any(|step| !step.recorded);
    Chart::new("From a view to an order")
        .words(format!(
            "Sessions with each step (pale, and the figures), and with all recorded steps before it, \
             in this order (dark).{}",
            if skipped { " Steps that the data never hold are skipped." } else { "" }
        ))
        .picture(bars("Sessions by step of the funnel", &steps))
        .table(&["step", "sessions", "of all", "in order", "of all"], rows)
        .html()
}

pub(super) fn kinds(report: &DataReport) -> String {
    let all = report.totals.events;
    let shown: Vec<Bar> = report
        .kinds
        .iter()
        .map(|kind| {
            let note = format!(
                "{} · {}",
                number(kind.events),
                percent(share(kind.events, all))
            );
            Bar::new(&kind.kind, kind.events as f64, note)
        })
        .collect();
    let rows = report
        .kinds
        .iter()
        .map(|kind| {
            vec![
                kind.kind.clone(),
                number(kind.events),
                number(kind.lines),
                percent(share(kind.after_order, kind.events)),
                number(kind.sessions),
                percent(share(kind.order_sessions, kind.sessions)),
            ]
        })
        .collect();
    let words = report.kinds.first().map_or_else(String::new, |first| {
        format!(
            "{}; `{}` is the most frequent.",
            of(
                report.kinds.len() as u64,
                "kind of event",
                "kinds of events"
            ),
            first.kind
        )
    });
    Chart::new("What visitors do")
        .words(words)
        .picture(bars("Events by kind", &shown))
        .table(
            &[
                "event",
                "events",
                "lines",
                "after an order",
                "sessions before an order",
                "… that order",
            ],
            rows,
        )
        .html()
}

pub(super) fn balance(report: &DataReport) -> String {
    let balance = &report.balance;
    let rate = share(balance.with_order, balance.sessions);
    let mut shown = vec![Bar::new(
        "whole sessions",
        rate,
        format!("{} of {}", percent(rate), number(balance.sessions)),
    )];
    let mut rows = vec![vec![
        "whole sessions".to_owned(),
        number(balance.sessions),
        number(balance.with_order),
        percent(rate),
    ]];
    for prefix in &balance.prefixes {
        let rate = share(prefix.positives, prefix.examples);
        let name = format!("after {} events", prefix.k);
        shown.push(Bar::new(
            &name,
            rate,
            format!("{} of {}", percent(rate), number(prefix.examples)),
        ));
        rows.push(vec![
            name,
            number(prefix.examples),
            number(prefix.positives),
            percent(rate),
        ]);
    }
    Chart::new("How often there is an order")
        .words(format!(
            "{} {} an order with something before it: that is what a model can learn from. The rows \
             below are examples cut before the first order, with the share in which one follows.",
            number(balance.with_history),
            if balance.with_history == 1 { "session has" } else { "sessions have" }
        ))
        .picture(bars("Share of examples with an order", &shown))
        .table(&["example", "examples", "with an order", "share"], rows)
        .html()
}

pub(super) fn items(report: &DataReport) -> String {
    let items = &report.items;
    if items.interactions == 0 {
        return String::new();
    }
    let chart = Chart::new("Items").words(format!(
        "{}{} with {}. The busiest hundredth of them has {}, the busiest tenth {}. {} were ordered, \
         {} were met in five lines or fewer.",
        if items.exact { "" } else { "About " },
        of(items.distinct, "item", "items"),
        of(items.interactions, "interaction", "interactions"),
        percent(items.top_1),
        percent(items.top_10),
        number(items.ordered),
        number(items.rare)
    ));
    if items.top.is_empty() {
        return chart
            .table(
                &["", "items"],
                vec![
                    vec!["different".to_owned(), number(items.distinct)],
                    vec!["ordered".to_owned(), number(items.ordered)],
                    vec!["five lines or fewer".to_owned(), number(items.rare)],
                ],
            )
            .html();
    }
    named(
        chart,
        "Interactions by item",
        &items.top,
        items.interactions,
    )
    .html()
}

pub(super) fn categories(report: &DataReport) -> String {
    let (paths, outermost): (&Concentration, &Concentration) =
        (&report.categories.paths, &report.categories.outermost);
    if paths.interactions == 0 {
        return String::new();
    }
    let chart = Chart::new("Categories").words(format!(
        "{}{}, {} of them outermost. {} of the lines with an item have one.",
        if paths.exact { "" } else { "About " },
        of(paths.distinct, "category", "categories"),
        number(outermost.distinct),
        percent(share(paths.interactions, report.items.interactions))
    ));
    named(
        chart,
        "Interactions by outermost category",
        &outermost.top,
        paths.interactions,
    )
    .html()
}

fn named(chart: Chart, label: &str, names: &[Named], all: u64) -> Chart {
    let shown: Vec<Bar> = names
        .iter()
        .take(SHOWN)
        .map(|named| {
            let note = format!(
                "{} · {}",
                number(named.lines),
                percent(share(named.lines, all))
            );
            Bar::new(&named.name, named.lines as f64, note)
        })
        .collect();
    let rows = names
        .iter()
        .map(|named| {
            vec![
                named.name.clone(),
                number(named.lines),
                percent(share(named.lines, all)),
                number(named.ordered),
            ]
        })
        .collect();
    chart
        .picture(if shown.is_empty() {
            String::new()
        } else {
            bars(label, &shown)
        })
        .table(&["name", "lines", "of all", "lines of orders"], rows)
}
