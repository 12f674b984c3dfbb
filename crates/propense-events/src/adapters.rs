//! One reader for each shop format, and the CSV plumbing that they share.

pub(crate) mod jd_micro;
pub(crate) mod jdata;
pub(crate) mod mapped;
pub(crate) mod online_retail;
pub(crate) mod online_shoppers;
mod rows;
pub(crate) mod taobao;
