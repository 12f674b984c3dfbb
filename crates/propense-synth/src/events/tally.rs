//! What has been written, counted row by row.

use std::collections::BTreeMap;

use propense_events::EventKind;

use super::{EventsManifest, dirt::Dirt, line::Names};

/// How rows are counted once they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) rows: u64,
    pub(crate) kind: EventKind,
    pub(crate) set_aside: Option<Dirt>,
    pub(crate) repaired: [Option<Dirt>; 2],
    pub(crate) names: Names,
    pub(crate) guest: bool,
}

/// Rows that are written later.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) bytes: Vec<u8>,
    pub(crate) tag: Tag,
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Rows without a user whose device has logged in since.
    pub(crate) known_later: u64,
    guests: u64,
    kinds: [u64; EventKind::ALL.len()],
    dirt: [u64; Dirt::ALL.len()],
    names: Names,
}

impl Tally {
    /// Counts rows: under what sets them aside, or else under what must be repaired in them.
    pub(crate) fn count(&mut self, tag: &Tag) {
        self.rows += tag.rows;
        if let Some(count) = self.kinds.get_mut(tag.kind as usize) {
            *count += tag.rows;
        }
        let found = match tag.set_aside {
            Some(dirt) => [Some(dirt), None],
            None => {
                self.names.missing += tag.names.missing;
                self.names.comma += tag.names.comma;
                self.names.quote += tag.names.quote;
                self.names.line_break += tag.names.line_break;
                self.guests += u64::from(tag.guest) * tag.rows;
                tag.repaired
            }
        };
        for dirt in found.into_iter().flatten() {
            if let Some(count) = self.dirt.get_mut(dirt as usize) {
                *count += tag.rows;
            }
        }
    }

    /// The counts under the names of the manifest; the rest of it is left empty.
    pub(crate) fn manifest(&self) -> EventsManifest {
        let named = |counts: &mut dyn Iterator<Item = (&str, u64)>| -> BTreeMap<String, u64> {
            counts
                .filter(|(_, rows)| *rows > 0)
                .map(|(name, rows)| (name.to_owned(), rows))
                .collect()
        };
        let kinds = EventKind::ALL.into_iter().map(EventKind::name);
        let dirt = |repairs: bool| {
            let all = Dirt::ALL.into_iter().zip(self.dirt);
            all.filter(move |((_, _, repair), _)| *repair == repairs)
                .map(|((_, name, _), rows)| (name, rows))
        };
        let unusual = [
            ("name_missing", self.names.missing),
            ("name_with_comma", self.names.comma),
            ("name_with_quotation_mark", self.names.quote),
            ("name_with_line_break", self.names.line_break),
            ("guest", self.guests),
            ("logged_in_later", self.known_later),
        ];
        EventsManifest {
            rows: self.rows,
            bytes: self.bytes,
            kinds: named(&mut kinds.zip(self.kinds)),
            set_aside: named(&mut dirt(false)),
            repaired: named(&mut dirt(true)),
            unusual: named(&mut unusual.into_iter()),
            ..EventsManifest::default()
        }
    }
}
