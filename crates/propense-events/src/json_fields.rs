//! Reading the fields of a JSON object whose types nobody promised.

use serde_json::{Map, Value as Json};

use crate::{Action, Context, Limits, Problem, Rule, Value, parse_timestamp};

#[cfg(feature = "adapters")]
use crate::{
    EventKind,
    timestamp::{any_epoch, any_epoch_float, any_timestamp},
};

/// A JSON object.
pub(crate) type Fields = Map<String, Json>;

/// Reads fields leniently and notes each repair.
pub(crate) struct FieldReader<'a> {
    pub(crate) row: u64,
    pub(crate) limits: &'a Limits,
    /// Repairs so far.
    pub(crate) problems: Vec<Problem>,
    /// Whether a number written as text is the format's own way, and so no repair.
    pub(crate) text_numbers: bool,
}

impl<'a> FieldReader<'a> {
    pub(crate) const fn new(row: u64, limits: &'a Limits) -> Self {
        Self {
            row,
            limits,
            problems: Vec::new(),
            text_numbers: false,
        }
    }

    /// The problem that sets a record without this field aside.
    pub(crate) fn missing(&self, field: &str) -> Problem {
        Problem::new(Rule::MissingField, Action::Rejected, self.row).field(field)
    }

    /// Notes a field of the wrong type.
    pub(crate) fn wrong_type(&mut self, field: &str, found: &Json) {
        self.problems.push(
            Problem::new(Rule::WrongType, Action::Repaired, self.row)
                .field(field)
                .detail(found),
        );
    }

    /// Milliseconds since 1970, or a text that says so.
    pub(crate) fn milliseconds(&mut self, found: Option<&Json>) -> Result<i64, Problem> {
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
        read.ok_or_else(|| self.absurd_time("timestamp", found))
    }

    /// The problem that sets a record with this time aside.
    pub(crate) fn absurd_time(&self, field: &str, found: &Json) -> Problem {
        Problem::new(Rule::AbsurdTimestamp, Action::Rejected, self.row)
            .field(field)
            .detail(found)
    }

    /// An identifier or another text. Numbers become text.
    pub(crate) fn identifier(&mut self, found: Option<&Json>, field: &str) -> Option<String> {
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

    /// A number.
    pub(crate) fn number(&mut self, found: Option<&Json>, field: &str) -> Option<f64> {
        let found = found?;
        match found {
            Json::Null => None,
            Json::Number(number) => number.as_f64(),
            Json::String(text) => {
                let read = text.trim().parse().ok();
                if read.is_none() || !self.text_numbers {
                    self.wrong_type(field, found);
                }
                read
            }
            other => {
                self.wrong_type(field, other);
                None
            }
        }
    }

    /// A list, read element by element. Beyond [`Limits::max_items`] the elements are only
    /// counted, as empty ones: the check reports how many there were and cuts.
    pub(crate) fn list<T: Default>(
        &mut self,
        found: Option<&Json>,
        field: &str,
        mut read: impl FnMut(&mut Self, &Fields) -> T,
    ) -> Vec<T> {
        let list = match found {
            None | Some(Json::Null) => return Vec::new(),
            Some(Json::Array(list)) => list,
            Some(other) => {
                self.wrong_type(field, other);
                return Vec::new();
            }
        };
        let mut elements = Vec::with_capacity(list.len().min(self.limits.max_items));
        for element in list {
            if elements.len() > self.limits.max_items {
                elements.resize_with(list.len(), T::default);
                break;
            }
            if let Json::Object(fields) = element {
                let element = read(self, fields);
                elements.push(element);
            } else {
                self.wrong_type(field, element);
            }
        }
        elements
    }

    /// A context: an object of numbers, texts and flags.
    pub(crate) fn context(&mut self, found: Option<&Json>) -> Context {
        let mut context = Context::new();
        match found {
            None | Some(Json::Null) => {}
            Some(Json::Object(fields)) => {
                for (key, found) in fields {
                    if let Some(value) = self.value(found, || format!("context.{key}")) {
                        context.insert(key.clone(), value);
                    }
                }
            }
            Some(other) => self.wrong_type("context", other),
        }
        context
    }

    /// One value of a context; `None` for null, and for a list or an object, which is noted.
    pub(crate) fn value(&mut self, found: &Json, field: impl FnOnce() -> String) -> Option<Value> {
        match found {
            Json::Null => None,
            Json::Bool(flag) => Some(Value::Flag(*flag)),
            Json::Number(number) => number.as_f64().map(Value::Number),
            Json::String(text) => Some(Value::Category(text.clone())),
            other => {
                self.wrong_type(&field(), other);
                None
            }
        }
    }
}

#[cfg(feature = "adapters")]
impl FieldReader<'_> {
    /// A time in any unit or as text ([`any_timestamp`]), none of them a repair.
    pub(crate) fn any_time(&self, found: Option<&Json>, field: &str) -> Result<i64, Problem> {
        let found = match found {
            None | Some(Json::Null) => return Err(self.missing(field)),
            Some(found) => found,
        };
        let read = match found {
            Json::Number(number) => match number.as_i64() {
                Some(count) => Some(any_epoch(count)),
                None => number.as_f64().and_then(any_epoch_float),
            },
            Json::String(text) => any_timestamp(text, 0),
            _ => None,
        };
        read.ok_or_else(|| self.absurd_time(field, found))
    }

    /// Notes an event of a name that nobody knows; it is kept as [`EventKind::Other`].
    pub(crate) fn unknown_event(&mut self, name: &str) {
        self.problems.push(
            Problem::new(Rule::UnknownEvent, Action::Repaired, self.row)
                .field("event")
                .detail(name),
        );
    }

    /// The same, if `kind` says that the name was not known.
    pub(crate) fn unless_known(&mut self, kind: EventKind, name: &str) {
        if kind == EventKind::Other && name != kind.name() {
            self.unknown_event(name);
        }
    }
}

/// Cuts a fraction of a millisecond off (`performance.now()` has one). A float beyond the range
/// of i64 saturates, and the check then rejects it.
fn whole_milliseconds(number: f64) -> Option<i64> {
    number.is_finite().then_some(number as i64)
}
