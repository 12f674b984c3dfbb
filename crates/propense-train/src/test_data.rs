//! What figures on data are worth less for: what the data share with those that were learnt from, and what
//! they lack.

use propense_features::FeatureSpec;
use propense_prepare::Loaded;
use serde::{Deserialize, Serialize};

use crate::overlap::Overlap;
use crate::tasks::{self, ExampleOptions};
use crate::{Task, TrainError};

/// What there is to say of data that a model is measured on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestData {
    /// What they share with the data that were learnt from, where these are at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// What the model reads of the context and no line of the data has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// How many days of the thirty that an outcome covers the data do not hold: whoever orders on them
    /// counts as one who does not, and the base rate is too low. None where they hold them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_short: Option<u32>,
    /// How many hours the last day of `next-day` lacks in the data: likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_short: Option<u32>,
}

impl TestData {
    /// What the data lack, for a model with these features; `earlier` are those that they continue or stand
    /// beside.
    pub(crate) fn lacking(
        task: Task,
        spec: &FeatureSpec,
        data: &Loaded,
        earlier: Option<&Loaded>,
        options: &ExampleOptions,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            overlap: None,
            missing: tasks::missing(task, spec, data, earlier, options)?,
            // Without earlier data the months are measured that are whole.
            days_short: match earlier {
                Some(_) => tasks::days_short(task, data)?,
                None => None,
            },
            hours_short: tasks::hours_short(task, data, earlier)?,
        })
    }

    /// The same in sentences.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let shared = self.overlap.as_ref().and_then(Overlap::words);
        let missing = (!self.missing.is_empty()).then(|| {
            format!(
                "no line of these data has `{}`, which the training data have: the figures are worse for it",
                self.missing.join("`, `")
            )
        });
        let days = self.days_short.map(|days| {
            format!(
                "the data end {days} days before the thirty of the outcome are over: orders on these days are not \
                 seen, and the base rate and all figures are off; give data that reach further"
            )
        });
        let hours = self.hours_short.map(|hours| {
            format!(
                "the last day is {hours} hours short: orders in them are not seen, and the base rate and all figures \
                 are off; give data that end with a day"
            )
        });
        [shared, missing, days, hours]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_lack_nothing_get_no_remark_and_each_lack_gets_one() {
        assert_eq!(TestData::default().remarks(), [""; 0]);
        let lacking = TestData {
            overlap: None,
            missing: vec!["device".to_owned(), "region".to_owned()],
            days_short: Some(3),
            hours_short: Some(9),
        };
        let remarks = lacking.remarks();
        for (remark, words) in remarks
            .iter()
            .zip(["`device`, `region`", "3 days", "9 hours"])
        {
            assert!(remark.contains(words), "{remark}");
        }
        assert_eq!(remarks.len(), 3);
    }
}
