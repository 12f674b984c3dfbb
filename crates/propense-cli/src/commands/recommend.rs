//! `propense recommend`

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Context;
use propense_apps::recommend::{
    Choice, Figures, ItemFacts, ItemTable, Log, Pick, Policy, ProtocolOptions, RawVisit,
    Recommender, Shop, Source, choose, number, seen, taken, visits,
};
use propense_events::{Session, sessionise};
use serde::{Deserialize, Serialize};

use super::{Failure, Outcome, resolve};
use crate::args::RecommendArgs;
use crate::output::{Lines, Output, Table, json_lines, note, write_file};

/// Length of the list on which methods are compared.
const COMPARED_AT: usize = 10;

/// One line of the file.
#[derive(Serialize)]
struct Line<'a> {
    session: &'a str,
    place: usize,
    #[serde(flatten)]
    pick: &'a Pick,
}

/// The JSON beside it.
#[derive(Serialize)]
struct Report<'a> {
    lists: usize,
    items: usize,
    new_items: usize,
    /// Figures of the item table, where one is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a Figures>,
    #[serde(flatten)]
    choice: &'a Choice,
}

pub(crate) fn run(args: &RecommendArgs) -> Outcome {
    let lines_of = Lines::of(&args.out)?;
    let policy = policy(args)?;
    let catalogue = args
        .catalogue
        .as_deref()
        .map(catalogue)
        .transpose()?
        .unwrap_or_default();
    let data = resolve::data(&args.data, &args.reading)?;
    let gap_ms = ProtocolOptions::default().gap_ms;
    let sessions = match &args.session {
        None => vec![Session {
            id: "new visitor".to_owned(),
            ..Session::default()
        }],
        Some(file) => {
            let live = resolve::data(std::slice::from_ref(file), &args.reading)?;
            sessionise(live.events, gap_ms).0
        }
    };
    let source = Source::of(&data.events);
    let learnt = visits(data.events.clone(), source, gap_ms);
    let choice = choose(&learnt, COMPARED_AT, args.seed, &mut note);
    let recommender = Recommender::fit(choice.method, &learnt, args.seed, &mut note)
        .with_context(|| data.places())?;
    let shop = Shop::new(recommender.items(), &data.events, &catalogue);

    let mut score = recommender.scorer();
    let mut lists: Vec<(&str, Vec<Pick>)> = Vec::new();
    for session in &sessions {
        let visit = seen(&session.events);
        let clicks = number(std::slice::from_ref(&visit), recommender.items());
        let clicks = clicks.into_iter().next().unwrap_or_default();
        let mut hidden: HashSet<&str> = taken(&session.events);
        if !args.seen_too {
            hidden.extend(visit.clicks.iter().map(|(id, _)| id.as_str()));
        }
        let scores = score(&clicks);
        lists.push((&session.id, shop.list(&policy, scores, &hidden)));
    }
    let lines = lists.iter().flat_map(|(session, picks)| {
        (1..).zip(picks).map(|(place, pick)| Line {
            session,
            place,
            pick,
        })
    });
    let bytes = match lines_of {
        Lines::Csv => csv(lines)?,
        Lines::Json => json_lines(lines)?,
    };
    write_file(&args.out, &bytes)?;
    let table_alone = match &args.export_table {
        Some(path) => Some(export(path, &learnt, &shop, args.seed)?),
        None => None,
    };
    let report = Report {
        table: table_alone.as_ref(),
        lists: lists.len(),
        items: recommender.items().len(),
        new_items: shop.new_items(),
        choice: &choice,
    };
    Output::new(&args.json).finish(&table(&choice, lists.first()), &report)?;
    note(&format!("{} lists in {}", lists.len(), args.out.display()));
    Ok(())
}

/// Writes the item table; gives what it is worth alone, on the same visits as the methods.
fn export(path: &Path, visits: &[RawVisit], shop: &Shop, seed: u64) -> anyhow::Result<Figures> {
    let table = ItemTable::learn(&Log::new(visits), shop.known());
    let bytes = table.to_bytes()?;
    write_file(path, &bytes)?;
    let figures = ItemTable::trial(visits, COMPARED_AT, seed);
    note(&format!(
        "{} items in {} ({} bytes); the table alone reaches NDCG@10 {:.4}",
        table.len(),
        path.display(),
        bytes.len(),
        figures.ndcg
    ));
    Ok(figures)
}

fn policy(args: &RecommendArgs) -> Outcome<Policy> {
    let wrong = |option: &str, needed: &str| Failure::Usage(format!("{option}: {needed}"));
    if args.k == 0 {
        return Err(wrong("--k", "at least 1"));
    }
    if !(0.0..=1.0).contains(&args.diversity) {
        return Err(wrong("--diversity", "0 to 1"));
    }
    if !(args.margin_weight.is_finite() && args.margin_weight >= 0.0) {
        return Err(wrong("--margin-weight", "0 or more"));
    }
    Ok(Policy {
        k: args.k,
        in_stock: args.in_stock,
        price_from: args.price_from,
        price_to: args.price_to,
        margin_weight: args.margin_weight,
        diversity: args.diversity,
    })
}

/// A row of the catalogue. Columns that are not known are passed over.
#[derive(Deserialize)]
struct Row {
    item_id: String,
    item_name: Option<String>,
    item_category: Option<String>,
    price: Option<f64>,
    margin: Option<f64>,
    stock: Option<f64>,
}

fn catalogue(path: &Path) -> anyhow::Result<BTreeMap<String, ItemFacts>> {
    let place = || format!("catalogue {}", path.display());
    let mut reader = csv::Reader::from_path(path).with_context(place)?;
    let mut items = BTreeMap::new();
    for row in reader.deserialize::<Row>() {
        let row = row.with_context(place)?;
        let facts = ItemFacts {
            name: row.item_name,
            category: row.item_category,
            price: row.price,
            margin: row.margin,
            stock: row.stock,
        };
        items.insert(row.item_id, facts);
    }
    Ok(items)
}

fn csv<'a>(lines: impl Iterator<Item = Line<'a>>) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "session",
        "place",
        "item_id",
        "item_name",
        "item_category",
        "price",
        "score",
        "new",
    ])?;
    for line in lines {
        let Pick {
            item_id,
            facts,
            score,
            new,
        } = line.pick;
        out.write_record([
            line.session,
            &line.place.to_string(),
            item_id,
            facts.name.as_deref().unwrap_or_default(),
            facts.category.as_deref().unwrap_or_default(),
            &facts.price.map_or(String::new(), |price| price.to_string()),
            &score.to_string(),
            if *new { "yes" } else { "no" },
        ])?;
    }
    out.into_inner().context("writing the lists")
}

fn table(choice: &Choice, first: Option<&(&str, Vec<Pick>)>) -> Table {
    let mut table = Table::new();
    let positions = choice.figures.first().map_or(0, |(_, figures)| figures.n);
    table.block(if positions == 0 {
        "too few visits to compare recommenders: what is popular is listed".to_owned()
    } else {
        format!(
            "{} is used: best of {} on {positions} positions of the latest visits",
            choice.method,
            choice.figures.len()
        )
    });
    if positions > 0 {
        table.row(["", "NDCG@10", "95 %", "HR@10", "items shown"]);
    }
    for (method, figures) in &choice.figures {
        let (low, high) = figures.ndcg_interval;
        table.row([
            method.to_string(),
            format!("{:.4}", figures.ndcg),
            format!("{low:.4} to {high:.4}"),
            format!("{:.4}", figures.hr),
            format!("{:.1} %", 100.0 * figures.coverage),
        ]);
    }
    if let Some((session, picks)) = first {
        table.block(format!("the first list: {session}"));
        for (place, pick) in (1..).zip(picks) {
            table.row([
                format!("{place}"),
                pick.item_id.clone(),
                pick.facts.name.clone().unwrap_or_default(),
                pick.facts
                    .price
                    .map_or(String::new(), |price| format!("{price:.2}")),
            ]);
        }
    }
    table
}
