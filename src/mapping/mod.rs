//! From the source's codes to the ERP's: account, segment value, VAT category, terms, unit,
//! branch, supplier. Pure tables; what they do not say is a hold, never a guess.

mod candidates;
pub mod chart;
mod codes;
mod coding_table;
mod combinations;
mod decision_table;
pub mod derivation;
mod hierarchy;
mod identifier;
mod name_index;
pub mod nearest;
pub mod party_name;
mod sheet;
mod sheets;
mod suggest;
mod supplier;
mod supplier_groups;
mod supplier_index;
mod tables;
mod unfilled;
pub mod vat;

pub use candidates::{Candidate, Suggestion, candidates, doubts, suggest_supplier};
pub use codes::{Coding, CodingFault, code_fixed, code_share};
pub use coding_table::{CodingTable, Found, Outcome, ShareFacts};
pub use combinations::Combinations;
pub use derivation::{Derivation, derivations};
pub use hierarchy::{RemitToFault, remit_to};
pub use sheet::{Sheet, SheetFault, SheetRow};
pub use sheets::TableName;
pub use suggest::{NamedCode, Suggested, named_codes, suggest, unplaced};
pub use supplier::{Settled, SupplierFault, Suppliers, resolve};
pub use supplier_groups::SupplierGroups;
pub use supplier_index::SupplierIndex;
pub use tables::{Mapped, SegmentRule, Table, Tables};
pub use unfilled::{Dimensions, Filling, fillings, unfilled};
