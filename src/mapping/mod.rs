//! From the source's codes to the ERP's: account, segment value, VAT category, terms, unit,
//! branch, supplier. Pure tables; what they do not say is a hold, never a guess.

mod candidates;
mod codes;
mod hierarchy;
pub mod identifier;
mod name_index;
pub mod party_name;
mod supplier;
mod supplier_index;
mod tables;
pub mod vat;

pub use candidates::{Candidate, Suggestion, candidates, doubts, suggest};
pub use codes::{Coding, CodingFault, code_fixed, code_share};
pub use hierarchy::{RemitToFault, remit_to};
pub use supplier::{Settled, SupplierFault, Suppliers, resolve};
pub use supplier_index::SupplierIndex;
pub use tables::{Mapped, SegmentRule, Table, Tables};
