//! From a file to plain UTF-8 text: gzip, zstd and Parquet by their first bytes, UTF-16 by its
//! byte-order mark, other encodings when asked for. Nothing is read whole.

mod hashed;
#[cfg(feature = "engine")]
mod parquet_rows;
mod source;

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use flate2::read::MultiGzDecoder;

use crate::PrepareError;
pub(crate) use hashed::SharedHash;
use source::{Counted, Layer};

/// Plain text to read.
pub type Text = Box<dyn Read + Send>;

/// A file that was opened and recognised.
pub struct Opened {
    /// What is in it.
    pub content: Content,
    /// Bytes of the file read so far, compressed as they are.
    pub read: Arc<AtomicU64>,
    /// Bytes of the whole file; zero where the system does not say.
    pub size: u64,
    /// The file from where reading ends, where it is read from beginning to end and hashed.
    pub(crate) rest: Option<File>,
}

/// What a file holds.
pub enum Content {
    /// UTF-8 text in a format of `propense-events`: decoded, or the rows of a Parquet file.
    Text(Text),
    /// An event table that this crate wrote.
    #[cfg(feature = "engine")]
    Table(File),
}

/// Opens a file. `encoding` is the name of a text encoding (`windows-1252`); without it the text
/// is UTF-8, or UTF-16 where it says so itself. The rows of a Parquet file become CSV where its
/// columns are those of a known format, and JSON lines otherwise, or where the caller has a mapping
/// for them (`mapped`).
///
/// # Errors
/// The file cannot be opened, it is Parquet inside a compressed file, its Parquet schema cannot
/// be read, or the encoding is unknown. Damage further on is an error of the reader, which names
/// the remedy.
pub fn open(path: &Path, encoding: Option<&str>, mapped: bool) -> Result<Opened, PrepareError> {
    open_with(path, encoding, mapped, None)
}

/// The same, and adds the file's bytes to a hash: those of Parquet at once, since they are read in
/// an order of their own, and others as they are read. What then is left in [`Opened::rest`] is
/// the caller's to add.
pub(crate) fn open_hashed(
    path: &Path,
    encoding: Option<&str>,
    mapped: bool,
    hash: &SharedHash,
) -> Result<Opened, PrepareError> {
    open_with(path, encoding, mapped, Some(hash))
}

fn open_with(
    path: &Path,
    encoding: Option<&str>,
    mapped: bool,
    hash: Option<&SharedHash>,
) -> Result<Opened, PrepareError> {
    #[cfg(not(feature = "engine"))]
    let _ = mapped;
    let file = File::open(path).map_err(PrepareError::io(path))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let read = Arc::new(AtomicU64::new(0));
    #[cfg(feature = "engine")]
    if is_parquet(&file, path)? {
        if let Some(hash) = hash {
            hash.take(File::open(path).map_err(PrepareError::io(path))?, path)?;
        }
        return Ok(Opened {
            content: parquet_rows::open(file, path, mapped, &read)?,
            read,
            size,
            rest: None,
        });
    }
    // The copy stands where the file stands.
    let rest = match hash {
        Some(_) => Some(file.try_clone().map_err(PrepareError::io(path))?),
        None => None,
    };
    let counted = Counted::new(file, Arc::clone(&read), hash.cloned());
    let text = decode(BufReader::with_capacity(1 << 18, counted), encoding, path)?;
    Ok(Opened {
        content: Content::Text(text),
        read,
        size,
        rest,
    })
}

/// Decodes a stream, recognised by its first bytes. `path` is for messages.
///
/// # Errors
/// As [`open`].
pub fn decode<R: Read + Send + 'static>(
    input: R,
    encoding: Option<&str>,
    path: &Path,
) -> Result<Text, PrepareError> {
    let (start, input) = peek(input, path)?;
    let input: Text = match start.as_slice() {
        [0x1f, 0x8b, ..] => Layer::boxed(
            MultiGzDecoder::new(input),
            "the gzip data is damaged or cut short; fetch the file again (`gzip -t` tells whether it is whole)",
        ),
        #[cfg(feature = "engine")]
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Layer::boxed(
            zstd::stream::read::Decoder::new(input).map_err(PrepareError::io(path))?,
            "the zstd data is damaged or cut short; fetch the file again (`zstd -t` tells whether it is whole)",
        ),
        _ => return text(start, input, encoding, path),
    };
    let (start, input) = peek(input, path)?;
    text(start, input, encoding, path)
}

/// Text of any encoding as UTF-8.
fn text<R: Read + Send + 'static>(
    start: Vec<u8>,
    input: R,
    encoding: Option<&str>,
    path: &Path,
) -> Result<Text, PrepareError> {
    if start.starts_with(b"PAR1") {
        return Err(PrepareError::Unreadable {
            path: path.to_owned(),
            reason: if cfg!(feature = "engine") {
                "Parquet inside a compressed file; decompress it first: Parquet is compressed as it is"
            } else {
                "Parquet is not in this build (feature `engine`)"
            }
            .to_owned(),
        });
    }
    #[cfg(feature = "engine")]
    {
        transcode(&start, input, encoding)
    }
    #[cfg(not(feature = "engine"))]
    match encoding {
        Some(name) if !name.eq_ignore_ascii_case("utf-8") => Err(PrepareError::Unreadable {
            path: path.to_owned(),
            reason: format!("encoding `{name}` is not in this build (feature `engine`)"),
        }),
        _ => Ok(Box::new(input)),
    }
}

#[cfg(feature = "engine")]
fn transcode<R: Read + Send + 'static>(
    start: &[u8],
    input: R,
    encoding: Option<&str>,
) -> Result<Text, PrepareError> {
    let encoding = encoding
        .map(|name| {
            encoding_rs::Encoding::for_label(name.as_bytes())
                .ok_or_else(|| PrepareError::UnknownEncoding(name.to_owned()))
        })
        .transpose()?;
    let marked = matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if !marked && encoding.is_none_or(|encoding| encoding == encoding_rs::UTF_8) {
        // As it is: the readers of `propense-events` count bytes that are not UTF-8.
        return Ok(Box::new(input));
    }
    Ok(Box::new(
        encoding_rs_io::DecodeReaderBytesBuilder::new()
            .encoding(encoding)
            .bom_override(true)
            .build(input),
    ))
}

/// The bytes that were looked at, then the rest.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// The first bytes, and the whole input again.
fn peek<R: Read>(mut input: R, path: &Path) -> Result<(Vec<u8>, Whole<R>), PrepareError> {
    let mut start = Vec::new();
    input
        .by_ref()
        .take(4)
        .read_to_end(&mut start)
        .map_err(PrepareError::io(path))?;
    Ok((start.clone(), Cursor::new(start).chain(input)))
}

/// Whether a file is Parquet. It is left at its beginning.
#[cfg(feature = "engine")]
pub(crate) fn is_parquet(file: &File, path: &Path) -> Result<bool, PrepareError> {
    starts_with(file, b"PAR1", path)
}

#[cfg(feature = "engine")]
fn starts_with(mut file: &File, magic: &[u8], path: &Path) -> Result<bool, PrepareError> {
    use std::io::{Seek, SeekFrom};
    let mut start = Vec::new();
    file.take(magic.len() as u64)
        .read_to_end(&mut start)
        .map_err(PrepareError::io(path))?;
    file.seek(SeekFrom::Start(0))
        .map_err(PrepareError::io(path))?;
    Ok(start == magic)
}

#[cfg(test)]
mod tests;
