//! `propense recommend`

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Context;
use propense_apps::demand::BOOK_ENTRIES;
use propense_apps::recommend::{
    Case, Figures, ItemFacts, ItemTable, Lister, Log, Opening, Past, Pick, Policy, ProtocolOptions,
    RawVisit, Recommender, Shop, Showcase, Shown, ShownLog, Source, TableTrial, beginnings, choose,
    choose_opening, judge, visits,
};
use propense_events::{Session, sessionise};
use serde::Serialize;

use super::{Failure, Outcome, resolve};
use crate::args::RecommendArgs;
use crate::destinations;
use crate::findings::{Findings, estimate, warnings};
use crate::output::{Output, Table, json_lines, note, write_file};
use crate::report;
use crate::sheet::{Layout, Sheet};
use crate::side::SideFile;

/// Length of the list on which methods are compared.
const COMPARED_AT: usize = 10;
/// Items beside which the report shows a list.
const BESIDE: usize = 6;

/// How the lists are written.
enum Form {
    JsonLines,
    Sheet(Layout),
}

/// One line of the file.
#[derive(Serialize)]
struct Line<'a> {
    session: &'a str,
    place: usize,
    #[serde(flatten)]
    pick: &'a Pick,
}

pub(crate) fn run(args: &RecommendArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--out", Some(&args.out)),
            ("--export-table", args.export_table.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        args.data
            .iter()
            .chain(&args.session)
            .chain(&args.catalogue)
            .chain(&args.log),
    )?;
    let form = form(&args.out)?;
    let policy = policy(args)?;
    let mut catalogue = args
        .catalogue
        .as_deref()
        .map(catalogue)
        .transpose()?
        .unwrap_or_default();
    let log = args.log.as_deref().map(shown).transpose()?;
    let mut data = resolve::data(&args.data, &args.reading)?;
    let source = Source::of(&data.events);
    let book = book_entries(source, &args.ignore);
    for event in &mut data.events {
        event
            .items
            .retain(|item| !book.contains(item.item_id.as_str()));
    }
    catalogue.retain(|item, _| !book.contains(item.as_str()));
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
    let learnt = visits(data.events.clone(), source, gap_ms);
    let choice = choose(&learnt, COMPARED_AT, args.seed, &mut note);
    let recommender = Recommender::chosen(&choice, &learnt, args.seed, &mut note)
        .with_context(|| data.places())?;
    let shop = Shop::new(recommender.items(), &data.events, &catalogue);

    let firsts = beginnings(&learnt, &Past::new(&data.events, gap_ms));
    let opening = choose_opening(&learnt, &firsts);
    let mut lister = Lister::new(&recommender, &shop, &policy, args.seen_too)
        .opening(Opening::fit(opening.way, recommender.items(), &firsts));
    let lists: Vec<(&str, Vec<Pick>)> = sessions
        .iter()
        .map(|session| (session.id.as_str(), lister.list(&session.events)))
        .collect();
    let lines: Vec<Line<'_>> = lists
        .iter()
        .flat_map(|(session, picks)| {
            (1..).zip(picks).map(|(place, pick)| Line {
                session,
                place,
                pick,
            })
        })
        .collect();
    match form {
        Form::JsonLines => write_file(&args.out, &json_lines(&lines)?)?,
        Form::Sheet(layout) => sheet(&lines).write(&args.out, layout)?,
    }
    let table_alone = match &args.export_table {
        Some(path) => Some(export(path, &learnt, &shop, args)?),
        None => None,
    };
    let case = Case {
        events: &data.events,
        visits: &learnt,
        catalogue: &catalogue,
        policy: &policy,
        seen_too: args.seen_too,
        gap_ms,
    };
    let off_policy = match &log {
        Some(log) => Some(judge(log, &case, args.seed, &mut note).context("--log")?),
        None => None,
    };
    let findings = Findings {
        lists: lists.len(),
        items: recommender.items().len(),
        new_items: shop.new_items(),
        showcase: Showcase::new(&mut lister, BESIDE),
        choice,
        opening,
        source,
        table: table_alone,
        off_policy,
    };
    if let Some(path) = &args.report {
        let page = report::recommend(&data.name, &findings, &sessions, &lists);
        write_file(path, page.as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    for warning in warnings(&findings) {
        note(&format!("warning: {warning}"));
    }
    Output::new(&args.json).finish(&table(&findings, lists.first()), &findings)?;
    note(&format!("{} lists in {}", lists.len(), args.out.display()));
    Ok(())
}

/// What is no goods: what is named, and in orders postage, fees and the like.
fn book_entries(source: Source, named: &[String]) -> HashSet<&str> {
    let mut book: HashSet<&str> = named.iter().map(String::as_str).collect();
    if source == Source::Baskets {
        book.extend(BOOK_ENTRIES);
    }
    book
}

fn form(out: &Path) -> Outcome<Form> {
    if out.extension().is_some_and(|ending| ending == "jsonl") {
        return Ok(Form::JsonLines);
    }
    Layout::of(out)
        .map(Form::Sheet)
        .map_err(|failure| match failure {
            Failure::Usage(words) => {
                Failure::Usage(words.replace("end in .csv or", "end in .csv, .jsonl or"))
            }
            other => other,
        })
}

/// Writes the item table; gives what it is worth alone, on the same visits as the methods.
fn export(
    path: &Path,
    visits: &[RawVisit],
    shop: &Shop,
    args: &RecommendArgs,
) -> anyhow::Result<TableTrial> {
    let trial = TableTrial::run(visits, args.seen_too, COMPARED_AT, args.seed);
    let table = ItemTable::learn(&Log::new(visits), shop.known(), &trial.recipe);
    let bytes = table.to_bytes()?;
    write_file(path, &bytes)?;
    note(&format!(
        "{} items in {} ({} bytes); the table alone reaches NDCG@{COMPARED_AT} {:.4}, popularity {:.4}",
        table.len(),
        path.display(),
        bytes.len(),
        trial.figures.ndcg,
        trial.popularity.ndcg
    ));
    Ok(trial)
}

/// The log of what was shown, by lot.
fn shown(path: &Path) -> anyhow::Result<ShownLog> {
    let columns = [
        "session_id|session|user_id|user|visit",
        "time|timestamp",
        "item_id|item",
        "propensity|probability",
        "reward|clicked|bought|value",
    ];
    let file = SideFile::read(path, &columns)?;
    let lines = file.rows().map(|row| {
        Ok(Shown {
            visit: row.text(0)?,
            at: row.time(1)?,
            item_id: row.text(2)?,
            propensity: row.number(3)?,
            reward: row.number(4)?.unwrap_or(0.0),
        })
    });
    let lines: anyhow::Result<Vec<Shown>> = lines.collect();
    Ok(ShownLog::new(lines?))
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

/// What the shop knows of its items. Columns that are not known are passed over.
fn catalogue(path: &Path) -> anyhow::Result<BTreeMap<String, ItemFacts>> {
    let columns = [
        "item_id|sku|stockcode",
        "item_name?",
        "item_category?",
        "price?",
        "margin?",
        "stock?",
    ];
    let file = SideFile::read(path, &columns)?.unique(0)?;
    let rows = file.rows().map(|row| {
        let facts = ItemFacts {
            name: row.words(1),
            category: row.words(2),
            price: row.number(3)?,
            margin: row.number(4)?,
            stock: row.number(5)?,
        };
        Ok((row.text(0)?, facts))
    });
    rows.collect()
}

fn sheet(lines: &[Line<'_>]) -> Sheet {
    let text = |of: fn(&ItemFacts) -> Option<&String>| {
        move |line: &Line<'_>| of(&line.pick.facts).cloned().unwrap_or_default()
    };
    Sheet::new()
        .text("session", lines, |line| line.session.to_owned())
        .number("place", lines, |line| Some(line.place as f64))
        .text("item_id", lines, |line| line.pick.item_id.clone())
        .text("item_name", lines, text(|facts| facts.name.as_ref()))
        .text(
            "item_category",
            lines,
            text(|facts| facts.category.as_ref()),
        )
        .number("price", lines, |line| line.pick.facts.price)
        .exact("score", lines, |line| Some(f64::from(line.pick.score)))
        .text("new", lines, |line| {
            if line.pick.new { "yes" } else { "no" }.to_owned()
        })
}

fn table(findings: &Findings, first: Option<&(&str, Vec<Pick>)>) -> Table {
    let mut table = Table::new();
    let choice = &findings.choice;
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
        table.row([
            "",
            "NDCG@10",
            "95 %",
            "HR@10",
            "MRR@10",
            "items shown",
            "places of the top tenth",
        ]);
    }
    let mut row = |name: String, figures: &Figures| {
        let (low, high) = figures.ndcg_interval;
        table.row([
            name,
            format!("{:.4}", figures.ndcg),
            format!("{low:.4} to {high:.4}"),
            format!("{:.4}", figures.hr),
            format!("{:.4}", figures.mrr),
            format!("{:.1} %", 100.0 * figures.coverage),
            format!("{:.1} %", 100.0 * figures.popular_share),
        ]);
    };
    for (method, figures) in &choice.figures {
        row(method.to_string(), figures);
    }
    if let Some(trial) = &findings.table {
        row("the table alone".to_owned(), &trial.figures);
    }
    let opening = &findings.opening;
    if opening.n > 0 {
        table.block(format!(
            "new visitors are shown {}: best of {} on {} first clicks",
            opening.way,
            opening.ndcg10.len(),
            opening.n
        ));
        table.row(["", "NDCG@10"]);
        for (way, ndcg) in &opening.ndcg10 {
            table.row([way.to_string(), format!("{ndcg:.4}")]);
        }
    }
    if let Some(judged) = &findings.off_policy {
        table.block(format!(
            "by the log of {} lists shown by lot to {} visits, reward a list; shown: {}",
            judged.lists,
            judged.visits,
            estimate(&judged.shown)
        ));
        table.row([
            "",
            "doubly robust",
            "self-normalised",
            "inverse propensity",
            "clipped",
            "effective sample",
        ]);
        for (method, value) in &judged.methods {
            table.row([
                method.to_string(),
                estimate(&value.doubly_robust),
                estimate(&value.self_normalised),
                estimate(&value.ips),
                estimate(&value.clipped),
                format!("{:.0}", value.effective_sample),
            ]);
        }
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
