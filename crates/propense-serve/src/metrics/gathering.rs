//! How contributions stand.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    /// `accepted` or `refused`.
    outcome: &'static str,
}

/// What is counted of contributions.
pub(crate) struct GatheringMetrics {
    sent: Family<Outcome, Counter>,
    gathered: Gauge,
}

impl GatheringMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let sent = Family::<Outcome, Counter>::default();
        let help = "Contributions of browsers by what became of them";
        registry.register("contributions", help, sent.clone());
        let gathered = Gauge::default();
        let help = "Contributions to the round that is open";
        registry.register("contributions_gathered", help, gathered.clone());
        Self { sent, gathered }
    }

    pub(crate) fn sent(&self, outcome: &'static str) {
        self.sent.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn gathered(&self, count: i64) {
        self.gathered.set(count);
    }
}
