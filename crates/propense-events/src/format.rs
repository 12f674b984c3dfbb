//! The supported file formats and how each is recognised by its content.

use std::{fmt, str::FromStr};

use crate::{EventsError, Mapping};

/// A file format. `Display` and `FromStr` use the words of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Propense's own CSV, as [`crate::write_events`] writes it.
    Events,
    /// UCI Online Retail: one line for each item of an invoice. Also reads Online Retail II.
    OnlineRetail,
    /// UCI Online Shoppers Purchasing Intention: one line for each session, already summarised.
    OnlineShoppers,
    /// Taobao `UserBehavior.csv`.
    Taobao,
    /// JD sessions of 2019.
    Jdata,
    /// JD micro-behaviours: one line for each session.
    JdMicro,
    /// Any other table, described by a [`crate::Mapping`].
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::Events,
        Self::OnlineRetail,
        Self::OnlineShoppers,
        Self::Taobao,
        Self::Jdata,
        Self::JdMicro,
        Self::Csv,
    ];

    /// The word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::OnlineRetail => "online-retail",
            Self::OnlineShoppers => "online-shoppers",
            Self::Taobao => "taobao",
            Self::Jdata => "jdata",
            Self::JdMicro => "jd-micro",
            Self::Csv => "csv",
        }
    }

    /// What the format is recognised by, for error messages.
    const fn mark(self) -> &'static str {
        match self {
            Self::Events => "a header with `timestamp` and `event`",
            Self::OnlineRetail => "a header with `InvoiceNo` and `StockCode`",
            Self::OnlineShoppers => "a header with `ProductRelated_Duration` and `VisitorType`",
            Self::Taobao => "lines of `user,item,category,pv|cart|fav|buy,seconds`",
            Self::Jdata => "a header with `action_time` and `sku_id`",
            Self::JdMicro => "lines of `sku+behaviour+category+seconds+dwell`",
            Self::Csv => "a mapping",
        }
    }

    /// The shop's offset from UTC in minutes, for hours of the day. Times in the files of the
    /// Online Retail set are British local times and are read as if they were UTC.
    #[must_use]
    pub const fn utc_offset_minutes(self) -> i32 {
        match self {
            Self::Taobao | Self::Jdata => 8 * 60,
            Self::Events
            | Self::OnlineRetail
            | Self::OnlineShoppers
            | Self::JdMicro
            | Self::Csv => 0,
        }
    }

    /// Whether the file names its columns in the first record. `start` is its beginning.
    pub(crate) fn has_header(self, start: &[u8], mapping: &Mapping) -> bool {
        match self {
            Self::Csv => mapping.header,
            Self::Taobao => {
                let first = start.split(|byte| matches!(byte, b'\n' | b'\r')).next();
                let first = String::from_utf8_lossy(first.unwrap_or_default()).to_lowercase();
                first.contains("behavior_type") || first.contains("behaviour")
            }
            Self::JdMicro => false,
            Self::Events | Self::OnlineRetail | Self::OnlineShoppers | Self::Jdata => true,
        }
    }

    /// Recognises the format by the first lines. `start` is the beginning of the input without
    /// byte-order mark; its last line may be cut.
    pub(crate) fn recognise(start: &[u8]) -> Result<Self, EventsError> {
        let text = String::from_utf8_lossy(start);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(20)
            .collect();
        let first = *lines.first().ok_or(EventsError::Empty)?;
        let names: Vec<String> = first.split(',').map(plain).collect();
        let has = |name: &str| names.contains(&plain(name));

        // Headers first: they are unmistakable.
        if has("InvoiceNo") || has("Invoice") && has("StockCode") {
            return Ok(Self::OnlineRetail);
        }
        if has("ProductRelated_Duration") || has("VisitorType") && has("TrafficType") {
            return Ok(Self::OnlineShoppers);
        }
        if has("action_time") && (has("sku_id") || has("sessionId")) {
            return Ok(Self::Jdata);
        }
        if has("timestamp") && has("event") {
            return Ok(Self::Events);
        }
        if has("behavior_type") && has("timestamp") {
            return Ok(Self::Taobao);
        }
        // Without a header, most of the first lines must have the shape: one damaged line is
        // no reason to refuse a file.
        let most = |shape: fn(&str) -> bool| {
            2 * lines.iter().filter(|line| shape(line)).count() > lines.len()
        };
        if most(is_taobao) {
            return Ok(Self::Taobao);
        }
        if most(is_jd_micro) {
            return Ok(Self::JdMicro);
        }
        let looked_for: Vec<String> = Self::ALL
            .into_iter()
            .filter(|format| *format != Self::Csv)
            .map(|format| format!("{format} ({})", format.mark()))
            .collect();
        Err(EventsError::Unrecognised {
            looked_for: looked_for.join("; "),
            found: format!("{:?}", first.chars().take(80).collect::<String>()),
        })
    }
}

/// A column name without case, quotes, blanks and underscores: `Customer ID` is `CustomerID`.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
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

/// Judged by the line's first event: the last one may be cut.
fn is_jd_micro(line: &str) -> bool {
    line.split_whitespace()
        .next()
        .is_some_and(|event| event.split('+').count() == 5 && event.split('+').all(is_number))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = EventsError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| EventsError::UnknownFormat {
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}
