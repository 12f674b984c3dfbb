//! Examples: rows, context and outcome of one session (or customer), and which of its prefixes
//! are learnt from and scored.

/// One session as the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Example {
    /// The session's identifier.
    pub(crate) id: String,
    /// The visitor, where known.
    pub(crate) user: Option<String>,
    /// Start of the session, in milliseconds since 1970.
    pub(crate) start: i64,
    /// `[events, features]`, row-major.
    pub(crate) rows: Vec<f32>,
    /// Number of rows.
    pub(crate) events: usize,
    /// `[context]`.
    pub(crate) context: Vec<f32>,
    /// The outcome.
    pub(crate) label: Label,
}

/// What is known of an example's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// One outcome, whatever prefix is looked at.
    Whole(bool),
    /// The outcome from each prefix 0..=events on; none where it is not known.
    Prefixes(Vec<Option<bool>>),
}

impl Label {
    /// The outcome as seen from a prefix.
    pub(crate) fn at(&self, prefix: usize) -> Option<bool> {
        match self {
            Self::Whole(label) => Some(*label),
            Self::Prefixes(labels) => labels.get(prefix).copied().flatten(),
        }
    }

    /// The outcome as seen from the last prefix from which it is known.
    pub(crate) fn last(&self) -> Option<bool> {
        match self {
            Self::Whole(label) => Some(*label),
            Self::Prefixes(labels) => labels.iter().rev().copied().flatten().next(),
        }
    }
}

impl From<bool> for Label {
    fn from(label: bool) -> Self {
        Self::Whole(label)
    }
}

impl Example {
    /// Weights of the prefixes 0..=events: nothing where the outcome is not known.
    pub(crate) fn weights(&self, weighting: Weighting) -> Vec<f32> {
        let mut weights = weighting.weights(self.events);
        for (prefix, weight) in weights.iter_mut().enumerate() {
            if self.label.at(prefix).is_none() {
                *weight = 0.0;
            }
        }
        weights
    }
}

/// Which prefixes of an example count in the loss, and how much. Prefix 0 is the context alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Weighting {
    /// The context alone: summary data.
    Context,
    /// All that is known: one forecast for each example.
    Whole,
    /// Every prefix, each example counting once: a model that scores after every event.
    EveryPrefix,
    /// The prefixes at which the protocol measures (each counting once), and a little of the
    /// others, which keeps the network's state useful in between.
    Protocol,
}

/// Prefix lengths at which the in-session task is measured (`docs/cli.md`).
pub(crate) const PREFIXES: [usize; 4] = propense_model::PREFIXES;

/// Weight of a prefix outside [`PREFIXES`] under [`Weighting::Protocol`]. Small: with 1 the many
/// long prefixes of few sessions would decide when training stops.
const BESIDE_PROTOCOL: f32 = 0.1;

impl Weighting {
    /// Weights of the prefixes 0..=events.
    #[must_use]
    pub(crate) fn weights(self, events: usize) -> Vec<f32> {
        let mut weights = vec![0.0; events + 1];
        match self {
            Self::Context => weights[0] = 1.0,
            Self::Whole => weights[events] = 1.0,
            Self::EveryPrefix => weights.fill(1.0 / (events + 1) as f32),
            Self::Protocol => {
                weights.fill(BESIDE_PROTOCOL / (events + 1) as f32);
                for k in PREFIXES {
                    if let Some(weight) = weights.get_mut(k) {
                        *weight = 1.0;
                    }
                }
            }
        }
        weights
    }
}

/// Moments of one session that stand for all of them: neighbouring ones hardly differ, and a long
/// session is still one session.
const MOMENTS: usize = 8;

/// Up to eight prefix lengths of a session of this many events, evenly spread from 0 to all.
pub(crate) fn spread(events: usize) -> impl ExactSizeIterator<Item = usize> {
    let count = (events + 1).min(MOMENTS);
    (0..count).map(move |place| place * events / (count - 1).max(1))
}

/// At which prefixes examples are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positions {
    /// The context alone.
    Context,
    /// After the last event.
    Last,
    /// After 2, 3, 5 and 10 events, pooled.
    Protocol,
}

impl Positions {
    /// The prefix lengths measured in an example of this many events.
    #[must_use]
    pub(crate) fn of(self, events: usize) -> Vec<usize> {
        match self {
            Self::Context => vec![0],
            Self::Last => vec![events],
            Self::Protocol => PREFIXES.into_iter().filter(|k| *k <= events).collect(),
        }
    }
}

/// Scores of one set at some positions, in the order of the examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scored {
    /// Index of the example.
    pub(crate) example: Vec<usize>,
    /// Prefix length.
    pub(crate) prefix: Vec<usize>,
    /// Logit before calibration.
    pub(crate) logits: Vec<f32>,
    /// Outcome.
    pub(crate) labels: Vec<bool>,
}

impl Scored {
    /// The part at one prefix length.
    #[must_use]
    pub(crate) fn at(&self, prefix: usize) -> Self {
        let mut part = Self::default();
        for index in 0..self.logits.len() {
            if self.prefix[index] == prefix {
                part.example.push(self.example[index]);
                part.prefix.push(prefix);
                part.logits.push(self.logits[index]);
                part.labels.push(self.labels[index]);
            }
        }
        part
    }
}
