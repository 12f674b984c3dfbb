//! `propense synth`

use anyhow::Context;
use propense_synth::{EventsOptions, GiftshopOptions, GiftshopSources, events, giftshop};

use super::Outcome;
use crate::args::{EventsArgs, GiftshopArgs, SynthArgs, SynthWhat};
use crate::output::{Output, Table, note};
use crate::progress::Line;

pub(crate) fn run(args: &SynthArgs) -> Outcome {
    match &args.what {
        SynthWhat::Giftshop(args) => make_giftshop(args),
        SynthWhat::Events(args) => make_events(args),
    }
}

fn make_giftshop(args: &GiftshopArgs) -> Outcome {
    let sources = GiftshopSources {
        shoppers: args.shoppers.clone(),
        retail: args.retail.clone(),
    };
    let options = GiftshopOptions {
        seed: args.seed,
        ..GiftshopOptions::default()
    };
    let report = giftshop(&sources, &options, &args.out, note).context("synth giftshop")?;
    let mut table = Table::new();
    table.block(format!("gift shop data in {}", args.out.display()));
    for line in report.to_string().lines() {
        table.row([line]);
    }
    Output::new(&args.json).finish(&table, &report)?;
    Ok(())
}

fn make_events(args: &EventsArgs) -> Outcome {
    let options = EventsOptions {
        rows: args.rows,
        seed: args.seed,
        layout: args.layout,
    };
    let mut line = Line::new();
    let manifest = events(&options, &args.out, |rows| {
        line.show(&format!("{rows} of {} rows", args.rows));
    })
    .context("synth events")?;
    line.clear();
    let mut table = Table::new();
    table.block(format!("made-up events in {}", args.out.display()));
    for line in manifest.to_string().lines() {
        table.row([line]);
    }
    Output::new(&args.json).finish(&table, &manifest)?;
    Ok(())
}
