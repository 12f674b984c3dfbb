//! kill -9 under load, again and again: no acknowledged event is lost, none is there twice, and the
//! roll-out is the one last acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{Running, other, shipped, view};

/// Senders at a time.
const SENDERS: usize = 4;
/// Events of a batch.
const BATCH: u64 = 5;

/// What the senders know.
#[derive(Default)]
struct Known {
    /// The next batch.
    next: AtomicU64,
    /// Batches sent and not acknowledged.
    open: Mutex<Vec<u64>>,
    acknowledged: AtomicU64,
    /// Batches acknowledged as stored before: the acknowledgement was lost, the batch was not.
    again: AtomicU64,
    stop: AtomicBool,
}

impl Known {
    fn send(&self, service: &Running, batch: u64) -> bool {
        let events: Vec<Value> = (0..BATCH)
            .map(|place| {
                view(
                    &format!("u{}", batch * BATCH + place),
                    (batch % 1000) as i64,
                )
            })
            .collect();
        let body = Value::from(events).to_string();
        match service.try_post("/v1/events", body.as_bytes(), &format!("batch {batch}")) {
            Ok((200, text)) => {
                let reply: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!(reply["accepted"], BATCH, "{text}");
                let twice = u64::from(reply["duplicate"] == true);
                self.again.fetch_add(twice, Ordering::SeqCst);
                self.acknowledged.fetch_add(1, Ordering::SeqCst);
                true
            }
            Ok((status, text)) => panic!("{status}: {text}"),
            // Killed.
            Err(_) => false,
        }
    }

    /// Sends until told to stop, what is open first.
    fn load(&self, service: &Running) {
        while !self.stop.load(Ordering::SeqCst) {
            let open = self.open.lock().expect("the list").pop();
            let batch = open.unwrap_or_else(|| self.next.fetch_add(1, Ordering::SeqCst));
            if !self.send(service, batch) {
                self.open.lock().expect("the list").push(batch);
                return;
            }
        }
    }
}

/// Moves the roll-out about until the service is gone. `wanted` holds the last state acknowledged,
/// and the one asked for since, if any.
fn operate(service: &Running, bundle: &str, stop: &AtomicBool, wanted: &mut Vec<(String, i64)>) {
    let mut turn = 0;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        let next = (bundle.to_owned(), 1 + (turn * 7) % 100);
        wanted.push(next.clone());
        let path = format!("/v1/bundles/{}/promote?percentage={}", next.0, next.1);
        match service.try_post(&path, b"", "") {
            Ok((200, _)) => drop(wanted.drain(..wanted.len() - 1)),
            Ok((status, text)) => panic!("{status}: {text}"),
            Err(_) => return,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill_and_count(dir: &Path, kills: usize) {
    let mut chance = ChaCha8Rng::seed_from_u64(9);
    let known = Arc::new(Known::default());
    let first = Running::start(dir, "--model {}", &[&shipped()]);
    let second = first.post(
        "/v1/bundles",
        std::fs::read(other()).expect("a bundle"),
        "",
        201,
    );
    let of = |value: &Value| value.as_str().expect("a checksum").to_owned();
    let bundles = [
        of(&first.manifest()["current"]["sha256"]),
        of(&second["bundle"]["sha256"]),
    ];
    let mut wanted = vec![(bundles[0].clone(), 100)];
    let mut service = Some(first);
    for kill in 0..kills {
        let mut running = service
            .take()
            .unwrap_or_else(|| Running::start(dir, "", &[]));
        let manifest = running.manifest();
        let found = (
            of(&manifest["current"]["sha256"]),
            manifest["percentage"].as_i64().expect("a number"),
        );
        assert!(
            wanted.contains(&found),
            "after kill {kill}: {found:?} is none of {wanted:?}"
        );
        wanted = vec![found];
        for bundle in &bundles {
            let file = running.get(&format!("/bundles/{bundle}.propense"), &[]);
            assert_eq!(file.status().as_u16(), 200);
        }
        known.stop.store(false, Ordering::SeqCst);
        let wait = Duration::from_millis(chance.random_range(20..400));
        let id = running.child.id().to_string();
        std::thread::scope(|scope| {
            let running = &running;
            for _ in 0..SENDERS {
                scope.spawn(|| known.load(running));
            }
            let (stop, wanted, bundle) = (&known.stop, &mut wanted, &bundles[1]);
            scope.spawn(move || operate(running, bundle, stop, wanted));
            std::thread::sleep(wait);
            let killed = std::process::Command::new("kill")
                .args(["-KILL", &id])
                .status();
            assert!(killed.expect("kill").success());
            known.stop.store(true, Ordering::SeqCst);
        });
        running.child.wait().expect("killed");
    }

    // What was not acknowledged is sent again: then everything is there, once.
    let last = Running::start(dir, "", &[]);
    let open: Vec<u64> = known.open.lock().expect("the list").drain(..).collect();
    for batch in open {
        assert!(known.send(&last, batch));
    }
    assert_eq!(last.stop(), Some(0));
    let batches = known.next.load(Ordering::SeqCst);
    assert_eq!(known.acknowledged.load(Ordering::SeqCst), batches);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let stored = runtime.block_on(async {
        let store = propense_serve::Store::open_file(&dir.join("propense.db"))
            .await
            .expect("opened");
        store.events_after(0, usize::MAX).await.expect("read")
    });
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for event in stored.events {
        *times.entry(event.user_id.expect("a user")).or_default() += 1;
    }
    let expected: BTreeMap<String, usize> =
        (0..batches * BATCH).map(|n| (format!("u{n}"), 1)).collect();
    assert_eq!(times.len(), expected.len());
    assert!(times == expected, "an event is there twice");
    let figures = json!({
        "kills": kills,
        "batches": batches,
        "events": times.len(),
        "acknowledged only at the second time": known.again.load(Ordering::SeqCst),
    });
    println!("{figures}");
    assert!(batches > kills as u64, "{figures}");
}

/// Ten kills; `PROPENSE_KILLS=100` for more.
#[test]
fn killed_at_any_moment_it_loses_nothing_and_stores_nothing_twice() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let kills = std::env::var("PROPENSE_KILLS").ok();
    let kills = kills.and_then(|kills| kills.parse().ok()).unwrap_or(10);
    kill_and_count(dir.path(), kills);
}
