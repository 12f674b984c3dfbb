//! The supported file formats.

use std::{fmt, str::FromStr};

use crate::{EventsError, Mapping};

/// How many lines of an input are looked at to tell what it is.
pub(crate) const FIRST_LINES: usize = 20;

/// A file format. `Display` and `FromStr` use the words of the command line.
///
/// What each is, and how its fields become Propense's, is in `docs/formats.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Propense's own schema: a table as [`crate::write_events`] writes it, or JSON lines as
    /// [`crate::parse_event`] reads them.
    Events,
    /// GA4: the BigQuery export as JSON lines, and pushes to a data layer, those of Universal
    /// Analytics too.
    Ga4,
    /// Segment's ecommerce spec, JSON lines.
    Segment,
    /// Snowplow's enriched events with ecommerce actions: JSON lines, or tab-separated.
    Snowplow,
    /// RetailRocket `events.csv`.
    RetailRocket,
    /// REES46's multi-category and cosmetics shops.
    Rees46,
    /// Taobao `UserBehavior.csv`.
    Taobao,
    /// YooChoose (RecSys Challenge 2015), clicks or buys.
    Yoochoose,
    /// OTTO: one session a line, JSON lines; or one event a row, a table.
    Otto,
    /// JD sessions of 2019.
    Jdata,
    /// JD micro-behaviours: one line for each session.
    JdMicro,
    /// UCI Online Retail: one line for each item of an invoice. Also reads Online Retail II.
    OnlineRetail,
    /// UCI Online Shoppers Purchasing Intention: one line for each session, already summarised.
    OnlineShoppers,
    /// Any other table, described by a [`crate::Mapping`].
    Csv,
    /// Any other JSON lines, described by a [`crate::Mapping`].
    Jsonl,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 15] = [
        Self::Events,
        Self::Ga4,
        Self::Segment,
        Self::Snowplow,
        Self::RetailRocket,
        Self::Rees46,
        Self::Taobao,
        Self::Yoochoose,
        Self::Otto,
        Self::Jdata,
        Self::JdMicro,
        Self::OnlineRetail,
        Self::OnlineShoppers,
        Self::Csv,
        Self::Jsonl,
    ];

    /// The word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Ga4 => "ga4",
            Self::Segment => "segment",
            Self::Snowplow => "snowplow",
            Self::RetailRocket => "retailrocket",
            Self::Rees46 => "rees46",
            Self::Taobao => "taobao",
            Self::Yoochoose => "yoochoose",
            Self::Otto => "otto",
            Self::Jdata => "jdata",
            Self::JdMicro => "jd-micro",
            Self::OnlineRetail => "online-retail",
            Self::OnlineShoppers => "online-shoppers",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// What the format is recognised by, for error messages.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Events => "a header, or JSON lines, with `timestamp` and `event`",
            Self::Ga4 => "JSON lines with `event_name` and `event_timestamp`, or with `ecommerce`",
            Self::Segment => "JSON lines with `type` and `anonymousId` or `userId`",
            Self::Snowplow => {
                "JSON lines or a header with `collector_tstamp`, or 131 columns separated by tabs"
            }
            Self::RetailRocket => "a header with `visitorid` and `itemid`",
            Self::Rees46 => "a header with `event_time` and `event_type`",
            Self::Taobao => "lines of `user,item,category,pv|cart|fav|buy,seconds`",
            Self::Yoochoose => {
                "lines of `session,time,item,category` or a header with `SessionId`, `ItemId`, `Time`"
            }
            Self::Otto => {
                "JSON lines with `session` and `events`, or a header with `session`, `aid`, `ts`, `type`"
            }
            Self::Jdata => "a header with `action_time` and `sku_id`",
            Self::JdMicro => "lines of `sku+behaviour+category+seconds+dwell`",
            Self::OnlineRetail => "a header with `InvoiceNo` and `StockCode`",
            Self::OnlineShoppers => "a header with `ProductRelated_Duration` and `VisitorType`",
            Self::Csv | Self::Jsonl => "a mapping",
        }
    }

    /// Whether a [`Mapping`] must say what is where.
    pub(crate) const fn needs_mapping(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl)
    }

    /// The shop's offset from UTC in minutes, for hours of the day. Times in the files of the
    /// Online Retail set are British local times and are read as if they were UTC.
    #[must_use]
    pub const fn utc_offset_minutes(self) -> i32 {
        match self {
            Self::Taobao | Self::Jdata => 8 * 60,
            _ => 0,
        }
    }

    /// Whether one line is one record, whatever stands in it. `start` is the file's beginning.
    pub(crate) fn has_lines(self, start: &[u8]) -> bool {
        match self {
            Self::Events | Self::Snowplow | Self::Otto => is_json(start),
            Self::Ga4 | Self::Segment | Self::JdMicro | Self::Jsonl => true,
            _ => false,
        }
    }

    /// Whether the file names its columns in the first record. `start` is its beginning.
    pub(crate) fn has_header(self, start: &[u8], mapping: &Mapping) -> bool {
        let first = || {
            let lines = start.split(|byte| matches!(byte, b'\n' | b'\r'));
            let mut lines = lines.filter(|line| !line.trim_ascii().is_empty());
            String::from_utf8_lossy(lines.next().unwrap_or_default()).to_lowercase()
        };
        match self {
            Self::Csv => mapping.header,
            Self::Taobao => {
                let first = first();
                first.contains("behavior_type") || first.contains("behaviour")
            }
            Self::Yoochoose => first().contains("session"),
            Self::Snowplow if !self.has_lines(start) => first().contains("collector_tstamp"),
            other => !other.has_lines(start),
        }
    }
}

/// A column name without case, quotes, blanks and underscores: `Customer ID` is `CustomerID`.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
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

/// Whether the input holds JSON: its first line begins with a bracket, or (that line being
/// damaged) most of the others do. No line of the tables read here does.
pub(crate) fn is_json(start: &[u8]) -> bool {
    let lines = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii_start)
        .filter(|line| !line.is_empty())
        .take(FIRST_LINES);
    let mut brackets = lines.map(|line| matches!(line, [b'{' | b'[', ..]));
    brackets.next() == Some(true) || {
        let (yes, no): (Vec<bool>, Vec<bool>) = brackets.partition(|bracket| *bracket);
        yes.len() > no.len() + 1
    }
}
