//! What a network has to be better than.

mod logistic;
mod trees;

pub(crate) use logistic::Logistic;
pub(crate) use trees::{Binned, Growth, Trees};
