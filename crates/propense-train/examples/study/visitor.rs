//! Each visitor's sessions in their order: scored by the shared head, and by a head that has learnt
//! from the visitor's own sessions before.

use std::collections::HashMap;

use propense_model::Steps;
use propense_train::{log_loss, roc_auc};

use crate::Done;
use crate::sessions::{Seen, Start};

/// Sessions of a visitor that are learnt from, the newest.
const KEPT: usize = 16;

/// Draws of the bootstrap over visitors.
const DRAWS: u64 = 2_000;

/// A score by either head.
struct Pair {
    user: u64,
    shared: f32,
    own: f32,
    bought: bool,
}

fn scores(start: &Start, how: Steps) -> Vec<Pair> {
    let nothing = vec![0.0; start.head.width()];
    let mut before: HashMap<u64, Vec<&Seen>> = HashMap::new();
    let mut pairs = Vec::new();
    for session in &start.sessions {
        let known = before.entry(session.user).or_default();
        if !known.is_empty() {
            let newest = known.len().saturating_sub(KEPT);
            let lived: Vec<_> = known[newest..].iter().map(|seen| seen.lived()).collect();
            let difference = start.head.learn(&lived, how);
            for input in session.inputs.chunks_exact(start.head.width()) {
                pairs.push(Pair {
                    user: session.user,
                    shared: start.head.probability(&nothing, input) as f32,
                    own: start.head.probability(&difference, input) as f32,
                    bought: session.bought,
                });
            }
        }
        known.push(session);
    }
    pairs
}

/// AUC and log-loss of the shared head, then of the visitors' own.
fn figures(pairs: &[&Pair]) -> [f64; 4] {
    let labels: Vec<bool> = pairs.iter().map(|pair| pair.bought).collect();
    let shared: Vec<f32> = pairs.iter().map(|pair| pair.shared).collect();
    let own: Vec<f32> = pairs.iter().map(|pair| pair.own).collect();
    [
        roc_auc(&shared, &labels),
        roc_auc(&own, &labels),
        log_loss(&shared, &labels),
        log_loss(&own, &labels),
    ]
}

pub(crate) fn replay(start: &Start) -> Done {
    println!(
        "| steps | rate | radius | half | n | AUC shared | own | gain, 95 % | log-loss shared | own | gain, 95 % |"
    );
    for (steps, rate, radius) in [
        (1, 0.01, 10.0),
        (1, 0.03, 10.0),
        (1, 0.1, 10.0),
        (4, 0.1, 0.3),
        (8, 0.1, 0.1),
        (8, 0.1, 0.3),
        (8, 0.1, 1.0),
        (32, 0.1, 1.0),
        (32, 0.1, 3.0),
    ] {
        let how = Steps {
            steps,
            rate,
            radius,
        };
        let pairs = scores(start, how);
        for (half, name) in [(0, "choosing"), (1, "judging")] {
            let own: Vec<&Pair> = pairs.iter().filter(|pair| pair.user % 2 == half).collect();
            let found = figures(&own);
            let (auc, loss) = intervals(&own);
            println!(
                "| {steps} | {rate} | {radius} | {name} | {} | {:.4} | {:.4} | {} | {:.4} | {:.4} | {} |",
                own.len(),
                found[0],
                found[1],
                auc,
                found[2],
                found[3],
                loss
            );
        }
    }
    Ok(())
}

/// Gains in AUC and in log-loss, with visitors drawn again.
fn intervals(pairs: &[&Pair]) -> (String, String) {
    let mut by_user: HashMap<u64, Vec<&Pair>> = HashMap::new();
    for pair in pairs {
        by_user.entry(pair.user).or_default().push(pair);
    }
    let mut users: Vec<u64> = by_user.keys().copied().collect();
    users.sort_unstable();
    let (mut auc, mut loss) = (Vec::new(), Vec::new());
    for draw in 0..DRAWS {
        let drawn = (0..users.len() as u64).flat_map(|place| {
            let at = crate::sessions::hash(&format!("{draw} {place}")) as usize % users.len();
            &by_user[&users[at]]
        });
        let drawn: Vec<&Pair> = drawn.copied().collect();
        let found = figures(&drawn);
        auc.push(found[1] - found[0]);
        loss.push(found[2] - found[3]);
    }
    let said = |mut gains: Vec<f64>| {
        gains.sort_by(f64::total_cmp);
        let at = |share: f64| gains[(share * (gains.len() - 1) as f64) as usize];
        format!("{:+.4} to {:+.4}", at(0.025), at(0.975))
    };
    (said(auc), said(loss))
}
