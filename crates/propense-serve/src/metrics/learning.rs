//! How learning stands.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What learning does, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LearningState {
    /// A round is under way.
    Learning,
    /// For more sessions, or for the time between two rounds.
    Waiting,
    /// For the first promotion.
    NoModel,
    /// For a roll-out that has not reached everybody.
    RollingOut,
    /// For a promotion after a roll-back.
    RolledBack,
    /// For a live bundle that can be gone on from.
    Unfit,
}

impl LearningState {
    const ALL: [Self; 6] = [
        Self::Learning,
        Self::Waiting,
        Self::NoModel,
        Self::RollingOut,
        Self::RolledBack,
        Self::Unfit,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Waiting => "waiting",
            Self::NoModel => "no_model",
            Self::RollingOut => "rolling_out",
            Self::RolledBack => "rolled_back",
            Self::Unfit => "unfit",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    /// `promoted`, `kept`, `overtaken` or `failed`.
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Figure {
    figure: &'static str,
    /// `live` or `candidate`.
    model: &'static str,
}

/// Gauges of fractions are kept as floating-point numbers.
type Fraction = Gauge<f64, std::sync::atomic::AtomicU64>;

/// What is counted of learning; nothing is shown of what never happened.
pub(crate) struct LearningMetrics {
    state: Family<State, Gauge>,
    rounds: Family<Outcome, Counter>,
    position: Gauge,
    behind: Gauge,
    seconds: Fraction,
    sessions: Family<Kind, Gauge>,
    figures: Family<Figure, Fraction>,
}

impl LearningMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let state = Family::<State, Gauge>::default();
        let help = "1 for what learning does or waits for";
        registry.register("learning_state", help, state.clone());
        let rounds = Family::<Outcome, Counter>::default();
        let help = "Rounds of learning by what became of the candidate";
        registry.register("learning_rounds", help, rounds.clone());
        let position = Gauge::default();
        let help = "Position of the last event that the live model has learnt from";
        registry.register("learnt_position", help, position.clone());
        let behind = Gauge::default();
        let help = "Events stored since";
        registry.register("unlearnt_events", help, behind.clone());
        let seconds = Fraction::default();
        let help = "Time that the last round took, in seconds";
        registry.register("learning_seconds", help, seconds.clone());
        let sessions = Family::<Kind, Gauge>::default();
        let help = "Sessions of the last round by what they were for";
        registry.register("learning_sessions", help, sessions.clone());
        let figures = Family::<Figure, Fraction>::default();
        let help = "How both models did on the sealed window of the last round";
        registry.register("learning_sealed", help, figures.clone());
        Self {
            state,
            rounds,
            position,
            behind,
            seconds,
            sessions,
            figures,
        }
    }

    pub(crate) fn is(&self, now: LearningState) {
        for state in LearningState::ALL {
            let name = State {
                state: state.name(),
            };
            self.state.get_or_create(&name).set(i64::from(state == now));
        }
    }

    pub(crate) fn stands(&self, position: i64, behind: i64) {
        self.position.set(position);
        self.behind.set(behind);
    }

    pub(crate) fn ended(&self, outcome: &'static str) {
        self.rounds.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn learnt(
        &self,
        seconds: f64,
        sessions: &[(&'static str, u64)],
        figures: &[(&'static str, f64, f64)],
    ) {
        self.seconds.set(seconds);
        for (kind, count) in sessions {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.sessions.get_or_create(&Kind { kind }).set(count);
        }
        for (figure, live, candidate) in figures {
            for (model, value) in [("live", live), ("candidate", candidate)] {
                let name = Figure { figure, model };
                self.figures.get_or_create(&name).set(*value);
            }
        }
    }
}
