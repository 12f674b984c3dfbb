//! `propense eval` on what is in the repository or made here: every task runs from a bare clone,
//! and the examples are those that a second, plain count in this file finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::protocol::{divide, eval};

/// Number of examples, and how many of them are positive.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Count {
    n: u64,
    positive: u64,
}

impl Count {
    fn add(&mut self, label: bool) {
        self.n += 1;
        self.positive += u64::from(label);
    }

    #[track_caller]
    fn is_that_of(self, result: &serde_json::Value) {
        assert_eq!(result["n"].as_u64(), Some(self.n), "{result}");
        let rate = self.positive as f64 / self.n as f64;
        let found = result["base_rate"].as_f64().expect("a number");
        assert!((found - rate).abs() < 1e-6, "{found} is not {rate}");
    }
}

/// What the contract's page names beside the keys that `eval` looks for.
#[track_caller]
fn says_more(result: &serde_json::Value) {
    for key in [
        "threshold",
        "accuracy_at_half",
        "base_rate_log_loss",
        "intervals",
        "validation",
    ] {
        assert!(!result[key].is_null(), "`{key}` is missing in {result}");
    }
    // The article's three figures, on the validation part as it is and balanced.
    let validation = &result["validation"];
    let number = |which: &str, key: &str| validation[which][key].as_f64().expect("a number");
    assert_eq!(number("balanced", "base_rate"), 0.5);
    assert!(number("as_it_is", "base_rate") < 0.5, "{validation}");
    assert!(number("balanced", "n") < number("as_it_is", "n"));
    for which in ["as_it_is", "balanced"] {
        for key in ["accuracy", "recall", "f1"] {
            assert!((0.0..=1.0).contains(&number(which, key)), "{validation}");
        }
    }
    assert_eq!(validation["threshold"], result["threshold"]);
}

/// The figures by number of events are those of the count, and add up to the whole.
#[track_caller]
fn by_k_is(result: &serde_json::Value, counts: &BTreeMap<usize, Count>) {
    let by_k = result["by_k"].as_object().expect("by_k");
    assert_eq!(by_k.len(), counts.len(), "{result}");
    let mut all = Count::default();
    for (k, count) in counts {
        count.is_that_of(&by_k[&k.to_string()]);
        all.n += count.n;
        all.positive += count.positive;
    }
    all.is_that_of(result);
}

/// Counts a session for each number of events that it has before its first order.
fn cut(orders: &[bool], counts: &mut BTreeMap<usize, Count>) {
    let order = orders.iter().position(|order| *order);
    for k in [2, 3, 5, 10] {
        if k <= order.unwrap_or(orders.len()) {
            counts.entry(k).or_default().add(order.is_some());
        }
    }
}

fn files(folder: &Path, texts: [&str; 2]) -> [PathBuf; 2] {
    let mut texts = texts.into_iter();
    ["a.csv", "b.csv"].map(|name| {
        let path = folder.join(name);
        std::fs::write(&path, texts.next().expect("two texts")).expect("file");
        path
    })
}

#[test]
fn shoppers_as_committed() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/online_shoppers/online_shoppers_intention.csv.gz");
    let packed = std::fs::File::open(packed).expect("the data is in the repository");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut text)
        .expect("text");
    let folder = tempfile::tempdir().expect("scratch folder");
    let number = std::cell::Cell::new(0);
    let parts = divide(&text, true, folder.path(), |_| {
        number.set(number.get() + 1);
        Some(number.get() % 5 == 0)
    });
    let mut count = Count::default();
    let tested = std::fs::read_to_string(&parts[1]).expect("part");
    for line in tested.lines().skip(1) {
        count.add(line.ends_with(",True"));
    }
    let auc = |task: &str| {
        let result = eval(task, &parts, folder.path(), "--epochs 4");
        count.is_that_of(&result);
        says_more(&result);
        result["auc"].as_f64().expect("a number")
    };
    let (with, without) = (auc("shoppers"), auc("shoppers-no-pagevalues"));
    assert!(with > 0.85 && with > without + 0.05, "{with} {without}");
}

/// Sessions in the layout of JData: browse 1, order 2, follow 3, comment 4. Followers mostly order.
fn jdata(users: std::ops::Range<usize>, counts: &mut BTreeMap<usize, Count>) -> String {
    let mut text = String::from("action_time,user_id,sku_id,type,sessionId,index\n");
    for user in users {
        let keen = user % 3 == 0;
        let mut kinds = vec![1; 2 + user % 11];
        if keen {
            kinds[1] = 3;
        }
        if user % 4 == 0 {
            // Comments are no part of the task, wherever they stand.
            kinds.insert(1, 4);
        }
        if keen && user % 12 != 0 || user % 29 == 1 {
            kinds.extend([2, 1, 4, 2]);
        }
        for (place, kind) in kinds.iter().enumerate() {
            writeln!(
                text,
                "2018-03-{:02} {:02}:{:02}:{:02},{user},{},{kind},{},0",
                1 + user % 3,
                user / 3 % 24,
                place,
                user % 60,
                (user * 5 + place * 3) % 23,
                user % 7
            )
            .expect("writing to a string");
        }
        let orders: Vec<bool> = kinds
            .iter()
            .filter(|kind| **kind != 4)
            .map(|kind| *kind == 2)
            .collect();
        cut(&orders, counts);
    }
    text
}

#[test]
fn in_session_on_sessions_with_orders_and_comments() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let mut counts = BTreeMap::new();
    let train = jdata(0..600, &mut BTreeMap::new());
    let test = jdata(600..900, &mut counts);
    let parts = files(folder.path(), [&train, &test]);
    let more = "--epochs 3 --batch 32 --learning-rate 0.003";
    let result = eval("in-session", &parts, folder.path(), more);
    says_more(&result);
    by_k_is(&result, &counts);
    assert!(result["auc"].as_f64().expect("a number") > 0.8, "{result}");
}

/// The nine days of Taobao's set in unix seconds: 2017-11-25 to 2017-12-03 in UTC+8.
const NINE_DAYS: (i64, i64) = (1_511_539_200, 1_512_316_800);
const DAY: i64 = 86_400;

/// Visits in the layout of Taobao's set: who fills a cart on one day mostly buys on the next, and
/// shows it by a mark. With rows that are not to count: outside the period, and repeated ones.
fn taobao(users: std::ops::Range<i64>) -> String {
    let mut text = String::new();
    let mut row = |user: i64, item: i64, what: &str, time: i64| {
        writeln!(text, "{user},{item},{},{what},{time}", item % 5).expect("writing to a string");
    };
    for user in users {
        let fills = |day: i64| (user + 2 * day) % 4 == 0;
        row(user, 1, "buy", NINE_DAYS.0);
        row(user, 1, "buy", NINE_DAYS.1 + 1);
        if user % 5 == 0 {
            row(user, 2, "buy", NINE_DAYS.1);
        }
        // Some come late, and most are not seen every day.
        for day in (user % 6)..9 {
            let buys = fills(day - 1) && (user + day) % 9 != 0 || (user * 3 + day) % 31 == 0;
            if !buys && (user * 7 + day * 5) % 3 == 0 {
                continue;
            }
            let begin = NINE_DAYS.0 + day * DAY + 9 * 3600 + user % 600;
            for view in 0..2 + (user + day) % 11 {
                row(user, (user * 5 + view * 3) % 17, "pv", begin + view * 60);
            }
            if buys || (user + day) % 7 == 0 {
                row(user, user % 17, "fav", begin + 30);
            }
            if buys {
                row(user, user % 17, "buy", begin + 800);
                row(user, user % 17, "buy", begin + 800);
            }
            if fills(day) {
                // More than half an hour later: another session.
                row(user, day + 3, "pv", begin + 6000);
                row(user, day + 3, "pv", begin + 6100);
                row(user, day + 3, "cart", begin + 6200);
            }
        }
    }
    text
}

/// Moments and whether they are orders, by user and in time order, as the protocol counts them.
fn moments(text: &str) -> BTreeMap<&str, Vec<(i64, bool)>> {
    let mut seen = BTreeSet::new();
    let mut users: BTreeMap<&str, Vec<(i64, bool)>> = BTreeMap::new();
    for line in text.lines().filter(|line| seen.insert(*line)) {
        let fields: Vec<&str> = line.split(',').collect();
        let time: i64 = fields[4].parse().expect("a time");
        if time > NINE_DAYS.0 && time <= NINE_DAYS.1 {
            let user = users.entry(fields[0]).or_default();
            user.push((time, fields[3] == "buy"));
        }
    }
    for list in users.values_mut() {
        list.sort_by_key(|(time, _)| *time);
    }
    users
}

#[test]
fn next_day_from_the_fourth_day_to_the_ninth() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let (train, test) = (taobao(0..300), taobao(300..400));
    let mut count = Count::default();
    for list in moments(&test).values() {
        for midnight in (3..9).map(|day| NINE_DAYS.0 + day * DAY) {
            if list.iter().any(|(time, _)| *time < midnight) {
                let day = midnight..midnight + DAY;
                count.add(list.iter().any(|(time, buy)| *buy && day.contains(time)));
            }
        }
    }
    let parts = files(folder.path(), [&train, &test]);
    let more = "--epochs 4 --batch 32 --learning-rate 0.003";
    let result = eval("next-day", &parts, folder.path(), more);
    says_more(&result);
    count.is_that_of(&result);
    assert!(result["auc"].as_f64().expect("a number") > 0.7, "{result}");
}

#[test]
fn in_session_with_sessions_by_half_an_hour() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let (train, test) = (taobao(0..300), taobao(300..400));
    let mut counts = BTreeMap::new();
    for list in moments(&test).values() {
        for session in list.chunk_by(|before, after| after.0 - before.0 <= 1800) {
            let orders: Vec<bool> = session.iter().map(|(_, buy)| *buy).collect();
            cut(&orders, &mut counts);
        }
    }
    let parts = files(folder.path(), [&train, &test]);
    let more = "--epochs 3 --batch 32 --learning-rate 0.003";
    let result = eval("in-session", &parts, folder.path(), more);
    says_more(&result);
    by_k_is(&result, &counts);
}

/// Sessions in the layout of JD's micro-behaviours, one a line. Who looks at the specification and
/// the comments mostly orders.
fn jd_micro(sessions: std::ops::Range<usize>, counts: &mut BTreeMap<usize, Count>) -> String {
    let mut text = String::new();
    for session in sessions {
        let keen = session % 3 == 0;
        let mut behaviours: Vec<usize> = (0..2 + session % 11).map(|place| 1 + place % 4).collect();
        if keen {
            behaviours.splice(1..1, [7, 6]);
        }
        if keen && session % 12 != 0 || session % 29 == 1 {
            behaviours.extend([9, 10, 1, 10]);
        }
        let events: Vec<String> = behaviours
            .iter()
            .enumerate()
            .map(|(place, behaviour)| {
                let sku = (session * 5 + place * 3) % 23;
                format!("{sku}+{behaviour}+{}+{}+{}", sku % 4, 5 + place, 3 + place)
            })
            .collect();
        writeln!(text, "{}", events.join(" ")).expect("writing to a string");
        let orders: Vec<bool> = behaviours
            .iter()
            .map(|behaviour| *behaviour == 10)
            .collect();
        cut(&orders, counts);
    }
    text
}

#[test]
fn in_session_with_one_session_a_line() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let mut counts = BTreeMap::new();
    let train = jd_micro(0..600, &mut BTreeMap::new());
    let test = jd_micro(600..900, &mut counts);
    let parts = files(folder.path(), [&train, &test]);
    let more = "--epochs 3 --batch 32 --learning-rate 0.003";
    let result = eval("in-session", &parts, folder.path(), more);
    says_more(&result);
    by_k_is(&result, &counts);
    assert!(result["auc"].as_f64().expect("a number") > 0.8, "{result}");
}

/// A day of 2011, from 0.
fn date(day: usize) -> String {
    let mut day = day;
    for (month, days) in [31, 28, 31, 30, 31, 30, 31, 31].into_iter().enumerate() {
        if day < days {
            return format!("2011-{:02}-{:02}", month + 1, day + 1);
        }
        day -= days;
    }
    panic!("after August");
}

/// 1 August 2011, counted from 0.
const AUGUST: usize = 212;

/// Days and whether they are cancellations, of a customer until the end of August.
fn invoices(customer: usize) -> Vec<(usize, bool)> {
    let mut list = Vec::new();
    if customer.is_multiple_of(3) && !customer.is_multiple_of(11) {
        // Regular customers: every three weeks or so.
        let pace = 15 + customer % 12;
        list.extend((customer % 20..240).step_by(pace).map(|day| (day, false)));
    } else {
        let first = customer * 7 % 150;
        list.extend([
            (first, false),
            (first + 1 + customer % 40, customer.is_multiple_of(2)),
        ]);
    }
    match customer % 17 {
        // Only ever sent back: no customer yet.
        1 => list.iter_mut().for_each(|(_, cancelled)| *cancelled = true),
        // What comes back in August is no order.
        2 => list.push((AUGUST + 5, true)),
        // The thirtieth day counts, the thirty-first does not.
        3 => list.push((AUGUST + 29, false)),
        4 => list.push((AUGUST + 30, false)),
        // New in August: no history to forecast from.
        5 => list = vec![(AUGUST, false)],
        _ => {}
    }
    list
}

#[test]
fn thirty_day_from_the_first_of_august() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let header =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let mut texts = [header.to_owned(), header.to_owned()];
    let mut count = Count::default();
    let mut number = 0;
    for customer in 0..340 {
        let list = invoices(customer);
        for &(day, cancelled) in &list {
            number += 1;
            let (letter, sign) = if cancelled { ("C", "-") } else { ("", "") };
            for line in 0..1 + number % 3 {
                writeln!(
                    texts[usize::from(day >= AUGUST)],
                    "{letter}{number},{},THING,{sign}{}.0,{} 10:{:02}:00,2.55,{}.0,France",
                    number % 31 + line,
                    1 + line,
                    date(day),
                    customer % 60,
                    10_000 + customer
                )
                .expect("writing to a string");
            }
        }
        let orders = || list.iter().filter(|(_, cancelled)| !cancelled);
        if orders().any(|(day, _)| *day < AUGUST) {
            count.add(orders().any(|(day, _)| (AUGUST..AUGUST + 30).contains(day)));
        }
    }
    // An invoice without a customer is nobody's.
    for (text, day) in texts.iter_mut().zip([AUGUST - 1, AUGUST + 1]) {
        writeln!(
            text,
            "{number}9,1,THING,1.0,{} 11:00:00,2.55,,France",
            date(day)
        )
        .expect("writing to a string");
    }
    let parts = files(folder.path(), [&texts[0], &texts[1]]);
    let more = "--epochs 5 --batch 32 --learning-rate 0.003";
    let result = eval("thirty-day", &parts, folder.path(), more);
    says_more(&result);
    count.is_that_of(&result);
    assert!(result["auc"].as_f64().expect("a number") > 0.7, "{result}");
}
