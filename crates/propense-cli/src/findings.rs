//! What comes of `propense recommend`: for the JSON, the terminal and the page.

use propense_apps::recommend::{
    Choice, Estimate, Judgement, Method, OpeningChoice, Showcase, Source, TableTrial,
};
use serde::Serialize;

/// All that came of it: the JSON, and what the page shows.
#[derive(Serialize)]
pub(crate) struct Findings {
    pub(crate) lists: usize,
    pub(crate) items: usize,
    pub(crate) new_items: usize,
    #[serde(flatten)]
    pub(crate) choice: Choice,
    /// What a visitor is shown of whom nothing is known.
    pub(crate) opening: OpeningChoice,
    /// What the visits are: views, or orders where nothing was viewed.
    #[serde(skip)]
    pub(crate) source: Source,
    /// Lists with their reasons.
    pub(crate) showcase: Showcase,
    /// What the item table is worth, where one is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<TableTrial>,
    /// What the log of lists shown by lot says, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) off_policy: Option<Judgement>,
}

/// What should be read before anything is done.
pub(crate) fn warnings(findings: &Findings) -> Vec<String> {
    let mut found = Vec::new();
    let choice = &findings.choice;
    let of = |wanted: Method| {
        let figures = choice.figures.iter().find(|(method, _)| *method == wanted);
        figures.map(|(_, figures)| figures.ndcg)
    };
    if choice.figures.is_empty() {
        found.push("Too few visits to compare recommenders: what is popular is listed.".to_owned());
    }
    if choice.method != Method::Blend
        && let (Some(best), Some(blend)) = (of(choice.method), of(Method::Blend))
    {
        found.push(format!(
            "On the latest visits {} forecasts better (NDCG {best:.4}) than the blend (NDCG {blend:.4}): it is used.",
            choice.method
        ));
    }
    if let Some(table) = &findings.table
        && table.popularity.ndcg >= table.figures.ndcg
    {
        found.push(
            "On the latest visits popularity forecasts as well as the item table: the table holds popularity alone."
                .to_owned(),
        );
    }
    if let Some(judged) = &findings.off_policy {
        found.extend(judged.warnings.iter().cloned());
        if judged.unknown_visits > 0 {
            found.push(format!(
                "Of {} of {} lists in the log no earlier event is in --data: they are judged as new visitors'.",
                judged.unknown_visits, judged.lists
            ));
        }
        for (method, value) in &judged.methods {
            let words = value.warnings.iter();
            found.extend(words.map(|words| format!("{method}: {words}")));
        }
    }
    found
}

/// A figure with its interval, in words.
pub(crate) fn estimate(found: &Estimate) -> String {
    let (low, high) = found.interval;
    format!("{:.4} ({low:.4} to {high:.4})", found.value)
}
