//! Lists for people to look at: the home page's, and those beside the best-known items, each with the reason.

use std::collections::HashSet;

use propense_events::{Event, EventKind, Item};
use serde::Serialize;

use super::choose::Recommender;
use super::log::{Click, number};
use super::opening::{Opening, context};
use super::policy::{ItemFacts, Policy};
use super::shop::{Pick, Shop, seen, taken};

/// Gives the scores of all items for a visit.
type Scorer<'a> = Box<dyn FnMut(&[Click]) -> Vec<f32> + 'a>;

/// Makes the lists of visits: a recommender, a shop and its rules.
pub struct Lister<'a> {
    recommender: &'a Recommender,
    shop: &'a Shop,
    policy: Policy,
    seen_too: bool,
    opening: Option<Opening>,
    scorer: Scorer<'a>,
}

impl<'a> Lister<'a> {
    /// With `seen_too`, what a visit has seen is listed again; what is in its cart or bought never is.
    #[must_use]
    pub fn new(
        recommender: &'a Recommender,
        shop: &'a Shop,
        policy: &Policy,
        seen_too: bool,
    ) -> Self {
        Self {
            recommender,
            shop,
            policy: policy.clone(),
            seen_too,
            opening: None,
            scorer: Box::new(recommender.scorer()),
        }
    }

    /// With an opening of the recommender's items, for visits of which no item is known.
    #[must_use]
    pub fn opening(mut self, opening: Opening) -> Self {
        self.opening = Some(opening);
        self
    }

    /// The list of a visit that did this so far.
    pub fn list(&mut self, events: &[Event]) -> Vec<Pick> {
        let visit = seen(events);
        let clicks = number(std::slice::from_ref(&visit), self.recommender.items());
        let clicks = clicks.into_iter().next().unwrap_or_default();
        let mut hidden: HashSet<&str> = taken(events);
        if !self.seen_too {
            hidden.extend(visit.clicks.iter().map(|(id, _)| id.as_str()));
        }
        let scores = match &self.opening {
            Some(opening) if clicks.is_empty() => opening.scores(&context(events)),
            _ => (self.scorer)(&clicks),
        };
        self.shop.list(&self.policy, scores, &hidden)
    }

    /// The same with so many places.
    pub fn list_of(&mut self, k: usize, events: &[Event]) -> Vec<Pick> {
        let usual = std::mem::replace(&mut self.policy.k, k);
        let list = self.list(events);
        self.policy.k = usual;
        list
    }
}

/// A pick with what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reasoned {
    /// The pick.
    #[serde(flatten)]
    pub pick: Pick,
    /// Visits (or orders) with it; on a list beside an item, those with both.
    pub visits: usize,
}

/// The list beside an item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beside {
    /// The item.
    pub item_id: String,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: ItemFacts,
    /// Visits (or orders) with it.
    pub visits: usize,
    /// What a visitor is shown who has looked at it, the best first.
    pub picks: Vec<Reasoned>,
}

/// Lists for people to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Showcase {
    /// What a visitor is shown of whom nothing is known.
    pub home: Vec<Reasoned>,
    /// What stands beside the most clicked items.
    pub because: Vec<Beside>,
    /// Visits (or orders) in all.
    pub visits: usize,
}

impl Showcase {
    /// The lists, beside so many items that the rules allow.
    #[must_use]
    pub fn new(lister: &mut Lister<'_>, beside: usize) -> Self {
        let (recommender, shop) = (lister.recommender, lister.shop);
        let home = lister.list(&[]).into_iter().map(|pick| Reasoned {
            visits: recommender.visits_with(&[&pick.item_id]),
            pick,
        });
        let home = home.collect();
        let mut because = Vec::new();
        for (id, facts) in shop.known() {
            if because.len() == beside {
                break;
            }
            if !lister.policy.allows(facts) || recommender.items().number(id).is_none() {
                continue;
            }
            let mut event = Event::new(EventKind::ViewItem, 0);
            event.items.push(Item {
                item_id: id.to_owned(),
                ..Item::default()
            });
            let picks = lister.list(&[event]).into_iter();
            let picks = picks
                .filter(|pick| pick.item_id != id)
                .map(|pick| Reasoned {
                    visits: recommender.visits_with(&[id, &pick.item_id]),
                    pick,
                });
            because.push(Beside {
                item_id: id.to_owned(),
                facts: facts.clone(),
                visits: recommender.visits_with(&[id]),
                picks: picks.collect(),
            });
        }
        Self {
            home,
            because,
            visits: recommender.visits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::choose::Method;
    use crate::recommend::log::tests::visit;

    #[test]
    fn lists_come_with_the_visits_that_speak_for_them() {
        let visits = ["a b", "a b c", "a c", "c b", "a"].map(visit);
        let recommender =
            Recommender::fit(Method::ItemKnn, &visits, 1, &mut |_| {}).expect("learnt");
        let shop = Shop::new(recommender.items(), &[], &Default::default());
        let policy = Policy {
            k: 2,
            ..Policy::default()
        };
        let mut lister = Lister::new(&recommender, &shop, &policy, false);
        let found = Showcase::new(&mut lister, 2);
        let ids = |list: &[Reasoned]| -> Vec<(String, usize)> {
            let of = |one: &Reasoned| (one.pick.item_id.clone(), one.visits);
            list.iter().map(of).collect()
        };
        assert_eq!(found.visits, 5);
        assert_eq!(ids(&found.home), [("a".to_owned(), 4), ("b".to_owned(), 3)]);
        assert_eq!(
            (&*found.because[0].item_id, found.because[0].visits),
            ("a", 4)
        );
        assert_eq!(
            ids(&found.because[0].picks),
            [("b".to_owned(), 2), ("c".to_owned(), 2)]
        );
        assert_eq!(found.because.len(), 2);
        assert_eq!(lister.list_of(1, &[]).len(), 1);
        assert_eq!(lister.list(&[]).len(), 2);
    }
}
