//! The page of `propense segment`.

use propense_apps::segment::{Group, SegmentPlan, Source};

use super::day;
use super::page::{bars, chart, figures, glossary, notes, number, page, percent, table};
use super::plot::{Plot, Series};

/// Where propensities come from, in words.
pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Bundle => "the trained bundle",
        Source::Scores => "the file of scores",
        Source::Habits => "recency, frequency and turnover of earlier months",
    }
}

/// The plan as a page.
pub(crate) fn segment(name: &str, plan: &SegmentPlan) -> String {
    let expected = &plan.expected;
    let mut body = figures(&[
        (
            "to address",
            number(expected.contacts as f64),
            format!("of {} customers", number(plan.customers.len() as f64)),
        ),
        (
            "expected to order",
            number(expected.orders),
            format!("{} among as many at random", number(plan.orders_at_random)),
        ),
        (
            "turnover",
            number(expected.turnover),
            "one order each, within thirty days".to_owned(),
        ),
        (
            "profit",
            number(expected.profit),
            format!("after {} for contacts", number(expected.cost)),
        ),
    ]);
    body.push_str(&notes(&plan.warnings));
    body.push_str(&groups(plan));
    body.push_str(&segments(plan));
    body.push_str(&trust(plan));
    body.push_str(&uplift(plan));
    body.push_str(&glossary(&[
        ("Propensity", "The probability of an order within thirty days."),
        ("Lift", "How many times more buyers than among as many customers at random."),
        ("Holdout", "Customers who are not written to, so that the mailing's effect can be counted afterwards."),
        (
            "RFM",
            "Recency, frequency, monetary value: the base in fifths by last order, number of orders and turnover.",
        ),
    ]));
    let lead = format!(
        "{name}, as of {}. Propensities from {}.",
        day(plan.now_ms),
        source(plan.source)
    );
    page("Whom to address", &lead, &body)
}

fn groups(plan: &SegmentPlan) -> String {
    let rows: Vec<Vec<String>> = plan
        .groups
        .iter()
        .map(|(group, count)| {
            let words = match group {
                Group::Address => "write to them",
                Group::Holdout => "held out by lot, to compare",
                Group::Capped => "written to often enough lately",
                Group::Beyond => "worth it, beyond budget or target",
                Group::NotWorth => "cost more than they bring",
            };
            vec![
                group.name().to_owned(),
                number(*count as f64),
                words.to_owned(),
            ]
        })
        .collect();
    format!(
        "<h2>The decision</h2>\n{}",
        table(&["group", "customers", ""], &rows)
    )
}

fn segments(plan: &SegmentPlan) -> String {
    let rows: Vec<Vec<String>> = plan
        .segments
        .iter()
        .map(|one| {
            vec![
                one.segment.name().to_owned(),
                number(one.customers as f64),
                number(one.addressed as f64),
                percent(one.propensity),
                percent(one.turnover_share),
                one.words.clone(),
                one.segment.advice().to_owned(),
            ]
        })
        .collect();
    let lines: Vec<(String, f64, String, bool)> = plan
        .segments
        .iter()
        .map(|one| {
            (
                one.segment.name().to_owned(),
                one.propensity,
                percent(one.propensity),
                true,
            )
        })
        .collect();
    format!(
        "<h2>Segments</h2>\n{}{}",
        table(
            &[
                "segment",
                "customers",
                "addressed",
                "propensity",
                "of turnover",
                "what sets them apart",
                "what helps"
            ],
            &rows
        ),
        chart(
            "Who orders within thirty days",
            "Mean propensity of each segment.",
            &bars("Mean propensity by segment", &lines),
            &["segment", "propensity"],
            &lines
                .iter()
                .map(|line| vec![line.0.clone(), line.2.clone()])
                .collect::<Vec<_>>(),
        )
    )
}

fn trust(plan: &SegmentPlan) -> String {
    let Some(last) = plan.held_back.last() else {
        return String::new();
    };
    let mut html = format!(
        "<h2>How far to trust it</h2>\n<p>Ranked by what was known before each month; then the month came. {}</p>\n",
        "Nothing was learnt from these months when they were ranked, unless a note above says so."
    );
    html.push_str("<div class=\"pair\">\n");
    let mut series = vec![Series::faint(vec![(0.0, 0.0), (1.0, 1.0)])];
    let best_rule = last
        .rankings
        .iter()
        .filter(|ranking| ranking.rule)
        .max_by(|a, b| a.top_decile().total_cmp(&b.top_decile()));
    series.extend(best_rule.map(|rule| Series::dashed(rule.gains.clone())));
    series.extend(
        last.rankings
            .first()
            .map(|own| Series::line(own.gains.clone())),
    );
    let plot = Plot::unit(
        "Gains",
        "share of customers addressed, best first",
        "share of buyers reached",
        series,
    );
    let shares: Vec<Vec<String>> = last
        .rankings
        .iter()
        .map(|ranking| {
            let reached = ranking.lifts.iter().map(|lift| percent(lift.reached));
            std::iter::once(ranking.name.clone())
                .chain(reached)
                .collect()
        })
        .collect();
    let shares_head = [
        "buyers reached among the best",
        "5 %",
        "10 %",
        "20 %",
        "30 %",
        "50 %",
    ];
    html.push_str(&chart(
        &format!("Thirty days from {}", day(last.from_ms)),
        &format!(
            "Solid: propensity. Dashed: the best rule ({}). Dotted line: at random.",
            best_rule.map_or("none", |rule| rule.name.as_str())
        ),
        &plot.svg(),
        &shares_head,
        &shares,
    ));
    let lines: Vec<(String, f64, String, bool)> = last
        .rankings
        .iter()
        .map(|ranking| {
            let lift = ranking.top_decile();
            (
                ranking.name.clone(),
                lift,
                format!("{lift:.2}"),
                !ranking.rule,
            )
        })
        .collect();
    let rows: Vec<Vec<String>> = plan
        .held_back
        .iter()
        .flat_map(|month| {
            month.rankings.iter().map(move |ranking| {
                vec![
                    day(month.from_ms),
                    percent(month.base_rate),
                    ranking.name.clone(),
                    format!("{:.2}", ranking.top_decile()),
                ]
            })
        })
        .collect();
    html.push_str(&chart(
        "Lift of the best tenth",
        &format!(
            "{} of the base ordered; 1 is a choice at random. Framed: learnt; plain: rules.",
            percent(last.base_rate)
        ),
        &bars("Lift of the best tenth", &lines),
        &["month from", "ordered", "ranked by", "lift"],
        &rows,
    ));
    html.push_str("</div>\n");
    html
}

fn uplift(plan: &SegmentPlan) -> String {
    let Some(report) = &plan.uplift else {
        return String::new();
    };
    let end = report.curve.last().map_or(0.0, |point| point.1);
    let top = report
        .curve
        .iter()
        .map(|point| point.1)
        .fold(0.001, f64::max);
    let scaled = |points: &[(f64, f64)]| {
        points
            .iter()
            .map(|(x, y)| (*x, (y / top).max(0.0)))
            .collect()
    };
    let plot = Plot::unit(
        "Qini curve",
        "share of customers contacted, best first",
        "further orders, share of the most",
        vec![
            Series::faint(scaled(&[(0.0, 0.0), (1.0, end)])),
            Series::line(scaled(&report.curve)),
        ],
    );
    let rows: Vec<Vec<String>> = report
        .curve
        .iter()
        .step_by(10)
        .map(|(share, gained)| vec![percent(*share), format!("{:.2} %", 100.0 * gained)])
        .collect();
    format!(
        "<h2>What a contact changes</h2>\n<p>Of those contacted {:.1} % ordered, of those left alone {:.1} %.</p>\n{}",
        100.0 * report.treated_rate,
        100.0 * report.control_rate,
        chart(
            "Further orders gained",
            "Line: the customers most moved first. Dotted: in any order.",
            &plot.svg(),
            &["contacted", "further orders for each customer contacted"],
            &rows,
        )
    )
}
