//! Files in, one table out: whole runs over small inputs.

mod exports;
mod inputs;
mod joined;
mod memory;
mod resume;
mod shared_data;
mod table;
mod whole;
