//! Devices that improve the head together: AUC on other visitors against ε, with and without liars.

use std::collections::BTreeMap;

use propense_model::{CLIP, Contribution, Lived, Privacy, Steps, filtered_mean, server_rate};
use propense_train::{log_loss, roc_auc};

use crate::Done;
use crate::sessions::{Seen, Start};

/// δ of every ε.
const DELTA: f64 = 1e-6;

/// Repetitions with other noise.
const SEEDS: u64 = 5;

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
    /// The same, with noise like everybody's and shifted by so many of its deviations only.
    Hidden(f64),
}

/// Every twentieth device lies.
const LIES: usize = 20;

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

/// How a simulation goes.
#[derive(Clone, Copy)]
struct How {
    rounds: u32,
    /// None: without noise.
    epsilon: Option<f64>,
    liars: Liars,
    filtered: bool,
    /// Length of a device's step, times its gradient.
    scale: f64,
    /// Of the service's step, times the average.
    rate: f64,
}

impl How {
    /// What the product does.
    fn usual(rounds: u32, epsilon: Option<f64>) -> Self {
        Self {
            rounds,
            epsilon,
            liars: Liars::None,
            filtered: true,
            scale: Steps::SHARED.rate,
            rate: server_rate(rounds),
        }
    }
}

/// One improvement in so many rounds, each device contributing to each.
fn improve(start: &Start, devices: &[Device<'_>], how: How, seed: u64) -> Vec<f64> {
    let multiplier = how
        .epsilon
        .map(|epsilon| Privacy::multiplier(epsilon, DELTA, how.rounds));
    let mut noise = Noise(seed);
    let mut difference = vec![0.0; start.head.width()];
    for _ in 0..how.rounds {
        let teach = |device: &Device<'_>| {
            let gradient = start.head.gradient(&difference, device);
            let step = gradient.into_iter().map(|slope| -slope * how.scale);
            clipped(step.collect())
        };
        let honest: Vec<Vec<f64>> = devices.iter().map(teach).collect();
        let deviation = Contribution::deviation(multiplier.unwrap_or(0.0));
        let against = against(&honest, how.liars, deviation);
        let sent: Vec<Vec<f64>> = honest
            .into_iter()
            .enumerate()
            .map(|(place, update)| {
                let lies = place % LIES == 0;
                let mut noisy = |update: Vec<f64>| match multiplier {
                    Some(multiplier) => {
                        let sent = Contribution::with_noise(update, multiplier, || noise.next());
                        sent.values(multiplier)
                    }
                    None => update,
                };
                match how.liars {
                    Liars::Against if lies => against.clone(),
                    Liars::Hidden(_) if lies => {
                        let own = noisy(vec![0.0; update.len()]);
                        own.iter().zip(&against).map(|(x, y)| x + y).collect()
                    }
                    _ => noisy(update),
                }
            })
            .collect();
        let step = match how.filtered {
            true => filtered_mean(&sent, deviation),
            false => mean(&sent),
        };
        for (weight, change) in difference.iter_mut().zip(step) {
            *weight += how.rate * change;
        }
    }
    difference
}

/// What liars say: the opposite of what all say together, as long as a check lets through, or so far
/// as they dare.
fn against(honest: &[Vec<f64>], liars: Liars, deviation: f64) -> Vec<f64> {
    let mean = mean(honest);
    let root = (mean.len() as f64).sqrt();
    let far = match liars {
        Liars::Hidden(shift) => shift * deviation,
        Liars::None | Liars::Against => CLIP + deviation * (root + 5.0),
    };
    let length = length(&mean);
    mean.iter().map(|x| -x / length * far).collect()
}

fn mean(vectors: &[Vec<f64>]) -> Vec<f64> {
    let width = vectors.first().map_or(0, Vec::len);
    let count = vectors.len() as f64;
    let column = |place: usize| vectors.iter().map(|vector| vector[place]).sum::<f64>();
    (0..width).map(|place| column(place) / count).collect()
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn clipped(mut update: Vec<f64>) -> Vec<f64> {
    let length = length(&update);
    if length > CLIP {
        update.iter_mut().for_each(|x| *x *= CLIP / length);
    }
    update
}

/// AUC and log-loss of the judges, means over seeds, and the AUC's spread.
fn judged(start: &Start, devices: &[Device<'_>], judging: &[&Seen], how: How) -> (f64, f64, f64) {
    // Without noise every seed gives the same.
    let seeds = if how.epsilon.is_some() { SEEDS } else { 1 };
    let found: Vec<(f64, f64)> = (0..seeds)
        .map(|seed| score(start, &improve(start, devices, how, seed), judging))
        .collect();
    let count = found.len() as f64;
    let auc = found.iter().map(|f| f.0).sum::<f64>() / count;
    let spread = found.iter().map(|f| (f.0 - auc).powi(2)).sum::<f64>() / count;
    let loss = found.iter().map(|f| f.1).sum::<f64>() / count;
    (auc, spread.sqrt(), loss)
}

/// Every fourth visitor never contributes. Half of those judge the choice of steps (`which` 0), the
/// other half what was chosen (`which` 4).
fn divide(start: &Start, which: u64) -> (Vec<Device<'_>>, Vec<&Seen>) {
    let (mut devices, mut judging) = (BTreeMap::<(u64, i64), Device<'_>>::new(), Vec::new());
    for session in &start.sessions {
        if session.user % 8 == which {
            judging.push(session);
        } else if session.user % 4 != 0 {
            let device = devices.entry((session.user, session.day)).or_default();
            device.push(session.lived());
        }
    }
    let devices: Vec<Device<'_>> = devices.into_values().collect();
    let nothing = vec![0.0; start.head.width()];
    let mut lengths: Vec<f64> = devices
        .iter()
        .map(|device| length(&start.head.gradient(&nothing, device)))
        .collect();
    lengths.sort_by(f64::total_cmp);
    let at = |share: f64| lengths[(share * (lengths.len() - 1) as f64) as usize];
    println!(
        "{} devices, {} sessions judge; gradients' lengths: median {:.2}, 90 % {:.2}, 99 % {:.2}",
        devices.len(),
        judging.len(),
        at(0.5),
        at(0.9),
        at(0.99)
    );
    let (auc, loss) = score(start, &nothing, &judging);
    println!("shared head: AUC {auc:.4}, log-loss {loss:.4}");
    (devices, judging)
}

/// Which steps: those of the devices and of the service.
pub(crate) fn choose(start: &Start) -> Done {
    let (devices, judging) = divide(start, 0);
    println!("| ε | rounds | device's step | service's step | AUC | spread | log-loss |");
    for (rounds, epsilon) in [(5, None), (5, Some(8.0)), (1, Some(8.0))] {
        for scale in [0.1, 0.3, 1.0] {
            for rate in [0.3, 1.0, 3.0, 10.0] {
                let how = How {
                    scale,
                    rate,
                    ..How::usual(rounds, epsilon)
                };
                let (auc, spread, loss) = judged(start, &devices, &judging, how);
                let epsilon = epsilon.map_or("none".to_owned(), |e: f64| e.to_string());
                println!(
                    "| {epsilon} | {rounds} | {scale} | {rate} | {auc:.4} | {spread:.4} | {loss:.4} |"
                );
            }
        }
    }
    Ok(())
}

pub(crate) fn simulate(start: &Start) -> Done {
    let (devices, judging) = divide(start, 4);
    println!("| ε | rounds | 5 % liars | average | AUC | spread | log-loss |");
    for rounds in [1, 5] {
        for epsilon in [
            None,
            Some(32.0),
            Some(16.0),
            Some(8.0),
            Some(4.0),
            Some(2.0),
        ] {
            for (liars, filtered) in [
                (Liars::None, false),
                (Liars::None, true),
                (Liars::Against, false),
                (Liars::Against, true),
                (Liars::Hidden(1.5), true),
                (Liars::Hidden(2.0), true),
                (Liars::Hidden(2.5), true),
                (Liars::Hidden(3.0), true),
                (Liars::Hidden(4.0), true),
            ] {
                let how = How {
                    liars,
                    filtered,
                    ..How::usual(rounds, epsilon)
                };
                let (auc, spread, loss) = judged(start, &devices, &judging, how);
                println!(
                    "| {} | {rounds} | {} | {} | {auc:.4} | {spread:.4} | {loss:.4} |",
                    epsilon.map_or("none".to_owned(), |e: f64| e.to_string()),
                    match liars {
                        Liars::None => "none".to_owned(),
                        Liars::Against => "as long as they may".to_owned(),
                        Liars::Hidden(shift) => format!("hidden, {shift} deviations"),
                    },
                    if filtered { "filtered" } else { "mean" },
                );
            }
        }
    }
    Ok(())
}
