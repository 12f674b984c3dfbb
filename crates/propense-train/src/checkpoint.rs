//! Checkpoints: everything needed to go on as if nothing had happened. One file, replaced in one
//! rename, so that a crash at any moment leaves either the old state or the new one.
//!
//! Layout: magic, length of a JSON header (u64, little-endian), the header, all numbers as f32
//! little-endian in the order the header lists them, SHA-256 of everything before it.

use std::fs;
use std::path::{Path, PathBuf};

use propense_features::FeatureSpec;
use propense_model::NamedTensor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TrainError;
use crate::adam::Moments;
use crate::example::Example;
use crate::progress::EpochReport;
use propense_prepare::{hex, write_whole};

const MAGIC: &[u8; 8] = b"PRPNSCK1";
const FILE: &str = "state.checkpoint";
const PREVIOUS: &str = "state.checkpoint.previous";

/// What must be the same for a run to be continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunKey {
    /// SHA-256 of the training data.
    pub(crate) data: String,
    /// The task.
    pub(crate) task: String,
    /// Generator seed.
    pub(crate) seed: u64,
    /// Examples in a batch.
    pub(crate) batch: usize,
    /// Adam's learning rate.
    pub(crate) learning_rate: f32,
    /// Largest global gradient norm.
    pub(crate) clip: Option<f32>,
    /// Events of an example at most.
    pub(crate) max_events: usize,
    /// What the data was read as: [`reading`].
    pub(crate) reading: String,
    /// Network sizes, as JSON, and the arithmetic where it is not f32.
    pub(crate) network: String,
}

/// SHA-256 over the fitted features, the rows, and the outcomes to learn, from each prefix. The same bytes read in another
/// format, or by another mapping, are other data.
pub(crate) fn reading(spec: &FeatureSpec, train: &[Example]) -> String {
    let mut hash = Sha256::new();
    hash.update(serde_json::json!(spec).to_string());
    // No text of JSON holds a zero byte: the outcomes cannot be taken for a part of it.
    hash.update([0]);
    hash.update(
        train
            .iter()
            .flat_map(|example| (0..=example.events).map(|prefix| example.label.at(prefix)))
            .map(|label| label.map_or(2, u8::from))
            .collect::<Vec<_>>(),
    );
    // Augmented copies have the outcomes of their originals, and other rows.
    for row in train.iter().flat_map(|example| &example.rows) {
        hash.update(row.to_le_bytes());
    }
    hex(&hash.finalize())
}

/// The state after a complete epoch, or before the first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) key: RunKey,
    pub(crate) history: Vec<EpochReport>,
    pub(crate) steps: u32,
    pub(crate) weights: Vec<NamedTensor>,
    pub(crate) best: Vec<NamedTensor>,
    pub(crate) moments: Moments,
}

#[derive(Serialize, Deserialize)]
struct Header {
    key: RunKey,
    history: Vec<EpochReport>,
    steps: u32,
    /// Name and shape of each weight.
    weights: Vec<(String, Vec<usize>)>,
    /// Numbers in each pair of moments.
    moments: Vec<usize>,
}

/// Writes the state into the folder, which is made where it is missing.
pub(crate) fn save(folder: &Path, state: &State) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    let header = Header {
        key: state.key.clone(),
        history: state.history.clone(),
        steps: state.steps,
        weights: state
            .weights
            .iter()
            .map(|weight| (weight.name.clone(), weight.shape.clone()))
            .collect(),
        moments: state.moments.iter().map(|(first, _)| first.len()).collect(),
    };
    let header =
        serde_json::to_vec(&header).map_err(|error| damaged(folder, &error.to_string()))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    let weights = state.weights.iter().chain(&state.best).map(|w| &w.data);
    let moments = state
        .moments
        .iter()
        .flat_map(|(first, second)| [first, second]);
    for number in weights.chain(moments).flatten() {
        bytes.extend(number.to_le_bytes());
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);

    let target = folder.join(FILE);
    write_whole(&target, &bytes).map_err(TrainError::io(&target))
}

/// Puts the checkpoint of an earlier run aside, since a new run writes its own. Returns the words
/// to say about it; none where there was none, or one without a complete epoch, which holds
/// nothing that its command could not make again at once.
pub(crate) fn keep_previous(folder: &Path) -> Result<Option<String>, TrainError> {
    let (path, kept) = (folder.join(FILE), folder.join(PREVIOUS));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(TrainError::io(&path))?;
    if parse(&bytes).is_some_and(|state| state.history.is_empty()) {
        return Ok(None);
    }
    fs::rename(&path, &kept).map_err(TrainError::io(&path))?;
    Ok(Some(format!(
        "{} held an earlier run: kept as {PREVIOUS}; rename it to {FILE} to --resume that run",
        folder.display()
    )))
}

/// Whether the folder holds a checkpoint.
pub(crate) fn is_there(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Reads the state and checks that it belongs to this run.
pub(crate) fn load(folder: &Path, key: &RunKey) -> Result<State, TrainError> {
    let path = folder.join(FILE);
    if !path.exists() {
        let reason = "there is no checkpoint in this folder; start without --resume";
        return Err(damaged(folder, reason));
    }
    let bytes = fs::read(&path).map_err(TrainError::io(&path))?;
    let state = parse(&bytes).ok_or_else(|| {
        damaged(
            &path,
            "the file is damaged, or of another version; start again without --resume",
        )
    })?;
    match difference(&state.key, key) {
        None => Ok(state),
        Some(reason) => Err(damaged(&path, &reason)),
    }
}

fn damaged(path: &Path, reason: &str) -> TrainError {
    TrainError::Checkpoint {
        path: PathBuf::from(path),
        reason: reason.to_owned(),
    }
}

fn difference(saved: &RunKey, asked: &RunKey) -> Option<String> {
    if saved == asked {
        return None;
    }
    let pairs = [
        ("training data", saved.data.clone(), asked.data.clone()),
        ("--task", saved.task.clone(), asked.task.clone()),
        ("--seed", saved.seed.to_string(), asked.seed.to_string()),
        ("--batch", saved.batch.to_string(), asked.batch.to_string()),
        (
            "--learning-rate",
            saved.learning_rate.to_string(),
            asked.learning_rate.to_string(),
        ),
        (
            "--clip",
            format!("{:?}", saved.clip),
            format!("{:?}", asked.clip),
        ),
        (
            "--max-events",
            saved.max_events.to_string(),
            asked.max_events.to_string(),
        ),
        (
            "reading of the data (--format, --mapping, --augment)",
            saved.reading.clone(),
            asked.reading.clone(),
        ),
        (
            "network (--activation, --arithmetic)",
            saved.network.clone(),
            asked.network.clone(),
        ),
    ];
    let (name, was, is) = pairs.into_iter().find(|(_, was, is)| was != is)?;
    Some(format!(
        "it was made with another {name} ({was}, now {is}); use the same, or start again without --resume"
    ))
}

fn parse(bytes: &[u8]) -> Option<State> {
    let content = bytes.len().checked_sub(32)?;
    let (content, digest) = bytes.split_at_checked(content)?;
    if Sha256::digest(content).as_slice() != digest {
        return None;
    }
    let rest = content.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_at_checked(8)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (header, rest) = rest.split_at_checked(length)?;
    let header: Header = serde_json::from_slice(header).ok()?;
    let mut numbers = rest
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    let mut list = |length: usize| -> Option<Vec<f32>> {
        let list: Vec<f32> = numbers.by_ref().take(length).collect();
        (list.len() == length).then_some(list)
    };
    let mut tensors = || -> Option<Vec<NamedTensor>> {
        let named = header.weights.iter().map(|(name, shape)| {
            Some(NamedTensor {
                name: name.clone(),
                shape: shape.clone(),
                data: list(shape.iter().product())?,
            })
        });
        named.collect()
    };
    let (weights, best) = (tensors()?, tensors()?);
    let moments = header
        .moments
        .iter()
        .map(|&length| Some((list(length)?, list(length)?)))
        .collect::<Option<_>>()?;
    Some(State {
        key: header.key,
        history: header.history,
        steps: header.steps,
        weights,
        best,
        moments,
    })
}

#[cfg(test)]
mod tests {
    use propense_features::{FitOptions, fit};

    use super::*;
    use crate::example::Label;

    fn weight(data: Vec<f32>) -> NamedTensor {
        NamedTensor {
            name: "w".into(),
            shape: vec![1, data.len()],
            data,
        }
    }

    fn state() -> State {
        State {
            key: RunKey {
                data: "d".into(),
                task: "in-session".into(),
                seed: 1,
                batch: 2,
                learning_rate: 0.001,
                clip: None,
                max_events: 64,
                reading: "r".into(),
                network: "{}".into(),
            },
            history: vec![EpochReport {
                epoch: 1,
                train_loss: 0.1 + 0.2,
                validation_loss: 1.0 / 3.0,
                validation_auc: 0.5,
                best: true,
            }],
            steps: 7,
            weights: vec![weight(vec![0.1, -0.0]), weight(vec![f32::MIN_POSITIVE])],
            best: vec![weight(vec![1.0, 2.0]), weight(vec![3.0])],
            moments: vec![(vec![1e-30, 2.0], vec![3.0, 4.0]), (vec![5.0], vec![6.0])],
        }
    }

    #[test]
    fn a_state_comes_back_to_the_last_bit() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let state = state();
        save(folder.path(), &state).expect("save");
        assert_eq!(load(folder.path(), &state.key).expect("load"), state);
    }

    #[test]
    fn an_earlier_run_is_put_aside_and_a_run_without_an_epoch_is_not() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let folder = folder.path();
        assert_eq!(keep_previous(folder).expect("nothing there"), None);
        let old = state();
        save(folder, &old).expect("save");
        let said = keep_previous(folder).expect("put aside").expect("words");
        assert!(said.contains(PREVIOUS), "{said}");
        let begun = State {
            history: Vec::new(),
            ..state()
        };
        save(folder, &begun).expect("save");
        // The run that was only begun must not take the place of the one that was kept.
        assert_eq!(keep_previous(folder).expect("nothing to keep"), None);
        fs::rename(folder.join(PREVIOUS), folder.join(FILE)).expect("as the words say");
        assert_eq!(load(folder, &old.key).expect("load"), old);
    }

    #[test]
    fn any_flipped_bit_or_cut_is_noticed() {
        let folder = tempfile::tempdir().expect("scratch folder");
        save(folder.path(), &state()).expect("save");
        let bytes = fs::read(folder.path().join(FILE)).expect("read");
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1;
            assert!(parse(&broken).is_none(), "flipped bit in byte {place}");
            assert!(parse(&bytes[..place]).is_none(), "cut at byte {place}");
        }
    }

    #[test]
    fn another_run_is_refused_by_the_name_of_the_option() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let state = state();
        save(folder.path(), &state).expect("save");
        let other = RunKey {
            batch: 3,
            ..state.key
        };
        let error = load(folder.path(), &other)
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains("--batch") && error.contains("(2, now 3)"),
            "{error}"
        );
    }

    #[test]
    fn other_features_and_other_outcomes_are_another_reading() {
        let example = |label| Example {
            id: String::new(),
            user: None,
            start: 0,
            rows: Vec::new(),
            events: 0,
            context: Vec::new(),
            label: Label::Whole(label),
        };
        let train = [example(true), example(false)];
        let spec = fit(&[], &FitOptions::default()).0;
        let same = reading(&spec, &train);
        assert_eq!(reading(&spec.clone(), &train.clone()), same);
        assert_ne!(reading(&spec, &[example(false), example(false)]), same);
        assert_ne!(reading(&spec, &train[..1]), same);
        let moved = FitOptions {
            utc_offset_minutes: 60,
            ..FitOptions::default()
        };
        assert_ne!(reading(&fit(&[], &moved).0, &train), same);
    }
}
