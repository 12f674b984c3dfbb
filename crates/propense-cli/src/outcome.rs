//! How a command ends, and which status the program then has.

use propense_apps::AppsError;
use propense_prepare::PrepareError;
use propense_train::TrainError;

/// How a command can end without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong use: exit status 2.
    Usage(String),
    /// Stopped by Ctrl-C: exit status 1.
    Interrupted(String),
    /// Anything else: exit status 1.
    Failed(anyhow::Error),
}

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Refuses options that a command would not heed: whether one is given, its name, and why not.
pub(crate) fn refuse(options: &[(bool, &str, &str)]) -> Outcome {
    match options.iter().find(|(given, ..)| *given) {
        Some((_, option, why)) => Err(Failure::Usage(format!("{option}: {why}; leave it out"))),
        None => Ok(()),
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<AppsError> for Failure {
    fn from(error: AppsError) -> Self {
        match error {
            AppsError::Option { .. } => Self::Usage(error.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::UnknownEncoding(_) | PrepareError::NoInput => {
                Self::Usage(error.to_string())
            }
            #[cfg(feature = "engine")]
            PrepareError::Options(_) => Self::Usage(error.to_string()),
            PrepareError::Interrupted { .. } => Self::Interrupted(error.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::UnknownTask(_)
            | TrainError::TaskAbsent(_)
            | TrainError::UnknownDevice(_)
            | TrainError::Option { .. } => Self::Usage(error.to_string()),
            TrainError::Interrupted(_) => Self::Interrupted(error.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}
