//! In which order the steps of a batch are taken.

use super::Lesson;

/// One phase of a session.
pub(super) struct Sequence {
    /// Place of the session in the slab.
    pub(super) lesson: usize,
    /// 0 where windows end with events of even index, 1 where with odd.
    pub(super) phase: usize,
    pub(super) steps: usize,
}

/// Which rows belong to which step: the rows of a step lie together, in the order of the sequences,
/// the longest of which come first.
pub(super) struct Schedule {
    pub(super) sequences: Vec<Sequence>,
    /// Sequences that take each step.
    pub(super) active: Vec<usize>,
    /// The first row of each step, and the end.
    pub(super) first: Vec<usize>,
}

impl Schedule {
    pub(super) fn new(lessons: &[(usize, Lesson<'_>)]) -> Self {
        let mut sequences = Vec::with_capacity(2 * lessons.len());
        for (place, (_, lesson)) in lessons.iter().enumerate() {
            for phase in 0..2 {
                let weighed = |&event: &usize| lesson.weights[event + 1] != 0.0;
                let events = (phase..lesson.weights.len() - 1).step_by(2);
                if let Some(last) = events.rev().find(weighed) {
                    sequences.push(Sequence {
                        lesson: place,
                        phase,
                        steps: last / 2 + 1,
                    });
                }
            }
        }
        sequences.sort_by_key(|sequence| core::cmp::Reverse(sequence.steps));
        let steps = sequences.first().map_or(0, |sequence| sequence.steps);
        let active: Vec<usize> = (0..steps)
            .map(|step| sequences.partition_point(|sequence| sequence.steps > step))
            .collect();
        let mut first = vec![0];
        for count in &active {
            first.push(first[first.len() - 1] + count);
        }
        Self {
            sequences,
            active,
            first,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.first[self.active.len()]
    }

    /// Every row: its place, its sequence, and the index of the event that its window ends with.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &Sequence, usize)> {
        self.first
            .iter()
            .zip(&self.active)
            .enumerate()
            .flat_map(|(step, (first, &active))| {
                let rows = self.sequences[..active].iter().enumerate();
                rows.map(move |(place, sequence)| {
                    (first + place, sequence, 2 * step + sequence.phase)
                })
            })
    }
}
