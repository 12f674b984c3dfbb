//! The character between the fields of a table.

use serde::{Deserialize, Serialize};

use crate::EventsError;

/// The character between fields, as a mapping says it: one character, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Delimiter {
    /// Comma, semicolon, tab or `|`, whichever the first line has most of.
    #[default]
    Auto,
    /// This one.
    Character(char),
}

/// What may be found, in the order of preference where two are equally frequent.
const CANDIDATES: [u8; 4] = [b',', b'\t', b';', b'|'];

impl Delimiter {
    /// Refuses what the CSV reader could not take.
    pub(crate) fn check(self) -> Result<(), EventsError> {
        self.byte(b"").map(|_| ())
    }

    /// The delimiter as one byte, `start` being the beginning of the table.
    pub(crate) fn byte(self, start: &[u8]) -> Result<u8, EventsError> {
        match self {
            Self::Auto => Ok(find(start)),
            Self::Character(letter) => u8::try_from(letter)
                .ok()
                .filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0))
                .ok_or(EventsError::Delimiter(letter)),
        }
    }
}

/// The most frequent candidate in the first line that is not blank, outside of quotes; a comma
/// where there is none.
pub(crate) fn find(start: &[u8]) -> u8 {
    let line = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    let mut counts = [0_usize; CANDIDATES.len()];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        let found = CANDIDATES.iter().position(|candidate| candidate == byte);
        if let Some(count) = found.and_then(|at| counts.get_mut(at))
            && !quoted
        {
            *count += 1;
        }
    }
    let mut best = (b',', 0);
    for (candidate, count) in CANDIDATES.into_iter().zip(counts) {
        if count > best.1 {
            best = (candidate, count);
        }
    }
    best.0
}

impl TryFrom<String> for Delimiter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut letters = text.chars();
        match (text.as_str(), letters.next(), letters.next()) {
            ("auto", ..) => Ok(Self::Auto),
            (_, Some(letter), None) => Ok(Self::Character(letter)),
            _ => Err(format!(
                "a delimiter is one character or `auto`, not {text:?}"
            )),
        }
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> Self {
        match delimiter {
            Delimiter::Auto => "auto".to_owned(),
            Delimiter::Character(letter) => letter.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells() {
        let rows: [(&[u8], u8); 9] = [
            (b"a,b,c\n1;2;3;4;5\n", b','),
            (b"a;b;c\n", b';'),
            (b"\r\n\na\tb\r\n", b'\t'),
            (b"a|b", b'|'),
            (b"\"a,b,c,d\";e\n", b';'),
            (b"a;b,c", b','),
            (b"one", b','),
            (b"", b','),
            (b"\"a;b\nc;d", b','),
        ];
        for (start, expected) in rows {
            let text = String::from_utf8_lossy(start).into_owned();
            assert_eq!(find(start), expected, "{text:?}");
        }
    }
}
