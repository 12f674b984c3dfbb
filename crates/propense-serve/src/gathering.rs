//! Improving the head of the live bundle by what browsers contribute.
//!
//! A contribution is a change of the head with noise, made by the browser ([`Contribution`]); no
//! event comes here. Each bundle that everybody gets has one round. When it is complete, the mean of
//! its contributions, without those that pull together, moves the head, and the result is published as a candidate: an operator
//! promotes it, which begins the next round, or does not. Rounds end for good when a visitor who
//! contributed to all of them would have spent the budget.

use std::net::IpAddr;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use propense_events::format_timestamp;
use propense_model::{Contribution, Head, Precision, Privacy, filtered_mean, server_rate};
use tokio::sync::Mutex;

use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::files::Files;
use crate::metrics::Metrics;
use crate::publishing::keep;
use crate::store::{BundleRecord, Contributed, Gathering, Store};
use crate::{Contributions, ServeError};

/// What contributions meet with.
#[derive(Debug)]
pub(crate) struct Gatherer {
    store: Arc<Store>,
    files: Arc<Files>,
    metrics: Arc<Metrics>,
    settings: Contributions,
    /// The noise that lets a visitor contribute to all rounds within the budget.
    multiplier: f64,
    rate: DefaultKeyedRateLimiter<IpAddr>,
    /// The live bundle whose head was looked at last, and the head's width; none where it does not
    /// learn by itself.
    width: Mutex<Option<(String, Option<usize>)>>,
}

/// Whether contributions are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// To this round, of a head of this width.
    Open(Gathering, usize),
    /// Not now: a code and a sentence.
    Closed(&'static str, &'static str),
}

impl Gatherer {
    pub(crate) fn new(
        store: Arc<Store>,
        files: Arc<Files>,
        metrics: Arc<Metrics>,
        settings: Contributions,
    ) -> Self {
        let Contributions {
            epsilon,
            delta,
            rounds,
            rate,
            ..
        } = settings;
        Self {
            store,
            files,
            metrics,
            multiplier: Privacy::multiplier(epsilon, delta, rounds),
            rate: RateLimiter::keyed(Quota::per_minute(rate)),
            settings,
            width: Mutex::default(),
        }
    }

    pub(crate) const fn settings(&self) -> &Contributions {
        &self.settings
    }

    /// Whether this address has contributions left.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.rate.check_key(&address).is_ok()
    }

    /// Forgets addresses that have not been heard of for a while.
    pub(crate) fn tidy(&self) {
        self.rate.retain_recent();
    }

    /// Whether contributions are wanted now; begins the live bundle's round where it is due.
    pub(crate) async fn standing(&self) -> Result<Standing, ServeError> {
        let Some(rollout) = self.store.rollout().await? else {
            return Ok(Standing::Closed("NO_MODEL", "no model is promoted yet"));
        };
        if rollout.percentage < 100 {
            let message = "a model is being rolled out; contribute once everybody has it";
            return Ok(Standing::Closed("ROLLING_OUT", message));
        }
        let Some(width) = self.width(&rollout.current).await? else {
            let message = "the head of the current model does not learn by itself";
            return Ok(Standing::Closed("UNFIT", message));
        };
        for _ in 0..2 {
            let rounds = self.store.gatherings().await?;
            let own = rounds.iter().find(|round| round.bundle == rollout.current);
            if let Some(round) = own {
                return Ok(match round.candidate {
                    None => Standing::Open(round.clone(), width),
                    Some(_) => {
                        let message = "the current model's round is complete; the next one begins with the next model";
                        Standing::Closed("COMPLETE", message)
                    }
                });
            }
            if !self.within_budget(spent(&rounds).and(Privacy::of(self.multiplier))) {
                let message = "the privacy budget is used up; nothing more is taken";
                return Ok(Standing::Closed("BUDGET", message));
            }
            let wanted = i64::try_from(self.settings.clients).unwrap_or(i64::MAX);
            self.store
                .begin_gathering(&rollout.current, self.multiplier, wanted, now_ms())
                .await?;
        }
        Err(ServeError::Worker(
            "a round was begun and is not there".into(),
        ))
    }

    /// The ε of a visitor who contributed to every round so far.
    pub(crate) async fn epsilon(&self) -> Result<f64, ServeError> {
        let rounds = self.store.gatherings().await?;
        Ok(spent(&rounds).epsilon(self.settings.delta))
    }

    fn within_budget(&self, spent: Privacy) -> bool {
        // A rounding error is no overdraft.
        spent.epsilon(self.settings.delta) <= self.settings.epsilon * (1.0 + 1e-9)
    }

    async fn width(&self, sha256: &str) -> Result<Option<usize>, ServeError> {
        let mut known = self.width.lock().await;
        if let Some((name, width)) = known.as_ref()
            && name == sha256
        {
            return Ok(*width);
        }
        let (files, name) = (Arc::clone(&self.files), sha256.to_owned());
        let width = blocking(move || {
            Ok(match Head::of(&files.bundle(&name)?) {
                Ok(head) => Some(head.width()),
                Err(error) => {
                    tracing::info!(%error, "nobody contributes to this model");
                    None
                }
            })
        })
        .await?;
        *known = Some((sha256.to_owned(), width));
        Ok(width)
    }

    /// Takes a contribution that has been checked, and completes the round where it is the last.
    pub(crate) async fn take(
        &self,
        round: &Gathering,
        digest: &str,
        contribution: &Contribution,
    ) -> Result<Contributed, ServeError> {
        let numbers = serde_json::to_string(&contribution.numbers).unwrap_or_default();
        let done = self.store.contribute(round, digest, &numbers).await?;
        let count = match done {
            Contributed::Stored(count) => count,
            // Perhaps a kill came between the last contribution and the round's end.
            Contributed::Over => self.store.contributed(round).await?,
        };
        self.metrics.gathering.gathered(count);
        if count >= round.wanted {
            self.complete(round).await?;
        }
        Ok(done)
    }

    /// Moves the head by what was contributed, and publishes the result. The same contributions give
    /// the same bytes: it may be done again after a kill.
    async fn complete(&self, round: &Gathering) -> Result<(), ServeError> {
        let sent = self.store.contributions(round).await?;
        if sent.is_empty() {
            return Ok(());
        }
        let (files, work) = (Arc::clone(&self.files), round.clone());
        let rate = server_rate(self.settings.rounds);
        let made = blocking(move || candidate(&files, &work, &sent, rate)).await?;
        let parent = self.store.bundle(&round.bundle).await?;
        let rounds = self.store.gatherings().await?;
        let note = format!(
            "improved by {} contributions of round {}; a visitor in all rounds has spent ε {:.2} (δ {:e}); the metrics are the parent's",
            round.wanted,
            round.number,
            spent(&rounds).epsilon(self.settings.delta),
            self.settings.delta
        );
        let record = BundleRecord {
            parent: Some(round.bundle.clone()),
            learnt_up_to: parent.learnt_up_to,
            note,
            ..made
        };
        self.store.end_gathering(round, &record).await?;
        self.metrics.gathering.gathered(0);
        tracing::info!(
            version = record.version,
            sha256 = record.sha256,
            contributions = round.wanted,
            "contributions have made a candidate"
        );
        Ok(())
    }
}

/// What a visitor has spent who contributed to each of these rounds.
fn spent(rounds: &[Gathering]) -> Privacy {
    let each = rounds.iter().map(|round| Privacy::of(round.multiplier));
    each.fold(Privacy::NONE, Privacy::and)
}

/// The bundle that these contributions make, its file safe on disk.
fn candidate(
    files: &Files,
    round: &Gathering,
    sent: &[String],
    rate: f64,
) -> Result<BundleRecord, ServeError> {
    let mut bundle = files.bundle(&round.bundle)?;
    let width = Head::of(&bundle)?.width();
    let changes: Vec<Vec<f64>> = sent
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .map(|numbers| Contribution { numbers })
        // All were checked when they came.
        .filter(|contribution| contribution.check(width, round.multiplier).is_ok())
        .map(|contribution| contribution.values(round.multiplier))
        .collect();
    let mut step = filtered_mean(&changes, Contribution::deviation(round.multiplier));
    for number in &mut step {
        *number *= rate;
    }
    bundle = bundle.with_difference(&step)?;
    bundle.manifest.created_at = format_timestamp(round.begun_ms);
    // In full: one round's step may be less than what few bits tell apart.
    let bytes = bundle.to_bytes(Precision::F32)?;
    keep(files, &bytes)
}
