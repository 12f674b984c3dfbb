//! `duplicate`: lines of which every field is equal.

use std::hash::{BuildHasher, Hasher};

use arrow::array::{Array, Float64Array};
use foldhash::fast::FixedState;

use super::scratch::Scratch;
use super::slab::{HashedMap, Slab};
use super::{Change, CleaningRule, Detail, Rules};
use crate::table::{Column, Lines, number_at, text_at};

/// Up to this many lines of one time are compared one by one; more are sorted by hash first.
const FEW: usize = 8;

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    if !rules.applies(CleaningRule::Duplicate) {
        return;
    }
    let lines = slab.lines;
    let judge = Comparison {
        equal: |one: usize, other: usize| equal(&lines, slab.start + one, slab.start + other),
        hash: |at: usize| hash(&lines, slab.start + at),
    };
    judge.runs(slab, scratch);
}

/// The same for the lines as they will be written: with their repairs, in their sessions. Returns
/// whether any was set aside.
pub(super) fn judge_as_written(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) -> bool {
    if !rules.applies(CleaningRule::Duplicate) {
        return false;
    }
    let written = AsWritten::new(slab, scratch);
    let before = scratch.removed.len();
    let judge = Comparison {
        equal: |one: usize, other: usize| written.equal(slab, one, other),
        hash: |at: usize| written.hash(slab, at),
    };
    judge.runs(slab, scratch);
    scratch.removed.len() > before
}

/// How lines are compared.
struct Comparison<E, H> {
    equal: E,
    /// Equal lines have equal hashes.
    hash: H,
}

impl<E: Fn(usize, usize) -> bool, H: Fn(usize) -> u64> Comparison<E, H> {
    fn runs(&self, slab: &Slab<'_>, scratch: &mut Scratch) {
        let mut start = 0;
        // Equal lines have equal times, and lines of one time stand together.
        for run in slab.timestamps().chunk_by(|one, other| one == other) {
            match run.len() {
                1 => {}
                2..=FEW => self.few(slab, scratch, start, run.len()),
                _ => self.many(slab, scratch, start, run.len()),
            }
            start += run.len();
        }
    }

    fn few(&self, slab: &Slab<'_>, scratch: &mut Scratch, start: usize, len: usize) {
        for later in start + 1..start + len {
            let first =
                (start..later).find(|first| scratch.is_kept(*first) && (self.equal)(*first, later));
            if let Some(first) = first {
                remove(slab, scratch, first, later);
            }
        }
    }

    fn many(&self, slab: &Slab<'_>, scratch: &mut Scratch, start: usize, len: usize) {
        let mut hashed = std::mem::take(&mut scratch.hashed);
        hashed.clear();
        let kept = (start..start + len).filter(|at| scratch.is_kept(*at));
        hashed.extend(kept.map(|at| ((self.hash)(at), at as u32)));
        hashed.sort_unstable();
        for same in hashed.chunk_by(|one, other| one.0 == other.0) {
            for (position, (_, later)) in same.iter().enumerate().skip(1) {
                let later = *later as usize;
                // The first of the same hash is the one, but for a collision.
                let first = same
                    .iter()
                    .take(position)
                    .map(|(_, first)| *first as usize)
                    .find(|first| scratch.is_kept(*first) && (self.equal)(*first, later));
                if let Some(first) = first {
                    remove(slab, scratch, first, later);
                }
            }
        }
        scratch.hashed = hashed;
    }
}

fn remove(slab: &Slab<'_>, scratch: &mut Scratch, first: usize, later: usize) {
    let detail = Detail::Again {
        source: slab.source(first),
        row: slab.row(first),
        after: 0,
    };
    scratch.remove(slab, later, CleaningRule::Duplicate, detail);
}

/// Whether two lines are equal in all that they say: everything but where they stand.
fn equal(lines: &Lines<'_>, one: usize, other: usize) -> bool {
    let same = |texts| text_at(texts, one) == text_at(texts, other);
    equal_but(lines, one, other)
        && same(lines.session_id)
        && same(lines.currency)
        && number(lines.price, one) == number(lines.price, other)
        && number(lines.value, one) == number(lines.value, other)
}

fn hash(lines: &Lines<'_>, line: usize) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hash_but(lines, line, &mut hasher);
    for texts in [lines.session_id, lines.currency] {
        hasher.write(text_at(texts, line).unwrap_or_default().as_bytes());
    }
    hasher.write_u64(number(lines.price, line));
    hasher.write_u64(number(lines.value, line));
    hasher.finish()
}

/// What no rule changes; the fields most likely to differ come first.
const TEXTS: [Column; 10] = [
    Column::ItemId,
    Column::PageType,
    Column::TransactionId,
    Column::SearchTerm,
    Column::AnonymousId,
    Column::UserId,
    Column::Context,
    Column::ItemName,
    Column::ItemCategory,
    Column::ItemBrand,
];

/// Whether two lines are equal but for what a rule may change: session, currency, amounts.
fn equal_but(lines: &Lines<'_>, one: usize, other: usize) -> bool {
    lines.kind.get(one) == lines.kind.get(other)
        && TEXTS.into_iter().all(|column| {
            let texts = lines.text(column);
            texts.is_none() || text_at(texts, one) == text_at(texts, other)
        })
        && number(lines.quantity, one) == number(lines.quantity, other)
        && number(lines.rating, one) == number(lines.rating, other)
}

fn hash_but(lines: &Lines<'_>, line: usize, hasher: &mut impl Hasher) {
    hasher.write_u8(lines.kind.get(line).copied().unwrap_or_default());
    for column in TEXTS {
        if let Some(text) = text_at(lines.text(column), line) {
            hasher.write(text.as_bytes());
        }
        hasher.write_u8(0xff);
    }
    hasher.write_u64(number(lines.quantity, line));
    hasher.write_u64(number(lines.rating, line));
}

/// The bits of a number; those of no finite number where it is missing.
fn number(numbers: Option<&Float64Array>, line: usize) -> u64 {
    number_at(numbers, line).map_or(u64::MAX, f64::to_bits)
}

/// What the rules have made of session, currency and amounts.
pub(super) struct AsWritten {
    /// Of each line: its session, and the amounts where they were changed.
    session: Vec<u32>,
    changed: HashedMap<usize, Changed>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Changed {
    price: Option<Option<f64>>,
    value: Option<Option<f64>>,
    currency: bool,
}

impl AsWritten {
    /// Whether lines that differ as they are may be equal as written.
    pub(super) fn may_differ(slab: &Slab<'_>, scratch: &Scratch) -> bool {
        let some_have_none = slab.lines.session_id.is_some_and(|ids| {
            let nulls = ids.slice(slab.start, slab.len).null_count();
            nulls > 0 && nulls < slab.len
        });
        some_have_none || !scratch.amended.is_empty()
    }

    fn new(slab: &Slab<'_>, scratch: &Scratch) -> Self {
        let session = |event: &u32| {
            let place = scratch.sessions.of.get(*event as usize);
            place.map_or(u32::MAX, |(session, _)| *session)
        };
        let mut changed: HashedMap<usize, Changed> = HashedMap::default();
        for repair in &scratch.amended {
            let line = changed.entry(repair.line - slab.start).or_default();
            match repair.change {
                Change::Price(price) => line.price = Some(price),
                Change::Value(value) => line.value = Some(value),
                Change::Currency => line.currency = true,
                Change::Sorted => {}
            }
        }
        Self {
            session: scratch.events.of.iter().map(session).collect(),
            changed,
        }
    }

    /// Session, price, value, currency of a line.
    fn fields<'a>(&self, slab: &Slab<'a>, at: usize) -> (u32, u64, u64, Option<&'a str>) {
        let line = slab.start + at;
        let changed = self.changed.get(&at).copied().unwrap_or_default();
        let bits = |changed: Option<Option<f64>>, column| match changed {
            Some(amount) => amount.map_or(u64::MAX, f64::to_bits),
            None => number(column, line),
        };
        // No currency is called like this, so it is equal to itself alone.
        let currency = if changed.currency {
            Some("(the shop's)")
        } else {
            text_at(slab.lines.currency, line)
        };
        (
            self.session.get(at).copied().unwrap_or_default(),
            bits(changed.price, slab.lines.price),
            bits(changed.value, slab.lines.value),
            currency,
        )
    }

    fn equal(&self, slab: &Slab<'_>, one: usize, other: usize) -> bool {
        self.fields(slab, one) == self.fields(slab, other)
            && equal_but(&slab.lines, slab.start + one, slab.start + other)
    }

    fn hash(&self, slab: &Slab<'_>, at: usize) -> u64 {
        let (session, price, value, currency) = self.fields(slab, at);
        let mut hasher = FixedState::default().build_hasher();
        hash_but(&slab.lines, slab.start + at, &mut hasher);
        hasher.write_u32(session);
        hasher.write_u64(price);
        hasher.write_u64(value);
        hasher.write(currency.unwrap_or_default().as_bytes());
        hasher.finish()
    }
}
