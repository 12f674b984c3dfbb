//! The page as a whole: what was read and the verdict, warnings, then charts.

use std::fmt::Write;

use super::style::STYLE;
use super::text::{escape, prose};
use super::{distributions, people, shop, source, timeline};
use crate::report::calendar::long_day;
use crate::report::figures::{DataReport, Verdict};
use crate::report::share;
use crate::report::warning::Severity;
use crate::report::words::{number, of, percent};

pub(super) fn page(report: &DataReport) -> String {
    let name = escape(&report.name);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Data report: {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    html.push_str(&header(report, &name));
    html.push_str(&warnings(report));
    if report.totals.events > 0 {
        section(&mut html, "Over time", "", &timeline::charts(report));
        let mut charts = shop::funnel(report);
        charts.push_str(&shop::kinds(report));
        section(
            &mut html,
            "What happens in a session",
            "",
            &(charts + &people::sessions(report)),
        );
        let charts = shop::balance(report) + &people::visitors(report);
        section(&mut html, "What there is to learn", "", &charts);
        let charts = shop::items(report) + &shop::categories(report);
        section(
            &mut html,
            "What the shop sells",
            "",
            &(charts + &distributions::features(report)),
        );
        plain(
            &mut html,
            "Whether the time changes it",
            "A model is learnt on the past and used on what comes. Here the time is split as for \
             learning, and the parts are compared.",
            &distributions::drift(report),
        );
        plain(&mut html, "What is missing", "", &source::missing(report));
    }
    section(
        &mut html,
        "What was set aside and repaired",
        "",
        &source::rules(report),
    );
    plain(&mut html, "What was read", "", &source::files(report));
    html.push_str(
        "<footer><p>Times are the shop's. Quantiles are at most 0.8 % too low. What each figure means \
         and when a warning is given is written in docs/data-report.md; every figure of this page \
         is in report.json beside it.</p></footer>\n</main>\n</body>\n</html>\n",
    );
    html
}

/// A section of charts, left out where there is none.
fn section(html: &mut String, title: &str, words: &str, charts: &str) {
    if charts.is_empty() {
        return;
    }
    plain(
        html,
        title,
        words,
        &format!("<div class=\"charts\">\n{charts}</div>\n"),
    );
}

fn plain(html: &mut String, title: &str, words: &str, content: &str) {
    let _ = write!(html, "<section>\n<h2>{title}</h2>\n");
    if !words.is_empty() {
        let _ = writeln!(html, "<p>{words}</p>");
    }
    html.push_str(content);
    html.push_str("</section>\n");
}

fn header(report: &DataReport, name: &str) -> String {
    let records = &report.records;
    let mut lead = format!(
        "<b>{}</b> of {}",
        of(records.read, "record", "records"),
        of(report.files.len() as u64, "file", "files")
    );
    if let Some(span) = &report.span {
        if span.first_day == span.last_day {
            let _ = write!(lead, ", of {}", long_day(span.first_day));
        } else {
            let _ = write!(
                lead,
                ", from <b>{}</b> to <b>{}</b>",
                long_day(span.first_day),
                long_day(span.last_day)
            );
        }
    }
    let _ = write!(
        lead,
        ". The table holds <b>{}</b> of them; {} set aside{}.",
        percent(share(records.written, records.read)),
        match records.quarantined {
            0 => "none was".to_owned(),
            1 => "one was".to_owned(),
            count => format!("{} were", number(count)),
        },
        match records.quarantined {
            0 => "",
            1 => ", with its reason in quarantine.csv",
            _ => ", each with its reason in quarantine.csv",
        }
    );
    let (class, verdict) = match report.verdict {
        Verdict::Ready => ("ready", "Fit to learn from."),
        Verdict::WithCare => ("with_care", "Usable with care."),
        Verdict::NotYet => ("not_yet", "Not fit to learn from yet."),
    };
    format!(
        "<header>\n<p class=\"kind\">Data report</p>\n<h1>{name}</h1>\n<p class=\"lead\">{lead}</p>\n\
         <p class=\"verdict {class}\"><b>{verdict}</b> <span>{}</span></p>\n{}</header>\n",
        verdict_words(report),
        numbers(report)
    )
}

fn verdict_words(report: &DataReport) -> String {
    let count = |severity: Severity| {
        let same = report
            .warnings
            .iter()
            .filter(|warning| warning.severity == severity);
        same.count() as u64
    };
    let titles = |severity: Severity| -> String {
        let titles: Vec<String> = report
            .warnings
            .iter()
            .filter(|warning| warning.severity == severity)
            .map(|warning| escape(&warning.title.to_lowercase()))
            .collect();
        crate::report::words::list(&titles, 3)
    };
    match report.verdict {
        Verdict::Ready => match report.warnings.len() {
            0 => "Nothing in it gives cause for a warning.".to_owned(),
            _ => format!(
                "{} to know, below.",
                of(count(Severity::Note), "thing is good", "things are good")
            ),
        },
        Verdict::WithCare => format!(
            "{} to be looked at first: {}.",
            of(count(Severity::Caution), "thing has", "things have"),
            titles(Severity::Caution)
        ),
        Verdict::NotYet => format!(
            "{} to be mended first: {}.",
            of(count(Severity::Severe), "thing has", "things have"),
            titles(Severity::Severe)
        ),
    }
}

fn numbers(report: &DataReport) -> String {
    let totals = &report.totals;
    if totals.events == 0 {
        return String::new();
    }
    let figure = |name: &str, value: String, beside: String| {
        format!("<div><dt>{name}</dt><dd>{value}</dd><small>{beside}</small></div>\n")
    };
    let mut html = String::from("<dl class=\"numbers\">\n");
    html.push_str(&figure(
        "events",
        number(totals.events),
        format!("on {}", of(totals.lines, "line", "lines")),
    ));
    html.push_str(&figure(
        "sessions",
        number(totals.sessions),
        match report.sessions.events.median() {
            median if median <= 1.0 => "half have one event only".to_owned(),
            median => format!("half have {median} or fewer events"),
        },
    ));
    html.push_str(&figure(
        "visitors",
        number(totals.visitors),
        format!(
            "{} came again",
            percent(share(report.visitors.returning, totals.visitors))
        ),
    ));
    html.push_str(&figure(
        "orders",
        number(totals.orders),
        match report.feature("order_value") {
            Some(value) if value.values.count > 0 => {
                format!("half are worth {:.2} or less", value.values.median())
            }
            _ if totals.orders == 0 => "none was placed".to_owned(),
            _ => "of unknown value".to_owned(),
        },
    ));
    html.push_str(&figure(
        "sessions with an order",
        percent(share(totals.order_sessions, totals.sessions)),
        format!("{} of them", number(totals.order_sessions)),
    ));
    html.push_str("</dl>\n");
    html
}

fn warnings(report: &DataReport) -> String {
    if report.warnings.is_empty() {
        return String::new();
    }
    let mut html =
        String::from("<section>\n<h2>What should be looked at</h2>\n<ul class=\"warnings\">\n");
    for warning in &report.warnings {
        let (class, word) = match warning.severity {
            Severity::Severe => ("severe", "Must be mended"),
            Severity::Caution => ("caution", "Look at it"),
            Severity::Note => ("note", "Good to know"),
        };
        let _ = writeln!(
            html,
            "<li class=\"{class}\"><h3><span>{word}</span><b>{}</b><code>{}</code></h3>\
             <p>{}</p><p>{}</p></li>",
            escape(&warning.title),
            escape(&warning.code),
            prose(&warning.text),
            prose(&warning.remedy)
        );
    }
    html.push_str("</ul>\n</section>\n");
    html
}
