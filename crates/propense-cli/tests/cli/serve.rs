//! The service as a process of its own, asked over HTTP.

mod contributions;
mod kill;
mod learn;
mod redis;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{command, propense, words};

const TOKEN: &str = "a token for the tests";

/// A running service, killed where the test ends before it.
struct Running {
    child: Child,
    address: String,
    agent: ureq::Agent,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A status, and the body as text.
type Answer = (u16, String);

impl Running {
    /// Starts it in this folder with these words added.
    fn start(dir: &Path, more: &str, paths: &[&Path]) -> Self {
        let mut args = words("serve --listen 127.0.0.1:0 --rate 0 --dir {}", &[dir]);
        args.extend(words(more, paths));
        let mut command = command(args);
        command.env("PROPENSE_LOG", "warn");
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.env("PROPENSE_TOKEN", TOKEN);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("standard output"));
        out.read_line(&mut line).expect("a line");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        Self {
            child,
            address: line.trim().to_owned(),
            agent: config.build().into(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<Vec<u8>> {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().expect("an answer");
        let body = response.body_mut().read_to_vec().expect("a body");
        let mut whole = ureq::http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            whole = whole.header(name, value);
        }
        whole.body(body).expect("a response")
    }

    fn try_post(&self, path: &str, body: &[u8], key: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(self.url(path));
        request = request.header("Authorization", format!("Bearer {TOKEN}"));
        if !key.is_empty() {
            request = request.header("Idempotency-Key", key);
        }
        let mut response = request.send(body)?;
        let text = response.body_mut().read_to_string()?;
        Ok((response.status().as_u16(), text))
    }

    /// Posts with the token; the answer must have this status.
    #[track_caller]
    fn post(&self, path: &str, body: impl AsRef<[u8]>, key: &str, status: u16) -> Value {
        let (found, text) = self.try_post(path, body.as_ref(), key).expect("an answer");
        assert_eq!(found, status, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(self.get("/manifest.json", &[]).body()).expect("a manifest")
    }

    /// Asks it to end, and waits.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("kill").success());
        self.child.wait().expect("ended").code()
    }
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn shipped() -> PathBuf {
    repository("models/giftshop.propense")
}

/// Another bundle, for the same task or not: it need not score.
fn other() -> PathBuf {
    repository("tests/golden/seed.propense")
}

/// One view by this visitor at this second.
fn view(user: &str, second: i64) -> Value {
    json!({
        "event": "view_item",
        "timestamp": 1_700_000_000_000_i64 + second * 1000,
        "user_id": user,
        "items": [{ "item_id": "85123A", "price": 2.55 }],
    })
}

#[test]
fn nobody_need_read_the_log() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let mut command = command(words("serve --listen 127.0.0.1:0 --dir {}", &[dir.path()]));
    command
        .env("PROPENSE_LOG", "debug")
        .stderr(super::writing::unread());
    let service = Running::spawn(command);
    let told = service.post("/v1/events", json!([view("u1", 0)]).to_string(), "", 200);
    assert_eq!(told["accepted"], 1);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn events_are_stored_once_and_problems_are_named() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let service = Running::start(dir.path(), "", &[]);
    let batch = json!([
        view("a", 0),
        { "event": "view_item", "timestamp": 5, "user_id": "a" },
        { "event": "view_item", "timestamp": 1_700_000_001_000_i64, "value": -1 },
        "no event",
    ]);
    let reply = service.post("/v1/events", batch.to_string(), "one", 200);
    assert_eq!(
        (&reply["accepted"], &reply["rejected"], &reply["repaired"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let rows: Vec<&Value> = reply["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| &p["row"])
        .collect();
    assert_eq!(rows, [&json!(2), &json!(4), &json!(3)], "{reply}");
    assert_eq!(reply["problems"][0]["rule"], "absurd_timestamp");

    let again = service.post("/v1/events", batch.to_string(), "one", 200);
    assert_eq!(
        (&again["duplicate"], &again["accepted"]),
        (&json!(true), &json!(2))
    );
    service.post("/v1/events", json!([view("b", 1)]).to_string(), "one", 409);
    // Without a key the bytes are the key. JSON lines are taken as well.
    let lines = format!("{}\n{}\n", view("c", 2), view("c", 3));
    assert_eq!(
        service.post("/v1/events", &lines, "", 200)["duplicate"],
        false
    );
    assert_eq!(
        service.post("/v1/events", &lines, "", 200)["duplicate"],
        true
    );
    service.post("/v1/events", "[{]", "", 400);
    service.post("/v1/events", vec![b' '; (4 << 20) + 1], "", 413);
    let refused = service
        .agent
        .post(service.url("/v1/events"))
        .send(lines.as_bytes());
    assert_eq!(refused.expect("an answer").status().as_u16(), 401);

    let metrics = service.get("/metrics", &[]);
    let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
    for line in [
        r#"propense_events_total{source="http",outcome="accepted"} 4"#,
        r#"propense_events_total{source="http",outcome="rejected"} 2"#,
        r#"propense_events_total{source="http",outcome="duplicate"} 4"#,
        r#"propense_requests_total{method="POST",route="/v1/events",status="409"} 1"#,
        "propense_queued_events 0",
    ] {
        assert!(metrics.contains(line), "{line} is missing in:\n{metrics}");
    }
    assert_eq!(service.get("/healthz", &[]).status().as_u16(), 200);
    assert_eq!(service.get("/readyz", &[]).status().as_u16(), 200);
    assert_eq!(service.stop(), Some(0));

    // What was acknowledged is there after the end, too.
    let service = Running::start(dir.path(), "", &[]);
    assert_eq!(
        service.post("/v1/events", batch.to_string(), "one", 200)["duplicate"],
        true
    );
    let token = format!("Bearer {TOKEN}");
    let list = service.get("/v1/bundles", &[("Authorization", &token)]);
    let list: Value = serde_json::from_slice(list.body()).expect("JSON");
    assert_eq!(list["events"], 4);
}

#[test]
fn bundles_are_published_rolled_out_and_taken_back() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let service = Running::start(dir.path(), "", &[]);
    assert_eq!(service.get("/manifest.json", &[]).status().as_u16(), 404);
    let file = std::fs::read(shipped()).expect("the shipped bundle");
    let first = service.post("/v1/bundles?note=first", &file, "", 201);
    let first = first["bundle"]["sha256"]
        .as_str()
        .expect("a checksum")
        .to_owned();
    service.post("/v1/bundles", &file, "", 200);
    let mut damaged = file.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let refused = service.post("/v1/bundles", &damaged, "", 422);
    assert_eq!(refused["code"], "BUNDLE_INVALID");
    assert!(
        refused["message"]
            .as_str()
            .is_some_and(|m| m.contains("damaged")),
        "{refused}"
    );
    service.post("/v1/bundles", "no bundle", "", 422);
    service.post(
        "/v1/bundles?learnt_up_to=5",
        std::fs::read(other()).expect("a bundle"),
        "",
        422,
    );
    service.post("/v1/rollback", "", "", 409);
    service.post(
        &format!("/v1/bundles/{}/promote", "0".repeat(64)),
        "",
        "",
        404,
    );

    service.post(&format!("/v1/bundles/{first}/promote"), "", "", 200);
    let answer = service.get("/manifest.json", &[]);
    let tag = answer.headers()["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(answer.headers()["cache-control"], "no-cache");
    assert_eq!(
        service
            .get("/manifest.json", &[("If-None-Match", &tag)])
            .status()
            .as_u16(),
        304
    );
    let manifest = service.manifest();
    assert_eq!(
        (&manifest["percentage"], &manifest["previous"]),
        (&json!(100), &Value::Null)
    );
    let path = format!(
        "/{}",
        manifest["current"]["url"].as_str().expect("an address")
    );
    let fetched = service.get(&path, &[]);
    assert!(fetched.body() == &file);
    assert!(
        fetched.headers()["cache-control"]
            .to_str()
            .is_ok_and(|how| how.contains("immutable"))
    );

    let parent = format!("/v1/bundles?promote=25&parent={first}");
    let second = service.post(&parent, std::fs::read(other()).expect("a bundle"), "", 201);
    let second = second["bundle"]["sha256"]
        .as_str()
        .expect("a checksum")
        .to_owned();
    assert_eq!(
        service
            .get("/manifest.json", &[("If-None-Match", &tag)])
            .status()
            .as_u16(),
        200
    );
    let manifest = service.manifest();
    assert_eq!(
        (
            &manifest["current"]["sha256"],
            &manifest["previous"]["sha256"]
        ),
        (&json!(second), &json!(first))
    );
    assert_eq!(manifest["percentage"], 25);
    let tag_of = |path: &str| {
        service.get(path, &[]).headers()["etag"]
            .to_str()
            .expect("a tag")
            .to_owned()
    };
    assert!(tag_of("/model.propense?share=24.9").contains(&second));
    assert!(tag_of("/model.propense?share=25").contains(&first));
    assert!(tag_of("/model.propense").contains(&first));
    service.post("/v1/rollback", "", "", 200);
    assert_eq!(service.manifest()["current"]["sha256"], json!(first));
    assert!(tag_of("/model.propense?share=0").contains(&first));
    let metrics = service.get("/metrics", &[]);
    let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
    assert!(metrics.contains(r#"role="current"} 100"#), "{metrics}");
    assert!(!metrics.contains(r#"role="previous""#), "{metrics}");

    // It is still so after the end.
    assert_eq!(service.stop(), Some(0));
    let service = Running::start(dir.path(), "--model {}", &[&other()]);
    assert_eq!(service.manifest()["current"]["sha256"], json!(first));
}

#[test]
fn scores_are_those_of_the_command() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let file =
        std::fs::File::open(repository("data/giftshop/events.csv.gz")).expect("the shop's events");
    let read = propense_events::read(flate2::read::MultiGzDecoder::new(file), None, None);
    let events: Vec<_> = read
        .expect("readable")
        .events
        .into_iter()
        .take(6000)
        .collect();
    let (csv, out) = (
        dir.path().join("events.csv"),
        dir.path().join("scores.jsonl"),
    );
    propense_events::write_events(&events, std::fs::File::create(&csv).expect("a file"))
        .expect("written");
    propense(words(
        "score --device cpu --model {} --data {} --out {}",
        &[&shipped(), &csv, &out],
    ))
    .code(0);

    let service = Running::start(&dir.path().join("state"), "--model {}", &[&shipped()]);
    let lines: Vec<String> = events
        .iter()
        .map(|e| serde_json::to_string(e).expect("JSON"))
        .collect();
    let reply = service.post("/v1/score", lines.join("\n"), "", 200);
    let text = std::fs::read_to_string(&out).expect("scores");
    let expected: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let scores = reply["scores"].as_array().expect("a list");
    assert!(scores.len() > 100, "{}", scores.len());
    assert_eq!(scores.len(), expected.len());
    for (score, expected) in scores.iter().zip(&expected) {
        for name in ["id", "user", "events"] {
            assert_eq!(score[name], expected[name]);
        }
        let near = |name: &str, within: f64| {
            let [a, b] = [score, expected].map(|value| value[name].as_f64().expect("a number"));
            assert!((a - b).abs() <= within, "{name}: {a} {b}");
        };
        near("propensity", 1e-5);
        near("percentile", 0.5);
    }
    assert_eq!(
        scores[0]["model_version"],
        service.manifest()["current"]["version"]
    );
}

#[test]
fn a_folder_of_files_with_the_types_that_pages_need() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let page = dir.path().join("page");
    std::fs::create_dir(&page).expect("a folder");
    for name in ["index.html", "module.wasm", "module.js"] {
        std::fs::write(page.join(name), name).expect("written");
    }
    std::fs::write(dir.path().join("secret"), "secret").expect("written");
    let service = Running::start(
        &dir.path().join("state"),
        "--read-only --static {}",
        &[&page],
    );
    for (path, kind) in [
        ("/", "text/html"),
        ("/module.wasm", "application/wasm"),
        ("/module.js", "text/javascript"),
    ] {
        let answer = service.get(path, &[]);
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], kind, "{path}");
    }
    for path in ["/missing", "/%2e%2e/secret", "/..%2fsecret"] {
        assert_eq!(service.get(path, &[]).status().as_u16(), 404, "{path}");
    }
    service.post("/v1/events", view("a", 0).to_string(), "", 403);
}

#[test]
fn what_cannot_run_is_refused() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let (free, short) = (dir.path().join("state"), dir.path().join("token"));
    std::fs::write(&short, "too short\n").expect("written");
    let check = |line: &str, paths: &[&Path], code: i32, says: &str| {
        propense(words(line, paths)).code(code).says(says);
    };
    check(
        "serve --dir {} --listen 127.0.0.1:0",
        &[&free],
        2,
        "no token",
    );
    check(
        "serve --dir {} --listen 127.0.0.1:0 --token-file {}",
        &[&free, &short],
        2,
        "at least 16",
    );
    check(
        "serve --dir {} --read-only --database mysql:x",
        &[&free],
        2,
        "postgres://",
    );
    check(
        "serve --dir {} --read-only --stream redis://x",
        &[&free],
        2,
        "redis://HOST",
    );
    check(
        "serve --dir {} --read-only --static {}",
        &[&free, &short],
        2,
        "no folder",
    );
    check(
        "serve --dir {} --read-only --listen 127.0.0.1:0 --model {}",
        &[&free, &short],
        1,
        "not a Propense bundle",
    );
    let service = Running::start(&free, "", &[]);
    check(
        "serve --dir {} --read-only --listen 127.0.0.1:0",
        &[&free],
        1,
        "another service works here",
    );
    let taken = service.address.trim_start_matches("http://").to_owned();
    let line = format!("serve --dir {{}} --read-only --listen {taken}");
    check(&line, &[&dir.path().join("elsewhere")], 1, "cannot listen");
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    within(Duration::from_secs(20), what, holds);
}

/// Waits so long until something holds.
fn within(patience: Duration, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
