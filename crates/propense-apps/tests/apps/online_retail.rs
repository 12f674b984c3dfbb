//! What must hold on the months held back of UCI Online Retail (September and October 2011).

use std::fs::File;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use propense_apps::demand::{DemandOptions, Group, Method, Sales, SalesOptions, Window, plan};
use propense_apps::segment::{Base, HabitModel, compare, held_back_moments};
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
    println!("{:?}", sales.notes);
    let options = DemandOptions::default();
    let plan = plan(&sales, &options, &mut |_, _| ()).expect("a plan");
    println!("{:?} {:?} items {} dormant {}", plan.method, plan.choice, plan.items.len(), plan.dormant);
    println!("shop {:?}", plan.shop.iter().map(|w| w.1 as i64).collect::<Vec<_>>());
    for (name, lines) in [("chosen on", &plan.chosen_on), ("measured", &plan.measured)] {
        println!("{name}");
        for line in lines {
            let s = line.score;
            println!(
                "{:28} {}-{} {:7?} n {:6} wape {:.4} med {:.4} mase {:.3} pin {:.4} c80 {:.3} c90 {:.3} bias {:.3}",
                line.method.name(), line.window.from, line.window.to, line.group, s.forecasts, s.wape,
                s.wape_of_median, s.mase, s.pinball, s.within_80, s.within_90, s.bias
            );
        }
    }
    for cost in &plan.stock_costs {
        println!("{:28} total {:.0} {:?}", cost.method.name(), cost.total(), cost);
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
        let scores: Vec<f64> = standing.habits.iter().map(|one| model.propensity(one)).collect();
        let month = compare(&base, &standing, at, &scores);
        println!("{} customers, base rate {:.3}, mean propensity {:.3}", month.customers, month.base_rate, month.mean_propensity);
        for ranking in &month.rankings {
            println!("{:24} {:.3}", ranking.name, ranking.top_decile());
        }
        let best_rule = month.rankings.iter().filter(|ranking| ranking.rule);
        let best_rule = best_rule.map(|rule| rule.top_decile()).fold(0.0, f64::max);
        let own = month.rankings[0].top_decile();
        assert!(own >= 2.5 && own > best_rule, "{own} {best_rule}");
    }
}
