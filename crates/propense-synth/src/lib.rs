//! propense-synth
