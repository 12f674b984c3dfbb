//! `test_order`: the shop's own trials, by the words that people give them.

use std::ops::Range;

use arrow::array::StringArray;
use propense_events::EventKind;

use super::scratch::Scratch;
use super::slab::Slab;
use super::{CleaningRule, Detail, Rules};
use crate::table::{Column, text_at};

/// Where a test word counts. Whoever writes one elsewhere (a search term) may mean it.
const COLUMNS: [Column; 4] = [
    Column::TransactionId,
    Column::UserId,
    Column::ItemId,
    Column::ItemName,
];

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    if !rules.applies(CleaningRule::TestOrder) {
        return;
    }
    scratch.begin_findings();
    for column in COLUMNS {
        let Some(texts) = slab.lines.text(column) else {
            continue;
        };
        let bytes = text_bytes(texts, slab.range());
        for word in &rules.words {
            // All texts of the owner in one go; a closer look only where the letters are found.
            if !may_contain(bytes, word) {
                continue;
            }
            for at in 0..slab.len {
                let text = text_at(Some(texts), slab.start + at).unwrap_or_default();
                if has_word(text.as_bytes(), word) {
                    found(slab, scratch, at, column);
                }
            }
        }
    }
    scratch.remove_found(slab, CleaningRule::TestOrder);
}

/// A line with a test word goes; of an order, every line.
fn found(slab: &Slab<'_>, scratch: &mut Scratch, at: usize, column: Column) {
    let row = slab.row(at);
    let detail = Detail::Word { column, row };
    let kind = slab.kinds().get(at).copied().unwrap_or_default();
    let order = kind == EventKind::Purchase as u8 || kind == EventKind::Refund as u8;
    if order && let Some(event) = scratch.events.of.get(at).copied() {
        scratch.find(event, detail);
    } else {
        scratch.remove(slab, at, CleaningRule::TestOrder, detail);
    }
}

/// The texts of these lines, one after the other without anything between.
pub(super) fn text_bytes(texts: &StringArray, lines: Range<usize>) -> &[u8] {
    let offsets = texts.value_offsets();
    let bound = |line: usize| offsets.get(line).map(|offset| *offset as usize);
    bound(lines.start)
        .zip(bound(lines.end))
        .and_then(|(start, end)| texts.value_data().get(start..end))
        .unwrap_or_default()
}

/// Bytes compared at a time: long enough for the vector unit, short enough to stop early.
const STEP: usize = 4096;

/// Whether the letters of the word may stand somewhere in the bytes, in upper or lower case; a
/// "no" is certain. Three letters are compared, in a loop without branches.
pub(super) fn may_contain(bytes: &[u8], word: &[u8]) -> bool {
    let (&[first, second, ..], &[.., last]) = (word, word) else {
        return false;
    };
    let distance = word.len() - 1;
    let (Some(seconds), Some(lasts)) = (bytes.get(1..), bytes.get(distance..)) else {
        return false;
    };
    let blocks = bytes
        .chunks(STEP)
        .zip(seconds.chunks(STEP))
        .zip(lasts.chunks(STEP));
    for ((firsts, seconds), lasts) in blocks {
        let mut hits = 0u8;
        for ((one, two), three) in firsts.iter().zip(seconds).zip(lasts) {
            let hit = (lower(*one) == lower(first))
                & (lower(*two) == lower(second))
                & (lower(*three) == lower(last));
            hits |= u8::from(hit);
        }
        if hits != 0 {
            return true;
        }
    }
    false
}

/// Maps the two cases of a letter to one; for other bytes an approximation.
const fn lower(byte: u8) -> u8 {
    byte | 0x20
}

/// Whether the word stands in the text by itself: with no letter directly before or after it.
fn has_word(text: &[u8], word: &[u8]) -> bool {
    let letter =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    text.windows(word.len().max(1))
        .enumerate()
        .any(|(at, part)| {
            part.eq_ignore_ascii_case(word)
                && !letter(at.checked_sub(1).and_then(|before| text.get(before)))
                && !letter(text.get(at + word.len()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words() {
        let rows = [
            ("test", true),
            ("TEST-0001", true),
            ("Test001", true),
            ("my_test@example.com", true),
            ("Order (dummy)", false),
            ("latest", false),
            ("testing", false),
            ("Täst test", true),
            ("testé", false),
            ("", false),
            ("tes", false),
            ("attest test", true),
        ];
        for (text, expected) in rows {
            assert_eq!(has_word(text.as_bytes(), b"test"), expected, "{text}");
            assert!(!expected || may_contain(text.as_bytes(), b"test"), "{text}");
        }
        assert!(has_word(b"Order (dummy)", b"dummy"));
    }

    #[test]
    fn letters_are_found_wherever_they_stand() {
        for length in [8, 100, STEP - 1, STEP, STEP + 1, STEP + 4, 3 * STEP] {
            for at in [0, 1, length / 2, length - 4] {
                let mut bytes = vec![b'x'; length];
                assert!(!may_contain(&bytes, b"test"));
                bytes[at..at + 4].copy_from_slice(b"TesT");
                assert!(may_contain(&bytes, b"test"), "{length} {at}");
            }
        }
    }
}
