//! Recommendation: what this visitor wants to see next.

mod baselines;
mod content;
mod index;
mod log;
mod measure;
mod neighbours;
mod policy;

pub use baselines::{ItemNeighbours, Popularity};
pub use content::NewItems;
pub use index::{Seen, VisitIndex, distinct};
pub use log::{Click, Items, Log, Owner, RawVisit, Source, drop_shared, number, visits};
pub use measure::{Figures, Ranker, Trial, rank, top};
pub use neighbours::{NeighbourOptions, Neighbours};
pub use policy::{ItemFacts, Policy};
