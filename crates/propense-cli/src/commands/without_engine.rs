//! `propense prepare` in a build without its engine.

use super::Outcome;
use crate::args::PrepareArgs;

pub(crate) fn run(_: &PrepareArgs) -> Outcome {
    Err(anyhow::anyhow!(
        "this build reads plain and gzip text only, as the demo needs it; build the whole command \
         with `cargo build --release --package propense-cli`"
    )
    .into())
}
