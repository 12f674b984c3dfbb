//! Identity: which user an anonymous id belongs to.
//!
//! A shop's page knows a browser by an anonymous id, and a person once they log in. Wherever an
//! event carries both, [`Pairs`] takes note. Out of that [`Stitching`] answers whose an event is
//! that carries the anonymous id alone:
//!
//! - the user last seen on that anonymous id, at the event's time or before;
//! - before the first login, the first user;
//! - nobody's, where more than [`MOST_USERS`] users were seen: a device in a shop or a library,
//!   whose visitors must not become one person.
//!
//! Users are never joined with each other, however many devices they share.
//!
//! # Memory
//!
//! While the sightings fit, every one is kept and the answers are exact. When they do not,
//! sightings of a user on a device that follow each other closely are kept as one span: within a
//! minute, then half an hour, a day, and at last whatever the pause. Only on a device on which
//! users take turns within that time can an answer then differ. If even one span for each pair of
//! device and user is too much, devices are left out, by their hash: [`StitchCounts::left_out`].
//! As long as all devices fit, what is kept depends on the sightings, not on the order in which
//! they come.
//!
//! Anonymous ids are kept as 64-bit hashes: among 50 million of them there is one chance in
//! 15,000 that any two are taken for one.

mod pairs;
mod stitching;
mod users;

pub use pairs::Pairs;
pub use stitching::{StitchCounts, Stitching};

/// A device on which more users than this were seen is shared, and is nobody's.
pub const MOST_USERS: usize = 3;
