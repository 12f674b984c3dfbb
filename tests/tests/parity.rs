//! The same bundle and sessions give the same logits on every backend, and those of an independent
//! reference: `tests/golden/make_golden.py` in plain NumPy.

use propense_model::{CnnLstm, CpuStream, ModelConfig, Scorer, Stream, cpu_device};
use propense_tests::{
    Case, ON_GPU, difference, golden_cases, gpu, read, relative_difference, shapes, tensors,
};

/// What CPUs may differ from the reference.
const ON_CPU: f32 = 1e-4;
/// The logit of every session of the case, from one forward pass over all of them, padded to the
/// longest with numbers that must not matter.
fn by_forward(case: &Case, model: &CnnLstm) -> Vec<f32> {
    let sessions: Vec<_> = case
        .sessions
        .iter()
        .map(|session| (session.rows.as_slice(), session.context.as_slice()))
        .collect();
    let (rows, context) = tensors(model.config(), &sessions, 7.5, &model.device());
    let [_, time, _] = rows.dims();
    let before = read(model.forward_context_only(context.clone()));
    let after = read(model.forward(rows, context));
    sessions
        .iter()
        .enumerate()
        .map(|(index, (rows, _))| match rows.len() {
            0 => before[index],
            events => after[index * time + events - 1],
        })
        .collect()
}

fn by_score(case: &Case, model: &CnnLstm) -> Vec<f32> {
    let batch = case.batch(model.config());
    model.score(&batch).expect("the device works")
}

/// Sessions one after the other through one stream that `fresh` makes.
fn by_stream(
    case: &Case,
    model: &CnnLstm,
    fresh: fn(&CnnLstm) -> Stream,
    most_events: usize,
) -> (Vec<f32>, Vec<f32>) {
    let mut stream = fresh(model);
    let sessions = case.sessions.iter();
    sessions
        .filter(|session| session.rows.len() <= most_events)
        .map(|session| {
            stream.reset();
            // The last session's context first: a guess at the context may be wrong.
            let (early, late) = session.rows.split_at(session.rows.len() / 2);
            early.iter().for_each(|row| stream.push(row));
            stream.expect_context(&session.context);
            late.iter().for_each(|row| stream.push(row));
            let logit = stream.logit(&session.context).expect("the device works");
            (logit, session.logit)
        })
        .unzip()
}

#[test]
fn the_published_network_has_the_published_size() {
    let cases = golden_cases();
    let seed = cases.iter().find(|case| case.name == "seed");
    let seed = seed.expect("there is a case with the published network");
    assert_eq!(seed.parameters, 181_185);
    let bundle = seed.load();
    assert_eq!(bundle.manifest.model, ModelConfig::seed(16, 0));
    assert_eq!(bundle.manifest.model.parameters(), 181_185);
    let lengths: Vec<_> = seed.sessions.iter().map(|s| s.rows.len()).collect();
    assert!((1..=40).all(|length| lengths.contains(&length)));
    assert!(lengths.contains(&64) && lengths.contains(&200));
}

#[test]
fn the_cpu_gives_the_golden_logits_in_batches() {
    for case in golden_cases() {
        let model = case.load().model(&cpu_device()).expect("a valid bundle");
        for (way, found) in [
            ("forward", by_forward(&case, &model)),
            ("score", by_score(&case, &model)),
        ] {
            let worst = difference(&found, &case.expected());
            println!("{} on the CPU by {way}: {worst:.1e}", case.name);
            assert!(worst <= ON_CPU, "{} by {way}: {worst:e}", case.name);
        }
    }
}

#[test]
fn the_cpu_gives_the_golden_logits_in_a_stream() {
    for case in golden_cases() {
        let model = case.load().model(&cpu_device()).expect("a valid bundle");
        let (found, expected) = by_stream(&case, &model, Stream::new, usize::MAX);
        assert_eq!(found.len(), case.sessions.len());
        let worst = difference(&found, &expected);
        println!("{} on the CPU by stream: {worst:.1e}", case.name);
        assert!(worst <= ON_CPU, "{}: {worst:e}", case.name);
    }
}

#[test]
fn the_fast_path_gives_the_golden_logits() {
    for case in golden_cases() {
        let model = case.load().cpu_model().expect("a valid bundle");
        let mut stream = CpuStream::new(model.clone());
        let (streamed, scored): (Vec<_>, Vec<_>) = case
            .sessions
            .iter()
            .map(|session| {
                stream.reset();
                for row in &session.rows {
                    stream.push(row);
                }
                let whole = model.score(&session.rows.concat(), &session.context);
                (stream.logit(&session.context), whole)
            })
            .unzip();
        for (way, found) in [("stream", streamed), ("score", scored)] {
            let worst = difference(&found, &case.expected());
            println!("{} on the fast path by {way}: {worst:.1e}", case.name);
            assert!(worst <= ON_CPU, "{} by {way}: {worst:e}", case.name);
        }
    }
}

#[test]
fn the_gpu_gives_the_golden_logits() {
    let Some((device, adapter)) = gpu() else {
        return;
    };
    println!("adapter: {adapter}");
    for case in golden_cases() {
        let model = case.load().model(&device).expect("a valid bundle");
        let (streamed, few) = by_stream(&case, &model, Stream::with_tensors, 10);
        assert!(!streamed.is_empty());
        let scorer = Scorer::new(&model);
        // Only an ensemble takes the other way.
        assert_eq!(
            scorer.is_fused(),
            model.ensemble().is_none(),
            "{}",
            case.name
        );
        let fused = scorer.score(&case.batch(model.config()));
        let (fused_stream, all) = by_stream(&case, &model, Stream::new, usize::MAX);
        for (way, found, expected) in [
            ("forward", by_forward(&case, &model), case.expected()),
            ("score", by_score(&case, &model), case.expected()),
            ("stream of tensors", streamed, few),
            (
                "one launch",
                fused.expect("the device works"),
                case.expected(),
            ),
            ("stream", fused_stream, all),
        ] {
            let worst = difference(&found, &expected);
            println!("{} on the GPU by {way}: {worst:.1e}", case.name);
            assert!(worst <= ON_GPU, "{} by {way}: {worst:e}", case.name);
        }
    }
}

#[test]
fn one_launch_agrees_over_shapes() {
    let Some((device, _)) = gpu() else { return };
    for shape in shapes() {
        let config = &shape.bundle.manifest.model;
        let scorer = Scorer::new(&shape.bundle.model(&device).expect("valid"));
        assert!(scorer.is_fused(), "{config:?}");
        let found = scorer.score(&shape.batch());
        let worst = relative_difference(&found.expect("works"), &shape.expected());
        assert!(worst <= ON_GPU, "{config:?}: {worst:e}");
    }
}
