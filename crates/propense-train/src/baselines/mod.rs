//! What a network has to be better than.

mod trees;

pub(crate) use trees::{Binned, Growth, Trees};
