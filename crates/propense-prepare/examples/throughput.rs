//! How fast a large file is prepared: `cargo run --release -p propense-prepare --example
//! throughput -- ROWS [FOLDER]`.
//!
//! Writes a file of that many rows in the form of Taobao's `UserBehavior.csv` (invented rows: a
//! hundred for each shopper, in no order) unless it is there already, prepares it, and prints rows
//! a second by step, and the most memory held.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use propense_prepare::{Observer, Progress, Request, prepare};

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let folder = arguments.next().map_or_else(
        || std::env::temp_dir().join("propense-throughput"),
        PathBuf::from,
    );
    fs::create_dir_all(&folder)?;
    let input = folder.join(format!("taobao-{rows}.csv"));
    if !input.exists() {
        generate(&input, rows)?;
    }
    let mut request = Request::new(vec![input], folder.join("out"));
    if let Some(mebibytes) = arguments.next() {
        request.memory = mebibytes.parse::<usize>()? << 20;
    }
    let prepared = prepare(&request, &mut Silent)?;
    let rate = |seconds: f64| rows as f64 / seconds / 1e6;
    let [reading, cleaning, joining] = prepared.times.map(|time| time.as_secs_f64());
    println!(
        "rows {rows}, records out {}, in quarantine {}",
        prepared.records_out, prepared.records_quarantined
    );
    for (step, seconds) in [
        ("reading", reading),
        ("cleaning", cleaning),
        ("joining", joining),
    ] {
        println!("{step:<9} {seconds:8.2} s {:8.2} M rows/s", rate(seconds));
    }
    println!(
        "all       {:8.2} s {:8.2} M rows/s",
        reading + cleaning + joining,
        rate(reading + cleaning + joining)
    );
    println!("spilled   {} MB", prepared.cleaning.spilled >> 20);
    if let Some(memory) = peak_memory() {
        println!("peak      {memory} MB");
    }
    if let Some((user, system)) = cpu() {
        println!(
            "CPU       {user:.2} s user, {system:.2} s system: {:.2} µs a row",
            (user + system) * 1e6 / rows as f64
        );
    }
    Ok(())
}

/// Rows with a steady generator of numbers (SplitMix64).
fn generate(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    };
    let shoppers = (rows / 100).max(1);
    for _ in 0..rows {
        let user = next() % shoppers + 1;
        let item = next() % 4_000_000 % (next() % 4_000_000 + 1) + 1;
        let category = item * 7919 % 9_400 + 1;
        let behaviour = match next() % 1000 {
            0..=19 => "buy",
            20..=74 => "cart",
            75..=103 => "fav",
            _ => "pv",
        };
        let seconds = 1_511_539_200 + next() % (9 * 86_400);
        writeln!(out, "{user},{item},{category},{behaviour},{seconds}")?;
    }
    out.flush()
}

fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? >> 10)
}

fn cpu() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || Some(fields.next()?.parse::<f64>().ok()? / 100.0);
    Some((ticks()?, ticks()?))
}
