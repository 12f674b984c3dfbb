//! What the targets hold: the very oracles of `propense-events`' property tests.

#[path = "../../crates/propense-events/tests/events/oracles.rs"]
mod oracles;

/// Any bytes as a file: the first one chooses the format.
pub fn table(bytes: &[u8]) {
    oracles::any_table(bytes);
}

/// Any bytes as one live event.
pub fn event(bytes: &[u8]) {
    oracles::any_event(bytes);
}

/// Any bytes as a mapping, a zero byte, and a file.
pub fn mapping(bytes: &[u8]) {
    oracles::any_mapping(bytes);
}

/// The byte by which [`table`] chooses this format.
pub fn choice(format: propense_events::Format) -> u8 {
    oracles::choice(format)
}

/// The byte by which [`table`] recognises the format by content.
pub const BY_CONTENT: u8 = oracles::BY_CONTENT;
