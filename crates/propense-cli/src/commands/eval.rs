//! `propense eval`

use propense_train::{FitRequest, MeasureOptions, Preset, eval};

use super::{Outcome, evaluate, next_item, resolve};
use crate::args::EvalArgs;
use crate::destinations;
use crate::output::{Output, note, write_file};
use crate::{progress, report};

pub(crate) fn run(args: &EvalArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        args.train.iter().chain(&args.test),
    )?;
    if args.task == next_item::TASK {
        return next_item::eval(args);
    }
    let request = FitRequest {
        deciding: resolve::deciding(&args.deciding)?,
        ..resolve::request(&args.task, Preset::Base, &args.fitting)?
    };
    let train = resolve::data(&args.train, &args.reading)?;
    let test = resolve::data(&args.test, &args.reading)?;
    let mut observer = progress::observer(&format!("eval {}", args.task), args.fitting.plain);
    let outcome = eval(
        &train,
        &test,
        &request,
        &MeasureOptions::default(),
        observer.as_mut(),
    );
    drop(observer);
    let evaluation = outcome?;
    Output::new(&args.json).finish(&evaluate::table(&evaluation), &evaluation)?;
    evaluate::warn(&evaluation);
    if let Some(path) = &args.report {
        let title = format!("{}: {} → {}", args.task, train.name, test.name);
        write_file(path, report::html(&title, &evaluation).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    Ok(())
}
