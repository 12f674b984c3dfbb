//! Making an item table: what a shop's visits say of its items, in the way that forecasts its own latest
//! visits best.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::baselines::Popularity;
use super::index::distinct;
use super::log::{Click, Items, Log, RawVisit, number};
use super::measure::{Figures, MEASURED, Ranker, Trial, thinned};
use super::policy::ItemFacts;
use super::table::{ItemTable, Weights};
use super::tables::Tables;

/// Neighbours kept of an item.
const NEIGHBOURS: usize = 16;
/// Share of the visits on which a recipe is chosen, and of those on which it is then measured: one in so
/// many.
const HELD_BACK: usize = 6;
/// Positions on which recipes are compared, at most: of more visits an even choice.
const COMPARED: usize = 3_000;
/// Score of the most popular item, and weights of an earlier item beside the next, that are tried.
const POPULAR: [f32; 6] = [1e-4, 0.003, 0.01, 0.03, 0.1, 0.3];
const FADING: [f32; 5] = [0.2, 0.35, 0.513_417_1, 0.7, 0.9];

/// What makes an item another's neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// Being in one visit: c_ij / √(n_i (n_j + 20)).
    Together,
    /// Coming within six clicks after it, each by 1/distance, as a share.
    After,
    /// The mean of both.
    Both,
    /// Nothing does: what is popular is shown to everybody.
    Nothing,
}

/// Which clicks make an item popular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// All.
    All,
    /// All, those a sixth of the time earlier counting 1/e.
    Late,
}

/// How a table is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recipe {
    /// What makes neighbours.
    pub nearness: Nearness,
    /// What makes an item popular.
    pub popularity: Counted,
    /// Score of the most popular item beside that of neighbours, which is at most 1.
    pub popular: f32,
    /// What an earlier item seen counts beside the one after it.
    pub fading: f32,
    /// Whether an item may be its own neighbour: shown again right after it was seen.
    pub repeats: bool,
}

impl Recipe {
    /// What is taken where there is nothing to choose by.
    #[must_use]
    pub const fn usual(repeats: bool) -> Self {
        Self {
            nearness: Nearness::Both,
            popularity: Counted::Late,
            popular: 0.01,
            fading: FADING[2],
            repeats,
        }
    }

    /// What is popular for everybody, and nothing else: the plainest recommender.
    #[must_use]
    pub const fn popular() -> Self {
        Self {
            nearness: Nearness::Nothing,
            popularity: Counted::All,
            popular: 1.0,
            fading: FADING[2],
            repeats: false,
        }
    }
}

/// What a table was worth on the latest visits, and how it should be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableTrial {
    /// The recipe that was measured; that of popularity alone, where this was better.
    pub recipe: Recipe,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Those of popularity alone on the same positions.
    pub popularity: Figures,
}

impl TableTrial {
    /// Chooses a recipe by what tables learnt from the first four sixths of the visits say of the fifth,
    /// measures it, learnt from five sixths, on the last. Should popularity alone have the higher NDCG
    /// there, it is the recipe.
    #[must_use]
    pub fn run(visits: &[RawVisit], repeats: bool, k: usize, seed: u64) -> Self {
        let part = visits.len() / HELD_BACK;
        let (before, latest) = visits.split_at(visits.len() - part);
        let (earlier, choosing) = before.split_at(before.len() - part);
        let chosen = choose(earlier, choosing, repeats, k);
        let log = Log::new(before);
        let tested = thinned(number(latest, &log.items), MEASURED);
        let figures =
            |ranker: &mut dyn Ranker| Trial::run(ranker, &tested, &log.items, k).figures(400, seed);
        let table = ItemTable::learn(&log, [], &chosen);
        let own = figures(&mut TableRanker::new(&table, &log.items));
        let popularity = figures(&mut Popularity::new(&log.items));
        if popularity.ndcg > own.ndcg {
            return Self {
                recipe: Recipe::popular(),
                figures: popularity.clone(),
                popularity,
            };
        }
        Self {
            recipe: chosen,
            figures: own,
            popularity,
        }
    }
}

/// The best recipe: first what is counted and how much popularity counts beside it, then the fading.
fn choose(earlier: &[RawVisit], later: &[RawVisit], repeats: bool, k: usize) -> Recipe {
    let log = Log::new(earlier);
    let tested = thinned(number(later, &log.items), COMPARED);
    let usual = Recipe::usual(repeats);
    if tested.iter().all(|visit| visit.len() < 2) {
        return usual;
    }
    let counts = Tables::new(&log.items, &log.visits);
    let ndcg = |recipe: &Recipe, table: &mut ItemTable| {
        table.weights = Some(recipe.weights());
        let mut ranker = TableRanker::new(table, &log.items);
        Trial::run(&mut ranker, &tested, &log.items, k)
            .figures(0, 0)
            .ndcg
    };
    let mut best = (usual, f64::NEG_INFINITY);
    let mut keep = |recipe: Recipe, found: f64| {
        if found > best.1 {
            best = (recipe, found);
        }
        best.0
    };
    for nearness in [Nearness::Both, Nearness::After, Nearness::Together] {
        let mut table = ItemTable::of(&log, &counts, [], &Recipe { nearness, ..usual });
        for popular in POPULAR {
            let recipe = Recipe {
                nearness,
                popular,
                ..usual
            };
            keep(recipe, ndcg(&recipe, &mut table));
        }
    }
    for popularity in [Counted::Late, Counted::All] {
        let recipe = Recipe {
            popularity,
            ..Recipe::popular()
        };
        let mut table = ItemTable::of(&log, &counts, [], &recipe);
        keep(recipe, ndcg(&recipe, &mut table));
    }
    let chosen = keep(usual, f64::NEG_INFINITY);
    let mut table = ItemTable::of(&log, &counts, [], &chosen);
    for fading in FADING {
        let recipe = Recipe { fading, ..chosen };
        keep(recipe, ndcg(&recipe, &mut table));
    }
    keep(usual, f64::NEG_INFINITY)
}

impl Recipe {
    const fn weights(&self) -> Weights {
        Weights {
            popular: self.popular,
            fading: self.fading,
        }
    }

    /// The nearest of an item, the nearest first.
    fn nearest(&self, counts: &Tables, item: u32) -> Vec<(f32, u32)> {
        let mut found: BTreeMap<u32, f32> = BTreeMap::new();
        let (together, after) = match self.nearness {
            Nearness::Together => (1.0, 0.0),
            Nearness::After => (0.0, 1.0),
            Nearness::Both => (0.5, 0.5),
            Nearness::Nothing => (0.0, 0.0),
        };
        if together > 0.0 {
            for (other, cosine) in counts.together(item) {
                *found.entry(other).or_default() += together * cosine;
            }
        }
        if after > 0.0 {
            for (other, share) in counts.after(item) {
                if self.repeats || other != item {
                    *found.entry(other).or_default() += after * share;
                }
            }
        }
        let mut found: Vec<(f32, u32)> = found
            .into_iter()
            .map(|(other, strength)| (strength.clamp(0.0, 1.0), other))
            .collect();
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(NEIGHBOURS);
        found
    }
}

impl ItemTable {
    /// The table of these visits and of what is known of the items; some of those may have no visit.
    #[must_use]
    pub fn learn<'a>(
        log: &Log,
        known: impl IntoIterator<Item = (&'a str, &'a ItemFacts)>,
        recipe: &Recipe,
    ) -> Self {
        Self::of(log, &Tables::new(&log.items, &log.visits), known, recipe)
    }

    fn of<'a>(
        log: &Log,
        counts: &Tables,
        known: impl IntoIterator<Item = (&'a str, &'a ItemFacts)>,
        recipe: &Recipe,
    ) -> Self {
        let mut items: BTreeMap<&str, Option<&ItemFacts>> = BTreeMap::new();
        for id in log.items.ids() {
            items.insert(id, None);
        }
        for (id, facts) in known {
            items.insert(id, Some(facts));
        }
        items.retain(|id, _| !id.contains('\n'));
        let number: HashMap<&str, u32> = items.keys().copied().zip(0..).collect();
        let clicks = |item: u32| match recipe.popularity {
            Counted::All => counts.popularity(item).0.exp_m1(),
            Counted::Late => counts.popularity(item).1.exp_m1(),
        };
        let most = (0..log.items.len() as u32).map(clicks).fold(0.0, f32::max);
        let mut table = Self {
            starts: vec![0],
            offsets: vec![0],
            weights: Some(recipe.weights()),
            ..Self::default()
        };
        let mut categories: BTreeMap<&str, u16> = BTreeMap::new();
        for (id, facts) in &items {
            table.ids.push_str(id);
            table.ids.push('\n');
            table.starts.push(table.ids.len() as u32);
            let own = log.items.number(id);
            let share = own.map_or(0.0, clicks) / most.max(1e-9);
            table.popularity.push(eight_bits(share));
            let price = facts.and_then(|facts| facts.price);
            table
                .prices
                .push(price.map_or(f32::NAN, |price| price as f32));
            let category = facts.and_then(|facts| facts.category.as_deref());
            table.category.push(category.map_or(0, |name| {
                let next = u16::try_from(categories.len() + 1).unwrap_or(0);
                let known = *categories.entry(name).or_insert(next);
                if known == next && next > 0 && table.categories.len() < usize::from(next) {
                    table.categories.push(name.to_owned());
                }
                known
            }));
            for (strength, other) in own.map_or(Vec::new(), |own| recipe.nearest(counts, own)) {
                let id = log.items.id(other).unwrap_or_default();
                if let Some(other) = number.get(id) {
                    table.neighbours.push(*other);
                    table.strengths.push(eight_bits(strength));
                }
            }
            table.offsets.push(table.neighbours.len() as u32);
        }
        table.ranked()
    }
}

/// The square root of a share on a scale to 255.
fn eight_bits(share: f32) -> u8 {
    (share.clamp(0.0, 1.0).sqrt() * 255.0).round() as u8
}

/// The table as a ranker over another numbering of the items.
struct TableRanker<'a> {
    table: &'a ItemTable,
    items: &'a Items,
    /// Numbers in the table, by item.
    places: Vec<Option<usize>>,
}

impl<'a> TableRanker<'a> {
    fn new(table: &'a ItemTable, items: &'a Items) -> Self {
        let place = |id: &String| table.number(id).map(|number| number as usize);
        Self {
            table,
            items,
            places: items.ids().iter().map(place).collect(),
        }
    }
}

impl Ranker for TableRanker<'_> {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        let seen = distinct(seen);
        let ids = seen.iter().filter_map(|seen| self.items.id(seen.item));
        let own = self.table.scores(ids.collect::<Vec<_>>().into_iter());
        for (place, score) in self.places.iter().zip(scores) {
            let found = place.and_then(|place| own.get(place));
            *score = found.copied().unwrap_or(0.0);
        }
    }

    fn numbers(&self) -> usize {
        // Of each neighbour its number and its strength.
        self.table.popularity.len() + 2 * self.table.neighbours.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::Owner;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    fn visit(items: &[u32]) -> RawVisit {
        let clicks = (0..).zip(items).map(|(at, item)| (format!("i{item}"), at));
        RawVisit {
            owner: Owner::Nobody,
            clicks: clicks.collect(),
        }
    }

    /// A number from 0 to `below` that looks random.
    fn lot(n: u32, below: u32) -> u32 {
        (n.wrapping_mul(2_654_435_761) >> 16) % below
    }

    #[test]
    fn where_items_come_in_pairs_neighbours_lead_and_popularity_is_left_behind() {
        let visits: Vec<RawVisit> = (0..600)
            .map(|n| {
                let item = 2 * lot(n, 20);
                visit(&[item, item + 1])
            })
            .collect();
        let trial = TableTrial::run(&visits, false, 10, 1);
        assert_ne!(trial.recipe.nearness, Nearness::Nothing);
        assert!(trial.figures.ndcg > 0.9, "{trial:?}");
        assert!(trial.figures.ndcg > trial.popularity.ndcg + 0.3);
    }

    #[test]
    fn where_nothing_tells_what_comes_next_the_table_is_popularity() {
        // Low numbers come more often, whatever was seen before.
        let mut random = ChaCha12Rng::seed_from_u64(1);
        let mut skewed = || random.random_range(0..40) * random.random_range(0..40) / 40;
        let visits: Vec<RawVisit> = (0..900)
            .map(|_| visit(&[skewed(), skewed(), skewed()]))
            .collect();
        let trial = TableTrial::run(&visits, false, 10, 1);
        assert_eq!(trial.recipe.nearness, Nearness::Nothing, "{trial:?}");
    }

    #[test]
    fn a_page_that_is_looked_at_again_and_again_is_shown_again_only_where_asked() {
        let visits: Vec<RawVisit> = (0..400)
            .map(|n| visit(&[lot(n, 15), lot(n, 15), lot(n, 15)]))
            .collect();
        for repeats in [false, true] {
            let trial = TableTrial::run(&visits, repeats, 5, 1);
            let table = ItemTable::learn(&Log::new(&visits), [], &trial.recipe);
            let first = table.candidates(["i3"].into_iter(), [], 1);
            let first = first.first().and_then(|(item, _)| table.id(*item));
            assert_eq!(first == Some("i3"), repeats, "{:?}", trial.recipe);
            assert_eq!(trial.figures.hr > 0.9, repeats, "{trial:?}");
        }
    }

    #[test]
    fn few_or_no_visits_are_no_failure() {
        for count in [0, 1, 3, 12] {
            let visits: Vec<RawVisit> = (0..count).map(|n| visit(&[n, n + 1])).collect();
            let trial = TableTrial::run(&visits, false, 10, 1);
            let table = ItemTable::learn(&Log::new(&visits), [], &trial.recipe);
            assert!(table.to_bytes().is_ok());
        }
    }
}
