//! The terminal display: where the epoch stands, how the losses run, what the last epochs gave.

use std::collections::VecDeque;
use std::io::{Stderr, stderr};
use std::time::{Duration, Instant};

use propense_train::{EpochReport, Observer, Pace, Progress};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::prelude::CrosstermBackend;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{
    Axis, Block, Chart, Dataset, Gauge, GraphType, LegendPosition, Paragraph, Row, Table,
};
use ratatui::{Frame, Terminal};

use super::keys::Keys;
use super::{duration, reason};
use crate::output::note;
use crate::terminal;

/// Time between two drawings within an epoch.
const REFRESH: Duration = Duration::from_millis(100);

pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    view: View,
    drawn: Option<Instant>,
    keys: Keys,
}

impl Screen {
    /// Takes the terminal; none where it cannot be taken.
    pub(crate) fn open(title: &str) -> Option<Self> {
        let entered = terminal::take()?;
        match (entered, Terminal::new(CrosstermBackend::new(stderr()))) {
            (Ok(()), Ok(terminal)) => Some(Self {
                terminal,
                view: View::new(title),
                drawn: None,
                keys: Keys::listen(),
            }),
            _ => {
                terminal::restore();
                None
            }
        }
    }

    fn draw(&mut self) {
        // A second Ctrl-C has given the terminal back and is ending the program.
        if !terminal::is_taken() {
            return;
        }
        self.drawn = Some(Instant::now());
        let view = &self.view;
        // A failed drawing spoils one picture, not the training.
        let _ = self.terminal.draw(|frame| view.draw(frame));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // First, so that no key of what follows is swallowed.
        self.keys.close();
        terminal::restore();
        for line in self.view.closing() {
            note(&line);
        }
    }
}

impl Observer for Screen {
    fn on(&mut self, progress: &Progress<'_>) {
        self.view.take(progress);
        let soon = self.drawn.is_some_and(|drawn| drawn.elapsed() < REFRESH);
        if !(soon && matches!(progress, Progress::Batch { .. })) {
            self.draw();
        }
    }
}

/// What is shown; apart from the terminal, so that a test can draw it.
struct View {
    title: String,
    notes: VecDeque<String>,
    history: Vec<EpochReport>,
    pace: Option<Pace>,
    epochs: usize,
    epoch: usize,
    done: usize,
    of: usize,
    end: Option<String>,
}

impl View {
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            notes: VecDeque::new(),
            history: Vec::new(),
            pace: None,
            epochs: 0,
            epoch: 0,
            done: 0,
            of: 1,
            end: None,
        }
    }

    fn take(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Note(note) => self.notes.push_back((*note).to_owned()),
            Progress::Start {
                done,
                epochs,
                examples,
                parameters,
            } => {
                self.history = done.to_vec();
                self.epochs = *epochs;
                self.epoch = done.len() + 1;
                self.of = (*examples).max(1);
                self.notes
                    .push_back(format!("{parameters} parameters, {examples} examples"));
            }
            Progress::Batch { epoch, done, of } => {
                (self.epoch, self.done, self.of) = (*epoch, *done, (*of).max(1));
            }
            Progress::Epoch { report, pace, .. } => {
                self.history.push((*report).clone());
                self.pace = Some(*pace);
                self.done = 0;
                self.epoch = report.epoch + 1;
            }
            Progress::End {
                best_epoch,
                reason: why,
            } => {
                self.end = Some(format!("done: {}; best epoch {best_epoch}", reason(*why)));
            }
            _ => {}
        }
    }

    /// What stays on the terminal after the display is gone.
    fn closing(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.notes.iter().cloned().collect();
        for report in &self.history {
            lines.push(format!(
                "epoch {:>3}  train loss {:.4}  validation loss {:.4}  AUC {:.4}{}",
                report.epoch,
                report.train_loss,
                report.validation_loss,
                report.validation_auc,
                if report.best { "  *" } else { "" }
            ));
        }
        lines.extend(self.end.clone());
        lines
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let [head, gauge, chart, table, foot] = Layout::vertical([
            Constraint::Length(3),
            Constraint::Length(3),
            Constraint::Min(8),
            Constraint::Length(9),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let note = self.notes.back().map_or("", String::as_str);
        let block = Block::bordered().title(format!(" propense · {} ", self.title));
        frame.render_widget(Paragraph::new(note).block(block), head);
        self.draw_gauge(frame, gauge);
        self.draw_losses(frame, chart);
        self.draw_epochs(frame, table);
        let keys = "Ctrl-C or q: stop after this step and keep the best epoch; twice: end at once";
        let style = Style::new().add_modifier(Modifier::DIM);
        frame.render_widget(Paragraph::new(Line::styled(keys, style)), foot);
    }

    fn draw_gauge(&self, frame: &mut Frame<'_>, area: Rect) {
        let pace = self.pace.map_or(String::new(), |pace| {
            format!(
                "  {:.0} samples/s, {} an epoch, at most {} left",
                pace.samples_per_second,
                duration(pace.epoch_seconds),
                duration(pace.seconds_left)
            )
        });
        let epoch = self.epoch.clamp(1, self.epochs.max(1));
        let gauge = Gauge::default()
            .block(Block::bordered().title(format!(" epoch {epoch} of {}{pace} ", self.epochs)))
            .gauge_style(Style::new().fg(Color::Cyan))
            .ratio((self.done as f64 / self.of as f64).clamp(0.0, 1.0));
        frame.render_widget(gauge, area);
    }

    fn draw_losses(&self, frame: &mut Frame<'_>, area: Rect) {
        let points = |of: fn(&EpochReport) -> f64| -> Vec<(f64, f64)> {
            let reports = self.history.iter();
            reports
                .map(|report| (report.epoch as f64, of(report)))
                .collect()
        };
        let train = points(|report| report.train_loss);
        let validation = points(|report| report.validation_loss);
        let values = train.iter().chain(&validation).map(|point| point.1);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
        let last = (self.history.len().max(2)) as f64;
        let line = |name: &'static str, color, points| {
            Dataset::default()
                .name(name)
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(color))
                .data(points)
        };
        let chart = Chart::new(vec![
            line("training", Color::DarkGray, &train),
            line("validation", Color::Cyan, &validation),
        ])
        .block(Block::bordered().title(" log-loss "))
        .legend_position(Some(LegendPosition::TopRight))
        .x_axis(
            Axis::default()
                .bounds([1.0, last])
                .labels(["1".to_owned(), format!("{last:.0}")]),
        )
        .y_axis(
            Axis::default()
                .bounds([low, high])
                .labels([format!("{low:.4}"), format!("{high:.4}")]),
        );
        frame.render_widget(chart, area);
    }

    fn draw_epochs(&self, frame: &mut Frame<'_>, area: Rect) {
        let shown = usize::from(area.height.saturating_sub(3));
        let rows = self.history.iter().rev().take(shown).map(|report| {
            let row = Row::new([
                report.epoch.to_string(),
                format!("{:.4}", report.train_loss),
                format!("{:.4}", report.validation_loss),
                format!("{:.4}", report.validation_auc),
                (if report.best { "best so far" } else { "" }).to_owned(),
            ]);
            if report.best {
                row.style(Style::new().fg(Color::Cyan))
            } else {
                row
            }
        });
        let widths = [7, 12, 16, 10, 12].map(Constraint::Length);
        let table = Table::new(rows, widths)
            .header(
                Row::new(["epoch", "train loss", "validation loss", "AUC", ""])
                    .style(Style::new().add_modifier(Modifier::BOLD)),
            )
            .block(Block::bordered().title(" epochs "));
        frame.render_widget(table, area);
    }
}

#[cfg(test)]
mod tests {
    use propense_train::StopReason;
    use ratatui::backend::TestBackend;

    use super::*;

    fn text(view: &View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(90, 34)).expect("a test terminal");
        let drawn = terminal.draw(|frame| view.draw(frame)).expect("drawn");
        drawn
            .buffer
            .content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect()
    }

    #[test]
    fn the_display_shows_epochs_pace_and_what_is_left() {
        let mut view = View::new("in-session");
        view.take(&Progress::Start {
            done: &[],
            epochs: 20,
            examples: 1000,
            parameters: 42,
        });
        assert!(text(&view).contains("epoch 1 of 20"));
        let report = EpochReport {
            epoch: 1,
            train_loss: 0.5,
            validation_loss: 0.4321,
            validation_auc: 0.789,
            best: true,
        };
        view.take(&Progress::Epoch {
            report: &report,
            pace: Pace {
                samples_per_second: 1234.0,
                epoch_seconds: 2.0,
                seconds_left: 38.0,
            },
            epochs: 20,
        });
        view.take(&Progress::Batch {
            epoch: 2,
            done: 500,
            of: 1000,
        });
        let shown = text(&view);
        for part in [
            "epoch 2 of 20",
            "1234 samples/s",
            "0.4321",
            "0.7890",
            "best so far",
            "50%",
        ] {
            assert!(shown.contains(part), "`{part}` is missing in {shown}");
        }
        view.take(&Progress::End {
            best_epoch: 1,
            reason: StopReason::Patience,
        });
        assert!(view.closing().concat().contains("best epoch 1"));
    }
}
