//! One reader for each shop format, and the CSV plumbing that they share.

mod jd_micro;
mod jdata;
mod mapped;
mod online_retail;
mod online_shoppers;
mod rows;
mod taobao;

use std::io::Read;

use crate::{EventsError, Format, Mapping, ledger::Ledger};

/// Reads one block of records, with the file's header before them.
pub(crate) fn read<R: Read>(
    format: Format,
    mapping: &Mapping,
    input: R,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    match format {
        Format::Events | Format::Csv => mapped::read(input, format, mapping, ledger),
        Format::OnlineRetail => online_retail::read(input, ledger),
        Format::OnlineShoppers => online_shoppers::read(input, ledger),
        Format::Taobao => taobao::read(input, ledger),
        Format::Jdata => jdata::read(input, ledger),
        Format::JdMicro => jd_micro::read(input, ledger),
    }
}
