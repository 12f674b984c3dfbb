//! `propense segment`

use std::collections::BTreeMap;
use std::path::Path;

use propense_apps::segment::{
    Base, Contacts, CustomerPlan, Group, HABITS, HabitModel, HeldBack, Ranking, SegmentInput,
    SegmentPlan, Source, Terms, Treatment, compare, held_back_moments, learn, plan,
};
use propense_model::Bundle;
use propense_train::{Chosen, Loaded, Task, score};
use sha2::{Digest, Sha256};

use super::{Failure, Outcome, resolve};
use crate::args::SegmentArgs;
use crate::destinations;
use crate::output::{Output, Table, note, write_file};
use crate::progress::Line;
use crate::report;
use crate::sheet::{Layout, Sheet};
use crate::side::SideFile;

pub(crate) fn run(args: &SegmentArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--out", args.out.as_ref()),
            ("--ads", args.ads.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        args.data
            .iter()
            .chain(&args.model)
            .chain(&args.scores)
            .chain(&args.contacts)
            .chain(&args.treatments),
    )?;
    let layout = args.out.as_deref().map(Layout::of).transpose()?;
    let until = resolve::until(args.until.as_deref())?;
    let terms = Terms {
        margin: args.margin,
        discount: args.discount,
        contact_cost: args.contact_cost,
        budget: args.budget,
        target_profit: args.target_profit,
        cap: args.cap.as_deref().map(cap).transpose()?,
        holdout: args.holdout,
        seed: args.seed,
    };
    terms.check()?;
    let contacts = args
        .contacts
        .as_deref()
        .map(contacts)
        .transpose()?
        .unwrap_or_default();
    let log = args.treatments.as_deref().map(treatments).transpose()?;
    let given = args.scores.as_deref().map(scores).transpose()?;
    let bundle = args
        .model
        .as_deref()
        .map(|path| thirty_day(path, args))
        .transpose()?;
    let mut data = resolve::data(&args.data, &args.reading)?;
    data.events = resolve::before(data.events, until);
    let base = Base::count(&data.events, data.utc_offset_minutes);

    let mut line = Line::new();
    let mut held_back = Vec::new();
    for (number, at) in held_back_moments(&base, args.months)
        .into_iter()
        .enumerate()
    {
        line.show(&format!(
            "measuring on month {} of {}",
            number + 1,
            args.months
        ));
        held_back.extend(month(&base, &data, at, bundle.as_ref())?);
    }
    line.clear();
    let habits = HabitModel::learn(&base, base.now);
    let (propensities, source) = match (given, &bundle) {
        (Some(given), _) => (given, Source::Scores),
        (None, Some((_, _))) if habits_are_better(&held_back) => {
            note(
                "on the months held back, habits alone rank better than the bundle: they are used",
            );
            (BTreeMap::new(), Source::Habits)
        }
        (None, Some((bundle, device))) => (scored(bundle, device, &data)?, Source::Bundle),
        (None, None) => (BTreeMap::new(), Source::Habits),
    };
    let uplift = match &log {
        None => None,
        Some(log) => match learn(&base, log) {
            Ok(found) => Some(found),
            Err(words) => {
                note(&format!("warning: {words}"));
                None
            }
        },
    };
    let mut plan = plan(
        &base,
        &SegmentInput {
            terms,
            contacts: &contacts,
            propensities: &propensities,
            source,
            habits: habits.as_ref(),
            uplift: uplift.as_ref(),
            held_back,
        },
    )?;
    if let Some((bundle, _)) = &bundle {
        plan.warnings.extend(seen(bundle, &plan.held_back));
    }
    if let (Some(path), Some(layout)) = (&args.out, layout) {
        sheet(&plan.customers).write(path, layout)?;
        note(&format!(
            "wrote {} customers into {}",
            plan.customers.len(),
            path.display()
        ));
    }
    if let Some(path) = &args.ads {
        write_file(path, ads(&plan.customers).as_bytes())?;
        note(&format!(
            "wrote {} hashed identifiers into {}",
            plan.expected.contacts,
            path.display()
        ));
    }
    if let Some(path) = &args.report {
        write_file(path, report::segment(&data.name, &plan).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    for warning in &plan.warnings {
        note(&format!("warning: {warning}"));
    }
    Output::new(&args.json).finish(&table(&plan), &plan)?;
    Ok(())
}

/// A bundle that scores customers, and where it runs.
fn thirty_day(path: &Path, args: &SegmentArgs) -> Outcome<(Bundle, Chosen)> {
    let (bundle, task) = resolve::scorer(path)?;
    if task != Task::ThirtyDay {
        return Err(Failure::Usage(format!(
            "--model: {} is a model for `{task}`; customers are scored by one for `thirty-day`",
            path.display()
        )));
    }
    let device = resolve::device(&args.running)?;
    note(&device.reason);
    Ok((bundle, device))
}

fn scored(bundle: &Bundle, device: &Chosen, data: &Loaded) -> Outcome<BTreeMap<String, f64>> {
    let rows = score(bundle, data, None, device, None)?;
    let by_user = rows.into_iter();
    Ok(by_user
        .filter_map(|row| Some((row.user?, f64::from(row.propensity))))
        .collect())
}

/// What the scores and the rules did in the thirty days from a moment, from what was known then.
fn month(
    base: &Base,
    data: &Loaded,
    at: i64,
    bundle: Option<&(Bundle, Chosen)>,
) -> Outcome<Option<HeldBack>> {
    let Some(model) = HabitModel::learn(base, at) else {
        return Ok(None);
    };
    let standing = base.standing(at);
    let by_habits: Vec<f64> = standing
        .habits
        .iter()
        .map(|one| model.propensity(one))
        .collect();
    let Some((bundle, device)) = bundle else {
        return Ok(Some(compare(base, &standing, at, &by_habits, &[])));
    };
    let known = Loaded {
        events: data
            .events
            .iter()
            .filter(|event| event.timestamp < at)
            .cloned()
            .collect(),
        utc_offset_minutes: data.utc_offset_minutes,
        ..Loaded::default()
    };
    let scores = scored(bundle, device, &known)?;
    let own = standing
        .customers
        .iter()
        .zip(&by_habits)
        .map(|(place, habit)| {
            let customer = base.customers.get(*place);
            customer
                .and_then(|one| scores.get(&one.id))
                .copied()
                .unwrap_or(*habit)
        });
    let own: Vec<f64> = own.collect();
    Ok(Some(compare(
        base,
        &standing,
        at,
        &own,
        &[(HABITS, &by_habits)],
    )))
}

/// Whether habits alone hold more buyers in the best tenth, over all months held back.
fn habits_are_better(held_back: &[HeldBack]) -> bool {
    let sum = |name: &str| {
        let rankings = held_back.iter().flat_map(|month| &month.rankings);
        rankings
            .filter(|ranking| ranking.name == name)
            .map(Ranking::top_decile)
            .sum::<f64>()
    };
    sum(HABITS) > sum(propense_apps::segment::PROPENSITY)
}

/// A bundle that has learnt from a month cannot be measured on it.
fn seen(bundle: &Bundle, held_back: &[HeldBack]) -> Option<String> {
    let last = bundle.manifest.data.to_ms;
    let months = held_back
        .iter()
        .filter(|month| month.from_ms < last)
        .count();
    (months > 0).then(|| {
        format!(
            "The bundle was trained on orders up to the end of its data, {months} of {} months held back \
             among them: its figures there may flatter it.",
            held_back.len()
        )
    })
}

fn cap(text: &str) -> Outcome<(u32, u32)> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(most, days)| Some((most.parse().ok()?, days.parse().ok()?)));
    numbers
        .filter(|(most, days): &(u32, u32)| *most > 0 && *days > 0)
        .ok_or_else(|| {
            Failure::Usage(format!(
                "--cap: `{text}` should be contacts and days, as 2/30"
            ))
        })
}

fn contacts(path: &Path) -> anyhow::Result<Contacts> {
    let file = SideFile::read(path, &["customer_id|user_id|user", "time|date"])?;
    let mut found = Contacts::new();
    for row in file.rows() {
        found.entry(row.text(0)?).or_default().push(row.time(1)?);
    }
    Ok(found)
}

fn treatments(path: &Path) -> anyhow::Result<Vec<Treatment>> {
    let columns = [
        "customer_id|user_id|user",
        "time|date",
        "treated|contacted",
        "ordered|converted",
    ];
    let file = SideFile::read(path, &columns)?;
    let rows = file.rows().map(|row| {
        Ok(Treatment {
            customer: row.text(0)?,
            at: row.time(1)?,
            treated: row.flag(2)?,
            ordered: row.flag(3)?,
        })
    });
    rows.collect()
}

fn scores(path: &Path) -> anyhow::Result<BTreeMap<String, f64>> {
    let file = SideFile::read(path, &["customer_id|user_id|user", "propensity"])?;
    let mut found = BTreeMap::new();
    for row in file.rows() {
        if let Some(propensity) = row.number(1)? {
            found.insert(row.text(0)?, propensity);
        }
    }
    Ok(found)
}

fn sheet(rows: &[CustomerPlan]) -> Sheet {
    Sheet::new()
        .text("customer_id", rows, |row| row.customer_id.clone())
        .text("segment", rows, |row| row.segment.name().to_owned())
        .text("decision", rows, |row| row.group.name().to_owned())
        .number("propensity", rows, |row| Some(row.propensity))
        .number("uplift", rows, |row| row.uplift)
        .text("kind", rows, |row| {
            row.kind.map_or("", |kind| kind.name()).to_owned()
        })
        .number("expected_profit", rows, |row| Some(row.expected_profit))
        .number("expected_order_value", rows, |row| Some(row.order_value))
        .number("recency_days", rows, |row| Some(row.habits.recency_days))
        .number("orders", rows, |row| Some(row.habits.orders))
        .number("spent", rows, |row| Some(row.habits.spent))
        .text("rfm", rows, |row| row.rfm.cell().to_string())
}

/// SHA-256 of the identifiers, trimmed and in lower case, as ad tools compare them.
fn ads(rows: &[CustomerPlan]) -> String {
    let mut text = String::from("sha256\n");
    for row in rows.iter().filter(|row| row.group == Group::Address) {
        let id = row.customer_id.trim().to_lowercase();
        let hash = Sha256::digest(id.as_bytes());
        text.extend(hash.iter().map(|byte| format!("{byte:02x}")));
        text.push('\n');
    }
    text
}

fn table(plan: &SegmentPlan) -> Table {
    let mut table = Table::new();
    let expected = &plan.expected;
    table.block(format!(
        "{} customers, propensities from {}",
        plan.customers.len(),
        report::source(plan.source)
    ));
    for (group, count) in &plan.groups {
        table.row([group.name().to_owned(), count.to_string()]);
    }
    table.block("to expect of those addressed, within thirty days");
    let amount = |value: f64| format!("{value:.2}");
    table.row(["orders".to_owned(), format!("{:.1}", expected.orders)]);
    table.row([
        "as many customers at random".to_owned(),
        format!("{:.1}", plan.orders_at_random),
    ]);
    table.row(["turnover".to_owned(), amount(expected.turnover)]);
    table.row(["cost of contacts".to_owned(), amount(expected.cost)]);
    table.row(["profit after that".to_owned(), amount(expected.profit)]);
    if let Some(target) = expected.short_of_target {
        table.row([format!("short of the target of {target:.2}")]);
    }
    table.block("segments");
    table.row([
        "",
        "customers",
        "addressed",
        "propensity",
        "turnover",
        "what sets them apart",
    ]);
    for one in &plan.segments {
        table.row([
            one.segment.name().to_owned(),
            one.customers.to_string(),
            one.addressed.to_string(),
            format!("{:.3}", one.propensity),
            format!("{:.0} %", 100.0 * one.turnover_share),
            one.words.clone(),
        ]);
    }
    for month in &plan.held_back {
        table.block(format!(
            "thirty days from {}: {} customers, {:.1} % ordered, {:.1} % forecast",
            report::day(month.from_ms),
            month.customers,
            100.0 * month.base_rate,
            100.0 * month.mean_propensity
        ));
        table.row(["lift of the best", "5 %", "10 %", "20 %", "30 %", "50 %"]);
        for ranking in &month.rankings {
            let lifts = ranking.lifts.iter().map(|lift| format!("{:.2}", lift.lift));
            table.row(std::iter::once(ranking.name.clone()).chain(lifts));
        }
    }
    if let Some(uplift) = &plan.uplift {
        table.block("the treatment log");
        table.row([
            "contacted, ordered".to_owned(),
            format!("{:.3}", uplift.treated_rate),
        ]);
        table.row([
            "left alone, ordered".to_owned(),
            format!("{:.3}", uplift.control_rate),
        ]);
        for (model, area) in uplift.qini {
            table.row([format!("Qini, {model:?}"), format!("{area:.4}")]);
        }
        table.row([
            "Qini by chance, at most".to_owned(),
            format!("{:.4}", uplift.chance),
        ]);
    }
    table
}
