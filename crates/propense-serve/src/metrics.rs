//! Counters for a monitor, in the text that Prometheus reads.

mod gathering;
mod learning;

use std::sync::Mutex;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use gathering::GatheringMetrics;
use learning::LearningMetrics;
pub(crate) use learning::LearningState;

/// Upper bounds of the times that requests take, in seconds.
const TIMES: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// Upper bounds of the batches in one transaction.
const GROUPS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1000.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    /// The route's pattern, not the path: a path may be anything.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    /// `http` or `stream`.
    source: &'static str,
    /// `accepted`, `rejected`, `duplicate` or `refused`.
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    version: String,
    /// `current` or `previous`.
    role: &'static str,
}

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram>,
    events: Family<Event, Counter>,
    groups: Histogram,
    queued: Gauge,
    connections: Gauge,
    scored: Counter,
    models: Family<Model, Gauge>,
    pub(crate) learning: LearningMetrics,
    pub(crate) gathering: GatheringMetrics,
    /// The versions shown, so that those that are no more can be taken out.
    shown: Mutex<Vec<Model>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("propense");
        let requests = Family::<Request, Counter>::default();
        registry.register("requests", "Requests answered", requests.clone());
        let seconds = Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(TIMES));
        let help = "Time from the request's head to its answer, in seconds";
        registry.register("request_seconds", help, seconds.clone());
        let events = Family::<Event, Counter>::default();
        registry.register("events", "Events by what became of them", events.clone());
        let groups = Histogram::new(GROUPS);
        registry.register(
            "commit_batches",
            "Batches in one transaction",
            groups.clone(),
        );
        let queued = Gauge::default();
        let help = "Events accepted and not yet on disk";
        registry.register("queued_events", help, queued.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let scored = Counter::default();
        registry.register("scored_sessions", "Sessions scored", scored.clone());
        let models = Family::<Model, Gauge>::default();
        let help = "The share of visitors who get this version, in percent";
        registry.register("model_percentage", help, models.clone());
        let learning = LearningMetrics::new(&mut registry);
        let gathering = GatheringMetrics::new(&mut registry);
        Self {
            registry,
            requests,
            seconds,
            events,
            groups,
            queued,
            connections,
            scored,
            models,
            learning,
            gathering,
            shown: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let request = Request {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&request).inc();
        let route = Route {
            route: route.to_owned(),
        };
        self.seconds
            .get_or_create(&route)
            .observe(took.as_secs_f64());
    }

    pub(crate) fn events(&self, source: &'static str, outcome: &'static str, count: usize) {
        let event = Event { source, outcome };
        self.events.get_or_create(&event).inc_by(count as u64);
    }

    pub(crate) fn committed(&self, batches: usize) {
        self.groups.observe(batches as f64);
    }

    pub(crate) fn queued(&self, size: usize, room: usize) {
        self.queued.set(size.saturating_sub(room) as i64);
    }

    pub(crate) fn connected(&self, change: i64) {
        self.connections.inc_by(change);
    }

    pub(crate) fn scored(&self, sessions: usize) {
        self.scored.inc_by(sessions as u64);
    }

    /// Which versions pages get: current with its percentage, then what the others get.
    pub(crate) fn rolled_out(&self, current: (&str, i64), previous: Option<&str>) {
        let Ok(mut shown) = self.shown.lock() else {
            return;
        };
        for model in shown.drain(..) {
            self.models.remove(&model);
        }
        let of = |version: &str, role| Model {
            version: version.to_owned(),
            role,
        };
        let previous = previous.map(|version| (of(version, "previous"), 100 - current.1));
        for (model, percentage) in [(of(current.0, "current"), current.1)]
            .into_iter()
            .chain(previous)
        {
            self.models.get_or_create(&model).set(percentage);
            shown.push(model);
        }
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
