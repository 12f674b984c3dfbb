//! The service: bundles and their roll-out, events in, scores out, metrics.
