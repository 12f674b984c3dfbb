//! The key by which the table is put in order: one number, so that sorting compares one number.

use twox_hash::XxHash64;

use super::lines::group;

/// Where a line stands in the table: by owner, then time, then order of reading.
///
/// From the highest bit down: one zero bit, 47 bits of the owner's hash, 43 bits of milliseconds
/// since 1970 (until the year 2248; other times are clamped, and the time rules take them out),
/// 37 bits of the line's number in the order of reading. No two lines have the same key, so the
/// order of the table does not depend on how it was sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub i128);

const OWNER_BITS: u32 = 47;
const TIME_BITS: u32 = 43;
const LINE_BITS: u32 = 37;

/// The latest time that a key tells apart, in milliseconds since 1970.
pub const LATEST: i64 = (1 << TIME_BITS) - 1;

/// As many lines can be read into one table.
pub const MOST_LINES: u64 = 1 << LINE_BITS;

/// Who a line belongs to: the strongest identity that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner<'a> {
    /// A shopper whom the shop knows.
    User(&'a str),
    /// A browser.
    Anonymous(&'a str),
    /// A visit.
    Session(&'a str),
    /// Nobody is named: the event stands for itself.
    Nobody(Record),
}

/// What a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// The input.
    pub source: u16,
    /// The same number on all lines of one event: the row, where an event has only one.
    pub number: u64,
}

impl Record {
    /// The record of a line with this row, group and time.
    #[must_use]
    pub(crate) const fn new(source: u16, row: u64, number: u64, timestamp: i64) -> Self {
        let number = match group::kind(number) {
            group::OWN => row,
            // The key alone may be a running number that many events have.
            group::NEXT => number ^ timestamp.cast_unsigned(),
            _ => number,
        };
        Self { source, number }
    }
}

impl<'a> Owner<'a> {
    /// The strongest identity of a line.
    #[must_use]
    pub fn of(
        user: Option<&'a str>,
        anonymous: Option<&'a str>,
        session: Option<&'a str>,
        record: Record,
    ) -> Self {
        user.map(Self::User)
            .or_else(|| anonymous.map(Self::Anonymous))
            .or_else(|| session.map(Self::Session))
            .unwrap_or(Self::Nobody(record))
    }

    /// A hash that is the same on every machine (xxHash64), in 47 bits.
    #[must_use]
    pub fn hash(self) -> u64 {
        // The seed keeps the user `17` apart from the session `17`.
        let hash = match self {
            Self::User(id) => XxHash64::oneshot(1, id.as_bytes()),
            Self::Anonymous(id) => XxHash64::oneshot(2, id.as_bytes()),
            Self::Session(id) => XxHash64::oneshot(3, id.as_bytes()),
            Self::Nobody(Record { source, number }) => {
                XxHash64::oneshot(4 + u64::from(source), &number.to_le_bytes())
            }
        };
        hash >> (64 - OWNER_BITS)
    }
}

impl Key {
    /// The key of a line.
    #[must_use]
    pub fn new(owner_hash: u64, timestamp: i64, line: u64) -> Self {
        let time = timestamp.clamp(0, LATEST);
        Self(
            i128::from(owner_hash) << (TIME_BITS + LINE_BITS)
                | i128::from(time) << LINE_BITS
                | i128::from(line & (MOST_LINES - 1)),
        )
    }

    /// The hash of the owner, 47 bits.
    #[must_use]
    pub fn owner_hash(self) -> u64 {
        u64::try_from(self.0 >> (TIME_BITS + LINE_BITS)).unwrap_or_default()
    }
}

/// The bucket of an owner, of `1 << bits` buckets. The buckets lie in the order of the table, so
/// the finished table does not depend on their number.
#[must_use]
pub(crate) fn bucket(owner_hash: u64, bits: u32) -> usize {
    usize::try_from(owner_hash >> (OWNER_BITS - bits.min(OWNER_BITS))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_by_owner_then_time_then_line() {
        let keys = [
            Key::new(1, 5, 9),
            Key::new(1, 6, 0),
            Key::new(1, 6, 1),
            Key::new(1, i64::MAX, 0),
            Key::new(2, i64::MIN, 0),
            Key::new((1 << OWNER_BITS) - 1, i64::MAX, MOST_LINES - 1),
        ];
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.iter().all(|key| key.0 >= 0));
        assert_eq!(keys.map(Key::owner_hash)[4], 2);
    }

    #[test]
    fn identities_of_different_kinds_stay_apart() {
        let hashes = [
            Owner::User("17").hash(),
            Owner::Anonymous("17").hash(),
            Owner::Session("17").hash(),
        ];
        assert_ne!(hashes[0], hashes[1]);
        assert_ne!(hashes[1], hashes[2]);
    }

    #[test]
    fn buckets_keep_the_order_of_the_table() {
        for bits in [0, 1, 4, 8] {
            let mut hashes: Vec<u64> = (0..1000u64)
                .map(|user| Owner::User(&user.to_string()).hash())
                .collect();
            hashes.sort_unstable();
            let buckets: Vec<usize> = hashes.iter().map(|hash| bucket(*hash, bits)).collect();
            assert!(buckets.is_sorted());
            assert_eq!(buckets.last(), Some(&((1 << bits) - 1)));
        }
    }
}
