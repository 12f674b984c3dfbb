//! The cleaning rules, as tables: rows in, verdicts out.

mod properties;
mod rules;
mod sessions;
mod slabs;
mod table;
