//! `propense serve`

use std::io::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context;
use propense_serve::{Limits, ServeError, Service, Settings};

use super::{Failure, Outcome};
use crate::args::ServeArgs;
use crate::interrupt;

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
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build().context("threads")?;
    interrupt::graceful(true);
    runtime.block_on(async {
        let service = Service::open(settings).await?;
        if let Some(model) = model {
            service.begin_with(model).await.context("--model")?;
        }
        let mut out = std::io::stdout();
        let said = writeln!(out, "http://{}", service.address()).and_then(|()| out.flush());
        said.context("standard output")?;
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
        limits: Limits {
            rate: NonZeroU32::new(args.rate),
            queue: args.queue,
            ..Limits::default()
        },
        ..Settings::new(&args.dir)
    })
}
