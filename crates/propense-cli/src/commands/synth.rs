//! `propense synth`

use anyhow::Context;
use propense_synth::{GiftshopOptions, GiftshopSources, giftshop};

use super::Outcome;
use crate::args::{GiftshopArgs, SynthArgs, SynthWhat};
use crate::output::{Output, Table, note};

pub(crate) fn run(args: &SynthArgs) -> Outcome {
    match &args.what {
        SynthWhat::Giftshop(args) => make_giftshop(args),
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
