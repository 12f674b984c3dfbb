//! Whether there is something to learn from, and whether the answer is given away.

use super::{Severity, Warning};
use crate::report::figures::{DataReport, KindFigures};
use crate::report::share;
use crate::report::words::{number, of, percent};

/// Sessions with an order and something before it: fewer are too few to learn from.
const FEW_ORDERS: u64 = 200;

/// Fewer than this are not even enough to measure by: the 95 % interval of a rate measured on
/// 30 orders is ± 18 percentage points.
const TOO_FEW_ORDERS: u64 = 30;

/// Sessions with an order above this share: there is nothing to tell apart.
const ONLY_ORDERS: f64 = 0.80;

/// Orders in sessions that showed nothing before.
const UNSEEN: f64 = 0.20;

/// Events of a kind that come after an order of their session.
const AFTER_ORDER: f64 = 0.95;

/// Sessions with a kind that end in an order.
const FORETELLS: f64 = 0.98;

/// Events, and sessions, that it takes to suspect a leak.
const EVIDENCE: u64 = 50;

pub(super) fn warnings(report: &DataReport) -> Vec<Warning> {
    let mut found: Vec<Warning> = [few_orders(report), only_orders(report), unseen(report)]
        .into_iter()
        .flatten()
        .collect();
    found.extend(report.kinds.iter().filter_map(follows));
    let base = share(report.balance.with_order, report.balance.sessions);
    found.extend(report.kinds.iter().filter_map(|kind| foretells(kind, base)));
    found
}

fn few_orders(report: &DataReport) -> Option<Warning> {
    let balance = &report.balance;
    if balance.with_order == 0 {
        return Some(
            Warning::new("no_orders", Severity::Severe, "No purchase at all")
                .text(format!(
                    "None of the {} holds a purchase. A model of buying has nothing to learn from.",
                    of(balance.sessions, "session", "sessions")
                ))
                .remedy(
                    "Check that orders are among the inputs, and that a mapping gives the shop's \
                     word for an order as `purchase`. Next-item recommendation needs no orders.",
                )
                .figure("sessions", balance.sessions as f64),
        );
    }
    if balance.with_history >= FEW_ORDERS {
        return None;
    }
    let grave = balance.with_history < TOO_FEW_ORDERS;
    let severity = if grave {
        Severity::Severe
    } else {
        Severity::Caution
    };
    Some(
        Warning::new("few_orders", severity, "Too few purchases to learn from")
            .text(format!(
                "Only {} an order with something before it. {}",
                of(balance.with_history, "session has", "sessions have"),
                if grave {
                    "That is not even enough to measure a model by."
                } else {
                    "A model will learn little, and what it is measured to reach will be uncertain."
                }
            ))
            .remedy(format!(
                "Read a longer period. From about {FEW_ORDERS} such sessions on there is \
                 something to learn; with thousands it becomes reliable."
            ))
            .figure("sessions", balance.with_history as f64)
            .figure("enough", FEW_ORDERS as f64),
    )
}

fn only_orders(report: &DataReport) -> Option<Warning> {
    let balance = &report.balance;
    let rate = share(balance.with_order, balance.sessions);
    (rate >= ONLY_ORDERS).then(|| {
        Warning::new(
            "only_orders",
            Severity::Caution,
            "Nearly every session has an order",
        )
        .text(format!(
            "{} of the sessions hold an order, so there are next to none without one to tell \
                 them apart from.",
            percent(rate)
        ))
        .remedy(
            "These look like the records of an order system. Add the browsing (an analytics \
                 export), or use them for what needs orders only: the `thirty-day` task, demand, \
                 segments.",
        )
        .figure("share", rate)
    })
}

fn unseen(report: &DataReport) -> Option<Warning> {
    let unseen = report.sessions.orders_unseen;
    let rate = share(unseen, report.totals.orders);
    (unseen >= 10 && rate > UNSEEN).then(|| {
        Warning::new(
            "orders_without_views",
            Severity::Caution,
            "Purchases without a view before",
        )
        .text(format!(
            "{} ({} of all) stand in a session in which nothing was looked at before: no \
                 item, no list, no search, no page.",
            of(unseen, "order", "orders"),
            percent(rate)
        ))
        .remedy(
            "Often the browsing and the orders carry different identifiers, so that they do \
                 not meet: check user, anonymous and session identifiers of the inputs. Orders by \
                 telephone or from the app belong to it, too.",
        )
        .figure("orders", unseen as f64)
        .figure("share", rate)
    })
}

/// A kind that only follows orders gives the label away.
fn follows(kind: &KindFigures) -> Option<Warning> {
    let rate = share(kind.after_order, kind.events);
    let natural = matches!(kind.kind.as_str(), "purchase" | "refund");
    (!natural && kind.events >= EVIDENCE && rate >= AFTER_ORDER).then(|| {
        Warning::new(
            "leak_after_order",
            Severity::Caution,
            "Label leak suspected",
        )
        .text(format!(
            "`{}` comes after an order of the same session in {} of its {} events. Where one \
                 is seen, the order has already happened.",
            kind.kind,
            percent(rate),
            number(kind.events)
        ))
        .remedy(
            "Examples are cut before the first order, which takes these events away. Do not \
                 use the kind in counts over whole sessions or histories, or leave it out.",
        )
        .figure("events", kind.events as f64)
        .figure("share", rate)
    })
}

/// A kind after which nearly everybody buys is most likely a part of the buying.
fn foretells(kind: &KindFigures, base: f64) -> Option<Warning> {
    let rate = share(kind.order_sessions, kind.sessions);
    (kind.sessions >= EVIDENCE && rate >= FORETELLS && base < 0.5).then(|| {
        Warning::new(
            "leak_before_order",
            Severity::Caution,
            "Label leak suspected",
        )
        .text(format!(
            "Of the {} with `{}` before the first order, {} end in an order; of all sessions \
                 {} do. The event is most likely a part of the purchase, or stamped with its time.",
            of(kind.sessions, "session", "sessions"),
            kind.kind,
            percent(rate),
            percent(base)
        ))
        .remedy(
            "Find out when the shop emits it. If it is the click on “buy now” or the thank-you \
                 page, map it to `purchase` or leave it out: a model that sees it forecasts what \
                 is already known.",
        )
        .figure("sessions", kind.sessions as f64)
        .figure("share", rate)
        .figure("base_rate", base)
    })
}
