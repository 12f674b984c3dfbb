//! One reader for each shop format, and the CSV plumbing that they share.

mod enhanced_ecommerce;
mod ga4;
mod jd_micro;
mod jdata;
mod json_event;
mod json_mapped;
mod json_rows;
mod mapped;
mod online_retail;
mod online_shoppers;
mod otto;
mod rees46;
mod retailrocket;
mod rows;
mod segment;
mod snowplow;
mod snowplow_table;
mod taobao;
mod yoochoose;

use std::io::Read;

use crate::{EventsError, Format, Plan, ledger::Ledger, records::Framing};

/// Reads one block of records, with the file's header before them.
pub(crate) fn read<R: Read>(
    plan: &Plan,
    input: R,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let (format, mapping) = (plan.format, &plan.mapping);
    let Framing::Csv { delimiter, .. } = plan.framing else {
        return match format {
            Format::Ga4 => ga4::read(input, ledger),
            Format::Segment => segment::read(input, ledger),
            Format::Snowplow => snowplow::read(input, ledger),
            Format::Otto => otto::read(input, ledger),
            Format::JdMicro => jd_micro::read(input, ledger),
            Format::Jsonl => json_mapped::read(input, mapping, ledger),
            _ => json_event::read_own(input, ledger),
        };
    };
    let header = !plan.header.is_empty();
    match format {
        Format::OnlineRetail => online_retail::read(input, delimiter, ledger),
        Format::OnlineShoppers => online_shoppers::read(input, delimiter, ledger),
        Format::Taobao => taobao::read(input, delimiter, ledger),
        Format::Jdata => jdata::read(input, delimiter, ledger),
        Format::RetailRocket => retailrocket::read(input, delimiter, ledger),
        Format::Rees46 => rees46::read(input, delimiter, ledger),
        Format::Otto => otto::read_table(input, delimiter, ledger),
        Format::Snowplow => snowplow_table::read(input, delimiter, header, ledger),
        Format::Yoochoose => yoochoose::read(input, delimiter, header, ledger),
        _ => mapped::read(input, format, delimiter, mapping, ledger),
    }
}
