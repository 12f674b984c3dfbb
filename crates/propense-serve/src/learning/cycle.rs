//! Looks whether there is enough to learn from, and has it learnt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use propense_model::{Bundle, Precision};
use tokio::sync::{oneshot, watch};

use super::{Candidate, Learner, Lesson, RoundKey, Told, Unlearnt};
use crate::files::Files;
use crate::metrics::{LearningState, Metrics};
use crate::publishing::{keep, tell_rollout};
use crate::settings::Learning;
use crate::store::{BundleRecord, Ended, LONGEST_NOTE, Outcome, Round, Store};
use crate::{ServeError, clock};

/// How often it looks, at most: each look is one small question to the database, unless there is
/// enough to count.
const LOOK: Duration = Duration::from_secs(60);
/// Events read at a time.
const PAGE: usize = 20_000;
/// How long to wait for a database that does not take a finished round.
const AGAIN: Duration = Duration::from_secs(5);

/// The loop of looking and learning.
pub(crate) struct Cycle {
    store: Arc<Store>,
    files: Arc<Files>,
    metrics: Arc<Metrics>,
    learner: Arc<dyn Learner>,
    settings: Learning,
    /// The move that was live at the last count, and the position below which another tells nothing.
    counted: (i64, i64),
}

/// A round with what it learns from.
struct Begun {
    round: Round,
    live: Arc<Bundle>,
    lesson: Arc<Lesson>,
}

impl Cycle {
    pub(crate) fn new(
        (store, files, metrics): (Arc<Store>, Arc<Files>, Arc<Metrics>),
        learner: Arc<dyn Learner>,
        settings: Learning,
    ) -> Self {
        Self {
            store,
            files,
            metrics,
            learner,
            settings,
            counted: (0, 0),
        }
    }

    /// Looks and learns until told to stop.
    pub(crate) async fn run(mut self, mut told: watch::Receiver<bool>) {
        while !*told.borrow() {
            let watched = Told(told.clone());
            if let Err(error) = self.turn(&watched).await {
                tracing::warn!(%error, "learning could not go on; it is tried again");
            }
            tokio::select! {
                _ = told.wait_for(|told| *told) => return,
                () = tokio::time::sleep(self.settings.every.min(LOOK)) => {}
            }
        }
    }

    async fn turn(&mut self, told: &Told) -> Result<(), ServeError> {
        let begun = match self.store.last_round().await? {
            Some(round) if round.outcome.is_none() => self.resumed(round, told).await?,
            last => self.due(last, told).await?,
        };
        match begun {
            Some(begun) => self.learn(begun, told).await,
            None => Ok(()),
        }
    }

    /// The round that a kill or a stop broke off, from the same events.
    async fn resumed(&self, round: Round, told: &Told) -> Result<Option<Begun>, ServeError> {
        let live = self.store.rollout().await?;
        if live.is_none_or(|live| live.number != round.after_move) {
            let why = "the roll-out was moved before the round could be done again";
            return self.end(&round, None, None, why, told).await.map(|_| None);
        }
        let record = self.store.bundle(&round.parent).await?;
        let lesson = self
            .lesson(&record, round.up_to, round.begun_ms, told)
            .await?;
        let Some(lesson) = lesson else {
            return Ok(None);
        };
        tracing::info!(round = round.number, "learning begins again");
        let live = self.bundle(&record.sha256).await?;
        Ok(Some(Begun {
            round,
            live,
            lesson,
        }))
    }

    /// The next round, where it is time and there is enough.
    async fn due(&mut self, last: Option<Round>, told: &Told) -> Result<Option<Begun>, ServeError> {
        let wait = |state| {
            self.metrics.learning.is(state);
            Ok(None)
        };
        let Some(rollout) = self.store.rollout().await? else {
            return wait(LearningState::NoModel);
        };
        let record = self.store.bundle(&rollout.current).await?;
        let up_to = self.store.last_position().await?;
        let behind = up_to.saturating_sub(record.learnt_up_to);
        self.metrics.learning.stands(record.learnt_up_to, behind);
        // Two experiments at once would tell of neither.
        if rollout.percentage < 100 {
            return wait(LearningState::RollingOut);
        }
        // Whoever took a bundle back does not want its like to come by itself.
        if rollout.rolled_back {
            return wait(LearningState::RolledBack);
        }
        let begun_ms = clock::now_ms();
        let every = i64::try_from(self.settings.every.as_millis()).unwrap_or(i64::MAX);
        if last
            .as_ref()
            .is_some_and(|last| begun_ms < last.begun_ms.saturating_add(every))
        {
            return wait(LearningState::Waiting);
        }
        // What was tried with this bundle and refused is tried again only with that much more.
        let tried = last.filter(|last| last.parent == rollout.current);
        let least = i64::try_from(self.settings.least).unwrap_or(i64::MAX);
        let seen = tried
            .as_ref()
            .map_or(0, |tried| tried.up_to)
            .max(record.learnt_up_to);
        let counted = match self.counted {
            (number, position) if number == rollout.number => position,
            _ => 0,
        };
        if up_to < seen.saturating_add(least).max(counted) {
            return wait(LearningState::Waiting);
        }
        let Some(lesson) = self.lesson(&record, up_to, begun_ms, told).await? else {
            return Ok(None);
        };
        let live = self.bundle(&record.sha256).await?;
        let sessions = {
            let (learner, live) = (Arc::clone(&self.learner), Arc::clone(&live));
            let lesson = Arc::clone(&lesson);
            apart(move || learner.count(&live, &lesson)).await?
        };
        let sessions = match sessions {
            Ok(sessions) => i64::try_from(sessions).unwrap_or(i64::MAX),
            Err(Unlearnt::Stopped) => return Ok(None),
            Err(Unlearnt::Unfit(reason)) => {
                tracing::warn!(model = record.version, reason, "nothing can be learnt");
                self.counted = (rollout.number, up_to.saturating_add(least));
                return wait(LearningState::Unfit);
            }
        };
        // A window that is full lets as much go as comes in: what was tried says nothing of it.
        let is_full = lesson.from > record.learnt_up_to;
        let before = tried.filter(|_| !is_full).map_or(0, |tried| tried.sessions);
        let needed = before.saturating_add(least);
        if sessions < needed {
            // Each session that is missing takes an event at least.
            self.counted = (rollout.number, up_to.saturating_add(needed - sessions));
            return wait(LearningState::Waiting);
        }
        if is_full {
            let events = lesson.from - record.learnt_up_to;
            tracing::warn!(
                events,
                "the oldest events are passed over: see --learn-events"
            );
        }
        let round = Round {
            number: 0,
            parent: rollout.current,
            after_move: rollout.number,
            up_to,
            sessions,
            begun_ms,
            outcome: None,
        };
        let round = self.store.begin_round(round).await?;
        tracing::info!(
            round = round.number,
            parent = record.version,
            up_to,
            sessions,
            "learning begins"
        );
        Ok(Some(Begun {
            round,
            live,
            lesson,
        }))
    }

    /// The events up to a position, as far as a round may hold them; none where it is to stop.
    async fn lesson(
        &self,
        live: &BundleRecord,
        up_to: i64,
        begun_ms: i64,
        told: &Told,
    ) -> Result<Option<Arc<Lesson>>, ServeError> {
        let most = i64::try_from(self.settings.events).unwrap_or(i64::MAX);
        let from = up_to.saturating_sub(most).max(0);
        let mut lesson = Lesson {
            from,
            up_to,
            ..Lesson::default()
        };
        let known = live.learnt_up_to.clamp(from, up_to);
        for (start, end) in [(from, known), (known, up_to)] {
            let mut position = start;
            while position < end {
                if told.stop() {
                    return Ok(None);
                }
                let page = self.store.events_between(position, end, PAGE).await?;
                position = match page.events.is_empty() {
                    true => end,
                    false => page.up_to,
                };
                let events = page.events.into_iter();
                let events = events.filter(|event| event.timestamp <= begun_ms);
                lesson.events.extend(events);
            }
            if end == known && live.learnt_up_to > 0 {
                lesson.arrived.get_or_insert(lesson.events.len());
            }
        }
        Ok(Some(Arc::new(lesson)))
    }

    async fn bundle(&self, sha256: &str) -> Result<Arc<Bundle>, ServeError> {
        let (files, name) = (Arc::clone(&self.files), sha256.to_owned());
        apart(move || files.bundle(&name)).await?.map(Arc::new)
    }

    async fn learn(&self, begun: Begun, told: &Told) -> Result<(), ServeError> {
        let Begun {
            round,
            live,
            lesson,
        } = begun;
        self.metrics.learning.is(LearningState::Learning);
        let clock = Instant::now();
        let key = RoundKey {
            number: u64::try_from(round.number).unwrap_or_default(),
            begun_ms: round.begun_ms,
        };
        let (learner, watched) = (Arc::clone(&self.learner), told.clone());
        let learnt = apart(move || learner.learn(&live, &lesson, key, &watched)).await;
        let candidate = match learnt {
            Ok(Ok(candidate)) => candidate,
            Ok(Err(Unlearnt::Stopped)) => {
                tracing::info!(
                    round = round.number,
                    "learning stops; the round will be done again"
                );
                return Ok(());
            }
            Ok(Err(Unlearnt::Unfit(why))) => return self.failed(&round, &why, told).await,
            Err(error) => return self.failed(&round, &error.to_string(), told).await,
        };
        let Candidate {
            bundle,
            better,
            reasons,
            sessions,
            figures,
        } = candidate;
        let reason = reasons.join("; ");
        let (files, parent) = (Arc::clone(&self.files), round.parent.clone());
        // Pages load no more bytes than of the live one.
        let stored = move || {
            let precision = Precision::of(&files.read(&parent)?)?;
            keep(&files, &bundle.to_bytes(precision)?)
        };
        let record = match apart(stored).await? {
            Ok(record) => record,
            Err(error @ ServeError::Bundle(_)) => {
                return self.failed(&round, &error.to_string(), told).await;
            }
            Err(error) => return Err(error),
        };
        let record = BundleRecord {
            parent: Some(round.parent.clone()),
            learnt_up_to: round.up_to,
            note: shortened(&format!("round {}: {reason}", round.number)),
            ..record
        };
        let promotion = better.then_some(self.settings.percentage);
        let ended = self
            .end(&round, Some(&record), promotion, &reason, told)
            .await?;
        let Some(Ended::With(outcome)) = ended else {
            return Ok(());
        };
        let seconds = clock.elapsed().as_secs_f64();
        self.metrics.learning.learnt(seconds, &sessions, &figures);
        tracing::info!(
            round = round.number,
            outcome = outcome.name(),
            version = record.version,
            sha256 = record.sha256,
            learnt_up_to = record.learnt_up_to,
            seconds,
            reason,
            "learning ended"
        );
        if outcome == Outcome::Promoted {
            tell_rollout(&self.store, &self.metrics).await?;
        }
        Ok(())
    }

    async fn failed(&self, round: &Round, why: &str, told: &Told) -> Result<(), ServeError> {
        tracing::warn!(round = round.number, reason = why, "learning failed");
        self.end(round, None, None, why, told).await.map(drop)
    }

    /// Ends the round; where the database does not take it, tries until it does or the service stops.
    async fn end(
        &self,
        round: &Round,
        candidate: Option<&BundleRecord>,
        promotion: Option<i64>,
        reason: &str,
        told: &Told,
    ) -> Result<Option<Ended>, ServeError> {
        loop {
            match self
                .store
                .end_round(round, candidate, promotion, reason)
                .await
            {
                Ok(ended) => {
                    if let Ended::With(outcome) = ended {
                        self.metrics.learning.ended(outcome.name());
                    }
                    return Ok(Some(ended));
                }
                Err(error @ ServeError::Database { .. }) if !told.stop() => {
                    tracing::warn!(%error, round = round.number, "a round cannot be ended yet");
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Does work that takes long, on a thread of its own: the runtime's threads are waited for at the end.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServeError> {
    let (tell, done) = oneshot::channel();
    let thread = std::thread::Builder::new().name("learning".to_owned());
    let started = thread.spawn(move || {
        // Nobody waits any more where the service has stopped.
        let _ = tell.send(work());
    });
    started.map_err(|error| ServeError::Worker(error.to_string()))?;
    done.await
        .map_err(|_| ServeError::Worker("learning".to_owned()))
}

/// The text, cut where it is too long for a note.
fn shortened(text: &str) -> String {
    let mut end = LONGEST_NOTE.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
