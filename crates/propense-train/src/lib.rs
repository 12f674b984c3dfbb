//! propense-train
