//! The users' ids, each once, in one piece of memory.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Numbers texts from zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// The number of the text with this hash, or with one before it that was taken.
    numbers: HashMap<u64, u32, FixedState>,
}

impl Users {
    /// The number of a text, new or not.
    pub(super) fn number(&mut self, user: &str) -> u32 {
        let mut hash = FixedState::default().hash_one(user);
        loop {
            match self.numbers.get(&hash).copied() {
                Some(number) if self.get(number) == Some(user) => return number,
                // Two texts with one hash: the next one has the next place.
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    let number = self.ends.len() as u32;
                    self.text.push_str(user);
                    self.ends.push(self.text.len());
                    self.numbers.insert(hash, number);
                    return number;
                }
            }
        }
    }

    /// The text with this number.
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}
