//! Which mapping an input is read with.

use std::path::{Path, PathBuf};

use propense_events::Mapping;

use crate::PrepareError;

/// The mappings of a run: one for all inputs, or one for each kind of input, by its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mappings {
    /// For inputs that no pattern names; without it their format is recognised by content.
    pub all: Option<Mapping>,
    /// Patterns and their mappings; the first pattern that an input's name is like counts.
    ///
    /// `*` stands for any characters, `?` for one. A pattern without `/` is held against the
    /// file's name, one with it against the whole path as it was given.
    pub named: Vec<(String, Mapping)>,
}

impl From<Mapping> for Mappings {
    fn from(mapping: Mapping) -> Self {
        Self {
            all: Some(mapping),
            named: Vec::new(),
        }
    }
}

impl Mappings {
    /// The mapping of an input.
    #[must_use]
    pub fn of(&self, input: &Path) -> Option<&Mapping> {
        let mut named = self.named.iter();
        match named.find(|(pattern, _)| names(pattern, input)) {
            Some((_, mapping)) => Some(mapping),
            None => self.all.as_ref(),
        }
    }

    /// Refuses a pattern that names no input: it is a slip, and the input that it was meant for
    /// would be read as something else.
    pub(crate) fn all_used(&self, inputs: &[PathBuf]) -> Result<(), PrepareError> {
        let unused = |pattern: &str| !inputs.iter().any(|input| names(pattern, input));
        match self.named.iter().find(|(pattern, _)| unused(pattern)) {
            Some((pattern, _)) => Err(PrepareError::UnusedMapping(pattern.clone())),
            None => Ok(()),
        }
    }
}

fn names(pattern: &str, input: &Path) -> bool {
    let whole = input.to_string_lossy();
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let text = if pattern.contains('/') { &whole } else { &name };
    matches(pattern.as_bytes(), text.as_bytes())
}

/// Whether the text is like the pattern, in time of their lengths multiplied.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut letter) = (0, 0);
    // The last star, and where in the text what follows it was tried.
    let mut star: Option<(usize, usize)> = None;
    while letter < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, letter));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || Some(wanted) == text.get(letter) => {
                at += 1;
                letter += 1;
            }
            _ => match &mut star {
                Some((starred, tried)) => {
                    *tried += 1;
                    at = *starred + 1;
                    letter = *tried;
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, input: &str, expected: bool) {
        assert_eq!(
            names(pattern, Path::new(input)),
            expected,
            "{pattern} {input}"
        );
    }

    #[test]
    fn patterns() {
        check("orders.csv", "in/orders.csv", true);
        check("orders.csv", "in/old-orders.csv", false);
        check("orders*", "in/orders-2024.csv.gz", true);
        check("*.csv", "a/b.csv", true);
        check("*.csv", "a/b.csv.gz", false);
        check("*a*b", "xaybzb", true);
        check("*a*b", "xaybz", false);
        check("p?ge.*", "page.jsonl", true);
        check("p?ge.*", "pge.jsonl", false);
        check("web/*", "web/a.csv", true);
        check("web/*", "shop/a.csv", false);
        check("*/web/*", "/data/web/a.csv", true);
        check("", "a", false);
    }

    #[test]
    fn the_first_pattern_counts_and_none_is_idle() {
        let mapping = |text: &str| Mapping::from_json(text).expect("a mapping");
        let one = mapping(r#"{"columns":{"timestamp":"one"},"default_event":"page_view"}"#);
        let two = mapping(r#"{"columns":{"timestamp":"two"},"default_event":"page_view"}"#);
        let mut mappings = Mappings::default();
        mappings.named.push(("a*".to_owned(), one.clone()));
        mappings.named.push(("*".to_owned(), two.clone()));
        assert_eq!(mappings.of(Path::new("in/a.csv")), Some(&one));
        assert_eq!(mappings.of(Path::new("in/b.csv")), Some(&two));
        assert!(mappings.all_used(&[PathBuf::from("a.csv")]).is_ok());
        let error = mappings.all_used(&[PathBuf::from("b.csv")]);
        let error = error.expect_err("a* is idle").to_string();
        assert!(error.contains("`a*`"), "{error}");
        assert_eq!(
            Mappings::from(one.clone()).of(Path::new("b.csv")),
            Some(&one)
        );
    }
}
