//! `propense demand`

use std::collections::HashMap;
use std::path::Path;

use propense_apps::demand::{
    DemandOptions, DemandPlan, Group, ItemPlan, Method, Propensities, Sales, SalesOptions, Stock,
    Terms, plan,
};
use propense_events::Event;

use super::{Failure, Outcome, resolve};
use crate::args::DemandArgs;
use crate::destinations;
use crate::output::{Output, Table, note, write_file};
use crate::progress::Line;
use crate::report;
use crate::sheet::{Layout, Sheet};
use crate::side::SideFile;

/// Items shown on the terminal.
const SHOWN: usize = 15;

pub(crate) fn run(args: &DemandArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--out", args.out.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        args.data
            .iter()
            .chain(&args.stock)
            .chain(&args.propensities),
    )?;
    let layout = args.out.as_deref().map(Layout::of).transpose()?;
    let method = method(&args.method)?;
    let until = resolve::until(args.until.as_deref())?;
    let options = DemandOptions {
        weeks: args.weeks,
        held_back: args.held_back,
        method,
        interval: args.interval,
        terms: Terms {
            lead_weeks: args.lead,
            service: args.service,
            holding: args.holding,
            margin: args.margin,
            stock_out: args.stock_out,
            order_cost: args.order_cost,
            cover_weeks: args.cover,
        },
        stock: args
            .stock
            .as_deref()
            .map(stock)
            .transpose()?
            .unwrap_or_default(),
        propensities: args
            .propensities
            .as_deref()
            .map(propensities)
            .transpose()?
            .unwrap_or_default(),
    };
    options.check()?;
    let data = resolve::data(&args.data, &args.reading)?;
    let mut counting = SalesOptions {
        utc_offset_minutes: data.utc_offset_minutes,
        ..SalesOptions::default()
    };
    counting.book_entries.extend(args.ignore.iter().cloned());
    let events: Vec<Event> = resolve::before(data.events, until);
    let sales = Sales::count(&events, &counting);
    let mut line = Line::new();
    let plan = plan(&sales, &options, &mut |done, of| {
        line.show(&format!("comparing and forecasting: {done} of {of}"));
    })?;
    line.clear();
    let unknown = options
        .stock
        .keys()
        .filter(|id| plan.items.iter().all(|item| item.item_id != **id));
    let unknown = unknown.count();
    if unknown > 0 {
        note(&format!(
            "{unknown} items of --stock are not planned: not sold in the last half year, or unknown"
        ));
    }
    if let (Some(path), Some(layout)) = (&args.out, layout) {
        sheet(&plan).write(path, layout)?;
        note(&format!(
            "wrote {} items into {}",
            plan.items.len(),
            path.display()
        ));
    }
    if let Some(path) = &args.report {
        write_file(path, report::demand(&data.name, &plan).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    Output::new(&args.json).finish(&table(&plan), &plan)?;
    Ok(())
}

fn method(name: &str) -> Outcome<Option<Method>> {
    if name == "auto" {
        return Ok(None);
    }
    Method::from_key(name).map(Some).ok_or_else(|| {
        let known = Method::ALL.map(Method::key).join(", ");
        Failure::Usage(format!(
            "--method: no method `{name}`; there are: auto, {known}"
        ))
    })
}

fn stock(path: &Path) -> anyhow::Result<HashMap<String, Stock>> {
    let columns = [
        "item_id|sku|stockcode",
        "on_hand|stock",
        "on_order?",
        "pack?",
        "unit_cost?",
    ];
    let file = SideFile::read(path, &columns)?.unique(0)?;
    let rows = file.rows().map(|row| {
        let stock = Stock {
            on_hand: row.number(1)?.unwrap_or(0.0),
            on_order: row.number(2)?.unwrap_or(0.0),
            pack: row.number(3)?,
            unit_cost: row.number(4)?.filter(|cost| *cost > 0.0),
        };
        Ok((row.text(0)?, stock))
    });
    rows.collect()
}

fn propensities(path: &Path) -> anyhow::Result<Propensities> {
    let file = SideFile::read(path, &["item_id|sku|stockcode", "time|date", "propensity"])?;
    let mut found = Propensities::new();
    for row in file.rows() {
        if let Some(propensity) = row.number(2)? {
            found
                .entry(row.text(0)?)
                .or_default()
                .push((row.time(1)?, propensity));
        }
    }
    for list in found.values_mut() {
        list.sort_by_key(|(at, _)| *at);
    }
    Ok(found)
}

fn sheet(plan: &DemandPlan) -> Sheet {
    let items = &plan.items;
    let mut sheet = Sheet::new()
        .text("item_id", items, |item| item.item_id.clone())
        .text("item_name", items, |item| {
            item.name.clone().unwrap_or_default()
        });
    for ahead in 0..items.first().map_or(0, |item| item.weeks.len()) {
        let week = ahead + 1;
        let span = move |item: &ItemPlan| item.weeks.get(ahead).copied();
        sheet = sheet
            .number(&format!("week_{week}_expected"), items, |item| {
                span(item).map(|s| s.expected)
            })
            .number(&format!("week_{week}_low"), items, |item| {
                span(item).map(|s| s.low)
            })
            .number(&format!("week_{week}_high"), items, |item| {
                span(item).map(|s| s.high)
            });
    }
    sheet
        .number("until_delivery_expected", items, |item| {
            Some(item.until_delivery.expected)
        })
        .number("until_delivery_low", items, |item| {
            Some(item.until_delivery.low)
        })
        .number("until_delivery_high", items, |item| {
            Some(item.until_delivery.high)
        })
        .number("last_week", items, |item| Some(item.last_week))
        .number("mean_13_weeks", items, |item| Some(item.mean_13))
        .number("price", items, |item| item.price)
        .number("on_hand", items, |item| item.on_hand)
        .number("service_level", items, |item| Some(item.advice.service))
        .number("safety_stock", items, |item| Some(item.advice.safety_stock))
        .number("reorder_point", items, |item| {
            Some(item.advice.reorder_point)
        })
        .number("order_quantity", items, |item| {
            Some(item.advice.order_quantity)
        })
        .number("order_now", items, |item| item.advice.order_now)
        .text("cautions", items, |item| {
            let words: Vec<&str> = item.cautions.iter().map(|one| one.words()).collect();
            words.join("; ")
        })
}

fn table(plan: &DemandPlan) -> Table {
    let mut table = Table::new();
    table.block(report::verdict(plan));
    table.row(["open weeks known".to_owned(), plan.weeks_known.to_string()]);
    table.row(["items planned".to_owned(), plan.items.len().to_string()]);
    table.row([
        "without a sale for half a year".to_owned(),
        plan.dormant.to_string(),
    ]);
    let notes = &plan.notes;
    for (name, count) in [
        ("orders taken back within a week", notes.cancelled_lines),
        (
            "lines of postage, fees and the like",
            notes.book_entry_lines,
        ),
        ("stock corrections", notes.stock_movements),
        ("closed weeks", notes.closed_weeks.len()),
        (
            "items with more returns than sales",
            notes.returns_exceed_sales.len(),
        ),
        ("items without a price", notes.without_price),
    ] {
        if count > 0 {
            table.row([name.to_owned(), count.to_string()]);
        }
    }
    if !plan.measured.is_empty() {
        table.block(format!(
            "measured on the last {} weeks: error as share of units sold, 80 % interval held",
            plan.measuring_weeks
        ));
        table.row([
            "",
            "next week",
            "of the middle",
            "pinball",
            "held",
            "until delivery",
            "pinball",
            "cost of stock",
        ]);
        let week = propense_apps::demand::Window::week(1);
        for method in Method::ALL {
            let Some(near) = plan.score(method, week, Group::All) else {
                continue;
            };
            let far = plan.score(method, plan.terms.window(), Group::All);
            let cost = plan.stock_costs.iter().find(|cost| cost.method == method);
            let mark = if method == plan.method { " *" } else { "" };
            table.row([
                format!("{}{mark}", method.name()),
                format!("{:.3}", near.score.wape),
                format!("{:.3}", near.score.wape_of_median),
                format!("{:.4}", near.score.pinball),
                format!("{:.1} %", 100.0 * near.score.within_80),
                far.map_or(String::new(), |far| {
                    format!("{:.3}", far.score.wape_of_median)
                }),
                far.map_or(String::new(), |far| format!("{:.4}", far.score.pinball)),
                cost.map_or(String::new(), |cost| format!("{:.0}", cost.total())),
            ]);
        }
    }
    table.block("best sellers until delivery");
    table.row([
        "item",
        "name",
        "next week",
        "interval",
        "reorder at",
        "order",
        "now",
        "caution",
    ]);
    for item in plan.items.iter().take(SHOWN) {
        let week = item.weeks.first().copied().unwrap_or(item.until_delivery);
        let name: String = item
            .name
            .clone()
            .unwrap_or_default()
            .chars()
            .take(32)
            .collect();
        table.row([
            item.item_id.clone(),
            name,
            format!("{:.0}", week.expected),
            format!("{:.0} to {:.0}", week.low, week.high),
            format!("{:.0}", item.advice.reorder_point),
            format!("{:.0}", item.advice.order_quantity),
            item.advice
                .order_now
                .map_or("-".to_owned(), |units| format!("{units:.0}")),
            item.cautions
                .first()
                .map_or("", |caution| caution.words())
                .to_owned(),
        ]);
    }
    table
}
