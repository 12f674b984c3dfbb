//! The public data sets, where they lie beside the repository: the counts must be those of their
//! documentation. Skipped, with a message, where they are absent.

use std::{collections::BTreeSet, fs::File, io::Read, path::Path, time::Instant};

use flate2::read::GzDecoder;
use propense_events::{EventKind, Format, Rule, Session, Table, read, sessionise};

use crate::assert_accounts;

/// The set recognised by content, or nothing where it is absent.
fn load(name: &str) -> Option<Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {name} is not there");
        return None;
    };
    let input: Box<dyn Read> = if name.ends_with(".gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let start = Instant::now();
    let table = read(input, None, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    eprintln!("{name}: {} rows in {:.2?}", table.rows, start.elapsed());
    assert_accounts(&table);
    Some(table)
}

fn count(table: &Table, kind: EventKind) -> usize {
    table
        .events
        .iter()
        .filter(|event| event.kind == kind)
        .count()
}

fn users(table: &Table) -> usize {
    let users: BTreeSet<_> = table
        .events
        .iter()
        .filter_map(|e| e.user_id.as_ref())
        .collect();
    users.len()
}

fn converted(sessions: &[Session]) -> usize {
    sessions
        .iter()
        .filter(|session| session.converted())
        .count()
}

fn problems(table: &Table, rule: Rule) -> usize {
    table
        .problems
        .iter()
        .filter(|problem| problem.rule == rule)
        .count()
}

#[test]
fn online_shoppers() {
    let Some(table) = load("online_shoppers/online_shoppers_intention.csv") else {
        return;
    };
    assert_eq!(
        (table.format, table.rows, table.rejected),
        (Format::OnlineShoppers, 9801, 0)
    );
    assert_eq!(converted(&table.sessions), 1539);
    assert!(
        table
            .sessions
            .iter()
            .all(|session| session.context.len() == 17)
    );
}

#[test]
fn online_retail() {
    let Some(table) = load("online_retail/online_retail.csv.gz") else {
        return;
    };
    assert_eq!((table.format, table.rows), (Format::OnlineRetail, 431_673));
    // 1,169 stock movements and 3 book entries.
    assert_eq!(
        (table.kept, problems(&table, Rule::LeftOut)),
        (430_501, 1172)
    );
    assert_eq!(table.events.len(), 20_251);
    assert_eq!(count(&table, EventKind::Purchase), 17_002);
    assert_eq!(users(&table), 4010);
    let lines: usize = table.events.iter().map(|event| event.items.len()).sum();
    assert_eq!(lines as u64, table.kept);
    let turnover: f64 = table
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Purchase)
        .filter_map(|event| event.value)
        .sum();
    assert!((turnover - 8_507_333.474).abs() < 0.01, "{turnover}");
}

#[test]
fn taobao() {
    let Some(table) = load("taobao/UserBehavior.csv.gz") else {
        return;
    };
    assert_eq!((table.format, table.rows), (Format::Taobao, 84_475));
    assert_eq!(problems(&table, Rule::OutsidePeriod), 35);
    assert_eq!(
        (users(&table), count(&table, EventKind::Purchase)),
        (815, 1750)
    );
    let (sessions, _) = sessionise(table.events, 1_800_000);
    assert_eq!(sessions.len(), 14_097);
}

#[test]
fn jdata() {
    let Some(table) = load("jdata2019/sessions.csv.gz") else {
        return;
    };
    assert_eq!(
        (table.format, table.rows, table.rejected),
        (Format::Jdata, 27_183, 0)
    );
    assert_eq!(count(&table, EventKind::Review), 464);
    let (sessions, _) = sessionise(table.events, 1_800_000);
    assert_eq!((sessions.len(), converted(&sessions)), (5052, 1620));
}

#[test]
fn jd_micro() {
    let Some(table) = load("jd_micro/JD_Appliances_sample.txt") else {
        return;
    };
    assert_eq!(
        (table.format, table.rows, table.rejected),
        (Format::JdMicro, 1000, 0)
    );
    assert_eq!(table.events.len(), 28_108);
    let (sessions, disorder) = sessionise(table.events, 1_800_000);
    assert_eq!((sessions.len(), converted(&sessions)), (1000, 108));
    assert_eq!(disorder, []);
}

#[test]
fn otto() {
    let Some(table) = load("otto/otto-20-sessions.jsonl") else {
        return;
    };
    assert_eq!(
        (table.format, table.rows, table.rejected),
        (Format::Otto, 20, 0)
    );
    assert_eq!(table.problems, []);
    assert_eq!(count(&table, EventKind::ViewItem), 800);
    assert_eq!(count(&table, EventKind::AddToCart), 52);
    // Ten articles were ordered, in five orders.
    let orders = table
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Purchase);
    let articles: Vec<usize> = orders.map(|event| event.items.len()).collect();
    assert_eq!((articles.len(), articles.iter().sum()), (5, 10_usize));
    let (sessions, _) = sessionise(table.events, 1_800_000);
    assert_eq!(sessions.len(), 20);
}

#[test]
fn yoochoose() {
    let Some(table) = load("yoochoose/clicks.tsv.gz") else {
        return;
    };
    assert_eq!(
        (table.format, table.rows, table.rejected),
        (Format::Yoochoose, 70_278, 0)
    );
    assert_eq!(table.problems, []);
    assert_eq!(count(&table, EventKind::ViewItem), 70_278);
    let (sessions, _) = sessionise(table.events, 1_800_000);
    assert_eq!(sessions.len(), 17_794);
}
