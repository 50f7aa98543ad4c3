//! From the source's codes to the ERP's: account, segment value, VAT category, terms, unit,
//! branch, supplier. Pure tables; what they do not say is a hold, never a guess.

mod codes;
pub mod identifier;
mod supplier;
mod tables;
pub mod vat;

pub use codes::{Coding, CodingFault, Mapped, code_fixed, code_share};
pub use supplier::{SupplierFault, SupplierIndex, Suppliers, resolve};
pub use tables::{SegmentRule, Table, Tables};
