//! The item table as a file: a safetensors file, whose tensors `docs/recommendation.md` lists.

use std::collections::HashMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::RecommendError;
use super::table::{ItemTable, Weights};

/// The version of the layout, under this key of the metadata: the second has weights, and popularity
/// means something else in it.
const KEY: &str = "propense-items";
const VERSIONS: [&str; 2] = ["1", "2"];

impl ItemTable {
    /// The table as a file: the same table gives the same bytes.
    ///
    /// # Errors
    /// Should the library refuse to write it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecommendError> {
        let numbers =
            |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let mut categories = String::new();
        for name in &self.categories {
            categories.push_str(&name.replace('\n', " "));
            categories.push('\n');
        }
        let prices = self.prices.iter().flat_map(|price| price.to_le_bytes());
        let category = self.category.iter().flat_map(|n| n.to_le_bytes());
        let weights = self.weights.iter();
        let weights = weights.flat_map(|weights| [weights.popular, weights.fading]);
        let weights: Vec<u8> = weights.flat_map(f32::to_le_bytes).collect();
        let tensors = [
            ("ids", Dtype::U8, self.ids.clone().into_bytes()),
            ("popularity", Dtype::U8, self.popularity.clone()),
            ("prices", Dtype::F32, prices.collect()),
            ("category", Dtype::U16, category.collect()),
            ("categories", Dtype::U8, categories.into_bytes()),
            ("offsets", Dtype::U32, numbers(&self.offsets)),
            ("neighbours", Dtype::U32, numbers(&self.neighbours)),
            ("strengths", Dtype::U8, self.strengths.clone()),
            ("weights", Dtype::F32, weights),
        ];
        let version = usize::from(self.weights.is_some());
        let count = tensors.len() - 1 + version;
        let mut views = Vec::new();
        for (name, kind, bytes) in tensors.iter().take(count) {
            let count = bytes.len() / (kind.bitsize() / 8);
            let view = TensorView::new(*kind, vec![count], bytes).map_err(unsound)?;
            views.push((*name, view));
        }
        let metadata = HashMap::from([(KEY.to_owned(), VERSIONS[version].to_owned())]);
        safetensors::serialize(views, Some(metadata)).map_err(unsound)
    }

    /// Reads a table. The bytes come from outside: all that the other methods rely on is checked.
    ///
    /// # Errors
    /// Where the bytes are no item table.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecommendError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unsound)?;
        let version = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        let version = version.and_then(|known| VERSIONS.iter().position(|one| one == known));
        let Some(version) = version else {
            return Err(unsound("it has another version, or none"));
        };
        let tensors = SafeTensors::deserialize(bytes).map_err(unsound)?;
        let of = |name: &str, kind: Dtype| {
            let tensor = tensors.tensor(name).map_err(unsound)?;
            match tensor.dtype() == kind {
                true => Ok(tensor.data()),
                false => Err(unsound(format!("`{name}` is no {kind:?}"))),
            }
        };
        let fractions = |name: &str| -> Result<Vec<f32>, RecommendError> {
            let (chunks, _) = of(name, Dtype::F32)?.as_chunks();
            Ok(chunks.iter().map(|b| f32::from_le_bytes(*b)).collect())
        };
        let numbers = |name: &str| -> Result<Vec<u32>, RecommendError> {
            let (chunks, _) = of(name, Dtype::U32)?.as_chunks();
            Ok(chunks.iter().map(|b| u32::from_le_bytes(*b)).collect())
        };
        let text = |name: &str| {
            let bytes = of(name, Dtype::U8)?.to_vec();
            String::from_utf8(bytes).map_err(unsound)
        };
        let ids = text("ids")?;
        let mut starts = vec![0];
        starts.extend(ids.match_indices('\n').map(|(end, _)| end as u32 + 1));
        let table = Self {
            starts,
            ids,
            popularity: of("popularity", Dtype::U8)?.to_vec(),
            prices: fractions("prices")?,
            category: {
                let (chunks, _) = of("category", Dtype::U16)?.as_chunks();
                chunks.iter().map(|b| u16::from_le_bytes(*b)).collect()
            },
            categories: text("categories")?.lines().map(str::to_owned).collect(),
            offsets: numbers("offsets")?,
            neighbours: numbers("neighbours")?,
            strengths: of("strengths", Dtype::U8)?.to_vec(),
            weights: match version {
                0 => None,
                _ => Some(weights(&fractions("weights")?)?),
            },
            popular: Vec::new(),
        };
        table.check()?;
        Ok(table.ranked())
    }

    fn check(&self) -> Result<(), RecommendError> {
        let count = self.popularity.len();
        let ends = self.starts.last().map(|end| *end as usize);
        let lengths = [
            self.starts.len() - 1,
            self.prices.len(),
            self.category.len(),
        ];
        if ends != Some(self.ids.len()) || lengths != [count; 3] {
            return Err(unsound("its parts differ in length"));
        }
        let near = self.neighbours.len();
        if self.offsets.len() != count + 1
            || self.offsets.first() != Some(&0)
            || self.offsets.last().map(|end| *end as usize) != Some(near)
            || self.offsets.windows(2).any(|pair| pair[0] > pair[1])
            || self.strengths.len() != near
            || self.neighbours.iter().any(|other| *other as usize >= count)
        {
            return Err(unsound("its neighbours are not of its items"));
        }
        let mut last = None;
        for id in self.ids.split_terminator('\n') {
            if last.is_some_and(|last| last >= id) {
                return Err(unsound("its identifiers do not rise"));
            }
            last = Some(id);
        }
        Ok(())
    }
}

fn weights(numbers: &[f32]) -> Result<Weights, RecommendError> {
    match *numbers {
        [popular, fading] if [popular, fading].iter().all(|n| (0.0..=1.0).contains(n)) => {
            Ok(Weights { popular, fading })
        }
        _ => Err(unsound("its weights are not two numbers from 0 to 1")),
    }
}

fn unsound(detail: impl ToString) -> RecommendError {
    RecommendError::Table {
        detail: detail.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::table::tests::table;

    #[test]
    fn a_table_is_read_as_it_was_written_and_others_are_refused() {
        let bytes = table().to_bytes().expect("writable");
        let read = ItemTable::from_bytes(&bytes).expect("readable");
        assert_eq!(read.to_bytes(), Ok(bytes.clone()));
        assert_eq!((read.len(), read.number("new")), (6, Some(5)));
        assert_eq!((read.price(0), read.category(0)), (Some(2.5), Some("Tea")));
        assert_eq!(
            (read.price(1), read.category(1), read.id(6)),
            (None, None, None)
        );
        for end in 0..bytes.len() {
            assert!(ItemTable::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        // Any one byte may be another: never a panic, here or in use.
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 0x55;
            if let Ok(table) = ItemTable::from_bytes(&other) {
                let _ = table.candidates(["a", "b"].into_iter(), ["c"], 9);
                let _ = (0..9).filter_map(|item| table.category(item)).count();
            }
        }
        let check = |change: fn(&mut ItemTable)| {
            let mut changed = table();
            change(&mut changed);
            let bytes = changed.to_bytes().expect("writable");
            ItemTable::from_bytes(&bytes).expect_err("unsound");
        };
        check(|t| t.offsets[1] = 99);
        check(|t| t.neighbours[0] = 6);
        check(|t| t.prices.truncate(2));
        check(|t| t.ids.push('x'));
        check(|t| t.offsets.clear());
        let weights = |popular, fading| Some(Weights { popular, fading });
        for weights in [
            weights(f32::NAN, 0.5),
            weights(0.5, 2.0),
            weights(-0.1, 0.5),
        ] {
            let changed = ItemTable { weights, ..table() };
            let bytes = changed.to_bytes().expect("writable");
            ItemTable::from_bytes(&bytes).expect_err("unsound");
        }
    }

    #[test]
    fn a_table_of_the_first_version_is_read_and_means_what_it_meant() {
        let old = ItemTable {
            weights: None,
            ..table()
        };
        let bytes = old.to_bytes().expect("writable");
        assert!(!bytes.windows(7).any(|part| part == b"weights"));
        let read = ItemTable::from_bytes(&bytes).expect("readable");
        assert_eq!(read.to_bytes(), Ok(bytes));
        // Popularity on a straight scale, the last resort below every neighbour.
        let popular = read.candidates([].into_iter(), [], 1);
        assert_eq!(popular, [(0, 1e-4)]);
    }
}
