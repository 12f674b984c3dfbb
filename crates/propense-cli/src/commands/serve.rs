//! `propense serve`

mod learner;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use propense_serve::{Contributions, Learner, Learning, Limits, ServeError, Service, Settings};

use super::{Failure, Outcome};
use crate::args::{ContributionArgs, LearningArgs, ServeArgs};
use crate::interrupt;
use crate::output::print;

use learner::Updates;

/// The fewest contributions of a round.
const FEWEST_CONTRIBUTIONS: usize = 100;

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::NoToken | ServeError::DatabaseAddress(_) | ServeError::StreamAddress(_) => {
                Self::Usage(error.to_string())
            }
            other => Self::Failed(other.into()),
        }
    }
}

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let settings = settings(args)?;
    let model = match &args.model {
        Some(path) => Some(std::fs::read(path).with_context(|| path.display().to_string())?),
        None => None,
    };
    propense_serve::log_to_stderr();
    let learning = match args.learning.learn {
        true => Some(learning(&args.learning)?),
        false => None,
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build().context("threads")?;
    interrupt::graceful(true);
    runtime.block_on(async {
        let mut service = Service::open(settings).await?;
        if let Some((learner, learning)) = learning {
            service.learn(learner, learning);
        }
        if let Some(model) = model {
            service.begin_with(model).await.context("--model")?;
        }
        print(&format!("http://{}\n", service.address()))?;
        service.run(asked()).await?;
        Ok(())
    })
}

/// Resolves at Ctrl-C, or SIGTERM.
async fn asked() {
    while !interrupt::asked() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What learns, and when.
fn learning(args: &LearningArgs) -> Outcome<(Arc<dyn Learner>, Learning)> {
    let wrong = |message: &str| Err(Failure::Usage(message.to_owned()));
    if !(1..=100).contains(&args.learn_percentage) {
        return wrong("--learn-percentage: 1 to 100");
    }
    if args.learn_least < Updates::FEWEST {
        return wrong("--learn-least: at least 100; of fewer nothing can be told");
    }
    if args.learn_events < args.learn_least {
        return wrong("--learn-events: at least as many as --learn-least");
    }
    if args.learn_threads == 0 {
        return wrong("--learn-threads: at least 1");
    }
    let learning = Learning {
        every: args.learn_every,
        least: args.learn_least,
        percentage: args.learn_percentage,
        events: args.learn_events,
    };
    Ok((Arc::new(Updates::new(args)?), learning))
}

/// What browsers may contribute, where they may.
fn contributions(args: &ContributionArgs) -> Outcome<Option<Contributions>> {
    let Some(clients) = args.contributions else {
        return Ok(None);
    };
    let wrong = |message: &str| Err(Failure::Usage(message.to_owned()));
    if clients < FEWEST_CONTRIBUTIONS {
        return wrong("--contributions: at least 100; the noise of fewer drowns what they say");
    }
    let (epsilon, delta) = (args.contributions_epsilon, args.contributions_delta);
    if !(0.01..=100.0).contains(&epsilon) {
        return wrong("--contributions-epsilon: 0.01 to 100");
    }
    if !(1e-12..=0.01).contains(&delta) {
        return wrong("--contributions-delta: 1e-12 to 0.01");
    }
    let (Some(rate), 1..) = (
        NonZeroU32::new(args.contributions_rate),
        args.contributions_rounds,
    ) else {
        return wrong("--contributions-rate and --contributions-rounds: at least 1");
    };
    Ok(Some(Contributions {
        clients,
        rounds: args.contributions_rounds,
        epsilon,
        delta,
        rate,
    }))
}

fn settings(args: &ServeArgs) -> Outcome<Settings> {
    if args.threads == Some(0) {
        return Err(Failure::Usage("--threads: at least 1".to_owned()));
    }
    if let Some(folder) = args.r#static.as_ref().filter(|folder| !folder.is_dir()) {
        let message = format!("--static: {} is no folder", folder.display());
        return Err(Failure::Usage(message));
    }
    let token = match &args.token_file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            Some(text.with_context(|| format!("--token-file: {}", path.display()))?)
        }
        None => std::env::var("PROPENSE_TOKEN").ok(),
    };
    let token = token.map(|token| token.trim().to_owned());
    Ok(Settings {
        listen: args.listen,
        database: args.database.clone(),
        token: token.filter(|token| !token.is_empty()),
        read_only: args.read_only,
        static_dir: args.r#static.clone(),
        stream: args.stream.clone(),
        contributions: contributions(&args.contributions)?,
        limits: Limits {
            rate: NonZeroU32::new(args.rate),
            queue: args.queue,
            ..Limits::default()
        },
        ..Settings::new(&args.dir)
    })
}
