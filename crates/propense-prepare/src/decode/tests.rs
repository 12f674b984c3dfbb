use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn plain(bytes: Vec<u8>, encoding: Option<&str>) -> Result<String, String> {
    let mut text = String::new();
    decode(Cursor::new(bytes), encoding, Path::new("events.csv"))
        .map_err(|error| error.to_string())?
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    Ok(text)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).expect("write");
    out.finish().expect("finish")
}

#[test]
fn every_wrapping_gives_the_same_text() {
    let two_members = [gzip("Straße\n"), gzip("a,b\n")].concat();
    let text = "Straße\na,b\n";
    let utf16le: Vec<u8> = "\u{feff}Straße\na,b\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16be: Vec<u8> = "\u{feff}Straße\na,b\n"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let mut rows = vec![
        ("plain", text.as_bytes().to_vec(), None),
        ("plain, named", text.as_bytes().to_vec(), Some("utf-8")),
        ("gzip", gzip(text), None),
        ("gzip, two members", two_members, None),
    ];
    if cfg!(feature = "engine") {
        rows.extend([
            ("utf-16le", utf16le, None),
            ("utf-16be", utf16be, None),
            (
                "windows-1252",
                b"Stra\xdfe\na,b\n".to_vec(),
                Some("windows-1252"),
            ),
            ("latin 1", b"Stra\xdfe\na,b\n".to_vec(), Some("ISO-8859-1")),
        ]);
    }
    #[cfg(feature = "engine")]
    {
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).expect("zstd");
        rows.push(("zstd", zstd(text), None));
        rows.push((
            "zstd, two frames",
            [zstd("Straße\n"), zstd("a,b\n")].concat(),
            None,
        ));
    }
    for (name, bytes, encoding) in rows {
        assert_eq!(plain(bytes, encoding).as_deref(), Ok(text), "{name}");
    }
}

#[test]
fn empty_and_tiny_inputs_pass() {
    for text in ["", "a", "ab\n"] {
        assert_eq!(plain(text.as_bytes().to_vec(), None).as_deref(), Ok(text));
    }
}

#[test]
fn damage_names_the_remedy() {
    let whole = gzip(&"a,b,c\n".repeat(1000));
    let mut rows = vec![(whole[..whole.len() / 2].to_vec(), None, "gzip -t")];
    if cfg!(feature = "engine") {
        rows.push((b"a".to_vec(), Some("klingon"), "unknown encoding `klingon`"));
        rows.push((gzip("PAR1...."), None, "Parquet inside a compressed file"));
    }
    for (bytes, encoding, expected) in rows {
        let error = plain(bytes, encoding).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
}

/// Nested Parquet as an analytics export has it: one line of JSON for each row.
#[cfg(feature = "engine")]
#[test]
fn parquet_becomes_json_lines() {
    use arrow::json::ReaderBuilder;
    use std::sync::Arc;

    let text = "\
{\"event_name\":\"purchase\",\"event_timestamp\":17,\"items\":[{\"item_id\":\"a\",\"price\":2.5},{\"item_id\":\"b\"}]}
{\"event_name\":\"view_item\",\"event_timestamp\":18,\"items\":[]}
";
    let (schema, _) =
        arrow::json::reader::infer_json_schema(Cursor::new(text), None).expect("a schema");
    let mut rows = ReaderBuilder::new(Arc::new(schema))
        .build(Cursor::new(text))
        .expect("a reader");
    let batch = rows.next().expect("rows").expect("a batch");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(file.reopen().expect("a file"), batch.schema(), None)
            .expect("a writer");
    for _ in 0..1000 {
        writer.write(&batch).expect("written");
    }
    writer.close().expect("closed");

    let opened = open(file.path(), None, false).expect("opened");
    let Content::Text(mut lines) = opened.content else {
        panic!("it is no event table");
    };
    let mut found = String::new();
    lines.read_to_string(&mut found).expect("readable");
    let values = |text: &str| -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).expect("json");
        text.lines().map(parse).collect()
    };
    assert_eq!(values(&found), values(&text.repeat(1000)));
    let read = opened.read.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(read, opened.size);

    let bytes = std::fs::read(file.path()).expect("bytes");
    std::fs::write(file.path(), &bytes[..bytes.len() / 2]).expect("written");
    let error = open(file.path(), None, false)
        .err()
        .expect("cut short")
        .to_string();
    assert!(error.contains("damaged or cut short"), "{error}");
}
