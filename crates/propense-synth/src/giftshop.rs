//! The whole way from the two real files to the three made ones.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use propense_events::{Format, Session, Table, read};

use crate::{
    CATALOGUE_FILE, EVENTS_FILE, GiftshopReport, SAMPLE_FILE, SynthError,
    cart::{self, Act, Browser, Cart},
    catalogue::Catalogue,
    draw::{Draws, Purpose},
    output, rates,
    sales::{self, Sale},
    session::{self, Plan},
    shop::Shop,
    visit::{self, Visit},
};

/// Where the two real sets lie; plain or gzip, told by content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftshopSources {
    /// UCI *Online Shoppers Purchasing Intention*: the session summaries.
    pub shoppers: PathBuf,
    /// UCI *Online Retail*: the invoices.
    pub retail: PathBuf,
}

/// How the data is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftshopOptions {
    /// Every draw follows from it.
    pub seed: u64,
    /// Products in the catalogue at most: those on the most invoices.
    pub products: usize,
}

impl Default for GiftshopOptions {
    /// What the data in the repository was made with.
    fn default() -> Self {
        Self {
            seed: 7,
            products: 1_500,
        }
    }
}

/// Makes the gift shop's data and writes [`EVENTS_FILE`], [`CATALOGUE_FILE`] and [`SAMPLE_FILE`]
/// into `out_dir`, which is made where it is missing. `progress` is told of each step as it
/// begins.
///
/// # Errors
///
/// [`SynthError`] where a file cannot be read or written, or is not the one that was expected.
pub fn giftshop(
    sources: &GiftshopSources,
    options: &GiftshopOptions,
    out_dir: &Path,
    mut progress: impl FnMut(&str),
) -> Result<GiftshopReport, SynthError> {
    progress("reading invoices");
    let sales = read_sales(&sources.retail)?;
    progress("choosing products and counting what is bought together");
    let catalogue = Catalogue::new(&sales, options.products);
    let shop = Shop::new(&sales, &catalogue);

    progress("reading session summaries");
    let visits = read_visits(&sources.shoppers)?;
    progress("laying sessions out in time");
    let mut report = GiftshopReport {
        seed: options.seed,
        invoices: shop.baskets(),
        whole_invoices: shop.carts(),
        catalogue_share: catalogue.share_of_lines(&sales),
        ..GiftshopReport::default()
    };
    let sessions =
        lay_out(&visits, &shop, &catalogue, options.seed, &mut report).ok_or_else(|| {
            SynthError::Empty {
                path: sources.retail.clone(),
                what: "there is no invoice with a product that could be sold",
            }
        })?;
    report.count(&sessions, &catalogue);

    progress("writing files");
    fs::create_dir_all(out_dir).map_err(SynthError::io(out_dir))?;
    let events = output::write_events_file(&out_dir.join(EVENTS_FILE), &sessions)?;
    let products = output::write_catalogue(&out_dir.join(CATALOGUE_FILE), &catalogue)?;
    let (sample, sampled, bought) =
        output::write_sample(&out_dir.join(SAMPLE_FILE), &sessions, options.seed)?;
    report.sample = (sampled, bought);
    for (file, bytes) in [
        (EVENTS_FILE, events),
        (CATALOGUE_FILE, products),
        (SAMPLE_FILE, sample),
    ] {
        report.bytes.insert(file.to_owned(), bytes);
    }
    Ok(report)
}

/// Reads a table, unpacking gzip.
fn read_table(path: &Path, format: Format) -> Result<Table, SynthError> {
    let file = File::open(path).map_err(SynthError::io(path))?;
    let mut bytes = BufReader::new(file);
    let packed = bytes
        .fill_buf()
        .map_err(SynthError::io(path))?
        .starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    };
    read(input, Some(format), None).map_err(|source| SynthError::Events {
        path: path.to_owned(),
        source,
    })
}

fn read_sales(path: &Path) -> Result<Vec<Sale>, SynthError> {
    Ok(sales::sales(
        &read_table(path, Format::OnlineRetail)?.events,
    ))
}

/// The visits with their outcomes.
fn read_visits(path: &Path) -> Result<Vec<(Visit, bool)>, SynthError> {
    let table = read_table(path, Format::OnlineShoppers)?;
    if table.sessions.is_empty() {
        return Err(SynthError::Empty {
            path: path.to_owned(),
            what: "there is no session summary",
        });
    }
    (0..)
        .zip(&table.sessions)
        .map(|(number, session)| visit::visit(session, number, path))
        .collect()
}

/// Turns visits into sessions in order of time. None where the shop is empty.
fn lay_out(
    visits: &[(Visit, bool)],
    shop: &Shop,
    catalogue: &Catalogue,
    seed: u64,
    report: &mut GiftshopReport,
) -> Option<Vec<Session>> {
    let plans = visits
        .iter()
        .map(|(visit, _)| session::plan(visit, shop, seed))
        .collect::<Option<Vec<Plan>>>()?;
    let fills = who_fills(visits, &plans, seed, report);
    let mut sessions = Vec::with_capacity(visits.len());
    for (((visit, bought), plan), fills) in visits.iter().zip(&plans).zip(fills) {
        report.landing_pages += usize::from(plan.layout.repaired);
        report.hidden_time += usize::from(plan.layout.hidden_time);
        let cart = fills
            .then(|| fill_cart(visit, *bought, plan, seed))
            .flatten();
        if let Some(cart) = &cart {
            count_cart(cart, report);
        }
        sessions.push(session::session(
            visit,
            plan,
            cart.as_ref(),
            *bought,
            catalogue,
            seed,
        ));
    }
    sessions.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    Some(sessions)
}

/// Every buyer fills a cart, and as many of the others as make up the share of abandoned carts.
fn who_fills(
    visits: &[(Visit, bool)],
    plans: &[Plan],
    seed: u64,
    report: &mut GiftshopReport,
) -> Vec<bool> {
    let browsers: Vec<Browser> = visits
        .iter()
        .zip(plans)
        .filter(|((_, bought), _)| !bought)
        .map(|((visit, _), plan)| Browser {
            item_pages: plan.shown.iter().flatten().count(),
            draw: Draws::new(seed, Purpose::WhoFillsACart, visit.number).unit(),
        })
        .collect();
    let orders = (visits.len() - browsers.len()) as f64;
    let wanted = orders * rates::CARTS_ABANDONED / (1.0 - rates::CARTS_ABANDONED);
    let (chosen, chance) = cart::who_abandons(&browsers, wanted.round() as usize);
    report.cart_chance = chance;
    let mut chosen = chosen.into_iter();
    visits
        .iter()
        .map(|(_, bought)| *bought || chosen.next().unwrap_or(false))
        .collect()
}

fn fill_cart(visit: &Visit, bought: bool, plan: &Plan, seed: u64) -> Option<Cart> {
    let mut draws = Draws::new(seed, Purpose::Cart, visit.number);
    let mut cart = cart::fill(&plan.shown, &plan.interest, &mut draws)?;
    // Drawn for buyers too, so that what follows is the same for both.
    let goes_on = draws.chance(rates::CHECKOUT_OF_ABANDONED);
    if bought || goes_on {
        cart::begin_checkout(&mut cart, plan.shown.len(), &mut draws);
    }
    Some(cart)
}

fn count_cart(cart: &Cart, report: &mut GiftshopReport) {
    let done = |act: Act| cart.steps.iter().filter(move |step| step.act == act);
    report.carts += 1;
    report.checkouts += usize::from(done(Act::BeginCheckout).next().is_some());
    report.carts_without_view += usize::from(cart.without_view);
    report.cart_lines += done(Act::Add).count();
}
