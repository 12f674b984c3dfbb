//! The page of `propense demand`.

use propense_apps::demand::{Choice, DemandPlan, Group, ItemPlan, Method, Window};

use super::day;
use super::page::{bars, chart, figures, glossary, notes, number, page, percent, table, weeks};

/// Items in the order list, and items drawn.
const LISTED: usize = 60;
const DRAWN: usize = 6;

/// Why this method, in a sentence.
pub(crate) fn verdict(plan: &DemandPlan) -> String {
    let name = plan.method.name();
    match plan.choice {
        Choice::Given => format!("Forecast by \u{201c}{name}\u{201d}, as asked for."),
        Choice::TooFewWeeks => format!(
            "{} weeks are too few to compare methods: what each item sold so far is taken as it was.",
            plan.weeks_known
        ),
        Choice::BackTest if plan.method.is_baseline() => format!(
            "Forecast by \u{201c}{name}\u{201d}, a textbook method: it did better than the model over all items on the \
             {} weeks that chose.",
            plan.choosing_weeks
        ),
        Choice::BackTest => format!(
            "Forecast by \u{201c}{name}\u{201d}: best on the {} weeks that chose, measured on the {} after them.",
            plan.choosing_weeks, plan.measuring_weeks
        ),
    }
}

/// The plan as a page.
pub(crate) fn demand(name: &str, plan: &DemandPlan) -> String {
    let mut body = headline(plan);
    body.push_str(&notes(&remarks(plan)));
    body.push_str(&orders(plan));
    body.push_str("<h2>Best sellers</h2>\n<div class=\"pair\">\n");
    for item in plan.items.iter().take(DRAWN) {
        body.push_str(&drawn(item, plan.interval));
    }
    body.push_str("</div>\n");
    body.push_str(&trust(plan));
    body.push_str(&glossary(&[
        ("Expected", "The average over everything that may happen."),
        (
            "Interval",
            "What is sold lies in it as often as it says, and outside it in the other cases.",
        ),
        (
            "Reorder at",
            "Order when stock on the shelf and on its way is at or below this. It is what is sold until the delivery after \
             next, with the probability of the service level.",
        ),
        ("Order quantity", "Balances the cost of ordering and of keeping."),
        (
            "Error",
            "All units forecast too many or too few, as a share of the units sold. 0 is perfect.",
        ),
        (
            "Pinball loss",
            "How far the whole interval was off, narrow and true being best; as a share of the units sold.",
        ),
    ]));
    let lead = format!("{name}, from {}. {}", day(plan.from_ms), verdict(plan));
    page("What will sell, and what to order", &lead, &body)
}

fn headline(plan: &DemandPlan) -> String {
    let week: f64 = plan
        .items
        .iter()
        .filter_map(|item| item.weeks.first())
        .map(|w| w.expected)
        .sum();
    let last = plan.shop.last().map_or(0.0, |week| week.1);
    let to_order = plan
        .items
        .iter()
        .filter(|item| item.advice.order_now.is_some_and(|units| units > 0.0));
    let known = plan.items.iter().any(|item| item.on_hand.is_some());
    let mut list = vec![
        (
            "expected next week",
            number(week),
            format!("units; last week {}", number(last)),
        ),
        (
            "items planned",
            number(plan.items.len() as f64),
            format!("{} no longer on sale", plan.dormant),
        ),
    ];
    if known {
        let count = to_order.count();
        list.push((
            "items to order now",
            number(count as f64),
            "at or below their reorder point".to_owned(),
        ));
    }
    let near = plan.score(plan.method, Window::week(1), Group::All);
    if let Some(near) = near {
        list.push((
            "interval held",
            percent(near.score.within_80),
            "of outcomes in the 80 % interval, next week".to_owned(),
        ));
    }
    let recent = plan
        .shop
        .iter()
        .rev()
        .take(52)
        .rev()
        .map(|week| week.1)
        .collect::<Vec<_>>();
    let count = plan.items.first().map_or(0, |item| item.weeks.len());
    let ahead: Vec<(f64, f64, f64)> = (0..count)
        .map(|place| {
            let spans = plan.items.iter().filter_map(|item| item.weeks.get(place));
            let sum = spans.map(|span| span.expected).sum::<f64>();
            (sum, sum, sum)
        })
        .collect();
    let mut rows: Vec<Vec<String>> = plan
        .shop
        .iter()
        .map(|(start, units)| vec![day(*start), number(*units), "sold".to_owned()])
        .collect();
    rows.extend(ahead.iter().enumerate().map(|(place, week)| {
        vec![
            format!("week {} ahead", place + 1),
            number(week.1),
            "expected".to_owned(),
        ]
    }));
    let svg = weeks("Units a week in the whole shop", &recent, &ahead);
    figures(&list)
        + &chart(
            "Units a week in the whole shop",
            "Line: sold. Dashed: expected, all items added up.",
            &svg,
            &["week from", "units", ""],
            &rows,
        )
}

fn remarks(plan: &DemandPlan) -> Vec<String> {
    let found = &plan.notes;
    let mut list = Vec::new();
    let mut say = |when: bool, words: String| list.extend(when.then_some(words));
    say(
        found.largest_customer_share >= 0.25,
        format!(
            "One customer takes {} of all turnover: ask them before ordering what they buy.",
            percent(found.largest_customer_share)
        ),
    );
    say(
        !found.closed_weeks.is_empty(),
        format!(
            "Weeks without any order: {}. They count as closed, not as weeks without demand.",
            found.closed_weeks.len()
        ),
    );
    say(
        !found.returns_exceed_sales.is_empty(),
        format!(
            "Of {} items more came back than was sold: {}.",
            found.returns_exceed_sales.len(),
            found
                .returns_exceed_sales
                .iter()
                .take(8)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        ),
    );
    say(
        plan.items.iter().all(|item| item.on_hand.is_none()),
        "Stock is not known: reorder points are shown, but not what to order now (hand in --stock).".to_owned(),
    );
    list
}

fn orders(plan: &DemandPlan) -> String {
    let due = |item: &&ItemPlan| item.advice.order_now.is_none_or(|units| units > 0.0);
    let rows: Vec<Vec<String>> = plan
        .items
        .iter()
        .filter(due)
        .take(LISTED)
        .map(|item| {
            let week = item.weeks.first().copied().unwrap_or(item.until_delivery);
            let units =
                |number: Option<f64>| number.map_or("\u{2013}".to_owned(), super::page::number);
            vec![
                item.item_id.clone(),
                item.name
                    .clone()
                    .unwrap_or_default()
                    .chars()
                    .take(40)
                    .collect(),
                number(week.expected),
                format!("{} to {}", number(week.low), number(week.high)),
                units(item.on_hand),
                number(item.advice.reorder_point),
                number(item.advice.order_quantity),
                units(item.advice.order_now),
                item.cautions
                    .first()
                    .map_or("", |caution| caution.words())
                    .to_owned(),
            ]
        })
        .collect();
    let all = plan.items.iter().filter(due).count();
    format!(
        "<h2>Order list</h2>\n<p>The {} items that sell most, of {all}; all are in the table that --out writes.</p>\n{}",
        rows.len(),
        table(
            &[
                "item",
                "name",
                "next week",
                &format!("{} interval", percent(plan.interval)),
                "in stock",
                "reorder at",
                "order quantity",
                "order now",
                "note",
            ],
            &rows
        )
    )
}

fn drawn(item: &ItemPlan, interval: f64) -> String {
    let ahead: Vec<(f64, f64, f64)> = item
        .weeks
        .iter()
        .map(|week| (week.low, week.expected, week.high))
        .collect();
    let name = item.name.clone().unwrap_or_default();
    let rows: Vec<Vec<String>> = item
        .weeks
        .iter()
        .map(|week| {
            vec![
                format!("week {} ahead", week.window.from),
                number(week.low),
                number(week.expected),
                number(week.high),
            ]
        })
        .collect();
    chart(
        &format!("{} {name}", item.item_id),
        &format!(
            "Units a week. Dashed: expected; grey: {} interval.",
            percent(interval)
        ),
        &weeks(&format!("Weekly units of {name}"), &item.recent, &ahead),
        &["", "low", "expected", "high"],
        &rows,
    )
}

fn trust(plan: &DemandPlan) -> String {
    if plan.measured.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<h2>How far to trust it</h2>\n<p>Every method forecast each of the last {} weeks from what was known before it. \
         The one used was chosen on the {} weeks before those.</p>\n<div class=\"pair\">\n",
        plan.measuring_weeks, plan.choosing_weeks
    );
    let far = plan.terms.window();
    let mut methods: Vec<(Method, f64)> = Method::ALL
        .into_iter()
        .filter_map(|method| Some((method, plan.score(method, far, Group::All)?.score.pinball)))
        .collect();
    methods.sort_by(|a, b| a.1.total_cmp(&b.1));
    let loss: Vec<(String, f64, String, bool)> = methods
        .iter()
        .map(|(method, loss)| {
            (
                method.name().to_owned(),
                *loss,
                format!("{loss:.4}"),
                *method == plan.method,
            )
        })
        .collect();
    let rows: Vec<Vec<String>> = methods
        .iter()
        .flat_map(|(method, _)| {
            [Window::week(1), far].into_iter().flat_map(move |window| {
                [Group::All, Group::Steady, Group::Sparse]
                    .map(move |group| (*method, window, group))
            })
        })
        .filter_map(|(method, window, group)| {
            let score = plan.score(method, window, group)?.score;
            let scaled = if window.weeks() == 1 {
                format!("{:.2}", score.mase)
            } else {
                String::new()
            };
            Some(vec![
                method.name().to_owned(),
                format!("{} to {}", window.from, window.to),
                match group {
                    Group::All => "all",
                    Group::Steady => "steady sellers",
                    Group::Sparse => "rare sellers",
                }
                .to_owned(),
                percent(score.wape),
                percent(score.wape_of_median),
                scaled,
                format!("{:.4}", score.pinball),
                percent(score.within_80),
                percent(score.within_90),
            ])
        })
        .collect();
    html.push_str(&chart(
        &format!("Pinball loss, the next {} weeks together", far.weeks()),
        "Shorter is better. Framed: the method used.",
        &bars("Pinball loss of each method", &loss),
        &[
            "method",
            "weeks",
            "items",
            "error",
            "error of the middle",
            "MASE",
            "pinball",
            "80 % held",
            "90 % held",
        ],
        &rows,
    ));
    let mut costs = plan.stock_costs.clone();
    costs.sort_by(|a, b| a.total().total_cmp(&b.total()));
    let lines: Vec<(String, f64, String, bool)> = costs
        .iter()
        .map(|cost| {
            (
                cost.method.name().to_owned(),
                cost.total(),
                number(cost.total()),
                cost.method == plan.method,
            )
        })
        .collect();
    let rows: Vec<Vec<String>> = costs
        .iter()
        .map(|cost| {
            vec![
                cost.method.name().to_owned(),
                number(cost.total()),
                number(cost.holding),
                number(cost.missed),
                number(cost.ordering),
                percent(cost.fill_rate),
            ]
        })
        .collect();
    html.push_str(&chart(
        &format!("What stock would have cost in these {} weeks", plan.measuring_weeks),
        "The same order policy, fed by each method: keeping, missed sales and ordering, in the shop's currency.",
        &bars("Cost of stock by method", &lines),
        &["method", "all", "keeping", "missed sales", "ordering", "served from the shelf"],
        &rows,
    ));
    html.push_str("</div>\n");
    html
}
