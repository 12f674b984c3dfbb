//! Who vouches for a bundle: an Ed25519 signature in its manifest.
//!
//! Only the bytes are dealt with here: which of them are signed, and where the signature goes. Keys
//! and arithmetic are the caller's, a program's or a browser's.

use super::manifest::UNSIGNED;
use super::read::header;
use super::{Bundle, checksum, find};
use crate::ModelError;

/// Hexadecimal digits of a signature.
const DIGITS: usize = 128;

/// What stands in place of the signature while it is computed.
const ZEROS: &str = "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

/// The key of the checksum as the header has it: the manifest is a JSON string there.
const KEY_OF_SUM: &str = r#"\"sha256\""#;

/// A signature, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The whole file, with the digits of the signature and of the checksum as zeros.
    pub message: Vec<u8>,
    /// The Ed25519 signature of these bytes.
    pub signature: [u8; DIGITS / 2],
}

impl Bundle {
    /// The signature of a bundle's bytes; none where it is not signed. Whether it is right is for
    /// the holder of a public key to say.
    ///
    /// # Errors
    /// Where the bytes are no bundle, or the signature is not 128 hexadecimal digits.
    pub fn signature(bytes: &[u8]) -> Result<Option<Signed>, ModelError> {
        let manifest = Self::from_bytes(bytes)?.manifest;
        let Some(digits) = manifest.signature else {
            return Ok(None);
        };
        let (Some(signature), Some(place)) = (number(&digits), find(bytes, digits.as_bytes()))
        else {
            return Err(unsound());
        };
        let mut message = bytes.to_vec();
        fill(&mut message, place, ZEROS);
        let hole = find(&message, manifest.sha256.as_bytes()).ok_or_else(unsound)?;
        fill(&mut message, hole, UNSIGNED);
        Ok(Some(Signed { message, signature }))
    }

    /// The same bundle with a signature, in place of the one that it may have. `sign` is given the
    /// bytes to sign.
    ///
    /// # Errors
    /// Where the bytes are no bundle.
    pub fn sign(
        bytes: &[u8],
        sign: impl FnOnce(&[u8]) -> [u8; DIGITS / 2],
    ) -> Result<Vec<u8>, ModelError> {
        let manifest = Self::from_bytes(bytes)?.manifest;
        let head = header(bytes)?;
        let data = bytes.get(8 + head.len()..).unwrap_or_default();
        let mut text = head.trim_ascii_end().to_vec();
        let sum = find(&text, manifest.sha256.as_bytes()).ok_or_else(unsound)?;
        let place = match &manifest.signature {
            Some(old) => find(&text, old.as_bytes()).ok_or_else(unsound)?,
            None => {
                let key = KEY_OF_SUM.as_bytes();
                let before = text.get(..sum).unwrap_or_default();
                let mut windows = before.windows(key.len());
                let place = windows
                    .rposition(|window| window == key)
                    .ok_or_else(unsound)?;
                let field = format!(r#"\"signature\":\"{ZEROS}\","#);
                text.splice(place..place, field.bytes());
                place + field.len() - DIGITS - 3
            }
        };
        let sum = find(&text, manifest.sha256.as_bytes()).ok_or_else(unsound)?;
        fill(&mut text, place, ZEROS);
        fill(&mut text, sum, UNSIGNED);
        text.resize(text.len().next_multiple_of(8), b' ');

        let mut file = (text.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(&text);
        file.extend_from_slice(data);
        let signature = sign(&file);
        let digits: String = signature.iter().map(|b| format!("{b:02x}")).collect();
        fill(&mut file, 8 + place, &digits);
        let digits = checksum(&file, 8 + sum);
        fill(&mut file, 8 + sum, &digits);
        Ok(file)
    }
}

/// Puts these digits into the bytes at this place.
fn fill(bytes: &mut [u8], place: usize, digits: &str) {
    if let Some(hole) = bytes.get_mut(place..place + digits.len()) {
        hole.copy_from_slice(digits.as_bytes());
    }
}

/// The number that 128 hexadecimal digits in lower case are.
fn number(digits: &str) -> Option<[u8; DIGITS / 2]> {
    let digits = digits.as_bytes();
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != DIGITS {
        return None;
    }
    let mut number = [0; DIGITS / 2];
    for (byte, pair) in number.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *byte = value(high)? * 16 + value(low)?;
    }
    Some(number)
}

fn unsound() -> ModelError {
    ModelError::Manifest {
        detail: "`signature` is not 128 hexadecimal digits before `sha256`".into(),
    }
}
