//! From sorted batches to pieces that hold all lines of their owners.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;

use super::gather::{Piece, owner, same_hash, untangle};
use crate::PrepareError;
use crate::table::{Key, Lines};

/// An owner with more lines than this is looked at in pieces: no shopper has half a million
/// events, and memory must stay bounded where one identifier stands for everybody.
const MOST: usize = 1 << 19;

/// Receives lines that can be cleaned.
pub(super) trait Consumer {
    /// All lines of some owners.
    fn owners(&mut self, piece: &Piece) -> Result<(), PrepareError>;

    /// A part of one owner's lines, from the front. Returns how many were taken: the others come
    /// again at the front of the next part. All are taken of the last.
    fn slab(&mut self, piece: &RecordBatch, first: bool, last: bool)
    -> Result<usize, PrepareError>;
}

/// Collects sorted batches until an owner is complete, or has too many lines.
pub(super) struct Pieces {
    /// Lines of the last owner seen, who may go on in the next batch.
    tail: Vec<RecordBatch>,
    lines: usize,
    /// Whether lines of that owner were handed on already.
    begun: bool,
    most: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            tail: Vec::new(),
            lines: 0,
            begun: false,
            most: MOST,
        }
    }
}

fn failed(error: ArrowError) -> PrepareError {
    PrepareError::engine("lines of an owner")(error)
}

fn view(batch: &RecordBatch) -> Result<Lines<'_>, PrepareError> {
    Lines::new(batch).map_err(PrepareError::engine("sorted lines"))
}

impl Pieces {
    /// Takes the next sorted batch; hands on what is complete.
    pub(super) fn push(
        &mut self,
        batch: &RecordBatch,
        to: &mut dyn Consumer,
    ) -> Result<(), PrepareError> {
        let lines = view(batch)?;
        let owner = |line: usize| lines.key.get(line).map(|key| Key(*key).owner_hash());
        let count = lines.len();
        let mut from = 0;
        if let Some(before) = self.tail.last() {
            let before = view(before)?.key.last().map(|key| Key(*key).owner_hash());
            while from < count && owner(from) == before {
                from += 1;
            }
            self.keep(batch.slice(0, from));
            if from == count {
                return self.cut(to);
            }
            self.flush(to)?;
        }
        let mut last = count;
        while last > from && owner(last - 1) == owner(count - 1) {
            last -= 1;
        }
        if last > from {
            to.owners(&untangle(batch.slice(from, last - from))?)?;
        }
        self.keep(batch.slice(last, count - last));
        Ok(())
    }

    /// Hands on the last owner.
    pub(super) fn flush(&mut self, to: &mut dyn Consumer) -> Result<(), PrepareError> {
        let begun = std::mem::take(&mut self.begun);
        match self.join()? {
            Some(piece) if begun => to.slab(&piece.batch, false, true).map(|_| ()),
            Some(piece) => to.owners(&piece),
            None => Ok(()),
        }
    }

    fn keep(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.lines += batch.num_rows();
            self.tail.push(batch);
        }
    }

    fn join(&mut self) -> Result<Option<Piece>, PrepareError> {
        let Some(first) = self.tail.first() else {
            return Ok(None);
        };
        let joined = concat_batches(&first.schema(), &self.tail).map_err(failed)?;
        self.tail.clear();
        self.lines = 0;
        untangle(joined).map(Some)
    }

    /// Hands on the beginning of an owner with too many lines.
    fn cut(&mut self, to: &mut dyn Consumer) -> Result<(), PrepareError> {
        if self.lines < self.most {
            return Ok(());
        }
        // A hash that another owner has, too, is one in a hundred million here.
        let Some(Piece { batch: piece, .. }) = self.join()? else {
            return Ok(());
        };
        let taken = to.slab(&piece, !self.begun, false)?.min(piece.num_rows());
        self.begun = true;
        self.keep(piece.slice(taken, piece.num_rows() - taken));
        Ok(())
    }
}

/// The ranges of lines with the same owner.
pub(super) fn ranges(lines: &Lines<'_>, tangled: bool) -> Vec<Range<usize>> {
    let same = |one: usize, other: usize| {
        same_hash(lines, one, other) && (!tangled || owner(lines, one) == owner(lines, other))
    };
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for line in 0..lines.len() {
        match ranges.last_mut() {
            Some(range) if same(line - 1, line) => range.end = line + 1,
            _ => ranges.push(line..line + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::lines_of_owners;

    /// Notes what comes, and takes two thirds of a slab that is not the last.
    #[derive(Default)]
    struct Notes {
        lines: Vec<u64>,
        pieces: Vec<String>,
    }

    impl Notes {
        fn take(&mut self, piece: &RecordBatch, most: usize) {
            let lines = Lines::new(piece).expect("the table");
            self.lines.extend(lines.row.iter().take(most));
        }
    }

    impl Consumer for Notes {
        fn owners(&mut self, piece: &Piece) -> Result<(), PrepareError> {
            self.take(&piece.batch, usize::MAX);
            let owners = ranges(&Lines::new(&piece.batch).expect("the table"), false).len();
            self.pieces.push(format!("{owners} owners"));
            Ok(())
        }

        fn slab(
            &mut self,
            piece: &RecordBatch,
            first: bool,
            last: bool,
        ) -> Result<usize, PrepareError> {
            let taken = if last {
                piece.num_rows()
            } else {
                piece.num_rows() * 2 / 3
            };
            self.take(piece, taken);
            self.pieces.push(format!("slab {first} {last}"));
            Ok(taken)
        }
    }

    /// Owners with so many lines each, in batches of `size`.
    fn check(owners: &[usize], size: usize, expected: &[&str]) {
        let batch = lines_of_owners(owners);
        let mut notes = Notes::default();
        let mut pieces = Pieces {
            most: 10,
            ..Pieces::default()
        };
        for start in (0..batch.num_rows()).step_by(size) {
            let part = batch.slice(start, size.min(batch.num_rows() - start));
            pieces.push(&part, &mut notes).expect("taken");
        }
        pieces.flush(&mut notes).expect("taken");
        assert_eq!(notes.pieces, expected, "{owners:?} by {size}");
        let all: Vec<u64> = (0..batch.num_rows() as u64).collect();
        assert_eq!(notes.lines, all, "every line comes once, in order");
    }

    #[test]
    fn owners_come_whole_however_batches_are_cut() {
        check(&[], 3, &[]);
        check(&[2, 2, 2], 100, &["2 owners", "1 owners"]);
        check(&[2, 2, 2], 2, &["1 owners", "1 owners", "1 owners"]);
        check(&[5, 1], 2, &["1 owners", "1 owners"]);
        check(&[1, 1, 1, 1], 3, &["2 owners", "1 owners", "1 owners"]);
    }

    #[test]
    fn an_owner_with_too_many_lines_comes_in_slabs() {
        check(
            &[2, 22, 2],
            4,
            &[
                "1 owners",
                "slab true false",
                "slab false false",
                "slab false true",
                "1 owners",
            ],
        );
    }
}
