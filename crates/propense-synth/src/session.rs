//! One visit from its summary to its events.

use propense_events::{Context, Event, EventKind, Item, Session, Value};

use crate::{
    browse::{Browse, browse},
    calendar::{self, year_of},
    cart::{Act, Cart},
    catalogue::{Catalogue, Product},
    draw::{Draws, Purpose},
    layout::{Layout, lay_out},
    shop::{Line, Shop},
    visit::{PAGE_TYPES, PRODUCT, Visit, month_name},
};

/// What the visitor does and sees: everything but the cart and the order. Made without the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Milliseconds since 1970.
    pub(crate) start: i64,
    pub(crate) layout: Layout,
    pub(crate) interest: Vec<Line>,
    /// For every page of the layout, the product it shows, where it shows one.
    pub(crate) shown: Vec<Option<usize>>,
}

/// Seconds from the last thing done on the shop's pages to the order: from and up to. They fill the
/// checkout's forms, and lie after all that a model may see.
const TO_ORDER: (u64, u64) = (30, 180);

/// Plans a visit. None where the shop has no month to draw from.
pub(crate) fn plan(visit: &Visit, shop: &Shop, seed: u64) -> Option<Plan> {
    let draws = |purpose| Draws::new(seed, purpose, visit.number);
    let month = shop.month(year_of(visit.month), visit.month)?;
    let layout = lay_out(visit, &mut draws(Purpose::Layout));
    let Browse { interest, shown } =
        browse(visit.pages[PRODUCT], month, &mut draws(Purpose::Browse));
    let mut on_product_pages = shown.into_iter();
    let shown = layout
        .pages
        .iter()
        .map(|page| match page.page_type {
            Some(PRODUCT) => on_product_pages.next().flatten(),
            _ => None,
        })
        .collect();
    Some(Plan {
        start: calendar::start(visit, month, &mut draws(Purpose::Calendar)),
        layout,
        interest,
        shown,
    })
}

/// Writes a planned visit down as a session.
pub(crate) fn session(
    visit: &Visit,
    plan: &Plan,
    cart: Option<&Cart>,
    bought: bool,
    catalogue: &Catalogue,
    seed: u64,
) -> Session {
    let mut draws = Draws::new(seed, Purpose::Ending, visit.number);
    let mut writer = Writer {
        id: format!("s{}", visit.number + 1),
        user: format!("u{}", visit.number + 1),
        start: plan.start,
        catalogue,
        events: Vec::with_capacity(plan.layout.pages.len() + 8),
    };
    let steps = cart.map_or(&[][..], |cart| &cart.steps);
    for (number, (page, shown)) in plan.layout.pages.iter().zip(&plan.shown).enumerate() {
        let kind = match (page.page_type, shown) {
            (_, Some(_)) => EventKind::ViewItem,
            (Some(PRODUCT), None) => EventKind::ViewItemList,
            _ => EventKind::PageView,
        };
        let event = writer.push(kind, page.at);
        event.page_type = page
            .page_type
            .and_then(|page_type| PAGE_TYPES.get(page_type))
            .map(|name| (*name).to_owned());
        if let Some(product) = shown {
            writer.item(*product, None);
        }
        let here: Vec<_> = steps.iter().filter(|step| step.page == number).collect();
        let mut seconds: Vec<u64> = here
            .iter()
            .map(|_| draws.below(page.stay / 1_000 + 1))
            .collect();
        seconds.sort_unstable();
        for (step, second) in here.into_iter().zip(seconds) {
            let kind = match step.act {
                Act::Add => EventKind::AddToCart,
                Act::Remove => EventKind::RemoveFromCart,
                Act::Look | Act::LookBeforeCheckout => EventKind::ViewCart,
                Act::BeginCheckout => EventKind::BeginCheckout,
            };
            writer.push(kind, page.at + second * 1_000);
            if let Some(line) = step.line {
                writer.item(line.product, Some(line.units));
            }
        }
    }
    if let (true, Some(cart)) = (bought, cart) {
        let (least, most) = TO_ORDER;
        let end = writer.events.last().map_or(plan.start, |e| e.timestamp) - plan.start;
        let to_order = (least + draws.below(most - least + 1)) * 1_000;
        writer.push(EventKind::Purchase, end as u64 + to_order);
        writer.order(&cart.held);
    }
    writer.finish(context(visit), bought)
}

/// What a page can know of its visitor from the start.
fn context(visit: &Visit) -> Context {
    Context::from([
        ("month".to_owned(), Value::Category(month_name(visit.month))),
        (
            "visitor_type".to_owned(),
            Value::Category(visit.visitor_type.clone()),
        ),
        ("weekend".to_owned(), Value::Flag(visit.weekend)),
    ])
}

/// Collects the events of one session.
struct Writer<'a> {
    id: String,
    user: String,
    start: i64,
    catalogue: &'a Catalogue,
    events: Vec<Event>,
}

impl Writer<'_> {
    /// Adds an event, `after` milliseconds from the start.
    fn push(&mut self, kind: EventKind, after: u64) -> &mut Event {
        let mut event = Event::new(kind, self.start + after as i64);
        event.session_id = Some(self.id.clone());
        event.user_id = Some(self.user.clone());
        let position = self.events.len();
        self.events.push(event);
        &mut self.events[position]
    }

    /// Adds an item to the newest event.
    fn item(&mut self, product: usize, units: Option<u32>) {
        let (Some(event), Some(product)) =
            (self.events.last_mut(), self.catalogue.products.get(product))
        else {
            return;
        };
        event.items.push(item(product, units));
    }

    /// Makes the newest event an order of these lines.
    fn order(&mut self, lines: &[Line]) {
        let mut pence = 0;
        for line in lines {
            self.item(line.product, Some(line.units));
            let price = self.catalogue.products.get(line.product);
            pence += price.map_or(0, |product| {
                u64::from(product.pence) * u64::from(line.units)
            });
        }
        if let Some(event) = self.events.last_mut() {
            event.value = Some(pence as f64 / 100.0);
        }
    }

    fn finish(mut self, context: Context, bought: bool) -> Session {
        if let Some(first) = self.events.first_mut() {
            first.context = context.clone();
        }
        Session {
            id: self.id,
            user: Some(self.user),
            start: self.start,
            events: self.events,
            context,
            outcome: Some(bought),
        }
    }
}

/// The item as an event carries it: without its name, which the catalogue holds once.
fn item(product: &Product, units: Option<u32>) -> Item {
    Item {
        item_id: product.item_id.clone(),
        item_category: Some(product.item_category.to_owned()),
        price: Some(product.price),
        quantity: units.map(f64::from),
        ..Item::default()
    }
}
