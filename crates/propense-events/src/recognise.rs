//! Telling a format by the beginning of its content.

use crate::{
    EventsError, Format, delimiter,
    format::{FIRST_LINES, is_json, plain},
};

/// Recognises the format by the first lines. `start` is the beginning of the input without
/// byte-order mark; its last line may be cut.
pub(crate) fn recognise(start: &[u8]) -> Result<Format, EventsError> {
    let text = String::from_utf8_lossy(start);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(FIRST_LINES)
        .collect();
    let first = *lines.first().ok_or(EventsError::Empty)?;
    let found = if is_json(start) {
        by_keys(&lines)
    } else {
        by_header(first).or_else(|| by_shape(&lines))
    };
    found.ok_or_else(|| {
        let looked_for: Vec<String> = Format::ALL
            .into_iter()
            .filter(|format| !format.needs_mapping())
            .map(|format| format!("{format} ({})", format.mark()))
            .collect();
        EventsError::Unrecognised {
            looked_for: looked_for.join("; "),
            found: format!("{:?}", first.chars().take(80).collect::<String>()),
        }
    })
}

/// Headers are unmistakable.
fn by_header(first: &str) -> Option<Format> {
    let delimiter = char::from(delimiter::find(first.as_bytes()));
    by_columns(&first.split(delimiter).map(plain).collect::<Vec<_>>())
}

/// The format of a table whose columns have these names, in any order; none for a format that is
/// no table, or that nobody knows.
#[must_use]
pub fn recognise_columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Format> {
    by_columns(&names.into_iter().map(plain).collect::<Vec<_>>())
}

/// The same; the names are [`plain`].
fn by_columns(names: &[String]) -> Option<Format> {
    let has = |name: &str| names.contains(&plain(name));
    let any = |these: &[&str]| these.iter().any(|name| has(name));
    if has("InvoiceNo") || has("Invoice") && has("StockCode") {
        Some(Format::OnlineRetail)
    } else if has("ProductRelated_Duration") || has("VisitorType") && has("TrafficType") {
        Some(Format::OnlineShoppers)
    } else if has("action_time") && any(&["sku_id", "sessionId"]) {
        Some(Format::Jdata)
    } else if has("visitorid") && has("itemid") && has("event") {
        Some(Format::RetailRocket)
    } else if has("event_time") && has("event_type") && has("product_id") {
        Some(Format::Rees46)
    } else if has("collector_tstamp") && any(&["event", "event_name"]) {
        Some(Format::Snowplow)
    } else if has("session") && has("aid") && has("ts") && has("type") {
        Some(Format::Otto)
    } else if has("timestamp") && has("event") {
        Some(Format::Events)
    } else if has("behavior_type") && has("timestamp") {
        Some(Format::Taobao)
    } else if any(&["SessionId", "Session"])
        && any(&["ItemId", "Item"])
        && any(&["Time", "Timestamp"])
    {
        Some(Format::Yoochoose)
    } else {
        None
    }
}

/// Without a header, most of the first lines must have the shape: one damaged line is no reason
/// to refuse a file.
fn by_shape(lines: &[&str]) -> Option<Format> {
    let most =
        |shape: fn(&str) -> bool| 2 * lines.iter().filter(|line| shape(line)).count() > lines.len();
    if most(is_taobao) {
        Some(Format::Taobao)
    } else if most(is_yoochoose) {
        Some(Format::Yoochoose)
    } else if most(is_jd_micro) {
        Some(Format::JdMicro)
    } else if most(is_enriched) {
        Some(Format::Snowplow)
    } else {
        None
    }
}

/// The format that most of the objects have the keys of. Propense's own schema yields to all
/// others: its few keys also occur in them.
fn by_keys(lines: &[&str]) -> Option<Format> {
    let mut votes: Vec<(Format, usize)> = Vec::new();
    for line in lines {
        let Some(format) = of_object(&keys(line)) else {
            continue;
        };
        match votes.iter_mut().find(|(voted, _)| *voted == format) {
            Some((_, count)) => *count += 1,
            None => votes.push((format, 1)),
        }
    }
    let weight = |(format, count): &(Format, usize)| (*format != Format::Events, *count);
    // `max_by_key` takes the last of equals; the first line counts.
    votes
        .iter()
        .rev()
        .max_by_key(|vote| weight(vote))
        .map(|vote| vote.0)
}

fn of_object(keys: &[&str]) -> Option<Format> {
    let has = |key: &str| keys.contains(&key);
    let begins = |part: &str| keys.iter().any(|key| key.starts_with(part));
    if has("session") && has("events") {
        Some(Format::Otto)
    } else if has("collector_tstamp")
        || has("derived_tstamp")
        || begins("unstruct_event_com_snowplowanalytics")
        || begins("contexts_com_snowplowanalytics")
    {
        Some(Format::Snowplow)
    } else if has("event_timestamp") && has("event_name")
        || has("event_params")
        || begins("gtm.")
        || has("ecommerce") && (has("event") || !has("event_name") && !has("name"))
        || has("0") && has("1")
    {
        Some(Format::Ga4)
    } else if has("type") && (has("anonymousId") || has("userId")) {
        Some(Format::Segment)
    } else if has("timestamp") && (has("event") || has("event_name") || has("name")) {
        Some(Format::Events)
    } else {
        None
    }
}

/// The keys of the JSON object at the line's beginning (behind a bracket, or a comma, where the
/// line stands in an array). The object may be cut, so it is not parsed.
fn keys(line: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let line =
        line.trim_start_matches(|letter: char| letter.is_whitespace() || "[,".contains(letter));
    if !line.starts_with('{') {
        return keys;
    }
    let mut depth = 0_usize;
    let mut text_from = None;
    let mut escaped = false;
    let mut key_next = false;
    for (at, byte) in line.bytes().enumerate() {
        if let Some(from) = text_from {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    if key_next && depth == 1 {
                        keys.extend(line.get(from..at));
                    }
                    key_next = false;
                    text_from = None;
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => text_from = Some(at + 1),
            b'{' | b'[' => {
                depth += 1;
                key_next = depth == 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            b',' => key_next = depth == 1,
            _ => {}
        }
    }
    keys
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_taobao(line: &str) -> bool {
    let fields: Vec<&str> = line.trim_end().split(',').collect();
    match fields.as_slice() {
        [user, item, category, behaviour, seconds, ..] => {
            [user, item, category, seconds]
                .into_iter()
                .all(|field| is_number(field))
                && ["pv", "cart", "fav", "buy"].contains(behaviour)
        }
        _ => false,
    }
}

/// `session,2015-06-01T08:00:00.250Z,item,category` or `…,price,quantity`.
fn is_yoochoose(line: &str) -> bool {
    let fields: Vec<&str> = line.trim_end().split([',', '\t']).collect();
    match fields.as_slice() {
        [session, time, item, _category_or_price, rest @ ..] => {
            is_number(session)
                && is_number(item)
                && rest.len() <= 1
                && time.contains('T')
                && crate::parse_timestamp(time, 0).is_some()
        }
        _ => false,
    }
}

/// Judged by the line's first event: the last one may be cut.
fn is_jd_micro(line: &str) -> bool {
    line.split_whitespace()
        .next()
        .is_some_and(|event| event.split('+').count() == 5 && event.split('+').all(is_number))
}

/// Snowplow's enriched event: the fourth field is the collector's time, the seventh a UUID.
fn is_enriched(line: &str) -> bool {
    let fields: Vec<&str> = line.split('\t').collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    fields.len() >= 127
        && crate::parse_timestamp(field(3), 0).is_some()
        && field(6).split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_whole_and_cut_objects() {
        let rows: [(&str, &[&str]); 7] = [
            (r#"{"a":1,"b":{"c":[{"d":2}]},"e":"f,g"}"#, &["a", "b", "e"]),
            (r#"[{"a": "x\"y", "b": [1,2"#, &["a", "b"]),
            (r#", {"a":"#, &["a"]),
            (r#"{"a":1}{"b":2}"#, &["a"]),
            (r#"{"#, &[]),
            (r#"["event","view_item",{"a":1}]"#, &[]),
            ("", &[]),
        ];
        for (line, expected) in rows {
            assert_eq!(keys(line), expected, "{line}");
        }
    }
}
