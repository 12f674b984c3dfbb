//! From counts to the report.

use propense_events::EventKind;

use crate::report::calendar::DAY_MS;
use crate::report::drift::{Drift, FeatureDrift, LABEL_RATE, Part};
use crate::report::figures::{
    Categories, DataReport, Feature, KindFigures, Missing, MissingRow, Sessions, Span, Totals, Unit,
};
use crate::report::intake::Intake;

use super::periods::{main_period, volumes};
use super::stability::stability;
use super::time::{TimeSlot, Tracked};
use super::written::MAY_LACK;
use super::{Measure, Sketch};

/// Names in a list of the most frequent.
const TOP: usize = 10;

/// The shares of the sessions, in order of their start, at which the time is split.
const SPLITS: [f64; 2] = [0.70, 0.85];

impl Measure {
    /// The report of everything measured, with the accounts of reading and cleaning.
    #[must_use]
    pub fn report(mut self, intake: Intake) -> DataReport {
        self.end_visitor();
        self.days.settle();
        let period = main_period(&self.days);
        let drift = self.drift();
        DataReport {
            span: self
                .span
                .zip(period)
                .map(|((first, last), (from, to))| Span {
                    first,
                    last,
                    first_day: from,
                    last_day: to,
                    outside: self
                        .days
                        .days
                        .iter()
                        .filter(|(day, _)| !(from..=to).contains(*day))
                        .map(|(_, volume)| volume.events)
                        .sum(),
                }),
            totals: Totals {
                lines: self.lines,
                events: self.events,
                sessions: self.visits.count,
                order_sessions: self.visits.ordered,
                orders: self.orders,
                visitors: self.people.count(),
            },
            volumes: volumes(&self.days, period),
            week: self.days.week.to_vec(),
            funnel: self.visits.funnel(),
            kinds: self.kind_figures(),
            missing: self.missing_figures(),
            sessions: Sessions {
                events: self.visits.events.distribution(Unit::Count),
                seconds: self.visits.seconds.distribution(Unit::Seconds),
                single: self.visits.single,
                orders_unseen: self.visits.unseen,
            },
            balance: self.visits.balance(),
            visitors: self.people.figures(),
            items: self.items.concentration(TOP),
            categories: Categories {
                paths: self.paths.concentration(0),
                outermost: self.outermost.concentration(TOP),
            },
            features: self.features(),
            currencies: self
                .currencies
                .iter()
                .map(|(name, lines)| (name.to_owned(), lines))
                .collect(),
            drift,
            ..DataReport::of_intake(intake)
        }
        .judged()
    }

    fn kind_figures(&self) -> Vec<KindFigures> {
        let mut kinds: Vec<KindFigures> = EventKind::ALL
            .into_iter()
            .zip(self.kinds)
            .filter(|(_, count)| count.events > 0)
            .map(|(kind, count)| {
                let (sessions, order_sessions) = self.visits.with_kind(kind);
                KindFigures {
                    kind: kind.name().to_owned(),
                    events: count.events,
                    lines: count.lines,
                    after_order: count.after_order,
                    sessions,
                    order_sessions,
                }
            })
            .collect();
        // Stable: kinds of equal frequency keep the order of the schema.
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.events));
        kinds
    }

    fn missing_figures(&self) -> Missing {
        let mut rows = vec![MissingRow {
            kind: "all".to_owned(),
            lines: self.lines,
            missing: self
                .missing
                .iter()
                .map(|kinds| kinds.iter().sum())
                .collect(),
        }];
        for (number, (kind, count)) in EventKind::ALL.into_iter().zip(self.kinds).enumerate() {
            if count.lines > 0 {
                rows.push(MissingRow {
                    kind: kind.name().to_owned(),
                    lines: count.lines,
                    missing: self
                        .missing
                        .iter()
                        .map(|kinds| kinds.get(number).copied().unwrap_or_default())
                        .collect(),
                });
            }
        }
        Missing {
            columns: MAY_LACK.map(|column| column.name().to_owned()).to_vec(),
            rows,
        }
    }

    fn features(&self) -> Vec<Feature> {
        let feature = |name: &str, meaning: &str, sketch: &Sketch, unit: Unit| Feature {
            name: name.to_owned(),
            meaning: meaning.to_owned(),
            values: sketch.distribution(unit),
        };
        vec![
            feature(
                "price",
                "price of one unit, on lines with an item",
                &self.price,
                Unit::Amount,
            ),
            feature(
                "quantity",
                "units, on lines with an item",
                &self.quantity,
                Unit::Count,
            ),
            feature(
                "gap",
                "time since the event before in the session",
                &self.gap,
                Unit::Seconds,
            ),
            feature(
                "order_value",
                "value of an order: as stated, else price × quantity added up",
                &self.order_value,
                Unit::Amount,
            ),
            feature(
                "order_units",
                "units in an order",
                &self.order_units,
                Unit::Count,
            ),
        ]
    }

    /// Splits the time at the slots nearest to the wanted shares of the sessions.
    fn drift(&mut self) -> Option<Drift> {
        let sessions = self.visits.count;
        let slots = self.slots.finish();
        let mut sums: [TimeSlot; 3] = Default::default();
        let mut periods: [Option<(i64, i64)>; 3] = [None; 3];
        let mut before = 0;
        for (from, to, slot) in slots {
            // A slot belongs where its middle session does.
            let middle = (before as f64 + slot.sessions as f64 / 2.0) / sessions.max(1) as f64;
            let number = SPLITS.iter().filter(|border| middle >= **border).count();
            before += slot.sessions;
            if let (Some(sum), Some(period)) = (sums.get_mut(number), periods.get_mut(number)) {
                sum.add(slot);
                *period = Some((period.map_or(from, |(first, _)| first), to));
            }
        }
        let names = ["train", "validation", "test"];
        let mut parts = Vec::new();
        for ((name, sum), period) in names.into_iter().zip(&sums).zip(periods) {
            let (from, to) = period.filter(|_| sum.sessions > 0)?;
            parts.push(Part {
                name: name.to_owned(),
                from,
                to,
                events: sum.events,
                sessions: sum.sessions,
                order_sessions: sum.order_sessions,
            });
        }
        let shortest = parts.iter().map(|part| part.to - part.from).min()?;
        let [train, validation, test] = &sums;
        let compare = |name: &str, ordered: bool, of: &dyn Fn(&TimeSlot) -> Vec<u64>| {
            let reference = of(train);
            let (validation, noise) = stability(&reference, &of(validation), ordered);
            let (test, noise_test) = stability(&reference, &of(test), ordered);
            FeatureDrift {
                feature: name.to_owned(),
                validation,
                test,
                noise: noise.max(noise_test),
                comparable: true,
            }
        };
        let mut features = vec![compare(LABEL_RATE, false, &|slot| {
            vec![
                slot.order_sessions,
                slot.sessions - slot.order_sessions.min(slot.sessions),
            ]
        })];
        for feature in Tracked::ALL {
            let ordered = !matches!(feature, Tracked::Kind | Tracked::Weekday);
            let mut drift = compare(feature.name(), ordered, &|slot| slot.of(feature).to_vec());
            drift.comparable = match feature {
                Tracked::Weekday => shortest >= 7 * DAY_MS,
                Tracked::Hour => shortest >= DAY_MS,
                _ => true,
            };
            features.push(drift);
        }
        Some(Drift { parts, features })
    }
}
