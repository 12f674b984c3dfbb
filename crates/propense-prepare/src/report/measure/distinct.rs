//! How many different names there are and how lines are spread over them, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use twox_hash::XxHash64;

use crate::report::figures::{Concentration, Named};

/// Names with counts: all of them while they fit, then those whose hash falls into an ever
/// smaller part of its range (Wegman's adaptive sampling; Flajolet, "On adaptive sampling",
/// Computing 1990).
///
/// A name in the sample has been counted from its first line on, so its counts are exact, and
/// which names are in it depends on nothing but the names themselves: parts add up to the same
/// whole in any order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distinct {
    most: usize,
    /// The sample holds names with this many zero bits at [`SAMPLED`].
    zeros: u32,
    names: HashMap<u64, Count, BuildHasherDefault<AsIs>>,
    lines: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Count {
    name: Box<str>,
    lines: u64,
    ordered: u64,
}

/// The lowest bit of the hash by which the sample is drawn. The table goes by the lowest and the
/// highest bits, which must stay random.
const SAMPLED: u32 = 24;

/// A hash is its own hash.
#[derive(Debug, Clone, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = XxHash64::oneshot(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Distinct {
    /// Holds this many names at most.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            zeros: 0,
            names: HashMap::default(),
            lines: 0,
        }
    }

    fn sampled(&self, hash: u64) -> bool {
        (hash >> SAMPLED) & ((1 << self.zeros) - 1) == 0
    }

    /// The hash by which a name is known.
    pub(super) fn hash(name: &str) -> u64 {
        XxHash64::oneshot(7, name.as_bytes())
    }

    /// Counts a line.
    pub(super) fn add(&mut self, name: &str, ordered: bool) {
        self.add_hashed(Self::hash(name), name, ordered);
    }

    /// Counts a line of a name whose hash is known.
    pub(super) fn add_hashed(&mut self, hash: u64, name: &str, ordered: bool) {
        self.lines += 1;
        if !self.sampled(hash) {
            return;
        }
        let ordered = u64::from(ordered);
        // A name is most often known: looking it up is quicker than making room for it as well.
        if let Some(count) = self.names.get_mut(&hash) {
            count.lines += 1;
            count.ordered += ordered;
            return;
        }
        let count = Count {
            name: name.into(),
            lines: 1,
            ordered,
        };
        self.names.insert(hash, count);
        self.shrink();
    }

    /// Halves the sample until it fits.
    fn shrink(&mut self) {
        while self.names.len() > self.most && self.zeros < 32 {
            self.zeros += 1;
            let mask = (1 << self.zeros) - 1;
            self.names.retain(|hash, _| (hash >> SAMPLED) & mask == 0);
        }
    }

    /// Adds another part.
    pub(super) fn merge(&mut self, other: &Self) {
        self.lines += other.lines;
        if other.zeros > self.zeros {
            self.zeros = other.zeros;
            let mask = (1 << self.zeros) - 1;
            self.names.retain(|hash, _| (hash >> SAMPLED) & mask == 0);
        }
        for (hash, theirs) in &other.names {
            if !self.sampled(*hash) {
                continue;
            }
            match self.names.get_mut(hash) {
                Some(mine) => {
                    mine.lines += theirs.lines;
                    mine.ordered += theirs.ordered;
                }
                None => {
                    self.names.insert(*hash, theirs.clone());
                    self.shrink();
                }
            }
        }
    }

    /// Every name with its lines; of a sample, the sample.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names
            .values()
            .map(|count| (count.name.as_ref(), count.lines))
    }

    /// The figures, with this many of the most frequent names.
    pub(super) fn concentration(&self, top: usize) -> Concentration {
        let mut counts: Vec<&Count> = self.names.values().collect();
        counts.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.name.cmp(&b.name)));
        let sampled: u64 = counts.iter().map(|count| count.lines).sum();
        let share_of = |share: f64| {
            let taken = (counts.len() as f64 * share).ceil() as usize;
            let lines: u64 = counts.iter().take(taken).map(|count| count.lines).sum();
            crate::report::share(lines, sampled)
        };
        let scaled = |count: usize| (count as u64) << self.zeros;
        let exact = self.zeros == 0;
        Concentration {
            distinct: scaled(counts.len()),
            exact,
            ordered: scaled(counts.iter().filter(|count| count.ordered > 0).count()),
            interactions: self.lines,
            top_1: share_of(0.01),
            top_10: share_of(0.10),
            rare: scaled(counts.iter().filter(|count| count.lines <= 5).count()),
            top: counts
                .iter()
                .take(if exact { top } else { 0 })
                .map(|count| Named {
                    name: shortened(&count.name),
                    lines: count.lines,
                    ordered: count.ordered,
                })
                .collect(),
        }
    }
}

/// The longest name in a report, in bytes.
const NAME: usize = 80;

/// A name as it stands in a report.
pub(super) fn shortened(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    let end = name.floor_char_boundary(NAME);
    format!("{}…", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: impl IntoIterator<Item = u32>, most: usize) -> Distinct {
        let mut distinct = Distinct::new(most);
        for name in names {
            distinct.add(&name.to_string(), name % 2 == 0);
        }
        distinct
    }

    #[test]
    fn figures_by_hand() {
        // Ten names; name 0 has 91 lines.
        let figures = of((0..10).chain([0; 90]), 100).concentration(1);
        assert_eq!(
            (figures.distinct, figures.exact, figures.ordered),
            (10, true, 5)
        );
        assert_eq!((figures.top_1, figures.top_10), (0.91, 0.91));
        assert_eq!((figures.rare, figures.interactions), (9, 100));
        assert_eq!((&*figures.top[0].name, figures.top[0].lines), ("0", 91));
        assert_eq!(
            of([], 5).concentration(5),
            Concentration {
                exact: true,
                ..Default::default()
            }
        );
    }

    #[test]
    fn a_sample_estimates_the_whole() {
        let figures = of((0..40_000).flat_map(|name| [name; 2]), 2_000).concentration(5);
        assert!(!figures.exact && figures.top.is_empty());
        let error = figures.distinct as f64 / 40_000.0 - 1.0;
        assert!(error.abs() < 0.1, "{error}");
        assert!((figures.top_10 - 0.1).abs() < 0.01);
    }

    #[test]
    fn parts_add_up_in_any_order() {
        for most in [10, 300, 5000] {
            let (a, b) = (of(0..2000, most), of(1000..3000, most));
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.merge(&b);
            ba.merge(&a);
            assert_eq!(ab, ba);
            assert_eq!(ab, of((0..2000).chain(1000..3000), most));
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = shortened(&"ä".repeat(1000));
        assert!(name.len() <= NAME + 3 && name.ends_with('…'));
    }
}
