//! From the source's codes to the ERP's: account, segment value, VAT category, terms, unit,
//! branch, supplier. Pure tables; what they do not say is a hold, never a guess.

mod codes;
pub mod derivation;
mod identifier;
mod supplier;
mod supplier_groups;
mod supplier_index;
mod tables;
pub mod vat;

pub use codes::{Coding, CodingFault, code_fixed, code_share};
pub use derivation::{Derivation, derivations};
pub use supplier::{SupplierFault, Suppliers, resolve};
pub use supplier_groups::SupplierGroups;
pub use supplier_index::SupplierIndex;
pub use tables::{Mapped, SegmentRule, Table, Tables};
