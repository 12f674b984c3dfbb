//! What a structure looks like: its kind and its sizes.

use serde::{Deserialize, Serialize};

use crate::{EnsembleConfig, ModelError};

/// What reads the events of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StructureKind {
    /// Causal convolutions over time with widening gaps (Bai, Kolter and Koltun 2018).
    Conv,
    /// An LSTM over the rows as they are, without convolution (Hochreiter and Schmidhuber 1997).
    Lstm,
    /// A gated recurrent unit over the rows (Cho et al. 2014).
    Gru,
    /// The published convolution and LSTM, which is told the newest items by an embedding of their
    /// hashes as well.
    ConvLstmItems,
    /// One convolution, then attention from the newest event to those before it.
    ConvAttention,
    /// Two small blocks of self-attention (Vaswani et al. 2017), normalised beforehand.
    Transformer,
    /// The context alone, each number laid out on bins (Gorishniy, Rubachev and Babenko 2022).
    Context,
}

impl StructureKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Conv,
        Self::Lstm,
        Self::Gru,
        Self::ConvLstmItems,
        Self::ConvAttention,
        Self::Transformer,
        Self::Context,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv => "conv",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::ConvLstmItems => "conv-lstm-items",
            Self::ConvAttention => "conv-attention",
            Self::Transformer => "transformer",
            Self::Context => "context",
        }
    }
}

/// Where the columns of hashed item identifiers stand in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashedColumns {
    /// The first of them.
    pub first: usize,
    /// How many there are.
    pub count: usize,
}

/// Kind and sizes of a structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructureConfig {
    /// What reads the events.
    pub kind: StructureKind,
    /// Numbers in an event's row.
    pub features: usize,
    /// Numbers in the session's context; 0 for none.
    pub context: usize,
    /// Units of what reads the events: of a recurrent state, of a convolution, of a block.
    pub width: usize,
    /// Hidden units of the context layer.
    pub context_hidden: usize,
    /// Hashed item identifiers, which [`StructureKind::ConvLstmItems`] needs.
    pub items: Option<HashedColumns>,
    /// Bins of the context's numbers, which [`StructureKind::Context`] needs: one member.
    pub bins: Option<EnsembleConfig>,
}

impl StructureConfig {
    /// The usual sizes: as wide as the published network for what is recurrent, 64 for the others.
    #[must_use]
    pub const fn new(kind: StructureKind, features: usize, context: usize) -> Self {
        Self {
            kind,
            features,
            context,
            width: match kind {
                StructureKind::Lstm | StructureKind::Gru | StructureKind::ConvLstmItems => 128,
                _ => 64,
            },
            context_hidden: 32,
            items: None,
            bins: None,
        }
    }

    /// Width of what is read out after each event.
    #[must_use]
    pub const fn read_out(&self) -> usize {
        match self.kind {
            // The newest event beside what attention found.
            StructureKind::ConvAttention => 2 * self.width,
            _ => self.width,
        }
    }

    /// Checks that the sizes make a network.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<(), ModelError> {
        let wrong = |field: &'static str, value: String, allowed: &str| {
            Err(ModelError::Config {
                field,
                value,
                allowed: allowed.into(),
            })
        };
        if self.features == 0 || self.features > 8_192 {
            return wrong("features", self.features.to_string(), "1 to 8192");
        }
        if self.context > 8_192 {
            return wrong("context", self.context.to_string(), "0 to 8192");
        }
        if self.context_hidden == 0 || self.context_hidden > 8_192 {
            let found = self.context_hidden.to_string();
            return wrong("context_hidden", found, "1 to 8192");
        }
        // Four heads share the width of a block.
        if self.width == 0 || self.width > 4_096 || !self.width.is_multiple_of(4) {
            let found = self.width.to_string();
            return wrong("width", found, "4 to 4096, in steps of 4");
        }
        if self.kind == StructureKind::ConvLstmItems {
            let inside = |items: HashedColumns| {
                let end = items.first.checked_add(items.count);
                // The convolution needs four columns of its own.
                items.count > 0
                    && end.is_some_and(|end| end <= self.features)
                    && self.features - items.count >= 4
            };
            if !self.items.is_some_and(inside) {
                let found = format!("{:?}", self.items);
                return wrong("items", found, "columns inside the row, and four others");
            }
        }
        if self.kind == StructureKind::Context {
            match &self.bins {
                Some(bins) => bins.validate(self.context)?,
                None => return wrong("bins", "none".into(), "bins of the context's numbers"),
            }
        }
        Ok(())
    }
}
