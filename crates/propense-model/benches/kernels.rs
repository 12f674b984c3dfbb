//! Times of the CPU's kernels, and of Burn's tensors beside them where they are compiled in. Each
//! round times everything once, so that whatever else the machine does meets all alike:
//!
//! `cargo bench -p propense-model -p propense-train --bench kernels`. Without Burn, in a minute:
//! `cargo bench -p propense-model --no-default-features --bench kernels`

use std::sync::Arc;
use std::time::Instant;

use propense_model::{CpuModel, CpuStream, ModelConfig, SessionRows};

const FEATURES: usize = 16;
const EVENTS: usize = 32;
const SESSIONS: usize = 256;
const ROUNDS: usize = 30;

/// Rows like a featuriser's, from a seed: flags, zeros and normalised numbers.
fn rows(count: usize, mut seed: u64) -> Vec<f32> {
    let mut number = || {
        // xorshift64* (Vigna 2016).
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        let unit = (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32;
        match unit {
            ..0.3 => 0.0,
            ..0.5 => 1.0,
            _ => (unit - 0.75) * 8.0,
        }
    };
    (0..count).map(|_| number()).collect()
}

/// A name, a piece of work that returns a number (so that it is done), and how many of what is
/// measured one call does.
struct Case<'a> {
    name: &'static str,
    parts: usize,
    work: Box<dyn FnMut() -> f32 + 'a>,
}

fn case<'a>(name: &'static str, parts: usize, work: impl FnMut() -> f32 + 'a) -> Case<'a> {
    Case {
        name,
        parts,
        work: Box::new(work),
    }
}

fn main() {
    let config = ModelConfig::seed(FEATURES, 0);
    let weights = config.initial_weights(1).expect("a valid configuration");
    let model = Arc::new(CpuModel::new(&config, &weights).expect("sound weights"));
    let numbers: Vec<Vec<f32>> = (1..=SESSIONS as u64)
        .map(|seed| rows(EVENTS * FEATURES, seed))
        .collect();
    let sessions: Vec<SessionRows<'_>> = numbers.iter().map(|rows| (&rows[..], &[][..])).collect();

    #[cfg(feature = "flex")]
    let (batch, single, score) = {
        use propense_model::{Batch, CnnLstm, cpu_device};
        let network = CnnLstm::from_weights(&config, &weights, &cpu_device());
        let network = network.expect("sound weights");
        (
            Batch::of(&config, sessions.iter().copied()),
            Batch::of(&config, sessions.iter().copied().take(1)),
            move |batch: &Batch| -> f32 {
                network.score(batch).expect("the CPU works").iter().sum()
            },
        )
    };

    let mut stream = CpuStream::new(Arc::clone(&model));
    let mut cases = vec![
        case("one live event and its score", EVENTS * 16, || {
            let mut sum = 0.0;
            for rows in numbers.iter().take(16) {
                stream.reset();
                for row in rows.chunks_exact(FEATURES) {
                    stream.push(row);
                    sum += stream.logit(&[]);
                }
            }
            sum
        }),
        case("one session of 32 events", 16, || {
            numbers
                .iter()
                .take(16)
                .map(|rows| model.score(rows, &[]))
                .sum()
        }),
        case("256 sessions, one thread", 1, || {
            model.score_batch(&sessions, 1).iter().sum()
        }),
        case("256 sessions, two threads", 1, || {
            model.score_batch(&sessions, 2).iter().sum()
        }),
        case("256 sessions, every prefix, one thread", 1, || {
            model.score_prefixes(&sessions, 1).iter().flatten().sum()
        }),
    ];
    #[cfg(feature = "flex")]
    {
        cases.push(case("one session, Burn flex", 1, || score(&single)));
        cases.push(case("256 sessions, Burn flex", 1, || score(&batch)));
    }

    let mut times = vec![Vec::new(); cases.len()];
    let mut sum = 0.0;
    for round in 0..=ROUNDS {
        for (case, times) in cases.iter_mut().zip(&mut times) {
            let start = Instant::now();
            sum += (case.work)();
            let time = start.elapsed().as_secs_f64() * 1e6 / case.parts as f64;
            // The first round warms up.
            if round > 0 {
                times.push(time);
            }
        }
    }
    println!(
        "{:<40} {:>12} {:>12}   (µs; {sum:.3})",
        "", "least", "median"
    );
    for (case, times) in cases.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!(
            "{:<40} {:>12.1} {:>12.1}",
            case.name,
            times[0],
            times[ROUNDS / 2]
        );
    }
}
