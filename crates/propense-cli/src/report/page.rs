//! What the pages of the applications share: the frame, boxes of figures, tables, charts with
//! their figures behind them.

use std::fmt::Write;

use super::{STYLE, escape};

/// Letters of a cell beyond which its column may break.
const LONG: usize = 24;

/// Columns that fit a phone side by side, though one of them holds words.
const FEW: usize = 3;

const MORE_STYLE: &str = "
.note { border-left: 4px solid var(--ink); padding: .25rem .75rem; margin: 1rem 0; }
figure { margin: 1.5rem 0; }
figure > svg { max-width: 34rem; display: block; }
figcaption { font-weight: 600; }
.scroll table { font-size: .85rem; }
.text, .words { text-align: left; }
figcaption p { font-weight: 400; color: var(--dim); margin: .25rem 0 .5rem; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--dim); }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--page) 40%, transparent) 0 0 / 2rem 100%,
  linear-gradient(to left, var(--page) 40%, transparent) 100% 0 / 2rem 100%, linear-gradient(to right, var(--line), transparent) 0 0 / .6rem 100%,
  linear-gradient(to left, var(--line), transparent) 100% 0 / .6rem 100%; background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
.scroll td, .scroll th { white-space: nowrap; }
.scroll td.words { white-space: normal; min-width: 9rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 0 2rem; }
svg .band { fill: var(--line); stroke: none; }
svg .bar { fill: var(--dim); }
svg .bar.own { fill: var(--accent); stroke: var(--ink); stroke-width: 1.5; }
svg .hollow { fill: var(--page); stroke: var(--accent); stroke-width: 1.5; }
.marks { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; color: var(--dim); }
.marks svg { width: 1em; height: 1em; vertical-align: -.1em; }
svg .dashed { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 7 4; fill: none; }
svg text.name { fill: var(--ink); font-size: 12px; }
dl.words dt { font-weight: 600; } dl.words dd { margin: 0 0 .5rem; color: var(--dim); }
@media screen and (max-width: 36rem) {
  .scroll td, .scroll th { padding-inline: .25rem; }
  .cards thead { display: none; }
  .cards tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .cards td { display: block; border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  .cards td:empty { display: none; }
  .cards td:first-child { font-weight: 600; }
  .cards td + td::before { content: attr(data-head); color: var(--dim); }
}
@media print {
  :root { font-size: 13px; } body { font-size: 1rem; }
  details { display: none; } table { break-inside: auto; } tr, dd, figure, .note { break-inside: avoid; }
  h2, h2 + p, figcaption, dt { break-after: avoid; } h2 { margin-top: 1.5rem; } figure { margin: .75rem 0; }
  .pair { grid-template-columns: 1fr 1fr; gap: 0 1.5rem; }
  .scroll { overflow: visible; font-size: 8pt; background: none; } .scroll td, .scroll th { white-space: normal; padding: .2rem .3rem; }
  svg .bar { fill: #999; } svg .bar.own { fill: #333; }
}
";

/// A page with a title and a first sentence.
pub(super) fn page(title: &str, lead: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}{MORE_STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"lead\">{}</p>\n{body}</main>\n</body>\n</html>\n",
        escape(lead)
    )
}

/// Large figures, each with its name and a word beside it.
pub(super) fn figures(list: &[(&str, String, String)]) -> String {
    let mut text = String::from("<dl class=\"figures\">\n");
    for (name, value, beside) in list {
        let _ = writeln!(
            text,
            "<div><dt>{name}</dt><dd>{}</dd><small>{}</small></div>",
            escape(value),
            escape(beside)
        );
    }
    text.push_str("</dl>\n");
    text
}

/// What should be read before anything is done.
pub(super) fn notes<S: AsRef<str>>(notes: &[S]) -> String {
    notes
        .iter()
        .map(|note| format!("<p class=\"note\">{}</p>\n", escape(note.as_ref())))
        .collect()
}

/// A table. A column of words stands on the left, and may break where they are long; one in which nothing
/// stands is left out.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let classes: Vec<Option<&str>> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let cells: Vec<&String> = cells.filter(|cell| !cell.is_empty()).collect();
            let words = cells.iter().filter(|cell| has_words(cell)).count();
            let long = cells.iter().any(|cell| cell.chars().count() > LONG);
            match 2 * words >= cells.len() {
                _ if cells.is_empty() && !rows.is_empty() => None,
                true if long => Some(" class=\"words\""),
                true => Some(" class=\"text\""),
                false => Some(""),
            }
        })
        .collect();
    // Many columns with long words do not fit a phone: there each becomes a card, its cells named.
    let shown = classes.iter().flatten().count();
    let long = shown > FEW && classes.contains(&Some(" class=\"words\""));
    let kind = if long { " class=\"cards\"" } else { "" };
    let mut html = format!("<div class=\"scroll\"><table{kind}><thead><tr>");
    for (name, class) in head.iter().zip(&classes) {
        let Some(class) = class else { continue };
        let _ = write!(html, "<th scope=\"col\"{class}>{}</th>", escape(name));
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for ((cell, class), name) in row.iter().zip(&classes).zip(head) {
            let Some(class) = class else { continue };
            let name = match (long, name.is_empty()) {
                (true, false) => format!(" data-head=\"{}: \"", escape(name)),
                _ => String::new(),
            };
            let _ = write!(html, "<td{class}{name}>{}</td>", escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// Whether a cell is more than numbers with their units: an interval is `3 to 5`, a time `0.6 s`.
fn has_words(cell: &str) -> bool {
    cell.split_whitespace()
        .any(|word| word.chars().count() > 2 && word.contains(char::is_alphabetic))
}

/// A chart with words and the table behind it.
pub(super) fn chart(
    title: &str,
    words: &str,
    svg: &str,
    head: &[&str],
    rows: &[Vec<String>],
) -> String {
    format!(
        "<figure><figcaption>{}<p>{}</p></figcaption>\n{svg}<details><summary>Figures</summary>{}</details></figure>\n",
        escape(title),
        escape(words),
        table(head, rows)
    )
}

/// Words of the trade explained.
pub(super) fn glossary(words: &[(&str, &str)]) -> String {
    let mut html = String::from("<h2>Words</h2>\n<dl class=\"words\">\n");
    for (word, meaning) in words {
        let _ = writeln!(
            html,
            "<dt>{}</dt><dd>{}</dd>",
            escape(word),
            escape(meaning)
        );
    }
    html.push_str("</dl>\n");
    html
}

/// Horizontal bars; our own is framed and darker, which greyscale keeps.
pub(super) fn bars(label: &str, rows: &[(String, f64, String, bool)]) -> String {
    let most = rows
        .iter()
        .map(|row| row.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let height = 34.0 * rows.len() as f64 + 4.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 360 {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(label)
    );
    for (place, (name, value, note, own)) in rows.iter().enumerate() {
        let top = 34.0 * place as f64;
        let own = if *own { " own" } else { "" };
        let _ = writeln!(
            svg,
            "<text class=\"name\" x=\"0\" y=\"{:.0}\">{}</text><text x=\"358\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar{own}\" x=\"1\" y=\"{:.0}\" width=\"{:.1}\" height=\"11\"/>",
            top + 13.0,
            escape(name),
            top + 13.0,
            escape(note),
            top + 18.0,
            (value / most * 356.0).max(1.0)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Weeks known as a line, weeks ahead dashed with their interval as a band.
pub(super) fn weeks(label: &str, known: &[f64], ahead: &[(f64, f64, f64)]) -> String {
    let (width, height, left, bottom) = (360.0, 170.0, 50.0, 18.0);
    let highest = ahead.iter().map(|week| week.2).chain(known.iter().copied());
    let most = highest.fold(1.0, f64::max);
    let count = (known.len() + ahead.len()).max(2) as f64 - 1.0;
    let x = |place: usize| left + place as f64 / count * (width - left - 4.0);
    let y = |units: f64| 6.0 + (1.0 - (units / most).clamp(0.0, 1.0)) * (height - bottom - 6.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(label)
    );
    let first = known.len();
    let mut band = String::new();
    for (place, week) in ahead.iter().enumerate() {
        let _ = write!(band, "{:.1},{:.1} ", x(first + place), y(week.2));
    }
    for (place, week) in ahead.iter().enumerate().rev() {
        let _ = write!(band, "{:.1},{:.1} ", x(first + place), y(week.0));
    }
    let line = |points: &mut dyn Iterator<Item = (usize, f64)>| {
        let mut text = String::new();
        for (place, units) in points {
            let _ = write!(text, "{:.1},{:.1} ", x(place), y(units));
        }
        text
    };
    let past = line(&mut known.iter().copied().enumerate());
    let last = known.last().map(|units| (first - 1, *units));
    let future = ahead
        .iter()
        .enumerate()
        .map(|(place, week)| (first + place, week.1));
    let future = line(&mut last.into_iter().chain(future));
    let _ = writeln!(
        svg,
        "<line class=\"frame\" x1=\"{left}\" x2=\"{width}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
         <polygon class=\"band\" points=\"{band}\"/><polyline class=\"line\" points=\"{past}\"/>\
         <polyline class=\"dashed\" points=\"{future}\"/>\
         <text x=\"{:.0}\" y=\"14\" text-anchor=\"end\">{}</text><text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">0</text>\
         <text x=\"{left}\" y=\"{:.0}\">{} weeks ago</text><text x=\"{width}\" y=\"{:.0}\" text-anchor=\"end\">in {} weeks</text>",
        y(0.0),
        y(0.0),
        left - 4.0,
        number(most),
        left - 4.0,
        y(0.0),
        height - 3.0,
        known.len(),
        height - 3.0,
        ahead.len()
    );
    svg.push_str("</svg>\n");
    svg
}

/// Whole, with thousands set apart.
pub(super) fn number(value: f64) -> String {
    let whole = format!("{:.0}", value.abs());
    let mut text = if value <= -0.5 {
        "\u{2212}".to_owned()
    } else {
        String::new()
    };
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_words_stands_on_the_left_from_its_head_down() {
        let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["60 CAKE CASES", "1,271", "542 to 1,989", "", ""]),
            row([
                "85123A",
                "unknown",
                "0 to 4",
                "one customer took over half of it",
                "",
            ]),
            row(["A LAMP", "7 kg", "0 to 4", "", ""]),
        ];
        let html = table(&["name", "units", "interval", "note", "nothing"], &rows);
        for (tag, class, words) in [
            ("th", " class=\"text\"", "name"),
            ("td", " class=\"text\"", "60 CAKE CASES"),
            ("th", "", "units"),
            ("td", "", "1,271"),
            ("td", "", "7 kg"),
            ("td", "", "542 to 1,989"),
            ("th", " class=\"words\"", "note"),
            ("td", " class=\"words\"", ""),
        ] {
            let scope = if tag == "th" { " scope=\"col\"" } else { "" };
            let name = match words {
                _ if tag == "th" => "",
                "60 CAKE CASES" => " data-head=\"name: \"",
                "542 to 1,989" => " data-head=\"interval: \"",
                "" => " data-head=\"note: \"",
                _ => " data-head=\"units: \"",
            };
            let cell = format!("<{tag}{scope}{class}{name}>{words}</{tag}>");
            assert!(html.contains(&cell), "{cell} in {html}");
        }
        assert!(!html.contains("nothing"), "{html}");
    }
}
