//! The generator on small made-up files: it repeats itself, and says what is wrong with its input.

use std::{fmt::Write, fs, io, path::PathBuf};

use propense_synth::{
    CATALOGUE_FILE, EVENTS_FILE, GiftshopOptions, GiftshopReport, GiftshopSources, SAMPLE_FILE,
    SynthError, giftshop,
};
use tempfile::TempDir;

use crate::{leakage, real};

const SHOPPERS_HEADER: &str = "Administrative,Administrative_Duration,Informational,\
    Informational_Duration,ProductRelated,ProductRelated_Duration,BounceRates,ExitRates,\
    PageValues,SpecialDay,Month,OperatingSystems,Browser,Region,TrafficType,VisitorType,Weekend,\
    Revenue\n";

/// Session summaries of every kind that needs care: no pages, no product pages, one page.
fn shoppers() -> String {
    let mut text = SHOPPERS_HEADER.to_owned();
    for number in 0..60 {
        let pages = [[0, 0, 0], [2, 1, 0], [0, 0, 1], [1, 0, 12], [0, 2, 40]][number % 5];
        let seconds = pages.map(|pages| pages as f64 * 10.25 * (number % 3) as f64);
        let month = ["Feb", "June", "Nov", "Dec"][number % 4];
        let visitor = ["New_Visitor", "Returning_Visitor", "Other"][number % 3];
        let weekend = if number % 7 == 0 { "True" } else { "False" };
        let revenue = if number % 4 == 3 { "True" } else { "False" };
        writeln!(
            text,
            "{},{},{},{},{},{},0.0,0.1,0.0,0.0,{month},1,1,1,1,{visitor},{weekend},{revenue}",
            pages[0], seconds[0], pages[1], seconds[1], pages[2], seconds[2],
        )
        .unwrap();
    }
    text
}

fn retail() -> String {
    let mut text =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            .to_owned();
    for invoice in 0..30 {
        let month = ["2010-12", "2011-02", "2011-06"][invoice % 3];
        for line in 0..5 {
            let code = 20_000 + (invoice * 7 + line * 3) % 11;
            writeln!(
                text,
                "{},{code},RED TOY NUMBER {code},{},{month}-{:02} 1{line}:30:00,{}.25,12345,United Kingdom",
                500_000 + invoice,
                1 + line * 5,
                1 + invoice % 28,
                1 + line,
            )
            .unwrap();
        }
    }
    text
}

struct Scratch(TempDir);

impl Scratch {
    fn new(shoppers: &str, retail: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("shoppers.csv"), shoppers).unwrap();
        fs::write(dir.path().join("retail.csv"), retail).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn make(&self, seed: u64) -> Result<(GiftshopReport, [Vec<u8>; 3]), SynthError> {
        let sources = GiftshopSources {
            shoppers: self.path("shoppers.csv"),
            retail: self.path("retail.csv"),
        };
        let options = GiftshopOptions {
            seed,
            ..GiftshopOptions::default()
        };
        let out = self.path("new/out");
        let report = giftshop(&sources, &options, &out, |_| {})?;
        let files = [EVENTS_FILE, CATALOGUE_FILE, SAMPLE_FILE]
            .map(|name| fs::read(out.join(name)).unwrap());
        for (name, file) in [EVENTS_FILE, CATALOGUE_FILE, SAMPLE_FILE]
            .iter()
            .zip(&files)
        {
            assert_eq!(report.bytes[*name], file.len() as u64);
        }
        Ok((report, files))
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let scratch = Scratch::new(&shoppers(), &retail());
    let (report, files) = scratch.make(7).unwrap();
    let (again, files_again) = scratch.make(7).unwrap();
    assert_eq!(report, again);
    assert!(files == files_again);
    let (_, others) = scratch.make(8).unwrap();
    assert!(files[0] != others[0]);
    assert!(
        files[1] == others[1],
        "the catalogue is real and needs no seed"
    );

    assert_eq!((report.sessions, report.orders), (60, 15));
    assert_eq!(report.landing_pages, 12);
    assert_eq!(report.carts, 50);
    assert!(report.carts_without_view > 0);
    assert_eq!(report.products, 11);
    assert_eq!(report.events["purchase"], 15);
    // The gzip header holds neither time nor name, so the bytes depend on the events alone.
    assert_eq!(files[0][3..8], [0; 5]);
}

#[test]
fn another_outcome_leaves_a_made_up_visit_as_it_was() {
    let scratch = Scratch::new(&shoppers(), &retail());
    scratch.make(7).unwrap();
    let turned = Scratch::new(&real::turned(&shoppers()), &retail());
    let (report, _) = turned.make(7).unwrap();
    assert_eq!(report.orders, 45);
    let out = |scratch: &Scratch| scratch.path("new/out");
    assert!(leakage::same_visits(&out(&scratch), &out(&turned)) > 10);
}

#[test]
fn gzip_is_told_by_content() {
    let scratch = Scratch::new(&shoppers(), &retail());
    let (_, plain) = scratch.make(7).unwrap();
    let mut packer = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut packer, retail().as_bytes()).unwrap();
    fs::write(scratch.path("retail.csv"), packer.finish().unwrap()).unwrap();
    let (_, packed) = scratch.make(7).unwrap();
    assert!(plain == packed);
}

#[test]
fn what_is_wrong_with_the_input_is_said_with_the_file() {
    let good = (shoppers(), retail());
    let error = |shoppers: &str, retail: &str| {
        let scratch = Scratch::new(shoppers, retail);
        let error = scratch.make(7).unwrap_err();
        assert!(
            !scratch.path("new").exists(),
            "nothing is written before the input is known"
        );
        (error.to_string(), error)
    };

    let (text, kind) = error("", &good.1);
    assert!(text.contains("shoppers.csv"), "{text}");
    assert!(matches!(kind, SynthError::Events { .. }));

    let (text, _) = error(&good.1, &good.1);
    assert!(
        text.contains("shoppers.csv") && text.contains("column"),
        "{text}"
    );

    let (text, _) = error(&good.0, &good.0);
    assert!(
        text.contains("retail.csv") && text.contains("column"),
        "{text}"
    );

    // Only cancellations: there is nothing to draw from.
    let (text, kind) = error(&good.0, &good.1.replace("\n5", "\nC5"));
    assert!(text.contains("retail.csv"), "{text}");
    assert!(matches!(kind, SynthError::Empty { .. }));

    let (text, kind) = error(&good.0.replacen("Nov", "Someday", 1), &good.1);
    assert!(
        text.contains("shoppers.csv") && text.contains("Someday"),
        "{text}"
    );
    assert!(matches!(kind, SynthError::Summary { .. }));

    let row = "0,0.0,0,0.0,99999999,10.0,0.0,0.1,0.0,0.0,May,1,1,1,1,Other,False,False\n";
    let (text, _) = error(&format!("{SHOPPERS_HEADER}{row}"), &good.1);
    assert!(
        text.contains("ProductRelated") && text.contains("at most"),
        "{text}"
    );

    let row = "0,0.0,0,0.0,-3,10.0,0.0,0.1,0.0,0.0,May,1,1,1,1,Other,False,False\n";
    let (text, _) = error(&format!("{SHOPPERS_HEADER}{row}"), &good.1);
    assert!(text.contains("ProductRelated"), "{text}");

    let missing = GiftshopSources {
        shoppers: PathBuf::from("no/such/file"),
        retail: PathBuf::from("no/such/file"),
    };
    let out = tempfile::tempdir().unwrap();
    let error = giftshop(&missing, &GiftshopOptions::default(), out.path(), |_| {}).unwrap_err();
    assert!(error.to_string().contains("no/such/file"));
    assert!(matches!(error, SynthError::Io { .. }));
}
