//! The page of `eval` and `compare` for the task next-item.

use propense_apps::recommend::{Figures, ProtocolOutcome};

use super::page;
use crate::output::{COSTS, cost_cells, everybody};

/// How well the next item is found, beside the plain ways.
pub(crate) fn next_item(title: &str, outcome: &ProtocolOutcome) -> String {
    let ours = &outcome.ours;
    let k = ours.k;
    let lead = format!(
        "{} positions in visits that nothing was learnt from; learnt from {} visits of {} items. Left out: visits that \
         are in both sets ({}), and clicks of the test on items that were never met before ({}).",
        page::number(ours.n as f64),
        page::number(outcome.train_visits as f64),
        page::number(outcome.items as f64),
        page::number(outcome.shared_visits as f64),
        page::number(outcome.unknown_clicks as f64),
    );
    let best = |of: fn(&Figures) -> f64| {
        let plain = outcome.baselines.iter();
        let best = plain.max_by(|a, b| of(a.1).total_cmp(&of(b.1)));
        best.map_or_else(String::new, |(name, figures)| {
            format!("{:.3} by {name}, the best of the others", of(figures))
        })
    };
    let (hr, mrr) = (format!("HR@{k}"), format!("MRR@{k}"));
    let mut body = page::figures(&[
        (&hr, format!("{:.3}", ours.hr), best(|f| f.hr)),
        (&mrr, format!("{:.3}", ours.mrr), best(|f| f.mrr)),
        (
            "items shown",
            tenths(ours.coverage),
            "of all, in any list".to_owned(),
        ),
    ]);
    body.push_str("<div class=\"pair\">\n");
    let bars = |name: &str, words: &str, of: fn(&Figures) -> (f64, (f64, f64))| {
        let rows: Vec<(String, f64, String, bool)> = everybody(outcome)
            .map(|(name, figures)| {
                let (value, (low, high)) = of(figures);
                let note = format!("{value:.3} ({low:.3} to {high:.3})");
                (name.to_owned(), value, note, name == "propense")
            })
            .collect();
        let figures: Vec<Vec<String>> = rows
            .iter()
            .map(|(name, _, note, _)| vec![name.clone(), note.clone()])
            .collect();
        let svg = page::bars(name, &rows);
        page::chart(name, words, &svg, &["", "mean (95 %)"], &figures)
    };
    body.push_str(&bars(
        &hr,
        "How often the next item was in the list.",
        |figures| (figures.hr, figures.hr_interval),
    ));
    body.push_str(&bars(
        &mrr,
        "1 where it stood first, 1/2 second, and so on.",
        |figures| (figures.mrr, figures.mrr_interval),
    ));
    body.push_str("</div>\n");
    body.push_str(&ahead(outcome, [&hr, &mrr]));
    body.push_str(&lists(outcome, k));
    let costs: Vec<Vec<String>> = outcome
        .costs
        .iter()
        .map(|(name, cost)| {
            let [name, _, seconds, microseconds] = cost_cells(name, cost);
            vec![
                name,
                page::number(cost.numbers as f64),
                seconds,
                microseconds,
            ]
        })
        .collect();
    body.push_str("<h2>What each takes</h2>\n");
    body.push_str(
        "<p>Numbers are counts and weights that a ranking looks at. A ranking is of all items, on one thread.</p>\n",
    );
    body.push_str(&page::table(&COSTS, &costs));
    page::page(title, &lead, &body)
}

/// A share in percent, to a tenth.
fn tenths(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Paired differences.
fn ahead(outcome: &ProtocolOutcome, [hr, mrr]: [&str; 2]) -> String {
    let rows: Vec<Vec<String>> = outcome
        .ahead_of
        .iter()
        .map(|(name, [hr, mrr, _, ndcg10])| {
            let range = |(low, high): &(f64, f64)| format!("{low:.4} to {high:.4}");
            vec![(*name).to_owned(), range(hr), range(mrr), range(ndcg10)]
        })
        .collect();
    let table = page::table(&["ahead of", hr, mrr, "NDCG@10"], &rows);
    format!(
        "<h2>How far ahead</h2>\n<p>Propense less each, on the same positions with visits drawn again, 95 %. An interval \
         that holds 0 shows nothing.</p>\n{table}"
    )
}

/// What the lists are made of.
fn lists(outcome: &ProtocolOutcome, k: usize) -> String {
    let rows: Vec<Vec<String>> = everybody(outcome)
        .map(|(name, figures)| {
            vec![
                name.to_owned(),
                format!("{:.4}", figures.ndcg),
                format!("{:.4}", figures.ndcg10),
                tenths(figures.coverage),
                tenths(figures.popular_share),
            ]
        })
        .collect();
    let ndcg = format!("NDCG@{k}");
    let head = [
        "",
        ndcg.as_str(),
        "NDCG@10",
        "items shown",
        "places of the top tenth",
    ];
    let table = page::table(&head, &rows);
    format!(
        "<h2>The lists</h2>\n<p>{} of the items that came next are of the most clicked tenth; a list with many more of \
         them runs after fashion.</p>\n{table}",
        tenths(outcome.ours.popular_share_of_targets)
    )
}
