//! The page of a search.

use std::fmt::Write;

use propense_train::{Finished, Preset, Tuned};

use super::frame::Frame;
use super::page;

/// Table, losses by option, and the curves of all trials.
pub(crate) fn search(title: &str, tuned: &Tuned, command: &str) -> String {
    let lead = format!(
        "{} trials, judged by the log-loss on {} examples as those forecast them that did not learn from them, after \
         learning from {}. The test part was not looked at.",
        tuned.ranking.len(),
        tuned.examples.1,
        tuned.examples.0
    );
    let best = tuned
        .winner()
        .and_then(|one| one.validation_loss)
        .unwrap_or_default();
    let mut body = page::notes(&[
        format!(
            "The winner's log-loss is {best:.4}. It was chosen by this figure, which is therefore a \
                 little better than on new data."
        ),
        format!("Trained again and measured once on the test part by: {command}"),
    ]);
    let names = tuned
        .winner()
        .map(|one| one.choice.options())
        .unwrap_or_default();
    let mut head = vec!["rank", "trial"];
    head.extend(names.iter().map(|(name, _)| name.trim_start_matches('-')));
    head.extend(["epochs", "best epoch", "log-loss", "ROC-AUC", "parameters"]);
    let rows: Vec<Vec<String>> = ranked(tuned)
        .enumerate()
        .map(|(rank, one)| {
            let mut row = vec![(rank + 1).to_string(), one.trial.to_string()];
            row.extend(one.choice.options().into_iter().map(|(_, value)| value));
            row.extend([
                one.curve.len().to_string(),
                one.best_epoch.to_string(),
                one.validation_loss
                    .map_or(String::new(), |loss| format!("{loss:.4}")),
                one.validation_auc
                    .map_or(String::new(), |auc| format!("{auc:.4}")),
                page::number(one.parameters as f64),
            ]);
            row
        })
        .collect();
    let table = page::table(&head, &rows);
    let curves: Vec<(Vec<(f64, f64)>, bool)> = ranked(tuned)
        .enumerate()
        .map(|(rank, one)| {
            let points = one.curve.iter().enumerate();
            (
                points
                    .map(|(epoch, loss)| (epoch as f64 + 1.0, *loss))
                    .collect(),
                rank == 0,
            )
        })
        .collect();
    let label = match tuned.preset {
        Preset::Seed => "Log-loss on validation by epoch",
        Preset::Base => "Log-loss by epoch, of each example by the members that leave it out",
    };
    body.push_str(&page::chart(
        label,
        "A line for each trial, or a dot where it had one epoch; the winner's is solid. What lies above one and a half times the \
         lowest is drawn at the upper edge.",
        &lines(label, &curves),
        &head,
        &rows,
    ));
    body.push_str(&legend(&tuned.rungs));
    body.push_str("<div class=\"pair\">\n");
    for (place, (name, _)) in names.iter().enumerate() {
        let name = name.trim_start_matches('-');
        // What had all epochs is drawn last, over the others.
        let mut points: Vec<((f64, f64), usize)> = ranked(tuned)
            .filter_map(|one| {
                let (_, value) = one.choice.options().into_iter().nth(place)?;
                let below = (tuned.rungs.len() - 1).saturating_sub(one.rung);
                Some(((value.parse().ok()?, one.validation_loss?), below))
            })
            .collect();
        points.sort_by_key(|(_, below)| std::cmp::Reverse(*below));
        let _ = write!(
            body,
            "<figure><figcaption>Log-loss by {name}</figcaption>\n{}</figure>\n",
            dots(name, &points)
        );
    }
    body.push_str("</div>\n<h2>Trials</h2>\n");
    body.push_str(&table);
    page::page(title, &lead, &body)
}

fn ranked(tuned: &Tuned) -> impl Iterator<Item = &Finished> {
    tuned
        .ranking
        .iter()
        .filter_map(|place| tuned.finished.get(*place))
}

fn lines(label: &str, curves: &[(Vec<(f64, f64)>, bool)]) -> String {
    // The first epochs of a bad trial would leave the others a line at the bottom.
    let best = curves
        .iter()
        .flat_map(|(points, _)| points.iter().map(|point| point.1));
    let best = best.fold(f64::INFINITY, f64::min);
    let seen = |y: f64| y.min(best * 1.5);
    let all = curves
        .iter()
        .flat_map(|(points, _)| points.iter().map(|(x, y)| (*x, seen(*y))));
    let frame = Frame::around(all);
    let mut inside = String::new();
    for (points, winner) in curves.iter().rev() {
        let class = if *winner { "line" } else { "faint" };
        let _ = write!(inside, "<polyline class=\"{class}\" points=\"");
        for (x, y) in points {
            let (x, y) = frame.place((*x, seen(*y)));
            let _ = write!(inside, "{x:.1},{y:.1} ");
        }
        inside.push_str("\"/>\n");
        if let [(x, y)] = points[..] {
            let (x, y) = frame.place((x, seen(y)));
            let _ = writeln!(
                inside,
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>"
            );
        }
    }
    frame.svg(label, &inside)
}

fn dots(label: &str, points: &[((f64, f64), usize)]) -> String {
    let frame = Frame::around(points.iter().map(|(point, _)| *point)).spread();
    let mut inside = String::new();
    for (point, below) in points {
        let _ = writeln!(inside, "{}", mark(frame.place(*point), *below));
    }
    frame.svg(label, &inside)
}

/// The mark of a trial that many rungs below the last one: a disc, a square, a triangle.
fn mark((x, y): (f64, f64), below: usize) -> String {
    match below {
        0 => format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"),
        1 => format!(
            "<rect class=\"hollow\" x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\"/>",
            x - 3.0,
            y - 3.0
        ),
        _ => format!(
            "<polygon class=\"hollow\" points=\"{x:.1},{:.1} {:.1},{:.1} {:.1},{:.1}\"/>",
            y - 3.5,
            x + 3.5,
            y + 3.0,
            x - 3.5,
            y + 3.0
        ),
    }
}

/// What the marks mean, where there is more than one.
fn legend(rungs: &[usize]) -> String {
    if rungs.len() < 2 {
        return String::new();
    }
    let mut text = String::from(
        "<p>A trial stands at its loss after the epochs that it was given; with fewer it may be higher for that alone, so \
         compare marks of one kind.</p>\n<p class=\"marks\">",
    );
    for (below, epochs) in rungs.iter().rev().enumerate() {
        let plural = if *epochs == 1 { "" } else { "s" };
        let _ = write!(
            text,
            "<span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\">{}</svg> at most {epochs} epoch{plural}</span>",
            mark((5.0, 5.0), below)
        );
    }
    text.push_str("</p>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_of_fewer_epochs_have_marks_of_their_own_and_a_legend() {
        let text = legend(&[2, 6, 18]);
        for (mark, epochs) in [("<circle", 18), ("<rect", 6), ("<polygon", 2)] {
            let (before, _) = text
                .split_once(&format!("at most {epochs} epochs"))
                .expect(&text);
            let own = before.rsplit("<span>").next().unwrap_or_default();
            assert!(own.contains(mark), "{own}");
        }
        assert!(legend(&[18]).is_empty());
        let svg = dots("x", &[((1.0, 0.4), 0), ((2.0, 0.5), 1), ((3.0, 0.6), 2)]);
        let count = |tag: &str| svg.matches(tag).count();
        // The frame is a rectangle, too.
        assert_eq!(
            (count("<circle"), count("<rect"), count("<polygon")),
            (1, 2, 1)
        );
    }
}
