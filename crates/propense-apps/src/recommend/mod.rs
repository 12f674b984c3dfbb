//! Recommendation: what this visitor wants to see next.

mod adam;
mod baselines;
mod blend;
mod choose;
mod content;
mod embedding;
mod error;
mod features;
mod index;
mod log;
mod measure;
mod model;
mod neighbours;
mod policy;
mod protocol;
mod shop;
mod table;
mod table_file;
mod tables;

pub use baselines::{ItemNeighbours, LastItem, Popularity};
pub use choose::{Choice, Method, Recommender, choose};
pub use content::NewItems;
pub use error::RecommendError;
pub use index::{Seen, VisitIndex, distinct};
pub use log::{Click, Items, Log, Owner, RawVisit, Source, drop_shared, number, visits};
pub use measure::{Figures, Ranker, Trial, rank, top};
pub use model::NextItem;
pub use neighbours::{NeighbourOptions, Neighbours};
pub use policy::{ItemFacts, Policy};
pub use protocol::{Named, ProtocolOptions, ProtocolOutcome, next_item, next_item_beside};
pub use shop::{Pick, Shop, seen, taken};
pub use table::ItemTable;
