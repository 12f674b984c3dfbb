//! What can be compared, by name.

use std::fmt;
use std::str::FromStr;

use propense_model::StructureKind;

use crate::{Task, TrainError};

/// One way to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Learner {
    /// The published network.
    Seed,
    /// The ensemble of small networks, cross-validated as it is trained.
    Base,
    /// Another structure, trained as the published network is.
    Structure(StructureKind),
    /// Boosted trees on the summary features.
    Trees,
    /// Logistic regression on the summary features.
    Logistic,
    /// The training part's share of orders, for everybody.
    BaseRate,
}

impl Learner {
    /// All of them, in the order of the table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let structures = StructureKind::ALL.map(Self::Structure);
        let mut all = vec![Self::Seed, Self::Base];
        all.extend(structures);
        all.extend([Self::Trees, Self::Logistic, Self::BaseRate]);
        all
    }

    /// Those that this task's examples have something for: a summary has no events to read in turn, and
    /// only sessions tell their items.
    #[must_use]
    pub fn of(task: Task) -> Vec<Self> {
        let suits = |learner: &Self| match learner {
            Self::Structure(StructureKind::Context) => true,
            Self::Structure(StructureKind::ConvLstmItems) => task == Task::InSession,
            Self::Structure(_) => !task.is_summary(),
            _ => true,
        };
        Self::all().into_iter().filter(suits).collect()
    }

    /// Whether it keeps a state from event to event, from which something else could be forecast.
    pub(super) const fn has_states(self) -> bool {
        match self {
            Self::Seed => true,
            Self::Structure(kind) => !matches!(kind, StructureKind::Context),
            _ => false,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Base => "base",
            Self::Structure(kind) => kind.name(),
            Self::Trees => "trees",
            Self::Logistic => "logistic",
            Self::BaseRate => "base-rate",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Seed => "the published network: convolution, pooling, LSTM",
            Self::Base => "an ensemble of small networks on context and newest row",
            Self::Structure(kind) => match kind {
                StructureKind::Conv => "convolutions over time with widening gaps",
                StructureKind::Lstm => "an LSTM over the rows, without convolution",
                StructureKind::Gru => "a gated recurrent unit over the rows",
                StructureKind::ConvLstmItems => "the published network with item embeddings",
                StructureKind::ConvAttention => "a convolution, then attention",
                StructureKind::Transformer => "two small blocks of self-attention",
                StructureKind::Context => "the context alone, each number on bins",
            },
            Self::Trees => "boosted trees on context and newest row",
            Self::Logistic => "logistic regression on context and newest row",
            Self::BaseRate => "the share of orders, for everybody",
        }
    }

    /// Whether rows and context carry what sums up the session so far.
    pub(super) const fn summed(self) -> bool {
        matches!(
            self,
            Self::Base
                | Self::Trees
                | Self::Logistic
                | Self::BaseRate
                | Self::Structure(StructureKind::Context)
        )
    }

    /// Whether another seed gives another forecast.
    pub(super) const fn is_random(self) -> bool {
        !matches!(self, Self::Logistic | Self::BaseRate)
    }
}

impl fmt::Display for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Learner {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let found = Self::all().into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| TrainError::Option {
            option: "--structures",
            reason: format!(
                "unknown `{name}`; one or several of: {}",
                Self::all()
                    .iter()
                    .map(|one| one.name())
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        })
    }
}
