//! Text for a terminal that is narrower than it: broken between words, tables between columns.

use std::io::IsTerminal;

use ratatui::crossterm::terminal::size;

/// Letters of a line below which nothing is broken: no such terminal can show a table.
const LEAST: usize = 40;

/// Letters of a line where this goes to a terminal; none elsewhere, where nothing is broken.
pub(crate) fn width(to: &impl IsTerminal) -> Option<usize> {
    let (columns, _) = to.is_terminal().then(size)?.ok()?;
    Some(usize::from(columns)).filter(|columns| *columns >= LEAST)
}

/// Text whose lines are broken between words, all but the first line of each set in by so much. A
/// command stays whole, so that it can be copied.
pub(crate) fn paragraph(text: &str, width: Option<usize>, indent: usize) -> String {
    match width {
        Some(width) if !text.trim_start().starts_with("propense ") => text
            .lines()
            .flat_map(|line| broken(line, width, indent))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => text.to_owned(),
    }
}

/// Spaces within a line stay as they are.
fn broken(line: &str, width: usize, indent: usize) -> Vec<String> {
    let first = line.len() - line.trim_start().len();
    let mut lines = Vec::new();
    let mut current = line[..first].to_owned();
    let mut empty = true;
    for word in line[first..].split(' ') {
        if !empty && !word.is_empty() && letters(&current) + 1 + letters(word) > width {
            let next = " ".repeat(indent);
            lines.push(std::mem::replace(&mut current, next).trim_end().to_owned());
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty &= word.is_empty();
    }
    lines.push(current);
    lines
}

/// Rows with their columns aligned. Where they are wider than the terminal, as many columns as fit
/// stand side by side, the others below beside what names the rows; a row of one cell among rows of several is a
/// sentence.
pub(crate) fn rows(rows: &[Vec<String>], width: Option<usize>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let sizes = |sentences: bool| -> Vec<usize> {
        let counted = rows.iter().filter(|row| sentences || row.len() > 1);
        let size = |column| counted.clone().filter_map(move |row| row.get(column));
        (0..columns)
            .map(|column| size(column).map(|cell| letters(cell)).max().unwrap_or(0))
            .collect()
    };
    let whole = sizes(true);
    let needed = |sizes: &[usize]| sizes.iter().map(|size| size + 2).sum::<usize>();
    let Some(width) = width.filter(|width| needed(&whole) > *width) else {
        return rows.iter().map(|row| aligned(row, &whole)).collect();
    };
    let (table, sentences): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.len() > 1);
    let mut names = sizes(false);
    let others = names.split_off(naming(&table).min(names.len()));
    // What names the rows leaves room for what is said of them.
    while needed(&names) > width / 2 {
        let Some(widest) = names.iter_mut().max() else {
            break;
        };
        *widest -= 1;
    }
    let room = width.saturating_sub(needed(&names) + 2);
    let mut text = String::new();
    for (number, group) in groups(&others, room).into_iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let group = group.into_iter();
        let group = group.map(|(place, size)| (names.len() + place, size));
        let shown: Vec<(usize, usize)> = names.iter().copied().enumerate().chain(group).collect();
        for row in &table {
            text.push_str(&lines(row, &shown));
        }
    }
    for sentence in sentences.into_iter().flatten() {
        text.push_str(&paragraph(&format!("  {sentence}"), Some(width), 4));
        text.push('\n');
    }
    text
}

/// How many of the first columns it takes to tell the rows apart: one or two; one where two do not.
fn naming(rows: &[&Vec<String>]) -> usize {
    let differ = |count: &usize| {
        let mut names: Vec<_> = rows.iter().map(|row| row.get(..*count)).collect();
        names.sort_unstable();
        names.dedup();
        names.len() == rows.len()
    };
    [1, 2].into_iter().find(differ).unwrap_or(1)
}

/// Places and widths of the columns that stand side by side in this many letters: as few groups as can
/// be, and these about as wide as each other.
fn groups(sizes: &[usize], room: usize) -> Vec<Vec<(usize, usize)>> {
    let fill = |room: usize, most: usize| {
        let (mut all, mut group, mut used) = (Vec::new(), Vec::new(), 0);
        for (place, &size) in sizes.iter().enumerate() {
            let size = size.min(most);
            if used > 0 && used + size + 2 > room + 2 {
                all.push(std::mem::take(&mut group));
                used = 0;
            }
            group.push((place, size));
            used += size + 2;
        }
        all.push(group);
        all
    };
    let fewest = fill(room, room).len();
    let narrowest = (1..=room).find(|narrower| fill(*narrower, room).len() == fewest);
    fill(narrowest.unwrap_or(room), room)
}

/// One row's cells at these places, each broken to its column's width.
fn lines(row: &[String], shown: &[(usize, usize)]) -> String {
    let cells: Vec<Vec<String>> = shown
        .iter()
        .map(|(place, size)| {
            let cell = row.get(*place).map_or("", String::as_str);
            broken(cell, *size, 0)
        })
        .collect();
    let sizes: Vec<usize> = shown.iter().map(|(_, size)| *size).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|line| {
            let cells = cells.iter();
            let cells: Vec<String> = cells
                .map(|cell| cell.get(line).cloned().unwrap_or_default())
                .collect();
            aligned(&cells, &sizes)
        })
        .collect()
}

fn aligned(cells: &[String], sizes: &[usize]) -> String {
    let mut line = String::from("  ");
    for (cell, size) in cells.iter().zip(sizes) {
        line.push_str(&format!("{cell:size$}  "));
    }
    format!("{}\n", line.trim_end())
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Vec<String>> {
        let row = |name: &str, cell: &str| {
            let cells = (0..9).map(|column| format!("{cell}{column}"));
            std::iter::once(name.to_owned()).chain(cells).collect()
        };
        vec![
            row("", "column "),
            row("after 2 events", "0.123"),
            row("after 10 events", "0.456"),
        ]
    }

    #[test]
    fn a_wide_table_is_laid_out_in_pieces_that_fit_and_hold_every_cell() {
        let mut rows_of = table();
        rows_of.push(vec!["a sentence of many words ".repeat(6)]);
        for width in [40, 60, 80] {
            let text = rows(&rows_of, Some(width));
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            for cell in rows_of.iter().flatten().filter(|cell| cell.len() < 30) {
                assert!(text.contains(cell.as_str()), "{cell} in {text}");
            }
            let pieces = text.matches("after 2 events").count();
            assert!(pieces > 1, "{text}");
            assert_eq!(text.matches("after 10 events").count(), pieces);
            let words = text.split_whitespace().filter(|word| *word == "many");
            assert_eq!(words.count(), 6);
        }
        // Where there is room, or no terminal, every row is one line.
        for width in [None, Some(200)] {
            assert_eq!(rows(&table(), width).lines().count(), 3);
        }
    }

    #[test]
    fn rows_that_the_first_column_does_not_tell_apart_keep_the_second() {
        let row = |cells: [&str; 6]| cells.map(str::to_owned).to_vec();
        let long = "figure of some length";
        let rows_of = [
            row(["part", "measured", long, long, long, long]),
            row(["test", "after two events", "1", "2", "3", "4"]),
            row(["test", "at the last event", "5", "6", "7", "8"]),
        ];
        let text = rows(&rows_of, Some(80));
        assert_eq!(text.matches("after two events").count(), 2, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        // Two columns and one would fit; halves are alike.
        let halves = groups(&[10, 10, 10, 10], 36);
        assert_eq!(halves.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn a_long_cell_is_broken_within_its_column() {
        let names = "hour, weekday, month, week_of_year, special_day, holiday, quarter, season";
        let row = vec![
            "left out, since it only says when".to_owned(),
            names.to_owned(),
        ];
        let text = rows(&[row], Some(60));
        assert!(
            text.lines().all(|line| line.chars().count() <= 60),
            "{text}"
        );
        for word in names.split(", ") {
            assert!(text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn a_note_is_broken_between_words_and_a_command_is_not() {
        let note = "features: ".to_owned() + &"a_column is constant; ".repeat(30);
        let text = paragraph(&note, Some(80), 0);
        assert!(text.lines().count() > 5);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(&note));
        assert_eq!(paragraph(&note, None, 0), note);
        let epoch = "epoch   1/12  train loss 0.6309    8817 samples/s";
        assert_eq!(paragraph(epoch, Some(80), 0), epoch);
        assert_eq!(
            paragraph(epoch, Some(40), 0),
            "epoch   1/12  train loss 0.6309    8817\nsamples/s"
        );
        let command = format!("propense train --data {}", "file.csv ".repeat(20));
        assert_eq!(paragraph(&command, Some(80), 0), command);
    }
}
