//! Devices that improve the head together: AUC on other visitors against ε, with and without liars.

use std::collections::BTreeMap;

use propense_model::{
    CLIP, Contribution, Lived, Privacy, SERVER_RATE, Steps, TRIMMED, trimmed_mean,
};
use propense_train::{log_loss, roc_auc};

use crate::sessions::{Done, Seen, Start};

/// δ of every ε.
const DELTA: f64 = 1e-6;

/// Repetitions with other noise.
const SEEDS: u64 = 3;

/// One device: a visitor's day.
type Device<'a> = Vec<Lived<'a>>;

/// SplitMix64; a study needs no secret noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What the liars do.
#[derive(Clone, Copy, PartialEq)]
enum Liars {
    None,
    /// The opposite of what honest devices say together, as long as is let through.
    Against,
}

fn score(start: &Start, difference: &[f64], judging: &[&Seen]) -> (f64, f64) {
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for session in judging {
        for input in session.inputs.chunks_exact(start.head.width()) {
            scores.push(start.head.probability(difference, input) as f32);
            labels.push(session.bought);
        }
    }
    (roc_auc(&scores, &labels), log_loss(&scores, &labels))
}

/// One improvement in so many rounds, each device contributing to each.
fn improve(
    start: &Start,
    devices: &[Device<'_>],
    rounds: u32,
    epsilon: Option<f64>,
    (liars, trimmed, rate): (Liars, f64, f64),
    seed: u64,
) -> Vec<f64> {
    let multiplier = epsilon.map(|epsilon| Privacy::multiplier(epsilon, DELTA, rounds));
    let mut noise = Noise(seed);
    let mut difference = vec![0.0; start.head.width()];
    for _ in 0..rounds {
        let teach = |device: &Device<'_>| {
            let gradient = start.head.gradient(&difference, device);
            gradient
                .into_iter()
                .map(|slope| -slope * Steps::SHARED.rate)
                .collect::<Vec<f64>>()
        };
        let honest: Vec<Vec<f64>> = devices.iter().map(teach).collect();
        let against: Vec<f64> = {
            let mean = trimmed_mean(&honest, 0.0);
            let length = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
            let width = mean.len() as f64;
            // The longest that a check lets through.
            let most = match multiplier {
                Some(multiplier) => CLIP + 2.0 * CLIP * multiplier * (width.sqrt() + 5.0),
                None => CLIP,
            };
            mean.iter().map(|x| -x / length * most).collect()
        };
        let sent: Vec<Vec<f64>> = honest
            .into_iter()
            .enumerate()
            .map(|(place, update)| {
                if liars == Liars::Against && place % 20 == 0 {
                    return against.clone();
                }
                match multiplier {
                    Some(multiplier) => {
                        let sent = Contribution::with_noise(update, multiplier, || noise.next());
                        sent.values(multiplier)
                    }
                    None => clipped(update),
                }
            })
            .collect();
        let step = trimmed_mean(&sent, trimmed);
        for (weight, change) in difference.iter_mut().zip(step) {
            *weight += rate * change;
        }
    }
    difference
}

fn clipped(mut update: Vec<f64>) -> Vec<f64> {
    let length = update.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > CLIP {
        update.iter_mut().for_each(|x| *x *= CLIP / length);
    }
    update
}

pub(crate) fn simulate(start: &Start) -> Done {
    let (mut devices, mut judging) = (BTreeMap::<(u64, i64), Device<'_>>::new(), Vec::new());
    for session in &start.sessions {
        // Every fourth visitor judges and never contributes.
        if session.user % 4 == 0 {
            judging.push(session);
        } else {
            let device = devices.entry((session.user, session.day)).or_default();
            device.push(session.lived());
        }
    }
    let devices: Vec<Device<'_>> = devices.into_values().collect();
    let lengths = {
        let nothing = vec![0.0; start.head.width()];
        let mut lengths: Vec<f64> = devices
            .iter()
            .map(|device| {
                let slope = start.head.gradient(&nothing, device);
                slope.iter().map(|x| x * x).sum::<f64>().sqrt()
            })
            .collect();
        lengths.sort_by(f64::total_cmp);
        lengths
    };
    let at = |share: f64| lengths[(share * (lengths.len() - 1) as f64) as usize];
    println!(
        "{} devices, {} sessions judge; gradients' lengths: median {:.2}, 90 % {:.2}, 99 % {:.2}; clip {CLIP}",
        devices.len(),
        judging.len(),
        at(0.5),
        at(0.9),
        at(0.99)
    );
    let shared = score(start, &vec![0.0; start.head.width()], &judging);
    println!("shared head: AUC {:.4}, log-loss {:.4}", shared.0, shared.1);
    println!("| ε | rounds | 5 % liars | average | server's rate | AUC | spread | log-loss |");
    for rounds in [1, 5, 20] {
        for epsilon in [
            None,
            Some(32.0),
            Some(16.0),
            Some(8.0),
            Some(4.0),
            Some(2.0),
        ] {
            for (liars, trimmed) in [
                (Liars::None, 0.0),
                (Liars::None, TRIMMED),
                (Liars::Against, 0.0),
                (Liars::Against, TRIMMED),
            ] {
                for rate in [SERVER_RATE] {
                    let found: Vec<(f64, f64)> = (0..SEEDS)
                        .map(|seed| {
                            let how = (liars, trimmed, rate);
                            let learnt = improve(start, &devices, rounds, epsilon, how, seed);
                            score(start, &learnt, &judging)
                        })
                        .collect();
                    let mean = |of: fn(&(f64, f64)) -> f64| {
                        found.iter().map(of).sum::<f64>() / found.len() as f64
                    };
                    let auc = mean(|f| f.0);
                    let spread = found.iter().map(|f| (f.0 - auc).powi(2)).sum::<f64>();
                    println!(
                        "| {} | {rounds} | {} | {} | {rate} | {auc:.4} | {:.4} | {:.4} |",
                        epsilon.map_or("none".to_owned(), |e| e.to_string()),
                        if liars == Liars::None { "no" } else { "yes" },
                        if trimmed == 0.0 { "mean" } else { "trimmed" },
                        (spread / found.len() as f64).sqrt(),
                        mean(|f| f.1)
                    );
                }
            }
        }
    }
    Ok(())
}
