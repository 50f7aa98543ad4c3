//! From the source's codes to the ERP's: account, segment value, VAT category, terms, unit,
//! branch. Pure tables; what they do not say is a hold, never a guess.

mod tables;

pub use tables::{SegmentRule, Table, Tables};
