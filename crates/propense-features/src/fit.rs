//! Fitting the columns of an event's row.

use std::collections::BTreeMap;

use propense_events::{EventKind, Session};

use crate::{
    FeatureSpec, FitOptions, MIN_ROW_LEN, Measure, RowFeature, SPEC_VERSION, Transform,
    fit_context::fit_context,
    moments::Moments,
    rates::{OtherSessions, RateModel, count_sessions},
    state::State,
};

/// The order of a row's numbers. A 3×3 convolution looks at three neighbouring columns at once,
/// so what belongs together stands together: time, rates, money, repetition, cart.
const ORDER: [Measure; 14] = [
    Measure::Gap,
    Measure::Elapsed,
    Measure::Position,
    Measure::ItemRate,
    Measure::CategoryRate,
    Measure::Price,
    Measure::EventValue,
    Measure::EventItems,
    Measure::ItemRepeats,
    Measure::CategoryRepeats,
    Measure::DistinctItems,
    Measure::DistinctCategories,
    Measure::CartUnits,
    Measure::CartValue,
];

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
    let rates = count_sessions(sessions, options);
    let seen = Seen::new(sessions, options, &rates);

    let mut row = vec![seen.kinds(options, &mut notes)];
    row.extend(seen.page_types(options, &mut notes));
    let measures = ORDER
        .into_iter()
        .filter(|measure| seen.events > 0 && wanted(*measure));
    if seen.events == 0 {
        notes.push("there are no events: only the context can tell anything".to_owned());
    }
    for measure in measures {
        match seen.number(measure) {
            Ok(feature) => row.push(feature),
            Err(note) => notes.push(note),
        }
    }
    widen(&mut row, &seen, &mut notes);

    let has_number = |wanted: Measure| {
        row.iter().any(
            |feature| matches!(feature, RowFeature::Number { measure, .. } if *measure == wanted),
        )
    };
    let used = |measure, model: &RateModel<'_>| {
        if has_number(measure) {
            model.rates()
        } else {
            BTreeMap::new()
        }
    };
    let spec = FeatureSpec {
        version: SPEC_VERSION,
        context: fit_context(sessions, options, &mut notes),
        utc_offset_minutes: options.utc_offset_minutes.clamp(-18 * 60, 18 * 60),
        item_rates: used(Measure::ItemRate, &rates.0),
        category_rates: used(Measure::CategoryRate, &rates.1),
        row,
    };
    (spec, notes)
}

/// What one pass over the training events has found.
struct Seen {
    events: usize,
    kinds: BTreeMap<EventKind, usize>,
    page_types: BTreeMap<String, usize>,
    numbers: BTreeMap<Measure, Moments>,
}

impl Seen {
    fn new(
        sessions: &[&Session],
        options: &FitOptions,
        rates: &(RateModel<'_>, RateModel<'_>),
    ) -> Self {
        let mut seen = Self {
            events: 0,
            kinds: BTreeMap::new(),
            page_types: BTreeMap::new(),
            numbers: BTreeMap::new(),
        };
        let mut moments = [Moments::default(); Measure::ALL.len()];
        for session in sessions {
            let mut state = State::new(session.start);
            let rates = OtherSessions::new(rates, session);
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
                let observation = state.observe(event, &rates);
                for (moments, measure) in moments.iter_mut().zip(Measure::ALL) {
                    let number = observation.get(measure);
                    moments.add(number.map(|number| transform(measure).apply(number)));
                }
            }
        }
        seen.numbers = Measure::ALL.into_iter().zip(moments).collect();
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

    fn number(&self, measure: Measure) -> Result<RowFeature, String> {
        let moments = self.moments(measure);
        let name = measure.name();
        if moments.present == 0 {
            return Err(format!("`{name}` left out: it is missing everywhere"));
        }
        // Missing here and there, a number tells something even if it never varies.
        if moments.constant() && moments.missing == 0 {
            return Err(format!("`{name}` left out: it is the same everywhere"));
        }
        // The gap is missing at the first event alone, which the position tells already.
        if measure == Measure::Gap && moments.constant() {
            return Err(format!("`{name}` left out: it is the same everywhere"));
        }
        Ok(self.column(measure))
    }

    fn column(&self, measure: Measure) -> RowFeature {
        let moments = self.moments(measure);
        RowFeature::Number {
            measure,
            transform: transform(measure),
            normal: moments.normal(),
            flag: measure != Measure::Gap && moments.missing > 0 && moments.present > 0,
        }
    }

    fn moments(&self, measure: Measure) -> Moments {
        self.numbers.get(&measure).copied().unwrap_or_default()
    }
}

/// Every count, amount and duration has a long tail; a rate is a logarithm already.
const fn transform(measure: Measure) -> Transform {
    match measure {
        Measure::ItemRate | Measure::CategoryRate => Transform::Identity,
        _ => Transform::Log1p,
    }
}

/// The convolution and the pooling need [`MIN_ROW_LEN`] columns; time is known for every event.
fn widen(row: &mut Vec<RowFeature>, seen: &Seen, notes: &mut Vec<String>) {
    for measure in ORDER {
        if row.iter().map(RowFeature::len).sum::<usize>() >= MIN_ROW_LEN {
            return;
        }
        let there = row.iter().any(
            |feature| matches!(feature, RowFeature::Number { measure: m, .. } if *m == measure),
        );
        if !there {
            if seen.events > 0 {
                notes.push(format!(
                    "`{}` kept all the same: a row has at least {MIN_ROW_LEN} columns",
                    measure.name()
                ));
            }
            row.push(seen.column(measure));
        }
    }
}

/// The names with enough support, most frequent first up to the limit; then in the order of the
/// alphabet, so that the specification does not hang on small differences in frequency.
pub(crate) fn most_frequent(
    counts: &BTreeMap<String, usize>,
    support: usize,
    options: &FitOptions,
) -> Vec<String> {
    let mut names: Vec<(&String, usize)> = counts
        .iter()
        .map(|(name, count)| (name, *count))
        .filter(|(_, count)| *count >= support)
        .collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    names.truncate(options.max_categories);
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}
