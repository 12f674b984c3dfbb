//! The one gate through which every event passes, from a file or live.

use crate::{Action, Context, Event, Item, Problem, Rule, Value};

/// The earliest time that an event may carry: 2000-01-01T00:00:00Z in milliseconds. Earlier
/// stamps are clocks that were never set, or seconds taken for milliseconds.
pub const EARLIEST: i64 = 946_684_800_000;

/// Bounds on one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items in one event, and entries in its context.
    pub max_items: usize,
    /// Bytes in one text field.
    pub max_text: usize,
    /// The latest acceptable time in milliseconds since 1970; `i64::MAX` for no bound.
    pub latest: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_items: 1000,
            max_text: 512,
            latest: i64::MAX,
        }
    }
}

impl Limits {
    /// The limits for files: an invoice may have more lines than a live event may have items
    /// (Online Retail's longest has 1,114).
    #[must_use]
    pub fn file() -> Self {
        Self {
            max_items: 10_000,
            ..Self::default()
        }
    }
}

/// Checks one event: keeps it, keeps it repaired, or sets it aside. Every change to the event
/// is in the list of problems.
///
/// | found | done |
/// |---|---|
/// | timestamp before [`EARLIEST`] or after [`Limits::latest`] | rejected |
/// | more than [`Limits::max_items`] items or context entries | the first ones are kept |
/// | an item without `item_id` | its name is taken as the id; without a name it is left out |
/// | price or event value below zero or not finite | missing |
/// | a rating outside 1 to 5 | missing |
/// | quantity not finite, zero or below | 1 |
/// | a context number that is not finite | missing |
/// | a text longer than [`Limits::max_text`] bytes | cut at a character boundary |
///
/// Blanks around a text do not count; an empty text counts as missing and is no problem. `row` is only for the problems: the row in
/// the file, or the event's number.
#[must_use]
pub fn check_event(mut event: Event, row: u64, limits: &Limits) -> (Option<Event>, Vec<Problem>) {
    let (kept, problems) = check_in_place(&mut event, row, limits);
    (kept.then_some(event), problems)
}

/// The same without moving the event, which is large; false where it is to be set aside.
pub(crate) fn check_in_place(event: &mut Event, row: u64, limits: &Limits) -> (bool, Vec<Problem>) {
    let mut check = Check {
        row,
        limits,
        problems: Vec::new(),
    };
    if event.timestamp < EARLIEST || event.timestamp > limits.latest {
        check.note(
            Rule::AbsurdTimestamp,
            Action::Rejected,
            || "timestamp".to_owned(),
            &event.timestamp,
        );
        return (false, check.problems);
    }
    check.optional_text(&mut event.user_id, "user_id");
    check.optional_text(&mut event.anonymous_id, "anonymous_id");
    check.optional_text(&mut event.session_id, "session_id");
    check.optional_text(&mut event.page_type, "page_type");
    check.optional_text(&mut event.currency, "currency");
    check.optional_text(&mut event.transaction_id, "transaction_id");
    check.optional_text(&mut event.search_term, "search_term");
    check.rating(&mut event.rating);
    check.amount(&mut event.value, || "value".to_owned());
    check.items(&mut event.items);
    check.context(&mut event.context);
    (true, check.problems)
}

struct Check<'a> {
    row: u64,
    limits: &'a Limits,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn note(
        &mut self,
        rule: Rule,
        action: Action,
        field: impl FnOnce() -> String,
        detail: &dyn std::fmt::Display,
    ) {
        self.problems.push(
            Problem::new(rule, action, self.row)
                .field(field())
                .detail(detail),
        );
    }

    fn items(&mut self, items: &mut Vec<Item>) {
        if items.len() > self.limits.max_items {
            let count = items.len();
            self.note(
                Rule::TooManyItems,
                Action::Repaired,
                || "items".to_owned(),
                &count,
            );
            items.truncate(self.limits.max_items);
        }
        let mut position = 0;
        items.retain_mut(|item| {
            let keep = self.item(item, position);
            position += 1;
            keep
        });
    }

    fn item(&mut self, item: &mut Item, position: usize) -> bool {
        self.optional_text(&mut item.item_name, "items.item_name");
        self.optional_text(&mut item.item_category, "items.item_category");
        self.optional_text(&mut item.item_brand, "items.item_brand");
        self.text(&mut item.item_id, "items.item_id");
        self.amount(&mut item.price, || format!("items[{position}].price"));
        if let Some(quantity) = item.quantity
            && !(quantity.is_finite() && quantity > 0.0)
        {
            self.note(
                Rule::AbsurdQuantity,
                Action::Repaired,
                || format!("items[{position}].quantity"),
                &quantity,
            );
            item.quantity = Some(1.0);
        }
        if item.item_id.is_empty() {
            let name = item.item_name.clone();
            self.note(
                Rule::MissingField,
                Action::Repaired,
                || format!("items[{position}].item_id"),
                &name.as_deref().unwrap_or("the item was left out"),
            );
            match name {
                Some(name) => item.item_id = name,
                None => return false,
            }
        }
        true
    }

    fn context(&mut self, context: &mut Context) {
        if context.is_empty() {
            return;
        }
        if context.len() > self.limits.max_items {
            let count = context.len();
            self.note(
                Rule::TooManyItems,
                Action::Repaired,
                || "context".to_owned(),
                &count,
            );
            let mut kept = 0;
            context.retain(|_, _| {
                kept += 1;
                kept <= self.limits.max_items
            });
        }
        // A key is part of the feature specification, so a cut key would be another feature:
        // an entry whose key is too long goes as a whole.
        context.retain(|key, value| {
            if key.len() > self.limits.max_text {
                let detail = key.as_str();
                self.note(
                    Rule::TextTooLong,
                    Action::Repaired,
                    || "context".to_owned(),
                    &detail,
                );
                return false;
            }
            match value {
                Value::Number(number) if !number.is_finite() => {
                    let number = *number;
                    self.note(
                        Rule::AbsurdNumber,
                        Action::Repaired,
                        || format!("context.{key}"),
                        &number,
                    );
                    false
                }
                Value::Category(text) => {
                    self.text(text, "context");
                    true
                }
                Value::Number(_) | Value::Flag(_) => true,
            }
        });
    }

    fn amount(&mut self, amount: &mut Option<f64>, field: impl FnOnce() -> String) {
        if let Some(number) = *amount
            && !(number.is_finite() && number >= 0.0)
        {
            self.note(Rule::AbsurdPrice, Action::Repaired, field, &number);
            *amount = None;
        }
    }

    fn rating(&mut self, rating: &mut Option<f64>) {
        if let Some(number) = *rating
            && !(1.0..=5.0).contains(&number)
        {
            self.note(
                Rule::AbsurdNumber,
                Action::Repaired,
                || "rating".to_owned(),
                &number,
            );
            *rating = None;
        }
    }

    fn optional_text(&mut self, text: &mut Option<String>, field: &str) {
        if let Some(present) = text {
            self.text(present, field);
            if present.is_empty() {
                *text = None;
            }
        }
    }

    fn text(&mut self, text: &mut String, field: &str) {
        trim(text);
        if text.len() > self.limits.max_text {
            let detail = text.as_str();
            self.note(
                Rule::TextTooLong,
                Action::Repaired,
                || field.to_owned(),
                &detail,
            );
            text.truncate(text.floor_char_boundary(self.limits.max_text));
            trim(text);
        }
    }
}

/// Takes off surrounding blanks, as the file readers do.
fn trim(text: &mut String) {
    let blank = |letter: char| letter.is_ascii_whitespace();
    let kept = text.trim_matches(blank);
    if kept.len() < text.len() {
        *text = kept.to_owned();
    }
}
