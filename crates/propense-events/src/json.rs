//! One live event, as the page's `track` hands it over: GA4-shaped JSON.

use serde_json::{Map, Value as Json};

use crate::{
    Action, Context, Event, EventKind, Item, Limits, Problem, Rule, Value, check_event,
    parse_timestamp,
};

/// Reads one GA4-shaped event from JSON and checks it with [`check_event`].
///
/// Required are `event` (or `event_name`, or GA4's `name`) and `timestamp` in milliseconds.
/// `items` and `value` may also stand inside `ecommerce` (as shops push them to a data layer) or
/// `params` (as GA4 sends them). Numbers as identifiers become text. A number written as text,
/// or an ISO 8601 timestamp, is read and counted as a repair; any other wrong type is taken as
/// missing and counted. A name that is no GA4 ecommerce event becomes [`EventKind::Other`].
/// Fields that the schema does not know are ignored.
#[must_use]
pub fn parse_event(json: &str, row: u64, limits: &Limits) -> (Option<Event>, Vec<Problem>) {
    let rejected = |rule| Problem::new(rule, Action::Rejected, row);
    let fields = match serde_json::from_str(json) {
        Ok(Json::Object(fields)) => fields,
        Ok(_) => {
            let problem = rejected(Rule::Malformed).detail("not a JSON object");
            return (None, vec![problem]);
        }
        Err(error) => return (None, vec![rejected(Rule::Malformed).detail(error)]),
    };
    let mut reader = Reader {
        row,
        limits,
        problems: Vec::new(),
    };
    match reader.event(&fields) {
        Err(problem) => {
            reader.problems.push(problem);
            (None, reader.problems)
        }
        Ok(event) => {
            let (event, problems) = check_event(event, row, limits);
            reader.problems.extend(problems);
            (event, reader.problems)
        }
    }
}

struct Reader<'a> {
    row: u64,
    limits: &'a Limits,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn event(&mut self, fields: &Map<String, Json>) -> Result<Event, Problem> {
        let name = ["event", "event_name", "name"]
            .iter()
            .find_map(|key| fields.get(*key))
            .and_then(Json::as_str)
            .ok_or_else(|| self.missing("event"))?;
        let timestamp = self.timestamp(fields.get("timestamp"))?;
        let mut event = Event::new(EventKind::from_name(name), timestamp);
        event.user_id = self.identifier(fields.get("user_id"), "user_id");
        event.anonymous_id = self.identifier(fields.get("anonymous_id"), "anonymous_id");
        event.session_id = self.identifier(fields.get("session_id"), "session_id");
        event.page_type = self.identifier(fields.get("page_type"), "page_type");

        let nested = |key: &str| {
            fields.get(key).or_else(|| {
                ["ecommerce", "params"]
                    .iter()
                    .find_map(|outer| fields.get(*outer)?.get(key))
            })
        };
        event.value = self.number(nested("value"), "value");
        event.currency = self.identifier(nested("currency"), "currency");
        event.transaction_id = self.identifier(nested("transaction_id"), "transaction_id");
        event.search_term = self.identifier(nested("search_term"), "search_term");
        event.rating = self.number(nested("rating"), "rating");
        event.items = self.items(nested("items"));
        event.context = self.context(fields.get("context"));
        Ok(event)
    }

    fn missing(&self, field: &str) -> Problem {
        Problem::new(Rule::MissingField, Action::Rejected, self.row).field(field)
    }

    fn wrong_type(&mut self, field: &str, found: &Json) {
        self.problems.push(
            Problem::new(Rule::WrongType, Action::Repaired, self.row)
                .field(field)
                .detail(found),
        );
    }

    fn timestamp(&mut self, found: Option<&Json>) -> Result<i64, Problem> {
        let found = match found {
            None | Some(Json::Null) => return Err(self.missing("timestamp")),
            Some(found) => found,
        };
        let read = match found {
            Json::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().and_then(whole_milliseconds)),
            Json::String(text) => {
                let text = text.trim();
                let read = text
                    .parse()
                    .ok()
                    .or_else(|| text.parse().ok().and_then(whole_milliseconds))
                    .or_else(|| parse_timestamp(text, 0));
                if read.is_some() {
                    self.wrong_type("timestamp", found);
                }
                read
            }
            _ => None,
        };
        read.ok_or_else(|| {
            Problem::new(Rule::AbsurdTimestamp, Action::Rejected, self.row)
                .field("timestamp")
                .detail(found)
        })
    }

    fn identifier(&mut self, found: Option<&Json>, field: &str) -> Option<String> {
        match found? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            other => {
                self.wrong_type(field, other);
                None
            }
        }
    }

    fn number(&mut self, found: Option<&Json>, field: &str) -> Option<f64> {
        let found = found?;
        match found {
            Json::Null => None,
            Json::Number(number) => number.as_f64(),
            Json::String(text) => {
                self.wrong_type(field, found);
                text.trim().parse().ok()
            }
            other => {
                self.wrong_type(field, other);
                None
            }
        }
    }

    fn items(&mut self, found: Option<&Json>) -> Vec<Item> {
        let list = match found {
            None | Some(Json::Null) => return Vec::new(),
            Some(Json::Array(list)) => list,
            Some(other) => {
                self.wrong_type("items", other);
                return Vec::new();
            }
        };
        let mut items = Vec::with_capacity(list.len().min(self.limits.max_items));
        for element in list {
            // Beyond the limit only the count matters: check_event reports it and cuts.
            if items.len() > self.limits.max_items {
                let left = list.len() - items.len();
                items.extend(std::iter::repeat_n(Item::default(), left));
                break;
            }
            if let Json::Object(fields) = element {
                items.push(Item {
                    item_id: self
                        .identifier(fields.get("item_id"), "items.item_id")
                        .unwrap_or_default(),
                    item_name: self.identifier(fields.get("item_name"), "items.item_name"),
                    item_category: self
                        .identifier(fields.get("item_category"), "items.item_category"),
                    item_brand: self.identifier(fields.get("item_brand"), "items.item_brand"),
                    price: self.number(fields.get("price"), "items.price"),
                    quantity: self.number(fields.get("quantity"), "items.quantity"),
                });
            } else {
                self.wrong_type("items", element);
            }
        }
        items
    }

    fn context(&mut self, found: Option<&Json>) -> Context {
        let mut context = Context::new();
        match found {
            None | Some(Json::Null) => {}
            Some(Json::Object(fields)) => {
                for (key, found) in fields {
                    let value = match found {
                        Json::Null => None,
                        Json::Bool(flag) => Some(Value::Flag(*flag)),
                        Json::Number(number) => number.as_f64().map(Value::Number),
                        Json::String(text) => Some(Value::Category(text.clone())),
                        other => {
                            self.wrong_type(&format!("context.{key}"), other);
                            None
                        }
                    };
                    if let Some(value) = value {
                        context.insert(key.clone(), value);
                    }
                }
            }
            Some(other) => self.wrong_type("context", other),
        }
        context
    }
}

/// Cuts a fraction of a millisecond off (`performance.now()` has one). A float beyond the range
/// of i64 saturates, and the check then rejects it.
fn whole_milliseconds(number: f64) -> Option<i64> {
    number.is_finite().then_some(number as i64)
}
