//! What must hold on the months held back of UCI Online Retail (September and October 2011).

use std::fs::File;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use propense_apps::demand::{
    Choice, DemandOptions, Group, Method, Sales, SalesOptions, Window, plan,
};
use propense_apps::segment::{Base, HabitModel, Ranking, compare, held_back_moments};
use propense_events::{Event, Format, read};

/// All events, or none with a message where the data is not there.
fn events() -> Option<Vec<Event>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/online_retail/online_retail.csv.gz");
    let Ok(open) = File::open(&file) else {
        println!("skipped: no data at {}", file.display());
        return None;
    };
    let table = read(MultiGzDecoder::new(open), Some(Format::OnlineRetail), None);
    Some(table.expect("the published file").events)
}

#[test]
fn demand_is_ahead_of_every_textbook_method() {
    let Some(events) = events() else { return };
    let sales = Sales::count(&events, &SalesOptions::default());
    // Christmas 2010: a whole week without an order.
    assert_eq!(sales.notes.closed_weeks.len(), 1);
    let plan = plan(&sales, &DemandOptions::default(), &mut |_, _| ()).expect("a plan");
    assert_eq!((plan.choosing_weeks, plan.measuring_weeks), (8, 8));
    assert_eq!(
        (plan.method, plan.choice),
        (Method::Pooled, Choice::BackTest)
    );
    let baseline = plan.best_baseline().expect("textbook methods");
    for window in [1, 2, 3, 4]
        .map(Window::week)
        .into_iter()
        .chain([plan.terms.window()])
    {
        let of = |method| {
            plan.score(method, window, Group::All)
                .expect("measured")
                .score
        };
        let (own, best) = (of(plan.method), of(baseline));
        println!("{window:?}: {own:?}\n  {} {best:?}", baseline.name());
        assert!(own.pinball < best.pinball && own.wape_of_median < best.wape_of_median);
        assert!((own.within_80 - 0.8).abs() <= 0.03 && (own.within_90 - 0.9).abs() <= 0.03);
    }
    for cost in &plan.stock_costs {
        println!("{:36} {:.0}", cost.method.name(), cost.total());
    }
}

#[test]
fn the_best_tenth_holds_two_and_a_half_times_the_buyers_and_more_than_by_rule() {
    let Some(events) = events() else { return };
    let base = Base::count(&events, 0);
    let months = held_back_moments(&base, 2);
    assert_eq!(months.len(), 2);
    for at in months {
        let model = HabitModel::learn(&base, at).expect("a model");
        let standing = base.standing(at);
        let scores: Vec<f64> = standing
            .habits
            .iter()
            .map(|one| model.propensity(one))
            .collect();
        let month = compare(&base, &standing, at, &scores, &[]);
        println!(
            "{} customers, base rate {:.3}, mean propensity {:.3}",
            month.customers, month.base_rate, month.mean_propensity
        );
        for ranking in &month.rankings {
            println!("{:24} {:.3}", ranking.name, ranking.top_decile());
        }
        let best_rule = month.rankings.iter().filter(|ranking| ranking.rule);
        let best_rule = best_rule.map(Ranking::top_decile).fold(0.0, f64::max);
        let own = month.rankings[0].top_decile();
        assert!(own >= 2.5 && own > best_rule, "{own} {best_rule}");
    }
}
