//! The propense command.
fn main() {}
