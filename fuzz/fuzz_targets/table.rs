#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| propense_fuzz::table(bytes));
