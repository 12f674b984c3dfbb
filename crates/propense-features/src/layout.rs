//! The columns that a specification stands for: how many, what they are called, whether they
//! can be used.

use std::collections::BTreeSet;

use crate::{
    ContextFeature, FeatureError, FeatureSpec, MAX_BUCKETS, Measure, Normal, RowFeature,
    SPEC_VERSION,
};

/// The fewest columns of a row: a valid 3×3 convolution leaves two, the 2×2 pooling one.
pub const MIN_ROW_LEN: usize = 4;

impl RowFeature {
    /// The number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Kind { kinds } => kinds.len() + 1,
            Self::PageType { names } => names.len() + 1,
            Self::Number { flag, .. } => 1 + usize::from(*flag),
            Self::Hashed { buckets, .. } => *buckets as usize,
        }
    }

    /// Always false: every feature has a column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first version of the specification that knows this feature.
    fn since(&self) -> u32 {
        match self {
            Self::Number { measure, .. } => measure.since(),
            Self::Hashed { .. } => 2,
            Self::Kind { .. } | Self::PageType { .. } => 1,
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Kind { kinds } => one_hot("kind", kinds.iter().map(|kind| kind.name())),
            Self::PageType { names } => one_hot("page_type", names.iter().map(String::as_str)),
            Self::Number { measure, flag, .. } => number(measure.name(), *flag),
            Self::Hashed { field, buckets } => (0..*buckets)
                .map(|bucket| format!("{}#{bucket}", field.name()))
                .collect(),
        }
    }
}

impl ContextFeature {
    /// The number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number { flag, .. } => 1 + usize::from(*flag),
            Self::Category { names, .. } => names.len() + 1,
            Self::Hour | Self::Weekday => 2,
        }
    }

    /// Always false: every feature has a column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Number { name, flag, .. } => number(name, *flag),
            Self::Category { name, names } => one_hot(name, names.iter().map(String::as_str)),
            Self::Hour => vec!["hour_sin".to_owned(), "hour_cos".to_owned()],
            Self::Weekday => vec!["weekday_sin".to_owned(), "weekday_cos".to_owned()],
        }
    }
}

fn number(name: &str, flag: bool) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if flag {
        names.push(format!("{name}_missing"));
    }
    names
}

fn one_hot<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values
        .map(|value| format!("{name}={value}"))
        .chain(std::iter::once(format!("{name}=(other)")))
        .collect()
}

impl FeatureSpec {
    /// A specification out of a JSON value; [`Self::validate`] says whether it is sound.
    ///
    /// # Errors
    /// Where a field is missing or of another type.
    pub fn from_value(value: serde_json::Value) -> serde_json::Result<Self> {
        serde_json::from_value(value)
    }

    /// The numbers in one event's row.
    #[must_use]
    pub fn row_len(&self) -> usize {
        self.row.iter().map(RowFeature::len).sum()
    }

    /// The numbers in a session's context.
    #[must_use]
    pub fn context_len(&self) -> usize {
        self.context.iter().map(ContextFeature::len).sum()
    }

    /// The lowest version that knows all that this specification holds.
    pub(crate) fn lowest_version(&self) -> u32 {
        let row = self.row.iter().map(RowFeature::since).max().unwrap_or(1);
        row.max(if self.typical_prices.is_some() { 2 } else { 1 })
    }

    /// The name of each column of a row: `kind=view_item`, `gap`, `price_missing`, `item_id#0`.
    /// The column for all values that are not listed ends in `=(other)`.
    #[must_use]
    pub fn row_names(&self) -> Vec<String> {
        self.row.iter().flat_map(RowFeature::names).collect()
    }

    /// The name of each column of the context.
    #[must_use]
    pub fn context_names(&self) -> Vec<String> {
        self.context
            .iter()
            .flat_map(ContextFeature::names)
            .collect()
    }

    /// Checks a specification that came from outside. One made by [`crate::fit`] always passes.
    ///
    /// # Errors
    /// Where the version is unknown, a row is narrower than [`MIN_ROW_LEN`], a constant is not
    /// finite (or a standard deviation or a typical price not above zero), a hash has no columns
    /// or more than [`MAX_BUCKETS`], a column occurs twice, or the offset from UTC is impossible.
    pub fn validate(&self) -> Result<(), FeatureError> {
        if !(1..=SPEC_VERSION).contains(&self.version) {
            return Err(FeatureError::Version {
                found: self.version,
                known: SPEC_VERSION,
            });
        }
        // Before anything is sized by it.
        for feature in &self.row {
            if let RowFeature::Hashed { field, buckets } = feature
                && !(1..=MAX_BUCKETS).contains(buckets)
            {
                return Err(FeatureError::Buckets {
                    field: field.name(),
                    found: *buckets,
                    most: MAX_BUCKETS,
                });
            }
        }
        if self.row_len() < MIN_ROW_LEN {
            return Err(FeatureError::TooNarrow {
                found: self.row_len(),
                needed: MIN_ROW_LEN,
            });
        }
        if self.utc_offset_minutes.unsigned_abs() > 18 * 60 {
            return Err(FeatureError::Offset {
                minutes: self.utc_offset_minutes,
            });
        }
        for feature in &self.row {
            if let RowFeature::Number {
                measure, normal, ..
            } = feature
            {
                usable(*normal, measure.name())?;
            }
        }
        for feature in &self.context {
            if let ContextFeature::Number { name, normal, .. } = feature {
                usable(*normal, name)?;
            }
        }
        for (name, rates) in [
            (Measure::ItemRate.name(), &self.item_rates),
            (Measure::CategoryRate.name(), &self.category_rates),
            (Measure::ItemOrders.name(), &self.item_orders),
        ] {
            if rates.values().any(|rate| !rate.is_finite()) {
                return Err(FeatureError::Constant {
                    feature: name.to_owned(),
                });
            }
        }
        let prices = self.typical_prices.as_ref();
        if prices.is_some_and(|prices| !prices.usable()) {
            return Err(FeatureError::Constant {
                feature: Measure::PriceRatio.name().to_owned(),
            });
        }
        self.unique()
    }

    /// Nothing listed twice: the second column would never be read. Names of columns are not
    /// compared, since a shop's own words may look like ours.
    fn unique(&self) -> Result<(), FeatureError> {
        let mut row = BTreeSet::new();
        for feature in &self.row {
            match feature {
                RowFeature::Kind { kinds } => {
                    once(&mut row, "kind")?;
                    all_once("kind", kinds.iter().map(|kind| kind.name()))?;
                }
                RowFeature::PageType { names } => {
                    once(&mut row, "page_type")?;
                    all_once("page_type", names.iter().map(String::as_str))?;
                }
                RowFeature::Number { measure, .. } => once(&mut row, measure.name())?,
                RowFeature::Hashed { field, .. } => once(&mut row, field.name())?,
            }
        }
        let mut context = BTreeSet::new();
        let (mut hours, mut weekdays) = (BTreeSet::new(), BTreeSet::new());
        for feature in &self.context {
            match feature {
                ContextFeature::Number { name, .. } => once(&mut context, name)?,
                ContextFeature::Category { name, names } => {
                    once(&mut context, name)?;
                    all_once(name, names.iter().map(String::as_str))?;
                }
                ContextFeature::Hour => once(&mut hours, "hour")?,
                ContextFeature::Weekday => once(&mut weekdays, "weekday")?,
            }
        }
        Ok(())
    }
}

fn usable(normal: Normal, feature: &str) -> Result<(), FeatureError> {
    if normal.mean.is_finite() && normal.std.is_finite() && normal.std > 0.0 {
        Ok(())
    } else {
        Err(FeatureError::Constant {
            feature: feature.to_owned(),
        })
    }
}

fn once<'a>(seen: &mut BTreeSet<&'a str>, name: &'a str) -> Result<(), FeatureError> {
    if seen.insert(name) {
        Ok(())
    } else {
        Err(FeatureError::Duplicate {
            column: name.to_owned(),
        })
    }
}

fn all_once<'a>(feature: &str, values: impl Iterator<Item = &'a str>) -> Result<(), FeatureError> {
    let mut seen = BTreeSet::new();
    for value in values {
        once(&mut seen, value).map_err(|_| FeatureError::Duplicate {
            column: format!("{feature}={value}"),
        })?;
    }
    Ok(())
}
