//! The page of `propense recommend`.

use propense_apps::recommend::{
    Beside, Figures, ItemFacts, Judgement, Method, Pick, Reasoned, Source, TableTrial, seen,
};
use propense_events::Session;

use super::escape;
use super::page::{bars, chart, figures, glossary, notes, number, page, percent, table};
use crate::findings::{Findings, estimate, warnings};

/// Visits whose lists are shown, and items of a visit named.
const VISITS: usize = 8;
const NAMED: usize = 4;

/// What is recommended and why, as a page.
pub(crate) fn recommend(
    name: &str,
    findings: &Findings,
    sessions: &[Session],
    lists: &[(&str, Vec<Pick>)],
) -> String {
    let words = Words::of(findings.source);
    let mut body = headline(findings, &words);
    body.push_str(&notes(&warnings(findings)));
    body.push_str(&home(findings, &words));
    body.push_str(&because(&findings.showcase.because, &words));
    body.push_str(&visitors(sessions, lists));
    body.push_str(&trust(findings));
    if let Some(judged) = &findings.off_policy {
        body.push_str(&judgement(judged));
    }
    body.push_str(&glossary(&[
        ("Found in ten", "How often the next item was among the ten recommended (hit rate, HR@10)."),
        ("Mean reciprocal rank", "1 where it stood first, 1/2 second, and so on; 0 where it was not among the ten (MRR@10)."),
        ("NDCG", "The same with a gentler fall: 1 for the first place, 0.63 for the second, 0.29 for the tenth."),
        ("Items shown", "The share of all items that were in any list: a shop that shows a few alone sells a few alone."),
        ("Places of the top tenth", "How many places went to the tenth of the items that is most in demand. Far above its share of what came next, a list runs after fashion."),
        ("Popularity, item-kNN, V-SKNN", "The plain ways: what is most in demand for everybody; what came together with the last item; what came in the most similar of the latest visits."),
    ]));
    let lead = format!(
        "{name}: {} {} of {} items. Lists are made by {}.",
        number(findings.showcase.visits as f64),
        words.visits,
        number(findings.items as f64),
        method(findings.choice.method)
    );
    page("What to show, and to whom", &lead, &body)
}

/// The words for views, or for orders.
struct Words {
    visits: &'static str,
    seen: &'static str,
    together: &'static str,
}

impl Words {
    const fn of(source: Source) -> Self {
        match source {
            Source::Views => Self {
                visits: "visits",
                seen: "looked at",
                together: "looked at together",
            },
            Source::Baskets => Self {
                visits: "orders",
                seen: "bought",
                together: "bought together",
            },
        }
    }
}

/// A method in words.
const fn method(method: Method) -> &'static str {
    match method {
        Method::Blend => "Propense's blend",
        Method::VSknn => "visits like this one (V-SKNN)",
        Method::ItemKnn => "what came together (item-kNN)",
        Method::Popularity => "popularity",
    }
}

fn headline(findings: &Findings, words: &Words) -> String {
    let mut list = Vec::new();
    let of = |wanted: Method| {
        let figures = findings.choice.figures.iter();
        figures
            .filter(|(method, _)| *method == wanted)
            .map(|(_, figures)| figures)
            .next()
    };
    if let (Some(own), Some(popular)) = (of(findings.choice.method), of(Method::Popularity)) {
        list.push((
            "found in ten",
            percent(own.hr),
            format!("of what came next; popularity {}", percent(popular.hr)),
        ));
        list.push((
            "items shown",
            percent(own.coverage),
            format!("of all; popularity {}", percent(popular.coverage)),
        ));
    }
    list.push((
        words.visits,
        number(findings.showcase.visits as f64),
        "learnt from".to_owned(),
    ));
    list.push((
        "items",
        number(findings.items as f64),
        format!(
            "and {} new ones, known by their words",
            number(findings.new_items as f64)
        ),
    ));
    figures(&list)
}

/// An item's name, or its identifier where it has none.
fn named(id: &str, facts: &ItemFacts) -> String {
    facts
        .name
        .as_deref()
        .unwrap_or(id)
        .chars()
        .take(40)
        .collect()
}

fn price(facts: &ItemFacts) -> String {
    facts
        .price
        .map_or("\u{2013}".to_owned(), |price| format!("{price:.2}"))
}

fn home(findings: &Findings, words: &Words) -> String {
    let showcase = &findings.showcase;
    let share = |one: &Reasoned| one.visits as f64 / showcase.visits.max(1) as f64;
    let lines: Vec<(String, f64, String, bool)> = showcase
        .home
        .iter()
        .map(|one| {
            (
                named(&one.pick.item_id, &one.pick.facts),
                share(one),
                format!("{:.1} %", 100.0 * share(one)),
                true,
            )
        })
        .collect();
    let rows: Vec<Vec<String>> = (1..)
        .zip(&showcase.home)
        .map(|(place, one): (usize, _)| {
            let facts = &one.pick.facts;
            vec![
                place.to_string(),
                one.pick.item_id.clone(),
                named(&one.pick.item_id, facts),
                facts.category.clone().unwrap_or_default(),
                price(facts),
                if one.pick.new { "new" } else { "" }.to_owned(),
                number(one.visits as f64),
            ]
        })
        .collect();
    let head = [
        "place",
        "item",
        "name",
        "category",
        "price",
        "",
        words.visits,
    ];
    let opening = &findings.opening;
    let best = opening.ndcg10.iter().find(|(way, _)| *way == opening.way);
    let compared = best.map_or(String::new(), |(_, ndcg)| {
        let others = opening.ndcg10.iter().filter(|(way, _)| *way != opening.way);
        let others: Vec<String> = others
            .map(|(way, ndcg)| format!("{way} {ndcg:.3}"))
            .collect();
        format!(
            " It told best what {} of the latest {} began with: NDCG {ndcg:.3}, against {}.",
            number(opening.n as f64),
            words.visits,
            others.join(", ")
        )
    });
    format!(
        "<h2>For the home page</h2>\n<p>For visitors of whom nothing is known: {}, within the shop's rules.{}</p>\n{}{}",
        opening.way,
        escape(&compared),
        table(&head, &rows),
        chart(
            &format!("How often each is {}", words.seen),
            &format!("Share of all {} with the item.", words.visits),
            &bars("Share of visits with each item of the home page", &lines),
            &["item", &format!("of {}", words.visits)],
            &lines
                .iter()
                .map(|line| vec![line.0.clone(), line.2.clone()])
                .collect::<Vec<_>>(),
        )
    )
}

fn because(lists: &[Beside], words: &Words) -> String {
    if lists.iter().all(|list| list.picks.is_empty()) {
        return String::new();
    }
    let mut html = format!(
        "<h2>Because you {}\u{2026}</h2>\n<p>What stands beside the items most in demand. The bars count the {} in \
         which both were {}; a pick without any is there for what it is, or for what else visitors like.</p>\n\
         <div class=\"pair\">\n",
        words.seen, words.visits, words.seen
    );
    for list in lists {
        let lines: Vec<(String, f64, String, bool)> = list
            .picks
            .iter()
            .map(|one| {
                let name = named(&one.pick.item_id, &one.pick.facts);
                (name, one.visits as f64, number(one.visits as f64), true)
            })
            .collect();
        let rows: Vec<Vec<String>> = list
            .picks
            .iter()
            .map(|one| {
                vec![
                    one.pick.item_id.clone(),
                    named(&one.pick.item_id, &one.pick.facts),
                    price(&one.pick.facts),
                    number(one.visits as f64),
                ]
            })
            .collect();
        let name = named(&list.item_id, &list.facts);
        html.push_str(&chart(
            &name,
            &format!("{} {} with it.", number(list.visits as f64), words.visits),
            &bars(&format!("Picks beside {name}"), &lines),
            &["item", "name", "price", words.together],
            &rows,
        ));
    }
    html.push_str("</div>\n");
    html
}

/// The lists of the visits that were handed in.
fn visitors(sessions: &[Session], lists: &[(&str, Vec<Pick>)]) -> String {
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .zip(lists)
        .filter(|(session, _)| !session.events.is_empty())
        .take(VISITS)
        .map(|(session, (id, picks))| {
            let clicks = seen(&session.events).clicks;
            let last: Vec<&str> = clicks.iter().rev().map(|(id, _)| id.as_str()).collect();
            let picks = picks.iter().map(|pick| named(&pick.item_id, &pick.facts));
            vec![
                (*id).to_owned(),
                last.into_iter().take(NAMED).collect::<Vec<_>>().join(", "),
                picks.take(NAMED).collect::<Vec<_>>().join("; "),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>For running visits</h2>\n<p>{} of {} visits; all lists are in the table that --out writes.</p>\n{}",
        rows.len(),
        number(lists.len() as f64),
        table(&["visit", "seen, the newest first", "first picks"], &rows)
    )
}

fn trust(findings: &Findings) -> String {
    let choice = &findings.choice;
    let Some((_, first)) = choice.figures.first() else {
        return String::new();
    };
    let mut html = format!(
        "<h2>How far to trust it</h2>\n<p>Every way learnt from the first five sixths of the visits. Then, at {} \
         moments of the latest sixth, it had ten guesses at what came next. The best is used.</p>\n<div class=\"pair\">\n",
        number(first.n as f64)
    );
    let used = |method: Method| method == choice.method;
    let lines: Vec<(String, f64, String, bool)> = choice
        .figures
        .iter()
        .map(|(one, figures)| {
            let name = method(*one).to_owned();
            (
                name,
                figures.ndcg,
                format!("{:.3}", figures.ndcg),
                used(*one),
            )
        })
        .chain(findings.table.iter().map(|trial| {
            let name = "the item table, in the page".to_owned();
            (
                name,
                trial.figures.ndcg,
                format!("{:.3}", trial.figures.ndcg),
                false,
            )
        }))
        .collect();
    let rows: Vec<Vec<String>> = choice
        .figures
        .iter()
        .map(|(one, figures)| measured(method(*one), figures))
        .chain(table_row(findings.table.as_ref()))
        .collect();
    html.push_str(&chart(
        "NDCG of the first ten",
        "Longer is better. Framed: the way used.",
        &bars("NDCG of each way", &lines),
        &[
            "way",
            "NDCG",
            "95 %",
            "found in ten",
            "mean reciprocal rank",
            "items shown",
            "places of the top tenth",
        ],
        &rows,
    ));
    let target = (
        "what did come next".to_owned(),
        first.popular_share_of_targets,
    );
    let lines: Vec<(String, f64, String, bool)> = choice
        .figures
        .iter()
        .map(|(one, figures)| (method(*one).to_owned(), figures.popular_share, used(*one)))
        .chain([(target.0, target.1, false)])
        .map(|(name, share, used)| (name, share, percent(share), used))
        .collect();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| vec![line.0.clone(), line.2.clone()])
        .collect();
    html.push_str(&chart(
        "Places given to the tenth most in demand",
        "Near the last bar, lists are no more fashionable than the visitors.",
        &bars(
            "Share of the places given to the most clicked tenth",
            &lines,
        ),
        &["way", "places of the top tenth"],
        &rows,
    ));
    html.push_str("</div>\n");
    html
}

fn table_row(table: Option<&TableTrial>) -> Option<Vec<String>> {
    table.map(|trial| measured("the item table, in the page", &trial.figures))
}

fn measured(name: &str, figures: &Figures) -> Vec<String> {
    let (low, high) = figures.ndcg_interval;
    vec![
        name.to_owned(),
        format!("{:.4}", figures.ndcg),
        format!("{low:.4} to {high:.4}"),
        percent(figures.hr),
        format!("{:.4}", figures.mrr),
        format!("{:.1} %", 100.0 * figures.coverage),
        format!("{:.1} %", 100.0 * figures.popular_share),
    ]
}

fn judgement(judged: &Judgement) -> String {
    let shown = ("what was shown".to_owned(), judged.shown.value);
    let lines: Vec<(String, f64, String, bool)> = judged
        .methods
        .iter()
        .map(|(one, value)| (method(*one).to_owned(), value.doubly_robust.value, true))
        .chain([(shown.0, shown.1, false)])
        .map(|(name, value, own)| (name, value.max(0.0), format!("{value:.4}"), own))
        .collect();
    let rows: Vec<Vec<String>> = judged
        .methods
        .iter()
        .map(|(one, value)| {
            vec![
                method(*one).to_owned(),
                estimate(&value.doubly_robust),
                estimate(&value.ahead),
                estimate(&value.self_normalised),
                estimate(&value.ips),
                estimate(&value.clipped),
                number(value.effective_sample),
                number(value.matched as f64),
            ]
        })
        .collect();
    format!(
        "<h2>What they would have earned</h2>\n<p>{} lists were shown by lot to {} visits, with known probabilities; what \
         was shown earned {} a list. From these the worth of lists that nobody was shown is told: the rarer an item was \
         shown, the more its clicks count.</p>\n{}",
        number(judged.lists as f64),
        number(judged.visits as f64),
        estimate(&judged.shown),
        chart(
            "Reward a list",
            "Doubly robust; all ways learnt from what was before the log. Plain: what was shown.",
            &bars("Reward a list by recommender", &lines),
            &[
                "way",
                "doubly robust (95 %)",
                "ahead of what was shown",
                "self-normalised",
                "inverse propensity",
                "clipped",
                "effective sample",
                "items matched"
            ],
            &rows,
        )
    )
}
