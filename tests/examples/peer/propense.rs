//! Propense's own paths: the live event, whole sessions, training.

use std::sync::Arc;

use anyhow::{Result, bail};
use propense_model::{Bundle, CpuModel, CpuStream, ModelConfig};
use propense_train::{TrainOptions, training_pace};
use serde_json::{Value, json};

use super::{BATCH, EVENTS, FEATURES, Inputs, Peer, microseconds};

/// How often an epoch goes through the sessions: so long that what comes before it does not count.
const TIMES: usize = 4;

pub(super) struct Propense {
    model: Arc<CpuModel>,
    stream: CpuStream,
    sessions: Vec<Vec<f32>>,
    labels: Vec<bool>,
    threads: usize,
}

impl Propense {
    pub(super) fn new(inputs: &Inputs) -> Result<Self> {
        let model = Bundle::from_bytes(&inputs.bundle()?)?.cpu_model()?;
        Ok(Self {
            stream: CpuStream::new(Arc::clone(&model)),
            model,
            sessions: inputs
                .rows
                .chunks_exact(EVENTS * FEATURES)
                .map(<[f32]>::to_vec)
                .collect(),
            labels: inputs.labels.clone(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    fn score_all(&self, threads: usize) -> Vec<f32> {
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .map(|rows| (&rows[..], &[][..]))
            .collect();
        self.model.score_batch(&sessions, threads)
    }
}

impl Peer for Propense {
    fn about(&self) -> Value {
        json!({
            "name": "Propense",
            "version": env!("CARGO_PKG_VERSION"),
            "threads": self.threads,
            "cases": ["event", "one", "many-1", "many", "train"],
        })
    }

    fn logits(&mut self) -> Result<Vec<f32>> {
        Ok(self.score_all(self.threads))
    }

    fn one(&mut self) -> Result<f32> {
        // By the live path, event by event, so that its result is compared too.
        self.stream.reset();
        for row in self.sessions[0].chunks_exact(FEATURES) {
            self.stream.push(row);
        }
        Ok(self.stream.logit(&[]))
    }

    fn time(&mut self, case: &str) -> Result<Vec<f64>> {
        let mut sum = 0.0;
        let times = match case {
            "event" => {
                let (stream, sessions) = (&mut self.stream, &self.sessions);
                microseconds(20, EVENTS, || {
                    stream.reset();
                    for row in sessions[0].chunks_exact(FEATURES) {
                        stream.push(row);
                        sum += stream.logit(&[]);
                    }
                    Ok(())
                })?
            }
            "one" => microseconds(20, 1, || {
                sum += self.model.score(&self.sessions[0], &[]);
                Ok(())
            })?,
            "many-1" | "many" => {
                let threads = if case == "many" { self.threads } else { 1 };
                microseconds(2, 1, || {
                    sum += self.score_all(threads).iter().sum::<f32>();
                    Ok(())
                })?
            }
            "train" => {
                let options = TrainOptions {
                    epochs: 1,
                    batch: BATCH,
                    ..TrainOptions::default()
                };
                let config = ModelConfig::seed(FEATURES, 0);
                let often = TIMES * self.sessions.len();
                let sessions: Vec<_> = self.sessions.iter().cycle().take(often).cloned().collect();
                let labels = self.labels.repeat(TIMES);
                vec![training_pace(&config, &sessions, &labels, &options)?]
            }
            other => bail!("no case `{other}`"),
        };
        // Work whose result nobody reads might be left out.
        std::hint::black_box(sum);
        Ok(times)
    }
}
