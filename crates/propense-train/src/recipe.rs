//! The recipe of the preset `base`, and what of it can be changed to see what it is worth.

use crate::ensemble::Table;

/// Members that leave the same part out.
pub(crate) const REPLICAS: usize = 3;

/// How the ensemble is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recipe {
    /// Members that leave the same part out.
    pub(crate) replicas: usize,
    /// Units of each hidden layer of a member.
    pub(crate) hidden: usize,
    /// Bins of an input at most.
    pub(crate) bins: usize,
    /// The same of a rate. A training row has its rates from other users: those of one item differ by
    /// whose sessions were left out, and are higher where these had no order. Fine bins would tell the
    /// one from the other, which is nothing to learn from.
    pub(crate) rate_bins: usize,
    /// Most epochs, over which the learning rate falls to zero.
    pub(crate) epochs: usize,
    /// Epochs without a lower loss before training stops.
    pub(crate) patience: usize,
    /// Examples in a batch.
    pub(crate) batch: usize,
    /// The highest learning rate.
    pub(crate) rate: f32,
    /// Whether the rate rises at first and then falls; else it stays.
    pub(crate) schedule: bool,
    /// Share of the weights that is lost at each step, times the learning rate.
    pub(crate) decay: f32,
    /// Share of the hidden units that is left out at each step.
    pub(crate) dropout: f64,
    /// Chance of each number of a row to be taken for the mean in a step.
    pub(crate) input_dropout: f64,
    /// Chance of each row to show, in a step, an item that nothing is known of.
    pub(crate) item_dropout: f64,
    /// Decay of the running average.
    pub(crate) average: f64,
    /// What is made small.
    pub(crate) loss: Loss,
    /// Whether boosted trees may teach.
    pub(crate) taught: bool,
    /// Whether a logistic regression may be one of the members.
    pub(crate) regression: bool,
    /// Seed of the first weights, the shuffles and the dropout.
    pub(crate) seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            replicas: REPLICAS,
            hidden: 32,
            bins: 10,
            rate_bins: 3,
            epochs: 60,
            patience: 8,
            batch: 256,
            rate: 0.002,
            schedule: true,
            decay: 0.02,
            dropout: 0.2,
            input_dropout: 0.0,
            item_dropout: 0.0,
            average: 0.99,
            loss: Loss::CrossEntropy,
            taught: true,
            regression: true,
            seed: 1,
        }
    }
}

/// What training makes small, over rows with their weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Loss {
    /// Binary cross-entropy.
    #[default]
    CrossEntropy,
    /// The same, orders and others having the same weight in all. What that adds to every logit, the
    /// log of the ratio of the weights, is taken off again: probabilities stay probabilities.
    Balanced,
    /// Cross-entropy times the square of what is missing to certainty (Lin et al. 2017, γ = 2). What comes
    /// of it is no log-odds: it is scaled on what each member left out.
    Focal,
    /// Cross-entropy towards outcomes of 0.025 and 0.975 (Szegedy et al. 2016, ε = 0.05).
    Smoothed,
}

impl Loss {
    /// The smoothed target of an outcome or of a forecast of it.
    pub(crate) fn target(self, target: f32) -> f32 {
        match self {
            Self::Smoothed => 0.95 * target + 0.025,
            Self::CrossEntropy | Self::Balanced | Self::Focal => target,
        }
    }

    /// How much more a row of this table weighs where there was an order.
    pub(crate) fn order_weight(self, table: &Table) -> f32 {
        if self != Self::Balanced {
            return 1.0;
        }
        let rows = table.labels.iter().zip(&table.weights);
        let (orders, others) = rows.fold((0.0f64, 0.0f64), |(orders, others), (label, weight)| {
            let weight = f64::from(*weight);
            match label {
                true => (orders + weight, others),
                false => (orders, others + weight),
            }
        });
        (others.max(1e-6) / orders.max(1e-6)) as f32
    }
}

/// One thing of the recipe of `base` changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipeChange {
    /// The newest weights instead of their running average.
    NoAverage,
    /// No dropout.
    NoDropout,
    /// No decay of the weights.
    NoDecay,
    /// One learning rate from the first step to the last.
    NoSchedule,
    /// As many bins for rates as for everything else.
    FineRates,
    /// Boosted trees teach nothing.
    NoTrees,
    /// No logistic regression among the members.
    NoRegression,
    /// Orders and others weigh the same in all, and the logit is corrected for it.
    ClassWeights,
    /// Focal loss.
    FocalLoss,
    /// Outcomes that are not quite certain.
    LabelSmoothing,
    /// A tenth of the numbers left out.
    FeatureDropout,
    /// A tenth of the items unknown.
    ItemDropout,
}

impl RecipeChange {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoAverage,
        Self::NoDropout,
        Self::NoDecay,
        Self::NoSchedule,
        Self::FineRates,
        Self::NoTrees,
        Self::NoRegression,
        Self::ClassWeights,
        Self::FocalLoss,
        Self::LabelSmoothing,
        Self::FeatureDropout,
        Self::ItemDropout,
    ];

    /// What is taken away or added, for a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAverage => "- average of weights",
            Self::NoDropout => "- dropout",
            Self::NoDecay => "- weight decay",
            Self::NoSchedule => "- warm-up and cosine",
            Self::FineRates => "- few bins for rates",
            Self::NoTrees => "- teaching by trees",
            Self::NoRegression => "- regression",
            Self::ClassWeights => "+ class weights",
            Self::FocalLoss => "+ focal loss",
            Self::LabelSmoothing => "+ label smoothing",
            Self::FeatureDropout => "+ feature dropout",
            Self::ItemDropout => "+ item dropout",
        }
    }

    /// The recipe, changed so.
    pub(crate) const fn of(self, mut recipe: Recipe) -> Recipe {
        match self {
            Self::NoAverage => recipe.average = 0.0,
            Self::NoDropout => recipe.dropout = 0.0,
            Self::NoDecay => recipe.decay = 0.0,
            Self::NoSchedule => recipe.schedule = false,
            Self::FineRates => recipe.rate_bins = recipe.bins,
            Self::NoTrees => recipe.taught = false,
            Self::NoRegression => recipe.regression = false,
            Self::ClassWeights => recipe.loss = Loss::Balanced,
            Self::FocalLoss => recipe.loss = Loss::Focal,
            Self::LabelSmoothing => recipe.loss = Loss::Smoothed,
            Self::FeatureDropout => recipe.input_dropout = 0.1,
            Self::ItemDropout => recipe.item_dropout = 0.1,
        }
        recipe
    }
}
