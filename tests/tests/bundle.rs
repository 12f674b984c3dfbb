//! The bundle: what is written is read back, and whatever else comes is refused by its name and
//! without a panic.

use propense_model::{Bundle, Calibration, Golden, ModelConfig, ModelError, Precision};
use propense_tests::{cases, fresh_bundle, golden_cases};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn small() -> Bundle {
    let config = ModelConfig {
        filters: 3,
        hidden: 4,
        context_hidden: 2,
        ..ModelConfig::seed(6, 3)
    };
    let mut bundle = fresh_bundle(&config, 5);
    let manifest = &mut bundle.manifest;
    manifest.calibration = Calibration::Isotonic {
        x: vec![-1.5, 0.1, 2.0],
        y: vec![0.01, 0.3, 0.9],
    };
    manifest.threshold = 0.123_456_79;
    manifest.metrics = json!({"auc": 0.75, "note": "a \"quoted\" word, ≠ and \u{1F381}"});
    manifest.golden = Some(Golden {
        rows: vec![vec![0.1, -0.2, 0.3, 0.0, 1.0, 7.5]],
        context: vec![0.25, 0.0, -1.0],
        logits: vec![-0.731],
    });
    bundle
}

fn bytes(bundle: &Bundle) -> Vec<u8> {
    bundle.to_bytes(Precision::F32).expect("a sound bundle")
}

#[test]
fn what_is_written_is_read_back() {
    let bundle = small();
    let written = bytes(&bundle);
    let read = Bundle::from_bytes(&written).expect("what was written");
    assert_eq!(read.weights, bundle.weights);
    let mut manifest = read.manifest.clone();
    assert_eq!(manifest.sha256.len(), 64);
    assert!(manifest.version().starts_with("test@"));
    manifest.sha256.clone_from(&bundle.manifest.sha256);
    assert_eq!(manifest, bundle.manifest);
    // The same content gives the same bytes, whatever checksum it came with.
    assert_eq!(bytes(&read), written);
}

#[test]
fn another_implementation_writes_the_same_format() {
    // Written in Python from docs/bundle.md: rewriting keeps every weight.
    for case in golden_cases() {
        let bundle = case.load();
        let again = Bundle::from_bytes(&bytes(&bundle)).expect("rewritten");
        assert_eq!(again.weights, bundle.weights);
        let parameters: usize = bundle.weights.iter().map(|w| w.data.len()).sum();
        assert_eq!(parameters, case.parameters);
    }
}

#[test]
fn smaller_precisions_are_smaller_and_close() {
    let bundle = fresh_bundle(&ModelConfig::seed(16, 4), 3);
    let check = |precision, most_bytes: usize, tolerance: f32| {
        let written = bundle.to_bytes(precision).expect("sound");
        assert!(
            written.len() < most_bytes,
            "{precision:?}: {}",
            written.len()
        );
        let read = Bundle::from_bytes(&written).expect("what was written");
        for (before, after) in bundle.weights.iter().zip(&read.weights) {
            assert_eq!((&before.name, &before.shape), (&after.name, &after.shape));
            let largest = before.data.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            for (a, b) in before.data.iter().zip(&after.data) {
                let error = (a - b).abs();
                assert!(
                    error <= tolerance * largest,
                    "{} {precision:?}: {a} {b}",
                    before.name
                );
            }
        }
        let again = read.to_bytes(precision).expect("sound");
        let again = Bundle::from_bytes(&again).expect("what was written");
        assert_eq!(again.weights, read.weights, "rounding twice rounds once");
    };
    check(Precision::F32, 740_000, 0.0);
    check(Precision::F16, 380_000, 6e-4);
    check(Precision::Int8, 200_000, 0.5 / 127.0 + 1e-6);
    check(Precision::Int5, 200_000, 0.5 / 15.0 + 1e-6);
}

/// The file with its header, manifest or data changed, and a checksum that fits again.
fn tampered(edit: impl FnOnce(&mut Value, &mut Value, &mut Vec<u8>)) -> Vec<u8> {
    tampered_from(&bytes(&small()), edit)
}

fn tampered_from(raw: &[u8], edit: impl FnOnce(&mut Value, &mut Value, &mut Vec<u8>)) -> Vec<u8> {
    let (length, rest) = raw.split_first_chunk::<8>().expect("a header");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: Value = serde_json::from_slice(header).expect("JSON");
    let text = header["__metadata__"]["propense"]
        .as_str()
        .expect("a manifest");
    let mut manifest: Value = serde_json::from_str(text).expect("JSON");
    let unsigned = "0".repeat(64);
    manifest["sha256"] = json!(unsigned);
    let mut data = data.to_vec();
    edit(&mut header, &mut manifest, &mut data);
    if header["__metadata__"].is_object() {
        header["__metadata__"]["propense"] = json!(manifest.to_string());
    }
    let header = header.to_string();
    let mut raw = (header.len() as u64).to_le_bytes().to_vec();
    raw.extend_from_slice(header.as_bytes());
    raw.extend_from_slice(&data);
    let digits: String = Sha256::digest(&raw)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let hole = raw
        .windows(64)
        .position(|window| window == unsigned.as_bytes());
    if let Some(hole) = hole {
        raw[hole..hole + 64].copy_from_slice(digits.as_bytes());
    }
    raw
}

#[test]
fn the_harness_itself_makes_sound_files() {
    Bundle::from_bytes(&tampered(|_, _, _| {})).expect("nothing was changed");
    // Unknown fields are for later minor additions: they are ignored.
    let extended = tampered(|_, manifest, _| manifest["later"] = json!([1, 2]));
    Bundle::from_bytes(&extended).expect("an unknown field");
}

/// Moves an entry of a JSON object to another key.
fn rename(object: &mut Value, from: &str, to: &str) {
    let object = object.as_object_mut().expect("an object");
    let value = object.remove(from).expect("the entry");
    object.insert(to.into(), value);
}

#[test]
fn each_fault_has_its_error() {
    let check = |raw: Vec<u8>, matches: fn(&ModelError) -> bool| {
        let error = Bundle::from_bytes(&raw).expect_err("must be refused");
        assert!(matches(&error), "{error:?}");
    };
    use ModelError as E;

    check(Vec::new(), |e| matches!(e, E::NotSafetensors { .. }));
    check(b"timestamp,event,user_id\n1,view_item,u1\n".to_vec(), |e| {
        matches!(e, E::NotSafetensors { .. })
    });
    check(
        tampered(|header, _, _| rename(header, "__metadata__", "x")),
        |e| matches!(e, E::NotSafetensors { .. }),
    );
    check(tampered(|_, _, data| data.push(0)), |e| {
        matches!(e, E::NotSafetensors { .. })
    });
    check(
        tampered(|header, _, _| header["conv.bias"]["shape"] = json!([1u64 << 62, 16])),
        |e| matches!(e, E::NotSafetensors { .. }),
    );
    check(
        tampered(|header, _, _| header["conv.bias"]["data_offsets"] = json!([0, 12])),
        |e| matches!(e, E::NotSafetensors { .. }),
    );
    check(tampered(|_, _, data| data.truncate(100)), |e| {
        matches!(e, E::Truncated { .. })
    });
    check(
        tampered(|header, _, _| header["conv.bias"]["data_offsets"] = json!([0, u64::MAX])),
        |e| matches!(e, E::Truncated { .. }),
    );

    check(tampered(|_, m, _| m["format_version"] = json!(3)), |e| {
        matches!(
            e,
            E::Version {
                found: 3,
                supported: 2
            }
        ) && e.to_string().contains("version 3")
            && e.to_string().contains("version 2")
            && e.to_string().contains("Update Propense")
    });
    check(tampered(|_, m, _| m["format_version"] = json!(0)), |e| {
        matches!(e, E::Version { found: 0, .. }) && e.to_string().contains("Train")
    });
    check(
        tampered(|_, m, _| m["format_version"] = json!("1")),
        |e| matches!(e, E::Missing { what } if what == "format_version"),
    );

    check(
        tampered(|_, m, _| rename(m, "sha256", "sha")),
        |e| matches!(e, E::Missing { what } if what == "sha256"),
    );
    check(tampered(|_, m, _| m["sha256"] = json!("abc")), |e| {
        matches!(e, E::Manifest { .. })
    });
    check(
        tampered(|_, m, _| m["sha256"] = json!("a".repeat(64))),
        |e| matches!(e, E::Checksum { .. }),
    );

    check(
        tampered(|_, m, _| rename(m, "threshold", "t")),
        |e| matches!(e, E::Manifest { detail } if detail.contains("threshold")),
    );
    check(tampered(|_, m, _| m["percentiles"] = json!(null)), |e| {
        matches!(e, E::Manifest { .. })
    });
    check(
        tampered(|_, m, _| m["calibration"]["y"] = json!([0.1, 0.2])),
        |e| matches!(e, E::Manifest { detail } if detail.contains("calibration")),
    );
    check(
        tampered(|_, m, _| m["golden"]["rows"] = json!([[1.0]])),
        |e| matches!(e, E::Manifest { detail } if detail.contains("golden")),
    );
    check(
        tampered(|_, m, _| m["features"]["row"] = json!([])),
        |e| matches!(e, E::Manifest { detail } if detail.contains("features")),
    );
    check(
        tampered(|_, m, _| m["model"]["features"] = json!(1_000_000_000u64)),
        |e| {
            matches!(
                e,
                E::Config {
                    field: "features",
                    ..
                }
            )
        },
    );
    check(
        tampered(|_, m, _| m["model"]["hidden"] = json!(u64::MAX)),
        |e| {
            matches!(
                e,
                E::Config {
                    field: "hidden",
                    ..
                }
            )
        },
    );

    check(
        tampered(|_, m, _| m["model"]["hidden"] = json!(5)),
        |e| matches!(e, E::Shape { name, .. } if name == "lstm.input"),
    );
    check(
        tampered(|header, _, _| rename(header, "conv.bias", "conv.b")),
        |e| matches!(e, E::Missing { what } if what == "conv.bias"),
    );
    check(
        tampered(|header, _, _| header["conv.bias"]["dtype"] = json!("I32")),
        |e| matches!(e, E::Precision { name, .. } if name == "conv.bias"),
    );
    check(
        tampered(|header, _, data| {
            let begin = header["lstm.bias"]["data_offsets"][0]
                .as_u64()
                .expect("a place") as usize;
            data[begin..begin + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        }),
        |e| matches!(e, E::NotFinite { what } if what == "lstm.bias"),
    );
    let int8 = small().to_bytes(Precision::Int8).expect("sound");
    check(
        tampered_from(&int8, |header, _, _| {
            rename(header, "lstm.input.scale", "lstm.input.s");
        }),
        |e| matches!(e, E::Missing { what } if what == "lstm.input.scale"),
    );
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let check = |change: fn(&mut Bundle), precision| {
        let mut bundle = small();
        change(&mut bundle);
        bundle.to_bytes(precision).expect_err("must be refused")
    };
    for precision in [Precision::F32, Precision::F16, Precision::Int8] {
        let error = check(|b| b.weights[0].data[0] = f32::NAN, precision);
        assert!(matches!(error, ModelError::NotFinite { .. }), "{error:?}");
    }
    let error = check(|b| b.weights[0].data[0] = 1e6, Precision::F16);
    assert!(matches!(error, ModelError::NotFinite { .. }), "{error:?}");
    check(|b| b.manifest.threshold = f32::NAN, Precision::F32);
    check(|b| b.manifest.percentiles.clear(), Precision::F32);
    check(
        |b| b.manifest.data.base_rate = f32::INFINITY,
        Precision::F32,
    );
    let error = check(|b| b.weights.truncate(3), Precision::F32);
    assert!(matches!(error, ModelError::Missing { .. }), "{error:?}");
    let error = check(|b| b.weights[1].shape = vec![4], Precision::F32);
    assert!(matches!(error, ModelError::Shape { .. }), "{error:?}");
}

#[test]
fn every_flipped_bit_is_noticed() {
    let mut raw = bytes(&small());
    for place in 0..raw.len() {
        for bit in 0..8 {
            raw[place] ^= 1 << bit;
            assert!(Bundle::from_bytes(&raw).is_err(), "byte {place}, bit {bit}");
            raw[place] ^= 1 << bit;
        }
    }
    Bundle::from_bytes(&raw).expect("every flip was taken back");
}

#[test]
fn every_cut_is_noticed() {
    let raw = bytes(&small());
    for length in 0..raw.len() {
        let error = Bundle::from_bytes(&raw[..length]).expect_err("cut");
        match error {
            ModelError::Truncated { expected, found } => {
                assert!(found == length as u64 && expected > found);
            }
            ModelError::NotSafetensors { .. } => assert!(length < 8, "{length}: {error:?}"),
            _ => panic!("{length}: {error:?}"),
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn invented_bytes_are_refused(raw in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Bundle::from_bytes(&raw).is_err());
    }

    #[test]
    fn invented_headers_are_refused(
        header in "\\{\"(__metadata__|a)\":[\\[\\{\"a-c0-9:,\\]\\}]{0,60}\\}",
        data in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut raw = (header.len() as u64).to_le_bytes().to_vec();
        raw.extend_from_slice(header.as_bytes());
        raw.extend_from_slice(&data);
        prop_assert!(Bundle::from_bytes(&raw).is_err());
    }

    #[test]
    fn deep_nesting_is_refused(depth in 100usize..20_000) {
        let header = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let mut raw = (header.len() as u64).to_le_bytes().to_vec();
        raw.extend_from_slice(header.as_bytes());
        prop_assert!(Bundle::from_bytes(&raw).is_err());
    }

    #[test]
    fn spliced_files_are_refused(
        from in any::<prop::sample::Index>(),
        length in 1usize..50,
        insert in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let before = bytes(&small());
        let mut raw = before.clone();
        let from = from.index(raw.len());
        let to = (from + length).min(raw.len());
        raw.splice(from..to, insert);
        prop_assert!(raw == before || Bundle::from_bytes(&raw).is_err());
    }

    #[test]
    fn changed_manifests_never_panic(
        key in prop::sample::select(vec![
            "model", "features", "calibration", "threshold", "percentiles", "data", "golden",
            "heads", "name", "metrics", "catalogue",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!({}),
            json!([[[]]]), json!({"type": "isotonic", "x": [], "y": []}),
            json!({"type": "temperature", "temperature": 0}),
        ]),
    ) {
        let raw = tampered(|_, manifest, _| manifest[key] = value);
        if let Ok(bundle) = Bundle::from_bytes(&raw) {
            // What is accepted can be used.
            prop_assert!(bundle.cpu_model().is_ok());
            prop_assert!(bundle.manifest.probability(0.3).is_finite());
        }
    }
}
