//! Lays the fixtures of `propense-events` out as seeds: `cargo run --bin seeds`, in this folder.

use std::{fs, io, path::Path};

#[path = "../../crates/propense-events/tests/events/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;

/// A mapping for each way of reading a table, before the bytes of a fixture.
const MAPPINGS: [&str; 2] = [
    r#"{"columns":{"timestamp":"timestamp","event":"event","user_id":"user_id","price":"price"}}"#,
    r#"{"header":false,"timestamp_unit":"seconds","columns":{"timestamp":"5","event":"4","item_id":"2"},"events":{"pv":"view_item"}}"#,
];

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in ["table", "event", "mapping"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    for (number, (format, text)) in fixtures::FIXTURES.iter().enumerate() {
        let name = format!("{number}-{format}");
        let text = text.as_bytes();
        for (way, choice) in [
            ("named", propense_fuzz::choice(*format)),
            ("recognised", propense_fuzz::BY_CONTENT),
        ] {
            let seed = [&[choice], text].concat();
            fs::write(corpus.join("table").join(format!("{name}-{way}")), seed)?;
        }
        for (line, event) in text.split(|byte| *byte == b'\n').enumerate() {
            if event.starts_with(b"{") {
                fs::write(corpus.join("event").join(format!("{name}-{line}")), event)?;
            }
        }
        for (which, mapping) in MAPPINGS.iter().enumerate() {
            let seed = [mapping.as_bytes(), &[0], text].concat();
            fs::write(corpus.join("mapping").join(format!("{name}-{which}")), seed)?;
        }
    }
    Ok(())
}
