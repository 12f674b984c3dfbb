//! Fitting the columns of an event's row.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::{EventKind, Session};

use crate::{
    FeatureSpec, FitOptions, HashedField, MAX_BUCKETS, MIN_ROW_LEN, Measure, RowFeature,
    SPEC_VERSION, TypicalPrices,
    fit_context::fit_context,
    frequent::most_frequent,
    learnt::{OtherSessions, Training},
    moments::Summary,
    orders::{count_orders, fit_orders},
    rates::{RateModel, count_sessions},
    state::State,
};

/// Fits a specification to training sessions. Returns it with notes, in plain words, on what
/// was left out and why.
///
/// Only events before a session's first order are looked at, unless
/// [`FitOptions::whole_history`] is set. The result always passes
/// [`FeatureSpec::validate`], even from no sessions at all.
#[must_use]
pub fn fit(sessions: &[&Session], options: &FitOptions) -> (FeatureSpec, Vec<String>) {
    let mut notes = Vec::new();
    let wanted = |measure: Measure| options.measures.contains(&measure);
    let (items, categories) = count_sessions(sessions, options);
    let prices = wanted(Measure::PriceRatio).then(|| TypicalPrices::fit(sessions, options));
    let training = Training {
        items,
        categories,
        orders: count_orders(sessions),
        prices: prices.flatten(),
    };
    let mut seen = Seen::new(sessions, options, &training);

    let mut row = vec![seen.kinds(options, &mut notes)];
    row.extend(seen.page_types(options, &mut notes));
    row.extend(seen.hashes(options, &mut notes));
    if seen.events == 0 {
        notes.push("there are no events: only the context can tell anything".to_owned());
    }
    let some_events = seen.events > 0;
    for measure in Measure::ORDER {
        if !some_events || !wanted(measure) {
            continue;
        }
        match seen.number(measure, &row) {
            Ok(feature) => row.push(feature),
            Err(note) => notes.push(note),
        }
    }
    widen(&mut row, &mut seen, &mut notes);

    let used = |needs: fn(Measure) -> bool, model: &RateModel<'_>| {
        if has_any(&row, needs) {
            model.rates()
        } else {
            BTreeMap::new()
        }
    };
    let mut spec = FeatureSpec {
        version: SPEC_VERSION,
        context: fit_context(sessions, options, &mut notes),
        utc_offset_minutes: options.utc_offset_minutes.clamp(-18 * 60, 18 * 60),
        item_rates: used(Measure::of_item_rates, &training.items),
        category_rates: used(Measure::of_category_rates, &training.categories),
        item_orders: match has_any(&row, Measure::of_item_orders) {
            true => fit_orders(sessions),
            false => BTreeMap::new(),
        },
        typical_prices: training
            .prices
            .filter(|_| has_number(&row, Measure::PriceRatio)),
        row,
    };
    spec.version = spec.lowest_version();
    (spec, notes)
}

fn has_number(row: &[RowFeature], wanted: Measure) -> bool {
    row.iter()
        .any(|feature| matches!(feature, RowFeature::Number { measure, .. } if *measure == wanted))
}

fn has_any(row: &[RowFeature], wanted: fn(Measure) -> bool) -> bool {
    row.iter()
        .any(|feature| matches!(feature, RowFeature::Number { measure, .. } if wanted(*measure)))
}

/// Whether a column tells already where this measure is missing.
fn is_told(row: &[RowFeature], wanted: Measure) -> bool {
    row.iter().any(|feature| {
        matches!(feature, RowFeature::Number { measure, flag: true, .. }
            if measure.missing_as() == wanted.missing_as())
    })
}

/// What one pass over the training events has found.
struct Seen {
    events: usize,
    kinds: BTreeMap<EventKind, usize>,
    page_types: BTreeMap<String, usize>,
    /// Events whose first item has the field.
    hashed: BTreeMap<HashedField, usize>,
    numbers: BTreeMap<Measure, Summary>,
}

impl Seen {
    fn new(sessions: &[&Session], options: &FitOptions, training: &Training<'_>) -> Self {
        let mut seen = Self {
            events: 0,
            kinds: BTreeMap::new(),
            page_types: BTreeMap::new(),
            hashed: BTreeMap::new(),
            numbers: BTreeMap::new(),
        };
        // Those asked for, and those that `widen` may need: a kind has one column at least.
        let spare = Measure::ORDER.iter().take(MIN_ROW_LEN - 1);
        let wanted: BTreeSet<Measure> = spare.chain(&options.measures).copied().collect();
        let mut summaries: Vec<(Measure, Summary)> = wanted
            .into_iter()
            .map(|measure| (measure, Summary::new(options.scaling)))
            .collect();
        for session in sessions {
            let mut state = State::new(session.start);
            let learnt = OtherSessions::new(training, session);
            for event in options.visible(session) {
                seen.events += 1;
                *seen.kinds.entry(event.kind).or_default() += 1;
                if let Some(name) = &event.page_type {
                    match seen.page_types.get_mut(name) {
                        Some(count) => *count += 1,
                        None => {
                            seen.page_types.insert(name.clone(), 1);
                        }
                    }
                }
                for field in [HashedField::ItemId, HashedField::ItemCategory] {
                    if event
                        .items
                        .first()
                        .and_then(|item| field.of(item))
                        .is_some()
                    {
                        *seen.hashed.entry(field).or_default() += 1;
                    }
                }
                let observation = state.observe(event, &learnt);
                for (measure, summary) in &mut summaries {
                    let number = observation.get(*measure);
                    summary.add(number.map(|number| measure.transform().apply(number)));
                }
            }
        }
        seen.numbers = summaries.into_iter().collect();
        seen
    }

    fn kinds(&self, options: &FitOptions, notes: &mut Vec<String>) -> RowFeature {
        let support = options.support_among(self.events);
        let (kinds, rare): (Vec<_>, Vec<_>) =
            self.kinds.iter().partition(|(_, count)| **count >= support);
        for (kind, count) in rare {
            notes.push(format!(
                "event `{}` has no column of its own: {count} events, {support} needed",
                kind.name()
            ));
        }
        RowFeature::Kind {
            kinds: kinds.into_iter().map(|(kind, _)| *kind).collect(),
        }
    }

    /// None where the shop names no page types, or but one for all events.
    fn page_types(&self, options: &FitOptions, notes: &mut Vec<String>) -> Option<RowFeature> {
        let named: usize = self.page_types.values().sum();
        if self.page_types.len() == 1 && named == self.events {
            notes.push("page type left out: it is the same everywhere".to_owned());
            return None;
        }
        let names = most_frequent(
            &self.page_types,
            options.support_among(self.events),
            options,
        );
        let rest = self.page_types.len() - names.len();
        if rest > 0 {
            notes.push(format!("{rest} page types share one column"));
        }
        (!self.page_types.is_empty()).then_some(RowFeature::PageType { names })
    }

    /// The identifiers that are to be hashed, where there are any.
    fn hashes(&self, options: &FitOptions, notes: &mut Vec<String>) -> Vec<RowFeature> {
        let mut features = Vec::new();
        for (field, buckets) in [
            (HashedField::ItemId, options.item_buckets),
            (HashedField::ItemCategory, options.category_buckets),
        ] {
            if buckets == 0 {
                continue;
            }
            if self.hashed.contains_key(&field) {
                let buckets = buckets.min(MAX_BUCKETS);
                features.push(RowFeature::Hashed { field, buckets });
            } else {
                let name = field.name();
                notes.push(format!("`{name}` left out: it is missing everywhere"));
            }
        }
        features
    }

    fn number(&mut self, measure: Measure, row: &[RowFeature]) -> Result<RowFeature, String> {
        let moments = self.summary(measure).moments;
        let name = measure.name();
        if moments.present == 0 {
            return Err(format!("`{name}` left out: it is missing everywhere"));
        }
        // Missing here and there, a number tells something even if it never varies.
        if moments.constant() && moments.missing == 0 {
            return Err(format!("`{name}` left out: it is the same everywhere"));
        }
        // A gap is missing at the first event alone, which the position tells already.
        if is_gap(measure) && moments.constant() {
            return Err(format!("`{name}` left out: it is the same everywhere"));
        }
        Ok(self.column(measure, row))
    }

    /// The column, to stand after those of `row`.
    fn column(&mut self, measure: Measure, row: &[RowFeature]) -> RowFeature {
        let summary = self.summary(measure);
        let moments = summary.moments;
        RowFeature::Number {
            measure,
            transform: measure.transform(),
            normal: summary.normal(),
            flag: !is_gap(measure)
                && moments.missing > 0
                && moments.present > 0
                && !is_told(row, measure),
        }
    }

    fn summary(&mut self, measure: Measure) -> &mut Summary {
        self.numbers.entry(measure).or_default()
    }
}

/// Whether the measure is missing at the first event alone.
const fn is_gap(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Gap | Measure::MeanGap | Measure::LongestGap
    )
}

/// The convolution and the pooling need [`MIN_ROW_LEN`] columns; time is known for every event.
fn widen(row: &mut Vec<RowFeature>, seen: &mut Seen, notes: &mut Vec<String>) {
    for measure in Measure::ORDER {
        if row.iter().map(RowFeature::len).sum::<usize>() >= MIN_ROW_LEN {
            return;
        }
        if !has_number(row, measure) {
            if seen.events > 0 {
                notes.push(format!(
                    "`{}` kept all the same: a row has at least {MIN_ROW_LEN} columns",
                    measure.name()
                ));
            }
            let column = seen.column(measure, row);
            row.push(column);
        }
    }
}
