//! `serve --learn`: the service follows the gift shop's events that are posted to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use propense_events::{Event, EventKind, sessionise};
use serde_json::Value;

use super::{Running, TOKEN, propense, repository, until, within, words};

/// Learning stands back for everything else on the machine, and the other tests are on it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Events at most of a session before its order: so many tell who buys.
const EVENTS: usize = 25;

/// Visits that the model in use was trained on.
const KNOWN: usize = 1500;

/// Events at most of one request.
const BATCH: usize = 10_000;

type Visits = Vec<Vec<Event>>;

/// The shop's visits by their start, shortened.
fn shop() -> &'static Visits {
    static SHOP: OnceLock<Visits> = OnceLock::new();
    SHOP.get_or_init(|| {
        let file = repository("data/giftshop/events.csv.gz");
        let file = std::fs::File::open(file).expect("the shop's events");
        let read = propense_events::read(flate2::read::MultiGzDecoder::new(file), None, None);
        let (sessions, _) = sessionise(read.expect("readable").events, 1_800_000);
        let short = |session: propense_events::Session| {
            let mut events = session.before_purchase().to_vec();
            events.truncate(EVENTS);
            events.extend(
                session
                    .first_purchase()
                    .map(|place| session.events[place].clone()),
            );
            events
        };
        let visits = sessions.into_iter().map(short);
        visits.filter(|visit| visit.len() > 1).take(7000).collect()
    })
}

fn is_order(event: &Event) -> bool {
    event.kind == EventKind::Purchase
}

fn ordered(visit: &[Event]) -> bool {
    visit.iter().any(is_order)
}

/// The visit with this outcome, whatever its own.
fn with_outcome(visit: &[Event], order: bool) -> Vec<Event> {
    let mut events = visit.to_vec();
    if ordered(visit) && !order {
        events.retain(|event| !is_order(event));
    } else if order && !ordered(visit) {
        let last = events.last().expect("an event").clone();
        let mut purchase = Event::new(EventKind::Purchase, last.timestamp + 20_000);
        (purchase.user_id, purchase.session_id) = (last.user_id, last.session_id);
        events.push(purchase);
    }
    events
}

/// The bundle in use: of the first visits, trained as a shop would.
fn model() -> &'static Path {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    MODEL.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve-learn");
        std::fs::create_dir_all(&dir).expect("a folder");
        let at = |name: &str| dir.join(name);
        let (csv, run, out) = (at("events.csv"), at("run"), at("model.propense"));
        let file = std::fs::File::create(&csv).expect("a file");
        let events: Vec<Event> = shop()[..KNOWN].iter().flatten().cloned().collect();
        propense_events::write_events(&events, file).expect("written");
        let line = "train --task in-session --data {} --out {} --device cpu --epochs 6 --batch 32 --precision f16 --checkpoint {}";
        propense(words(line, &[&csv, &out, &run])).code(0);
        out
    })
}

/// Later visits, without two of three that end without an order: more visitors buy than the model has
/// learnt.
fn campaign(range: std::ops::Range<usize>) -> Visits {
    let visits = shop()[range].iter().enumerate();
    let kept = visits.filter(|(place, visit)| ordered(visit) || place % 3 == 0);
    kept.map(|(_, visit)| visit.clone()).collect()
}

/// Posts the visits' events, as many at a time as the service takes.
fn post(service: &Running, visits: &[Vec<Event>]) -> u64 {
    let lines: Vec<String> = visits
        .iter()
        .flatten()
        .map(|event| serde_json::to_string(event).expect("JSON"))
        .collect();
    for part in lines.chunks(BATCH) {
        let reply = service.post("/v1/events", part.join("\n"), "", 200);
        assert_eq!(reply["rejected"], 0, "{reply}");
    }
    lines.len() as u64
}

/// The sum of the counter's values, or the gauge's.
fn metric(service: &Running, name: &str) -> f64 {
    let text = service.get("/metrics", &[]).into_body();
    let text = String::from_utf8_lossy(&text).into_owned();
    let values = text.lines().filter(|line| line.starts_with(name));
    values
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn rounds(service: &Running, count: usize) {
    within(PATIENCE, "the end of a round", || {
        metric(service, "propense_learning_rounds_total") >= count as f64
    });
}

fn registry(service: &Running) -> Value {
    let token = format!("Bearer {TOKEN}");
    let list = service.get("/v1/bundles", &[("Authorization", &token)]);
    serde_json::from_slice(list.body()).expect("JSON")
}

/// The published bundles by what they come from.
fn child(registry: &Value, parent: &Value) -> Value {
    let bundles = registry["bundles"].as_array().expect("a list").iter();
    let mut children = bundles.filter(|bundle| bundle["parent"] == *parent);
    let found = children.next().cloned().unwrap_or_default();
    assert_eq!(children.next(), None, "two of one parent: {registry}");
    found
}

fn count(bundle: &Value, kind: &str) -> u64 {
    let examples = &bundle["metrics"]["update"]["examples"];
    examples[kind]
        .as_u64()
        .unwrap_or_else(|| panic!("{kind} in {bundle}"))
}

/// Learns once so many visits are there: all that are posted.
fn learn(least: usize) -> String {
    format!("--model {{}} --learn --learn-every 1s --learn-epochs 3 --learn-least {least}")
}

#[test]
fn the_service_follows_its_intake_and_learns_each_session_once() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let state = dir.path().join("state");
    // Some visits arrive late: with the next part.
    let (on_time, late): (Vec<_>, Vec<_>) = campaign(KNOWN..5500)
        .into_iter()
        .enumerate()
        .partition(|(place, _)| place % 50 != 20);
    let of = |part: Vec<(usize, Vec<Event>)>| -> Visits {
        part.into_iter().map(|(_, visit)| visit).collect()
    };
    let (on_time, late) = (of(on_time), of(late));
    // Not before all is posted; the last of them wait for their outcome.
    let service = Running::start(&state, &learn(on_time.len() - 60), &[model()]);
    let first = service.manifest()["current"]["sha256"].clone();
    let stored = post(&service, &on_time);
    within(PATIENCE, "a new version in the manifest", || {
        service.manifest()["current"]["sha256"] != first
    });
    let manifest = service.manifest();
    assert_eq!(manifest["percentage"], 100);
    assert_eq!(manifest["previous"]["sha256"], first);
    let second = registry(&service)["bundles"][0].clone();
    assert_eq!(second["sha256"], manifest["current"]["sha256"]);
    assert_eq!(second["parent"], first);
    // Stored in sixteen bits as the first is, of whose length in full it would be nearly twice.
    let bytes = |bundle: &Value| bundle["bytes"].as_f64().expect("a number");
    let length = std::fs::metadata(model()).expect("the model").len() as f64;
    assert!(bytes(&second) < 1.2 * length, "{second}");
    assert_eq!(second["learnt_up_to"], stored);
    assert!(
        second["note"]
            .as_str()
            .is_some_and(|note| note.contains("better in")),
        "{second}"
    );
    until("the position in the metrics", || {
        metric(&service, "propense_learnt_position") == stored as f64
    });
    let promoted = r#"propense_learning_rounds_total{outcome="promoted"}"#;
    assert_eq!(metric(&service, promoted), 1.0);
    for figure in ["auc", "log_loss"] {
        let name = format!(r#"propense_learning_sealed{{figure="{figure}",model="candidate"}}"#);
        assert!(metric(&service, &name) > 0.1, "{figure}");
    }

    // The next part, and what was late, in one request: what judged is new as well, and not enough.
    let rest = [campaign(5500..6300), late.clone()].concat();
    assert!(rest.iter().flatten().count() <= BATCH);
    let least = usize::try_from(count(&second, "sealed")).expect("a number") + 100;
    assert_eq!(service.stop(), Some(0));
    let service = Running::start(&state, &learn(least), &[model()]);
    let stored = stored + post(&service, &rest);
    rounds(&service, 1);
    let third = child(&registry(&service), &second["sha256"]);
    assert_eq!(third["learnt_up_to"], stored);
    // One in five of those that are late validates.
    assert!((count(&third, "late") as usize) > late.len() / 2, "{third}");
    // Each visit is learnt or validated once, judges, or waits for its outcome.
    let learnt = |bundle: &Value| count(bundle, "fresh") + count(bundle, "validation");
    let seen =
        learnt(&second) + learnt(&third) + count(&third, "sealed") + count(&third, "waiting");
    let posted: Vec<Event> = on_time.iter().chain(&rest).flatten().cloned().collect();
    let (sessions, _) = sessionise(posted, 1_800_000);
    // A bundle that was made elsewhere knows its data up to a moment; what began before is old.
    let known = shop()[..KNOWN]
        .iter()
        .flatten()
        .map(|event| event.timestamp);
    let known = known.max().expect("an event");
    let new = sessions
        .iter()
        .filter(|session| session.start > known && !session.before_purchase().is_empty());
    assert_eq!(seen, new.count() as u64);

    // Whoever takes a version back has the last word, however much comes in.
    let before = service.manifest();
    service.post("/v1/rollback", "", "", 200);
    let manifest = service.manifest();
    assert_eq!(manifest["current"]["sha256"], before["previous"]["sha256"]);
    within(PATIENCE, "the pause", || {
        metric(&service, r#"propense_learning_state{state="rolled_back"}"#) == 1.0
    });
    post(&service, &campaign(6300..7000));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(metric(&service, "propense_learning_rounds_total"), 1.0);
    assert_eq!(service.manifest(), manifest);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn sabotaged_outcomes_never_go_live() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let new = &shop()[KNOWN..KNOWN + 3000];
    // The outcome of the visit so many places on: as many orders, and no law in them.
    let by_chance = |place: usize| ordered(&new[(place + 389) % new.len()]);
    let inverted = |place: usize| !ordered(&new[place]);
    type Way<'a> = (&'a str, &'a dyn Fn(usize) -> bool, &'a str);
    let ways: [Way<'_>; 2] = [
        ("by chance", &by_chance, "chance"),
        ("inverted", &inverted, "inverted"),
    ];
    for (name, outcome, said) in ways {
        let state = dir.path().join(name);
        let service = Running::start(&state, &learn(new.len() - 60), &[model()]);
        let first = service.manifest();
        let visits = new.iter().enumerate();
        let visits: Visits = visits
            .map(|(place, visit)| with_outcome(visit, outcome(place)))
            .collect();
        post(&service, &visits);
        rounds(&service, 1);
        let kept = r#"propense_learning_rounds_total{outcome="kept"}"#;
        let candidate = child(&registry(&service), &first["current"]["sha256"]);
        assert_eq!(metric(&service, kept), 1.0, "{name}: {candidate}");
        assert_eq!(service.manifest(), first, "{name}");
        assert!(
            candidate["note"]
                .as_str()
                .is_some_and(|note| note.contains(said)),
            "{name}: {candidate}"
        );
    }
}

fn has_candidate(service: &Running) -> bool {
    registry(service)["bundles"]
        .as_array()
        .expect("a list")
        .len()
        > 1
}

/// What is left when everything has been learnt, but for the times of writing.
fn settled(dir: &Path) -> (BTreeMap<String, Value>, Value) {
    let service = Running::start(dir, &learn(1000), &[model()]);
    within(PATIENCE, "the end of the round", || has_candidate(&service));
    let list = registry(&service);
    let bundles = list["bundles"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|bundle| {
            let mut bundle = bundle.clone();
            bundle["published_ms"] = Value::Null;
            (bundle["sha256"].to_string(), bundle)
        });
    let bundles = bundles.collect();
    let mut rollout = list["rollout"].clone();
    rollout["moved_ms"] = Value::Null;
    assert_eq!(service.stop(), Some(0));
    let files = std::fs::read_dir(dir.join("bundles")).expect("the bundles");
    let names: BTreeSet<_> = files
        .map(|file| file.expect("a file").file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    (bundles, rollout)
}

#[test]
fn killed_while_it_learns_it_ends_as_if_it_had_not_been() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let (state, other) = (dir.path().join("state"), dir.path().join("other"));
    let service = Running::start(&state, "--model {}", &[model()]);
    post(&service, &campaign(KNOWN..5500));
    assert_eq!(service.stop(), Some(0));
    let learns = |service: &Running| {
        within(PATIENCE, "learning", || {
            metric(service, r#"propense_learning_state{state="learning"}"#) == 1.0
                || has_candidate(service)
        });
    };
    let mut service = Running::start(&state, &learn(1000), &[model()]);
    learns(&service);
    assert!(
        !has_candidate(&service),
        "the round was over before it could be killed"
    );
    service.child.kill().expect("killed");
    service.child.wait().expect("killed");

    // Another goes on from here undisturbed.
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&state, &other])
        .status();
    assert!(copied.expect("cp").success());
    let expected = settled(&other);
    assert_eq!(expected.0.len(), 2, "{expected:?}");

    for moment in [0, 40, 150, 400, 800] {
        let mut service = Running::start(&state, &learn(1000), &[model()]);
        learns(&service);
        std::thread::sleep(Duration::from_millis(moment));
        service.child.kill().expect("killed");
        service.child.wait().expect("killed");
    }
    // Told to stop, it does not wait for the round.
    let service = Running::start(&state, &learn(1000), &[model()]);
    learns(&service);
    assert_eq!(service.stop(), Some(0));
    assert_eq!(settled(&state), expected);
}

#[test]
fn wrong_use_of_learn_is_named() {
    let dir = tempfile::tempdir().expect("scratch folder");
    for (rest, said) in [
        ("--learn-every 1h", "--learn"),
        ("--learn --learn-every soon", "30s, 10m"),
        ("--learn --learn-least 5", "--learn-least"),
        ("--learn --learn-percentage 0", "--learn-percentage"),
        ("--learn --learn-events 100", "--learn-events"),
        ("--learn --learn-threads 0", "--learn-threads"),
        ("--learn --learn-epochs 0", "--epochs"),
        ("--learn --read-only", "--read-only"),
    ] {
        let line = format!("serve --dir {{}} --listen 127.0.0.1:0 {rest}");
        propense(words(&line, &[dir.path()])).code(2).says(said);
    }
}
