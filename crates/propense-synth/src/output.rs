//! The three files.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use propense_events::{Context, Event, EventKind, Session, write_events};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    SynthError,
    catalogue::Catalogue,
    draw::{Draws, Purpose},
    visit::PAGE_TYPES,
};

const LICENCE: &str = "CC BY 4.0";

const CATALOGUE_NOTE: &str = "Real products of UCI Online Retail (Chen, D., 2015; UCI ML \
    Repository 352): stock codes, median prices in pounds, units sold, and what is bought \
    together. item_category is imputed from the title by key words.";

const SAMPLE_NOTE: &str = "Semi-synthetic sessions; DATA_CARD.md says what is real (page counts, \
    seconds by page type, visitor type, month, weekend, outcome: UCI Online Shoppers Purchasing \
    Intention, Sakar, Polat, Katircioglu, Kastro, 2018; UCI ML Repository 468) and what is imputed. \
    An event is [seconds since the event before, position in kinds, position in items or -1, \
    position in page_types or -1, quantity or 0]; start is in milliseconds since 1970. The order \
    itself is left out: bought says whether one followed.";

/// Sessions in the file to replay.
const SAMPLE: usize = 1_000;

/// They come from this newest share of all sessions, in percent.
const NEWEST_PERCENT: usize = 15;

/// Writes all events, session by session, as gzip. The same events give the same bytes.
pub(crate) fn write_events_file(path: &Path, sessions: &[Session]) -> Result<u64, SynthError> {
    let events: Vec<Event> = sessions.iter().flat_map(|s| s.events.clone()).collect();
    let mut plain = Vec::new();
    write_events(&events, &mut plain).map_err(|source| SynthError::Events {
        path: path.to_owned(),
        source,
    })?;
    // No name and no time in the header.
    let mut packed = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    packed.write_all(&plain).map_err(SynthError::io(path))?;
    let packed = packed.finish().map_err(SynthError::io(path))?;
    write(path, &packed)
}

/// Writes the catalogue, a product on each line.
pub(crate) fn write_catalogue(path: &Path, catalogue: &Catalogue) -> Result<u64, SynthError> {
    let head = json!({ "note": CATALOGUE_NOTE, "license": LICENCE });
    write_json(path, &head, "items", &catalogue.products)
}

/// A session as the page replays it.
#[derive(Serialize)]
struct Replay {
    context: Context,
    start: i64,
    bought: bool,
    events: Vec<[Value; 5]>,
}

/// Writes sessions to replay, drawn from the newest. `sessions` are in order of time. Returns the
/// number of bytes, of sessions, and of those with an order.
pub(crate) fn write_sample(
    path: &Path,
    sessions: &[Session],
    seed: u64,
) -> Result<(u64, usize, usize), SynthError> {
    let newest = sessions.len() * NEWEST_PERCENT / 100;
    let mut chosen: Vec<&Session> = sessions[sessions.len() - newest..].iter().collect();
    Draws::new(seed, Purpose::Sample, 0).shuffle(&mut chosen);
    chosen.truncate(SAMPLE);
    chosen.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));

    let mut items: Vec<&str> = Vec::new();
    let mut item_of: BTreeMap<&str, usize> = BTreeMap::new();
    let replays: Vec<Replay> = chosen
        .iter()
        .map(|session| {
            let mut before = session.start;
            let events = session.before_purchase().iter().map(|event| {
                let item = event.items.first().map(|item| {
                    *item_of.entry(&item.item_id).or_insert_with(|| {
                        items.push(&item.item_id);
                        items.len() - 1
                    })
                });
                let row = replay_event(event, event.timestamp - before, item);
                before = event.timestamp;
                row
            });
            Replay {
                events: events.collect(),
                context: session.context.clone(),
                start: session.start,
                bought: session.converted(),
            }
        })
        .collect();
    let bought = replays.iter().filter(|replay| replay.bought).count();
    let head = json!({
        "note": SAMPLE_NOTE,
        "license": LICENCE,
        "kinds": EventKind::ALL.map(EventKind::name),
        "page_types": PAGE_TYPES,
        "items": items,
    });
    let bytes = write_json(path, &head, "sessions", &replays)?;
    Ok((bytes, replays.len(), bought))
}

fn replay_event(event: &Event, after: i64, item: Option<usize>) -> [Value; 5] {
    let index = |position: Option<usize>| position.map_or(json!(-1), |position| json!(position));
    let kind = EventKind::ALL.iter().position(|kind| *kind == event.kind);
    let page_type = event.page_type.as_deref();
    let page_type = PAGE_TYPES.iter().position(|name| Some(*name) == page_type);
    let quantity = event.items.first().and_then(|item| item.quantity);
    let seconds = if after % 1_000 == 0 {
        json!(after / 1_000)
    } else {
        json!(after as f64 / 1_000.0)
    };
    [
        seconds,
        index(kind),
        index(item),
        index(page_type),
        json!(quantity.unwrap_or(0.0) as u64),
    ]
}

/// Writes a JSON object with the fields of `head` and then a list, one element on each line, so
/// that changes between versions can be read.
fn write_json<T: Serialize>(
    path: &Path,
    head: &Value,
    name: &str,
    list: &[T],
) -> Result<u64, SynthError> {
    let mut text = serde_json::to_string(head).map_err(SynthError::json(path))?;
    text.pop();
    text.push_str(&format!(",\"{name}\":[\n"));
    for (number, element) in list.iter().enumerate() {
        if number > 0 {
            text.push_str(",\n");
        }
        text.push_str(&serde_json::to_string(element).map_err(SynthError::json(path))?);
    }
    text.push_str("\n]}\n");
    write(path, text.as_bytes())
}

/// Writes the whole file or leaves what was there.
fn write(path: &Path, bytes: &[u8]) -> Result<u64, SynthError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    fs::write(&unfinished, bytes).map_err(SynthError::io(&unfinished))?;
    fs::rename(&unfinished, path).map_err(SynthError::io(path))?;
    Ok(bytes.len() as u64)
}
