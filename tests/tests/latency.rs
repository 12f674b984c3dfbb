//! Time for each event and each session on every device. Prints; asserts nothing, since a shared
//! machine proves nothing:
//!
//! `cargo test --release -p propense-tests --test latency -- --ignored --nocapture`

use std::time::{Duration, Instant};

use burn::tensor::Device;
use propense_model::{Batch, CpuStream, ModelConfig, Scorer, Stream, cpu_device};
use propense_tests::{Numbers, fresh_bundle, gpu, read, tensors};

/// Events of a session.
const EVENTS: usize = 32;

/// The median of several runs, after one to warm up.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

fn on_device(name: &str, device: &Device, runs: usize) {
    let config = ModelConfig::seed(16, 10);
    let bundle = fresh_bundle(&config, 1);
    let start = Instant::now();
    let model = bundle.model(device).expect("valid");
    let mut numbers = Numbers(1);
    let rows = numbers.rows(EVENTS, 16);
    let context = numbers.row(10);
    let (one, one_context) = tensors(&config, &[(&rows, &context)], 0.0, device);
    let _ = read(model.forward(one.clone(), one_context.clone()));
    println!("{name}: first score after {:?}", start.elapsed());
    for sessions in [1, 256] {
        let list = vec![(&rows[..], &context[..]); sessions];
        let (many, contexts) = tensors(&config, &list, 0.0, device);
        let time = median(runs, || {
            let _ = read(model.forward(many.clone(), contexts.clone()));
        });
        println!("{name}: every prefix of {sessions} sessions of {EVENTS} events: {time:?}");
        let mut batch = Batch::new(&config);
        for (rows, context) in &list {
            batch.push(&rows.concat(), context);
        }
        let time = median(runs, || {
            let _ = model.score(&batch).expect("works");
        });
        println!("{name}: {sessions} whole sessions of {EVENTS} events: {time:?}");
        let scorer = Scorer::new(&model);
        if scorer.is_fused() {
            let start = Instant::now();
            let _ = scorer.score(&batch).expect("works");
            println!(
                "{name}: the same in one launch, first: {:?}",
                start.elapsed()
            );
            let time = median(runs, || {
                let _ = scorer.score(&batch).expect("works");
            });
            println!("{name}: the same in one launch: {time:?}");
        }
    }
    let mut stream = Stream::new(&model);
    let time = median(runs * 4, || {
        stream.push(&rows[0]);
        let _ = stream.logit(&context).expect("works");
    });
    println!("{name}: one event and its score: {time:?}");

    let training = device.clone().autodiff();
    let model = bundle.model(&training).expect("valid");
    let list = vec![(&rows[..], &context[..]); 64];
    let (many, contexts) = tensors(&config, &list, 0.0, &training);
    let time = median(runs, || {
        let loss = model.forward(many.clone(), contexts.clone()).mean();
        let gradients = loss.clone().backward();
        let _ = read(loss);
        drop(gradients);
        let _ = device.sync();
    });
    let rate = 64.0 / time.as_secs_f64();
    println!("{name}: forward and backward of 64 sessions: {time:?}, {rate:.0} sessions/s");
}

#[test]
#[ignore = "prints times"]
fn latency() {
    for features in [16, 40] {
        let config = ModelConfig::seed(features, 10);
        let bundle = fresh_bundle(&config, 1);
        let model = bundle.cpu_model().expect("valid");
        let mut numbers = Numbers(1);
        let rows = numbers.rows(EVENTS, features);
        let context = numbers.row(10);
        let mut stream = CpuStream::new(model.clone());
        let mut sum = 0.0;
        let time = median(100, || {
            stream.reset();
            for row in &rows {
                stream.push(row);
                sum += stream.logit(&context);
            }
        });
        let event = time / EVENTS as u32;
        println!("fast path, {features} features: one event and its score: {event:?}");
        let flat = rows.concat();
        let time = median(100, || sum += model.score(&flat, &context));
        println!("fast path, {features} features: one whole session: {time:?} ({sum:.1})");
    }
    on_device("CPU", &cpu_device(), 9);
    if let Some((device, adapter)) = gpu() {
        on_device(&adapter.to_string(), &device, 5);
    }
}
