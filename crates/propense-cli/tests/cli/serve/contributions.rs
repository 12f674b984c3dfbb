//! Contributions of browsers: what is taken, what is refused, and what becomes of it.

use std::path::Path;

use propense_model::{Bundle, CLIP, Contribution, Head, server_rate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{Running, shipped};

/// Contributions that make a round.
const ROUND: usize = 100;

fn start(dir: &Path, more: &str) -> Running {
    let words = format!("--model {{}} --contributions {ROUND} {more}");
    Running::start(dir, &words, &[&shipped()])
}

fn standing(service: &Running) -> Value {
    serde_json::from_slice(service.get("/v1/contributions", &[]).body()).expect("JSON")
}

/// Posts as a page does: without a token. Status and code.
fn send(service: &Running, body: &str) -> (u16, String) {
    let request = service.agent.post(service.url("/v1/contributions"));
    let mut response = request.send(body).expect("an answer");
    let text = response.body_mut().read_to_string().expect("a body");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let code = answer["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

/// A contribution that says: more of the last number, the bias.
fn honest(round: &Value, width: usize, random: &mut ChaCha8Rng) -> String {
    let mut difference = vec![0.0; width];
    difference[width - 1] = CLIP;
    let multiplier = round["multiplier"].as_f64().expect("a multiplier");
    let sent = Contribution::with_noise(difference, multiplier, || random.random());
    json!({ "bundle": round["bundle"], "multiplier": multiplier, "update": sent.numbers })
        .to_string()
}

fn bundle(service: &Running, sha256: &str) -> Bundle {
    let bytes = service.get(&format!("/bundles/{sha256}.propense"), &[]);
    Bundle::from_bytes(bytes.body()).expect("a bundle")
}

fn bias(bundle: &Bundle) -> f64 {
    let weight = bundle.weights.iter().find(|w| w.name == "output.bias");
    weight.map_or(f64::NAN, |w| f64::from(w.data[0]))
}

/// The newest bundle of the registry.
fn newest(service: &Running) -> Value {
    let token = format!("Bearer {}", super::TOKEN);
    let list = service.get("/v1/bundles", &[("Authorization", &token)]);
    let list: Value = serde_json::from_slice(list.body()).expect("JSON");
    list["bundles"][0].clone()
}

fn width() -> usize {
    let shipped = Bundle::from_bytes(&std::fs::read(shipped()).expect("read")).expect("a bundle");
    Head::of(&shipped).expect("a head that learns").width()
}

#[test]
fn a_service_that_was_not_told_to_takes_none() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let service = Running::start(dir.path(), "--model {}", &[&shipped()]);
    assert_eq!(send(&service, "{}"), (404, "NO_CONTRIBUTIONS".to_owned()));
}

#[test]
fn rounds_make_candidates_until_the_budget_is_used_up() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let more = "--contributions-rate 100000 --contributions-rounds 2 --contributions-epsilon 100";
    let mut service = start(dir.path(), more);
    let (width, mut random) = (width(), ChaCha8Rng::seed_from_u64(5));
    for round in 1..=2 {
        let open = standing(&service);
        assert_eq!(open["open"], true, "{open}");
        let live = open["bundle"].as_str().expect("a bundle").to_owned();
        for sent in 0..ROUND {
            let body = honest(&open, width, &mut random);
            assert_eq!(send(&service, &body), (202, String::new()), "{sent}");
            if sent == 40 {
                // The same again counts once; a kill loses none.
                assert_eq!(send(&service, &body), (202, String::new()));
                drop(service);
                service = start(dir.path(), more);
            }
        }
        let late = honest(&open, width, &mut random);
        assert_eq!(send(&service, &late), (409, "COMPLETE".to_owned()));
        assert_eq!(standing(&service)["open"], false);

        // A candidate, and no more than that.
        let candidate = newest(&service);
        assert_eq!(candidate["parent"], live.as_str());
        let note = candidate["note"].as_str().expect("a note");
        assert!(note.contains("100 contributions"), "{note}");
        let manifest = service.manifest();
        assert_eq!(manifest["current"]["sha256"], live.as_str());
        let sha256 = candidate["sha256"].as_str().expect("a checksum");
        let (before, after) = (bundle(&service, &live), bundle(&service, sha256));
        let lineage = after.manifest.lineage.as_ref().expect("a parent");
        assert_eq!(lineage.parent, before.manifest.sha256);
        // Everybody said CLIP; the noise's mean deviates by 2 · CLIP · m / √100, the trimming a bit.
        let multiplier = open["multiplier"].as_f64().expect("a multiplier");
        let moved = (bias(&after) - bias(&before)) / server_rate(2);
        let noise = 0.2 * CLIP * multiplier;
        assert!((moved - CLIP).abs() < 5.0 * noise, "{moved} {noise}");

        let spent = standing(&service)["epsilon"]["spent"].as_f64().expect("ε");
        let expected = if round == 1 {
            45.0..65.0
        } else {
            99.99..100.001
        };
        assert!(expected.contains(&spent), "{round}: {spent}");
        service.post(&format!("/v1/bundles/{sha256}/promote"), "", "", 200);
    }
    // Everybody has the second candidate; another round would pass the budget.
    let closed = standing(&service);
    assert_eq!(
        (&closed["open"], &closed["code"]),
        (&json!(false), &json!("BUDGET"))
    );
    let more = json!({ "bundle": "x", "multiplier": 1.0, "update": [1] }).to_string();
    assert_eq!(send(&service, &more), (409, "BUDGET".to_owned()));
    let text = String::from_utf8(service.get("/metrics", &[]).into_body()).expect("text");
    assert!(
        text.contains("propense_contributions_total{outcome=\"refused\"}"),
        "{text}"
    );
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn what_no_browser_would_send_is_refused_and_counts_for_nothing() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let service = start(dir.path(), "--contributions-rate 100000");
    let (width, open) = (width(), standing(&service));
    let (bundle, multiplier) = (&open["bundle"], &open["multiplier"]);
    let with =
        |update: Value| json!({ "bundle": bundle, "multiplier": multiplier, "update": update });
    let check = |body: &str, status: u16, code: &str| {
        let shown: String = body.chars().take(120).collect();
        assert_eq!(send(&service, body), (status, code.to_owned()), "{shown}");
    };
    check("", 400, "CONTRIBUTION");
    check("nonsense", 400, "CONTRIBUTION");
    // An event, by itself or beside the update.
    check(
        r#"{"event":"view_item","timestamp":1}"#,
        400,
        "CONTRIBUTION",
    );
    let mut beside = with(json!(vec![1; width]));
    beside["user_id"] = json!("u1");
    check(&beside.to_string(), 400, "CONTRIBUTION");
    // No whole numbers; none that are finite.
    check(
        &with(json!(vec![0.5; width])).to_string(),
        400,
        "CONTRIBUTION",
    );
    for number in ["NaN", "1e999", "null", "99999999999"] {
        let numbers = vec![number; width].join(",");
        let body =
            format!(r#"{{"bundle":{bundle},"multiplier":{multiplier},"update":[{numbers}]}}"#);
        check(&body, 400, "CONTRIBUTION");
    }
    check(
        &with(json!(vec![1; width - 1])).to_string(),
        422,
        "UPDATE_INVALID",
    );
    check(
        &with(json!(vec![1_000; width])).to_string(),
        422,
        "UPDATE_INVALID",
    );
    check(
        &with(json!(vec![i32::MIN; width])).to_string(),
        422,
        "UPDATE_INVALID",
    );
    let mut other = with(json!(vec![1; width]));
    other["multiplier"] = json!(0.001);
    check(&other.to_string(), 409, "ROUND");
    let mut other = with(json!(vec![1; width]));
    other["bundle"] = json!("0".repeat(64));
    check(&other.to_string(), 409, "ROUND");
    let long = format!("[{}", "1,".repeat(100_000));
    check(&long, 413, "TOO_LARGE");
    let text = String::from_utf8(service.get("/metrics", &[]).into_body()).expect("text");
    assert!(text.contains("propense_contributions_gathered 0"), "{text}");
    assert!(!text.contains("outcome=\"accepted\"} 1"), "{text}");
}

#[test]
fn one_address_contributes_so_often() {
    let dir = tempfile::tempdir().expect("scratch folder");
    let service = start(dir.path(), "--contributions-rate 3");
    let statuses: Vec<u16> = (0..5).map(|_| send(&service, "{}").0).collect();
    assert_eq!(statuses, [400, 400, 400, 429, 429]);
}
