//! The accounting side: everything that knows Visma.net's words, and nothing else does.
//!
//! [`Client`] carries the sign-in, the hourly [`Allowance`] and the wire. Reading turns Visma's
//! rows into the core's types; writing turns a plan into a [`Request`], a value that can be
//! stored before it leaves. A [`Sender`] carries out one request once and tells what became
//! of it ([`Outcome`]); whether to try again is not decided here.

mod allowance;
mod answer;
mod background;
mod client;
mod compare;
mod documents;
mod error;
mod gated;
mod granted;
mod journal;
mod ledger;
mod pager;
mod probe;
mod read;
mod reference;
mod request;
mod send;
mod settings;
mod stamp;
mod supplier;
#[cfg(test)]
mod testing;
mod token;
mod wire;
mod write_invoice;
mod write_order;

pub use allowance::{Allowance, AllowanceSnapshot};
pub use client::{Calls, Client};
pub use compare::{Difference, invoice_matches, order_matches};
pub use documents::{BatchFilter, InvoiceFilter, OrderFilter, ReceiptFilter};
pub use error::Error;
pub use gated::Gate;
pub use granted::Granted;
pub use ledger::ledger_matches;
pub use pager::{Page, Pager, UnreadableRow};
pub use probe::{List, Look};
pub use read::kind as invoice_kind;
pub use reference::ReferenceRead;
pub use request::{Body, CannotWrite, FileMismatch, Method, Request};
pub use send::{Outcome, Sender};
pub use settings::{CustomField, KeyFields, Settings, SupplierAttributes};
pub use stamp::{civil, filter_form, overlap};
pub use write_invoice::{attach, create_invoice, document_type, release_invoice, update_invoice};
pub use write_order::{cancel_order, create_order, update_order};
