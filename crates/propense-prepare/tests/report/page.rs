//! The page: whole, self-contained, and harmless whatever the names.

use propense_events::EventKind;
use propense_prepare::report::{DataReport, Intake, Verdict, html};

use crate::shop::{DAY, Done, MONDAY, Visit, healthy, intake, lines, report, report_of};

/// A shop with much amiss, so that the page has everything on it.
fn spoilt() -> DataReport {
    let mut visits = healthy();
    for visit in visits.iter_mut().step_by(6) {
        visit.user = Some("<script>alert('guest')</script>".to_owned());
    }
    visits.retain(|visit| (visit.start - MONDAY) / DAY != 17);
    for visit in visits.iter_mut().filter(|visit| visit.ordered()) {
        visit.events.push(Done::new(EventKind::Review, None));
    }
    for visit in visits.iter_mut().skip(2900) {
        for event in &mut visit.events {
            event.price = event.price.map(|price| price * 3.0);
        }
    }
    for (number, visit) in visits.iter_mut().enumerate() {
        if number % 4 == 0 {
            visit.events.iter_mut().for_each(|event| event.price = None);
        }
    }
    visits[5].start = MONDAY - 300 * DAY;
    let what = |rule: &str| match rule {
        "bot" => "A session with more events than a person makes is set aside.".to_owned(),
        _ => String::new(),
    };
    report(&visits, |intake| {
        let rows = intake.records.read;
        intake.name = "events & <orders>.csv".to_owned();
        intake.files[0].path = "data/\"events\" & <orders>.csv".to_owned();
        intake.files[0].utc_offset_minutes = -210;
        intake.files[0].rows = rows + 700;
        intake.files[0].quarantined = [("malformed".to_owned(), 700)].into();
        let mut orders = intake.files[0].clone();
        orders.path = "orders.parquet".to_owned();
        orders.rows = 1200;
        orders.kept = 1200;
        intake.files.push(orders);
        intake.records.read = rows + 2400;
        intake.records.quarantined = 2400;
        let counts = [
            ("bot", 900),
            ("duplicate", 600),
            ("malformed", 700),
            ("test_order", 200),
        ]
        .map(|(rule, records)| (rule.to_owned(), records));
        intake.set_aside = Intake::counts(&counts.into(), what);
        let counts = [
            ("out_of_order".to_owned(), 310),
            ("price_unit".to_owned(), 4),
        ];
        intake.repaired = Intake::counts(&counts.into(), what);
        let joins = [
            ("stitched".to_owned(), 812),
            ("stitched_lines".to_owned(), 5021),
        ];
        intake.joins = Intake::counts(&joins.into(), |name| format!("{name} <in words>"));
    })
}

/// Writes the page to `PROPENSE_PAGES`, where that is set, for looking at it.
fn page(name: &str, report: &DataReport) -> String {
    let page = html(report);
    if let Some(folder) = std::env::var_os("PROPENSE_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join(name), &page).unwrap();
    }
    page
}

#[test]
fn the_page_holds_words_figures_and_charts() {
    let report = spoilt();
    let page = page("spoilt.html", &report);
    assert_eq!(report.verdict, Verdict::WithCare);
    for warning in &report.warnings {
        assert!(
            page.contains(&format!("<code>{}</code>", warning.code)),
            "{}",
            warning.code
        );
    }
    for words in [
        "Usable with care.",
        "From a view to an order",
        "Events and orders by day",
        "How far each feature moved",
        "<summary>Figures</summary>",
        "2,400 were set aside",
        "-03:30",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.matches("<svg").count() >= 15);
    // Every chart has its figures behind it.
    assert_eq!(
        page.matches("<details>").count(),
        page.matches("<details><summary>").count()
    );
}

#[test]
fn nothing_is_loaded_and_no_name_becomes_markup() {
    let page = page("hostile.html", &spoilt());
    for word in [
        "<script",
        "<orders>",
        "\"events\"",
        "http:",
        "https:",
        "src=",
        "@import",
        "url(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn a_page_of_anything() {
    let few: Vec<Visit> = healthy().into_iter().take(3).collect();
    let long = lines(&healthy());
    for (name, report) in [
        ("healthy.html", report(&healthy(), |_| ())),
        ("few.html", report(&few, |_| ())),
        ("empty.html", DataReport::default()),
        ("nothing.html", report_of(&[], 1, intake(0)).judged()),
        ("one.html", report_of(&long[..1], 1, intake(1))),
    ] {
        let page = page(name, &report);
        assert!(
            page.starts_with("<!doctype html>") && page.ends_with("</html>\n"),
            "{name}"
        );
        assert!(!page.contains("NaN"), "{name}");
    }
}
