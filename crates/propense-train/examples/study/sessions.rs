//! A bundle of the first four days, and the sessions of the days after them as its head sees them.

use std::sync::Arc;

use propense_events::{DAY, Session};
use propense_features::{Featuriser, UserHistory, sessions_shown};
use propense_model::{CpuStream, Head, Lived, PREFIXES};
use propense_train::{Loaded, Task};

use crate::fitting::{fit, part};

/// Days that the shared model is trained on.
const TRAINED: i64 = 4;

/// One session after its first events.
pub(crate) struct Seen {
    pub(crate) user: u64,
    pub(crate) day: i64,
    pub(crate) bought: bool,
    /// `[moments, width]`.
    pub(crate) inputs: Vec<f32>,
}

impl Seen {
    pub(crate) fn lived(&self) -> Lived<'_> {
        Lived {
            inputs: &self.inputs,
            bought: self.bought,
        }
    }
}

pub(crate) struct Start {
    pub(crate) head: Head,
    /// In the order of their starts.
    pub(crate) sessions: Vec<Seen>,
}

/// A fixed hash (FNV-1a, then splitmix64's last step).
pub(crate) fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325u64;
    let hash = text.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Start {
    pub(crate) fn of(data: &Loaded) -> Result<Self, Box<dyn std::error::Error>> {
        let first = data.events.iter().map(|event| event.timestamp).min();
        let first = first.ok_or("the data has no events")?;
        let until = first + TRAINED * DAY;
        let early = part(data, first, until);
        let (bundle, _) = fit(Task::InSession, &early, 1)?;
        let (manifest, head) = (&bundle.manifest, Head::of(&bundle)?);
        let mut sessions = sessions_shown(
            data.events.iter().cloned(),
            manifest.session_gap_ms(),
            manifest.midnight(),
            data.utc_offset_minutes,
        );
        UserHistory::annotate(&mut sessions);
        sessions.sort_by_key(|session| session.start);
        let spec = Arc::new(manifest.features.clone());
        let fresh = CpuStream::new(bundle.cpu_model()?);
        let seen = |session: &Session| {
            let mut featuriser =
                Featuriser::new(Arc::clone(&spec), session.start, &session.context);
            let (mut stream, mut row, mut inputs) = (fresh.clone(), Vec::new(), Vec::new());
            for (place, event) in session.before_purchase().iter().enumerate() {
                featuriser.push(event, &mut row);
                stream.push(&row);
                if PREFIXES.contains(&(place + 1)) {
                    inputs.extend(stream.head_input(featuriser.context()));
                }
            }
            Seen {
                user: hash(session.user.as_deref().unwrap_or_default()),
                day: (session.start - first) / DAY,
                bought: session.first_purchase().is_some(),
                inputs,
            }
        };
        let later = sessions.iter().filter(|session| session.start >= until);
        let sessions: Vec<Seen> = later
            .map(seen)
            .filter(|session| !session.inputs.is_empty())
            .collect();
        let bought = sessions.iter().filter(|session| session.bought).count();
        println!(
            "trained on {} events of the first {TRAINED} days; after them {} sessions of two events or more, {bought} with an order; head of {} numbers",
            early.events.len(),
            sessions.len(),
            head.width()
        );
        Ok(Self { head, sessions })
    }
}
